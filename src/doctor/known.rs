//! The values for the parameters of a request's path: names that the rules list, and tokens from earlier responses, by
//! their collection.

use std::collections::BTreeMap;

use serde_json::Value;

use glassine_core::rules::plan::{Endpoint, Param};
use glassine_core::rules::template::Part;

/// The tokens of objects, by the path of their collection, such as `/v1.0/users`.
#[derive(Default)]
pub(super) struct Known(BTreeMap<String, Vec<String>>);

/// A path with a value for each parameter.
pub(super) struct Filled {
    pub(super) path: String,
    /// The collection of the first object in the path, such as `/v1.0/users`, if the object came from a response.
    pub(super) root: Option<String>,
}

/// A parameter without a known value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfilled {
    /// No earlier response had such an object.
    #[error("no object to request: {{{param}}} comes from {collection}, which returned none")]
    NoObject {
        /// The parameter.
        param: String,
        /// The collection, in the words of the rules.
        collection: String,
    },
    /// The parameter takes neither a listed name nor a token.
    #[error("{{{0}}} takes values that no response contains")]
    Values(String),
}

impl Known {
    /// A user whom the operator named, in every version of the API.
    pub(super) fn of_user(token: &str) -> Self {
        let versions = ["/v1.0/users", "/beta/users"];
        Self(versions.map(|path| (path.to_owned(), vec![token.to_owned()])).into())
    }

    /// Remembers the objects in the response to `path`. A delta returns objects of its collection.
    pub(super) fn learn(&mut self, path: &str, document: &Value) {
        let objects = document.get("value").and_then(Value::as_array);
        let ids = objects.into_iter().flatten().filter_map(|object| object.get("id")?.as_str());
        let collection = path.strip_suffix("/delta()").unwrap_or(path);
        let known = self.0.entry(collection.to_owned()).or_default();
        known.extend(ids.map(str::to_owned));
    }

    /// Forgets the first object of a collection, if there is another one.
    pub(super) fn next(&mut self, collection: &str) -> bool {
        let Some(known) = self.0.get_mut(collection).filter(|known| known.len() > 1) else { return false };
        known.remove(0);
        true
    }

    pub(super) fn fill(&self, endpoint: &Endpoint) -> Result<Filled, Unfilled> {
        let mut filled = Filled { path: String::new(), root: None };
        let mut template = String::new();
        for part in endpoint.template.all() {
            let value = match part {
                Part::Param(name) => {
                    let param = endpoint.params.iter().find(|param| param.name == *name);
                    self.value(name, param, &mut filled, &template)?
                }
                part => part.to_string(),
            };
            filled.path += &format!("/{value}");
            template += &format!("/{part}");
        }
        Ok(filled)
    }

    fn value(
        &self,
        name: &str,
        param: Option<&Param>,
        filled: &mut Filled,
        template: &str,
    ) -> Result<String, Unfilled> {
        let param = param.ok_or_else(|| Unfilled::Values(name.to_owned()))?;
        if let Some(listed) = param.one_of.first() {
            return Ok(listed.clone());
        }
        if param.token.is_none() {
            return Err(Unfilled::Values(name.to_owned()));
        }
        let none = || Unfilled::NoObject { param: name.to_owned(), collection: template.to_owned() };
        let token = self.0.get(&filled.path).and_then(|known| known.first()).ok_or_else(none)?;
        filled.root.get_or_insert_with(|| filled.path.clone());
        Ok(token.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use glassine_core::rules::{Plan, compile};

    const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

    fn path(plan: &Plan, known: &Known, name: &str) -> Result<String, String> {
        let endpoint = plan.endpoints.iter().find(|endpoint| endpoint.name == name).unwrap();
        known.fill(endpoint).map(|filled| filled.path).map_err(|unfilled| unfilled.to_string())
    }

    #[test]
    fn paths_are_filled_from_lists_and_earlier_responses() {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let mut known = Known::default();
        assert_eq!(path(&plan, &known, "list-users").unwrap(), "/v1.0/users");
        let empty = path(&plan, &known, "get-user").unwrap_err();
        assert_eq!(empty, "no object to request: {user} comes from /{api}/users, which returned none");
        known.learn("/v1.0/users", &json!({ "value": [{ "id": "p~A" }, { "id": "p~B" }] }));
        assert_eq!(
            path(&plan, &known, "list-child-folders").unwrap(),
            "/v1.0/users/p~A/mailFolders/inbox/childFolders"
        );
        assert!(path(&plan, &known, "get-message").is_err());
        known.learn("/v1.0/users/p~A/messages", &json!({ "value": [{ "id": "p~M" }] }));
        assert_eq!(path(&plan, &known, "get-message").unwrap(), "/v1.0/users/p~A/messages/p~M");
        assert!(known.next("/v1.0/users"));
        assert_eq!(path(&plan, &known, "get-user").unwrap(), "/v1.0/users/p~B");
        assert!(!known.next("/v1.0/users") && path(&plan, &known, "get-message").is_err());
    }

    #[test]
    fn a_delta_returns_objects_of_its_collection() {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let mut known = Known::default();
        known.learn("/v1.0/groups/delta()", &json!({ "value": [{ "id": "p~G" }] }));
        assert_eq!(path(&plan, &known, "get-group").unwrap(), "/v1.0/groups/p~G");
    }
}
