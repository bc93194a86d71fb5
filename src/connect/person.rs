//! The person who connects, by the same pseudonyms that the consumer gets in `users`, if the rules let them out.

use super::ticket::Person;
use glassine_core::pseudonym::{Class, Outcome, Pseudonyms};
use glassine_core::rules::Plan;
use glassine_core::rules::automaton::{Effect, Leaf};
use glassine_core::rules::plan::{Endpoint, Response, Transform};

/// Which properties of a person the rules let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    id: Form,
    email: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Nothing,
    Token,
    Reversible,
}

impl Shown {
    /// Reads from the plan what leaves of a user. If the plan keeps an id or an address unchanged, the result still has
    /// a pseudonym.
    pub(super) fn by(plan: &Plan) -> Self {
        let users = plan.endpoints.iter().filter(|endpoint| endpoint.template.last_name() == Some("users"));
        let leaving: Vec<_> = users.flat_map(|endpoint| leaving(endpoint)).collect();
        Self { id: form(&leaving, &["id"]), email: form(&leaving, &["userPrincipalName", "mail"]) }
    }

    /// The person with this object id and this sign-in name.
    pub(super) fn person(self, pseudonyms: &Pseudonyms, oid: Option<&str>, name: Option<&str>) -> Person {
        let id = oid.and_then(|oid| match self.id {
            Form::Nothing => None,
            Form::Token => written(|out| pseudonyms.id(oid, out)),
            Form::Reversible => written(|out| pseudonyms.reversible(Class::Id, oid, out)),
        });
        let email = name
            .filter(|_| self.email != Form::Nothing)
            .and_then(|it| written(|out| pseudonyms.email(it, out)));
        Person { id, email }
    }
}

/// The properties that leave of the objects of an endpoint, with their paths. The response to `/$count` has no objects.
fn leaving(endpoint: &Endpoint) -> impl Iterator<Item = (String, Leaf)> {
    let places = matches!(endpoint.response, Response::Json(_)).then(|| endpoint.inside());
    places.into_iter().flatten().filter_map(|place| match place.effect {
        Effect::Leaves(leaf) => Some((place.at.names().collect::<Vec<_>>().join("."), leaf)),
        _ => None,
    })
}

/// The consumer's pseudonym for the tenant.
pub(super) fn tenant_pseudonym(pseudonyms: &Pseudonyms, id: &str) -> Option<String> {
    written(|out| pseudonyms.id(id, out))
}

fn form(leaving: &[(String, Leaf)], paths: &[&str]) -> Form {
    let mut forms = leaving.iter().filter(|(path, _)| paths.contains(&path.as_str())).map(|(_, leaf)| leaf);
    match forms.next() {
        None => Form::Nothing,
        Some(Leaf::Transform(Transform::Reversible(_))) => Form::Reversible,
        Some(_) => Form::Token,
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> Outcome) -> Option<String> {
    let mut token = Vec::new();
    let outcome = write(&mut token);
    String::from_utf8(token).ok().filter(|_| outcome == Outcome::Written)
}
