//! Examples: a value of Graph, and what the sanitizer makes of it. The keys are fixed and protect nothing.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::catalogue::{Edm, Property};
use crate::pseudonym::{AddressPolicy, KeyRing, OwnDomain, Pseudonyms};
use crate::rules::Plan;
use crate::rules::automaton::{Effect, Leaf, Location};
use crate::rules::plan::{Endpoint, Kept, Match, PseudonymKind, Transform, Words};
use crate::statement::probe;

/// The tenant's domain in examples, if the configuration does not say which it is.
const DOMAIN: &str = "contoso.com";

/// Somebody whose domain is not the tenant's.
const STRANGER: &str = "bob.brown@fabrikam.example";

/// What somebody wrote.
const WRITTEN: &str = "Re: Alice's salary";

/// An id of the directory, and one of a mailbox.
const IDS: [&str; 2] = ["87d349ed-44d7-43e1-9a83-5f2406dee5bd", "AAMkAGI2TG93AAA="];

/// A value of Graph, and what leaves in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What Graph sends.
    pub before: Value,
    /// What leaves.
    pub after: Value,
}

/// What a review needs besides the plan: the text of the rules, and what examples are made with.
pub struct Scene<'a> {
    /// The rules file's text.
    pub(super) source: &'a str,
    /// Never absent: the keys are fixed.
    keys: Option<Arc<Pseudonyms>>,
    /// An address in the tenant.
    address: String,
}

impl<'a> Scene<'a> {
    /// The scene for these rules in a tenant with these domains, if it is known which they are.
    pub fn new(plan: &Plan, source: &'a str, tenant_domains: Option<&[OwnDomain]>) -> Self {
        let example = || OwnDomain::parse(DOMAIN).into_iter().collect();
        let own: Vec<_> = tenant_domains.map_or_else(example, <[_]>::to_vec);
        let domain = own.first().map_or_else(|| DOMAIN.to_owned(), example_of);
        let address = format!("alice.smith@{domain}");
        let policy = AddressPolicy { domains: plan.domains, plus_tags: plan.plus_tags, own };
        let master: [u8; 32] = Sha256::digest("the keys of the examples in a review").into();
        let ring = KeyRing::parse(&KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z")).ok();
        let keys = ring.map(|ring| Arc::new(ring.pseudonyms("example", &policy)));
        Self { source, keys, address }
    }

    /// How an address in the tenant leaves, and how a stranger's does.
    pub(super) fn addresses(&self) -> Vec<Example> {
        let token = |address: &str| {
            let mut token = Vec::new();
            let _always_written = self.keys.as_ref()?.email(address, &mut token);
            Some(Example { before: address.into(), after: String::from_utf8(token).ok()?.into() })
        };
        [&*self.address, STRANGER].into_iter().filter_map(token).collect()
    }

    /// A value at the place of which something leaves, and what leaves of it.
    pub(super) fn example(
        &self,
        endpoint: &Endpoint,
        at: &Location,
        effect: &Effect,
        property: Option<&Property>,
    ) -> Option<Example> {
        self.values(effect, property, endpoint.directory).into_iter().find_map(|before| {
            let after = self.sanitized(endpoint, at, &before)?;
            Some(Example { before, after })
        })
    }

    /// Values that the form is for.
    fn values(&self, effect: &Effect, property: Option<&Property>, directory: bool) -> Vec<Value> {
        let edm = property.map(|property| property.edm);
        match effect {
            Effect::Leaves(Leaf::Keep(kept)) => kept_values(kept, edm),
            Effect::Leaves(Leaf::Transform(transform)) => self.transformed_values(transform, directory),
            Effect::Object => vec![json!({ "example": WRITTEN })],
            Effect::Array => vec![json!([{ "example": WRITTEN }]), json!([WRITTEN])],
            Effect::Leaves(Leaf::Drop) | Effect::Dropped | Effect::Repeats(_) => Vec::new(),
        }
    }

    fn transformed_values(&self, transform: &Transform, directory: bool) -> Vec<Value> {
        let [in_directory, in_mailbox] = IDS;
        let id = if directory { in_directory } else { in_mailbox };
        let one = |text: &str| vec![text.into()];
        match transform {
            Transform::Pseudonym(PseudonymKind::Email) | Transform::Domain => one(&self.address),
            Transform::Pseudonym(PseudonymKind::EmailList) => one(&format!("{}, {STRANGER}", self.address)),
            Transform::Pseudonym(PseudonymKind::Id) | Transform::Reversible(_) => one(id),
            Transform::Pseudonym(PseudonymKind::Thread) => one("AAQkAGI2OWNiAAA="),
            Transform::Pseudonym(PseudonymKind::MessageId) => one("<4f1c@mail.fabrikam.example>"),
            Transform::Match(parts) => self.matching_values(parts),
            Transform::TruncateTime(_) => kept_values(&Kept::Time, None),
            // One of each kind tells enough.
            Transform::Headers(headers) => {
                let one = |has_token| headers.all().iter().find(move |it| it.token.is_some() == has_token);
                vec![probe::list_of(one(true).into_iter().chain(one(false)))]
            }
            Transform::ReplyDepth => one(probe::SECOND_REPLY),
            // What leaves is sealed for one request of one consumer.
            Transform::Link(_) => Vec::new(),
            _ => [WRITTEN, "192.0.2.17"].map(Value::from).into(),
        }
    }

    /// Values that the expression may match: each of its fixed texts, with something that can follow it.
    fn matching_values(&self, parts: &Match) -> Vec<Value> {
        let words: Vec<_> = parts.keep.iter().flat_map(|group| group.words.texts()).chain([""]).collect();
        let [in_directory, in_mailbox] = IDS;
        let ends = [&*self.address, in_directory, in_mailbox, WRITTEN, "", "-Berlin"];
        words.iter().flat_map(|word| ends.map(|end| format!("{word}{end}").into())).collect()
    }

    /// What the sanitizer lets out of a response that has nothing but the value.
    fn sanitized(&self, endpoint: &Endpoint, at: &Location, value: &Value) -> Option<Value> {
        let (body, keys) = (endpoint.response.body(), self.keys.as_ref()?);
        let at = body.seen_from_root(at);
        let left = probe::sanitized(body, keys, &probe::document(&body.automaton, &at, value)?)?;
        let left = probe::value_at(serde_json::from_str(&left).ok()?, &at)?;
        (!left.is_null()).then_some(left)
    }
}

/// A domain that the entry means.
fn example_of(own: &OwnDomain) -> String {
    if own.is_wildcard() { format!("mail.{}", own.name()) } else { own.name().to_owned() }
}

fn kept_values(kept: &Kept, edm: Option<Edm>) -> Vec<Value> {
    match kept {
        Kept::Time => match edm {
            Some(Edm::TimeOfDay) => vec!["08:00:00.0000000".into()],
            Some(Edm::Date) => vec!["2026-03-02".into()],
            _ => vec!["2026-03-02T08:14:09Z".into()],
        },
        Kept::Boolean => vec![true.into()],
        Kept::Number => vec![17.into()],
        Kept::OneOf(words) => first(words),
        Kept::TimeZone(_) => vec!["W. Europe Standard Time".into()],
        Kept::Text => match edm {
            Some(Edm::Boolean) => vec![true.into()],
            Some(Edm::Number(_)) => vec![17.into()],
            _ => vec![WRITTEN.into()],
        },
    }
}

fn first(words: &Words) -> Vec<Value> {
    words.texts().next().map(Value::from).into_iter().collect()
}
