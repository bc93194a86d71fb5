//! The values for the parameters of a request's path: names that the rules list, and tokens from earlier responses, by
//! their collection.

use std::collections::BTreeMap;

use serde_json::Value;

use glassine_core::rules::plan::{Endpoint, Param};
use glassine_core::rules::template::Part;

/// The tokens of objects, by the path of their collection, such as `/v1.0/users`.
#[derive(Default)]
pub(super) struct Known {
    tokens: BTreeMap<String, Vec<String>>,
    /// The collections whose object the operator named. No other object takes its place.
    named: Vec<String>,
}

/// A path with a value for each parameter.
#[derive(Clone, Default)]
pub(super) struct Filled {
    pub(super) path: String,
    /// The first object in the path that came from a response.
    pub(super) root: Option<Root>,
}

/// An object, and its collection such as `/v1.0/users`.
#[derive(Clone)]
pub(super) struct Root {
    collection: String,
    token: String,
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
        let named = ["/v1.0/users", "/beta/users"].map(str::to_owned);
        Self { tokens: named.clone().map(|path| (path, vec![token.to_owned()])).into(), named: named.into() }
    }

    /// Whether the operator named the user.
    pub(super) fn has_named(&self) -> bool {
        !self.named.is_empty()
    }

    /// Remembers the objects in the response to `path`, the likeliest owners of mailboxes first. A delta returns objects of its
    /// collection.
    pub(super) fn learn(&mut self, path: &str, document: &Value) {
        let objects = document.get("value").and_then(Value::as_array);
        let mut objects: Vec<_> = objects.into_iter().flatten().collect();
        objects.sort_by_key(|object| has_no_mailbox(object));
        let ids = objects.into_iter().filter_map(|object| object.get("id")?.as_str());
        let collection = path.strip_suffix("/delta()").unwrap_or(path);
        if self.named.iter().any(|named| named == collection) {
            return;
        }
        let known = self.tokens.entry(collection.to_owned()).or_default();
        known.extend(ids.map(str::to_owned));
    }

    /// Puts an object first, because it has what others lack.
    pub(super) fn prefer(&mut self, root: &Root) {
        let Some(known) = self.tokens.get_mut(&root.collection) else { return };
        known.sort_by_key(|token| *token != root.token);
    }

    /// The first path that [`Self::candidates`] gives.
    pub(super) fn fill(&self, endpoint: &Endpoint) -> Result<Filled, Unfilled> {
        Ok(self.candidates(endpoint)?.into_iter().next().unwrap_or_default())
    }

    /// A path for each object that the first parameter can stand for and whose further objects are known. At least one.
    pub(super) fn candidates(&self, endpoint: &Endpoint) -> Result<Vec<Filled>, Unfilled> {
        let mut candidates = vec![Filled::default()];
        let mut template = String::new();
        for part in endpoint.template.all() {
            candidates = match part {
                Part::Param(name) => {
                    let param = endpoint.params.iter().find(|param| param.name == *name);
                    let param = param.ok_or_else(|| Unfilled::Values(name.clone()))?;
                    self.with_values(param, candidates, &template)?
                }
                part => candidates.into_iter().map(|filled| filled.with(&part.to_string())).collect(),
            };
            template += &format!("/{part}");
        }
        Ok(candidates)
    }

    /// The candidates with each of their values for a parameter.
    fn with_values(
        &self,
        param: &Param,
        candidates: Vec<Filled>,
        template: &str,
    ) -> Result<Vec<Filled>, Unfilled> {
        if let Some(listed) = param.one_of.first() {
            return Ok(candidates.into_iter().map(|filled| filled.with(listed)).collect());
        }
        if param.token.is_none() {
            return Err(Unfilled::Values(param.name.clone()));
        }
        let with: Vec<_> = candidates.iter().flat_map(|filled| self.with_objects(filled)).collect();
        let none = || Unfilled::NoObject { param: param.name.clone(), collection: template.to_owned() };
        if with.is_empty() { Err(none()) } else { Ok(with) }
    }

    /// The path with each object of its collection if it is the path's first one, otherwise with the first object.
    fn with_objects(&self, filled: &Filled) -> Vec<Filled> {
        let known = self.tokens.get(&filled.path).map(Vec::as_slice).unwrap_or_default();
        let count = if filled.root.is_none() { known.len() } else { 1 };
        known.iter().take(count).map(|token| filled.with_object(token)).collect()
    }
}

/// Whether a user looks like one without a mailbox: a guest, or an account without an address. `false` for everything else.
fn has_no_mailbox(object: &Value) -> bool {
    let is_guest = object.get("userType").is_some_and(|kind| kind == "Guest");
    is_guest || object.get("mail").is_some_and(Value::is_null)
}

impl Filled {
    fn with(&self, segment: &str) -> Self {
        Self { path: format!("{}/{segment}", self.path), root: self.root.clone() }
    }

    fn with_object(&self, token: &str) -> Self {
        let root = Root { collection: self.path.clone(), token: token.to_owned() };
        Self { root: self.root.clone().or(Some(root)), ..self.with(token) }
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
        let endpoint = plan.endpoints.iter().find(|endpoint| endpoint.name == "get-user").unwrap();
        let users = known.candidates(endpoint).unwrap();
        assert_eq!(
            users.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(),
            ["/v1.0/users/p~A", "/v1.0/users/p~B"]
        );
        known.prefer(users[1].root.as_ref().unwrap());
        assert_eq!(path(&plan, &known, "get-user").unwrap(), "/v1.0/users/p~B");
        let messages = "/v1.0/users/p~A/messages/p~M";
        assert_eq!(path(&plan, &known, "get-message").unwrap(), messages, "only A's messages are known");
    }

    #[test]
    fn members_with_an_address_come_first() {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let mut known = Known::default();
        let users = json!({ "value": [
            { "id": "guest", "mail": "t~1", "userType": "Guest" },
            { "id": "without", "mail": null, "userType": "Member" },
            { "id": "first", "mail": "t~2", "userType": "Member" },
            { "id": "second", "mail": "t~3" },
        ] });
        known.learn("/v1.0/users", &users);
        let endpoint =
            plan.endpoints.iter().find(|endpoint| endpoint.name == "get-mailbox-settings").unwrap();
        let paths: Vec<_> = known.candidates(endpoint).unwrap().into_iter().map(|it| it.path).collect();
        let expected = ["first", "second", "guest", "without"];
        assert_eq!(paths, expected.map(|id| format!("/v1.0/users/{id}/mailboxSettings")));
    }

    #[test]
    fn a_delta_returns_objects_of_its_collection() {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let mut known = Known::default();
        known.learn("/v1.0/groups/delta()", &json!({ "value": [{ "id": "p~G" }] }));
        assert_eq!(path(&plan, &known, "get-group").unwrap(), "/v1.0/groups/p~G");
    }
}
