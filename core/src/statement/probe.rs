//! One value at one place of a response, and what the sanitizer lets out of it: what examples and witnesses are made of.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::pseudonym::Pseudonyms;
use crate::rules::automaton::{Automaton, Leaf, Location, NodeId, Step};
use crate::rules::plan::{Body, HEADER_NAME, HEADER_VALUE, Header, LinkKind, PseudonymKind};
use crate::sanitize::{Context, LinkRefusal, Links, Raw, sanitize};

/// The conversation index of a reply to a reply.
pub(super) const SECOND_REPLY: &str = "AQHaa4wvh9NJ7UTXQ+Gag18kBt7lvYAAASoQgAChssA=";

/// A list with these headers, so that something of each leaves, and with one that no rule names.
pub(super) fn list_of<'h>(headers: impl IntoIterator<Item = &'h Header>) -> Value {
    let header = |name: &str, value: &str| json!({ HEADER_NAME: name, HEADER_VALUE: value });
    let named = headers.into_iter().map(|it| match it.token {
        None if it.name.eq_ignore_ascii_case("Precedence") => header(&it.name, "bulk"),
        None => header(&it.name, "All"),
        Some(PseudonymKind::Email | PseudonymKind::EmailList) => header(&it.name, "alice.smith@contoso.com"),
        Some(_) => header(&it.name, "<4f1c@mail.fabrikam.example>"),
    });
    named.chain([header("Subject", "Re: Alice's salary")]).collect()
}

/// Stands for each property that no rule names.
const OTHER: &str = "example";

/// What happens to a leaf at this place; `None` if the automaton has no such place.
pub(super) fn leaf<'a>(automaton: &'a Automaton, at: &Location) -> Option<&'a Leaf> {
    let node = nodes(automaton, at)?.last().copied()?;
    Some(&automaton.node(node).leaf)
}

/// A document with nothing but the value at this place, and the array that a page must have; `None` if the automaton has no
/// such place.
pub(super) fn document(automaton: &Automaton, at: &Location, value: &Value) -> Option<Value> {
    let nodes = nodes(automaton, at)?;
    let inside_out = at.0.iter().zip(nodes).rev();
    let mut document = inside_out.fold(value.clone(), |inner, (step, node)| match step {
        Step::Name(name) => json!({ &**name: inner }),
        Step::OtherNames => json!({ OTHER: inner }),
        Step::Index(_) | Step::OtherElements => {
            let before = std::iter::repeat_n(Value::Null, elements_before(automaton, node, step));
            Value::Array(before.chain([inner]).collect())
        }
    });
    if automaton.page().is_some()
        && let Some(page) = document.as_object_mut()
    {
        page.entry("value").or_insert_with(|| json!([]));
    }
    Some(document)
}

/// What is at the place in what the sanitizer let out of such a document.
pub(super) fn value_at(mut left: Value, at: &Location) -> Option<Value> {
    for step in &at.0 {
        left = match step {
            Step::Name(name) => left.get_mut(&**name)?.take(),
            Step::OtherNames => left.get_mut(OTHER)?.take(),
            Step::Index(_) | Step::OtherElements => left.as_array_mut()?.pop()?,
        };
    }
    Some(left)
}

/// What leaves of a document; `None` if it is refused.
pub(super) fn sanitized(body: &Arc<Body>, keys: &Arc<Pseudonyms>, document: &Value) -> Option<String> {
    let (body, pseudonyms) = (Arc::clone(body), Arc::clone(keys));
    let context = Context { body, pseudonyms, links: Arc::new(NoLinks) };
    let (clean, _) = sanitize(context, Raw::new(document.to_string().as_bytes())).ok()?;
    String::from_utf8(clean.into_inner()).ok()
}

/// The nodes on the way to the place, the root first.
fn nodes(automaton: &Automaton, at: &Location) -> Option<Vec<NodeId>> {
    let mut nodes = vec![automaton.root()];
    for step in &at.0 {
        let here = automaton.node(nodes.last().copied()?);
        nodes.push(match step {
            Step::Name(name) => here.object.as_ref()?.member(name)?.1.node?,
            Step::OtherNames => here.object.as_ref()?.other()?,
            Step::Index(index) => here.array.as_ref()?.element(u64::from(*index))?,
            Step::OtherElements => here.array.as_ref()?.element(u64::MAX)?,
        });
    }
    Some(nodes)
}

/// How many elements stand before the one that the step from this node leads to.
fn elements_before(automaton: &Automaton, node: NodeId, step: &Step) -> usize {
    match step {
        Step::Index(index) => usize::try_from(*index).unwrap_or_default(),
        _ => automaton.node(node).array.as_ref().map_or(0, |array| array.distinct()),
    }
}

/// Links are sealed for one request of one consumer, and leave in the same form under all rules.
struct NoLinks;

impl Links for NoLinks {
    fn rewrite(&self, _link: &str, _kind: LinkKind) -> Result<String, LinkRefusal> {
        Err(LinkRefusal::Elsewhere)
    }
}
