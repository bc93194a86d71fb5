//! Graph's types, from the schema files in the folder that `GRAPH_DATA` names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

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

/// The folder of Graph's data; says so where a test is skipped for want of it.
#[allow(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn graph_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("GRAPH_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {test} needs GRAPH_DATA, the folder of Graph's schemas and samples");
    }
    folder
}

impl Schema {
    /// The schema of `version`; `None` where there is no folder of Graph's data.
    pub(crate) fn load(version: &str, test: &str) -> Option<Self> {
        let file = graph_data(test)?.join(format!("schema-{version}.json"));
        Some(serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
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
