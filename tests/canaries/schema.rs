//! Graph's types, from the schema files among Graph's data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::support::data;

/// The types of one API version.
#[derive(Deserialize)]
pub(crate) struct Schema {
    types: BTreeMap<String, Type>,
}

#[derive(Deserialize)]
struct Type {
    base: Option<String>,
    props: BTreeMap<String, Property>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Property {
    /// Not known for some properties of beta.
    #[serde(rename = "type")]
    type_name: Option<String>,
    collection: Option<bool>,
    kind: String,
}

impl Property {
    pub(crate) fn is_navigation(&self) -> bool {
        self.kind == "navigation"
    }

    pub(crate) fn is_collection(&self) -> bool {
        self.collection.unwrap_or_default()
    }

    pub(crate) fn type_name(&self) -> &str {
        self.type_name.as_deref().unwrap_or_default()
    }
}

impl Schema {
    pub(crate) fn load(version: &str) -> Self {
        let file = data::graph().join(format!("schema-{version}.json"));
        serde_json::from_str(&data::text(&file)).unwrap()
    }

    pub(crate) fn has(&self, type_name: &str) -> bool {
        self.types.contains_key(type_name)
    }

    /// The properties of a type, with those of the types it is derived from.
    pub(crate) fn properties(&self, type_name: &str) -> BTreeMap<String, Property> {
        let Some(own) = self.types.get(type_name) else { return BTreeMap::new() };
        let mut all = own.base.as_deref().map(|base| self.properties(base)).unwrap_or_default();
        all.extend(own.props.clone());
        all
    }

    /// A type and everything that is derived from it.
    pub(crate) fn family(&self, type_name: &str) -> Vec<String> {
        let derived = self.types.iter().filter(|(_, it)| it.base.as_deref() == Some(type_name));
        let families = derived.flat_map(|(name, _)| self.family(name));
        std::iter::once(type_name.to_owned()).chain(families).collect()
    }
}
