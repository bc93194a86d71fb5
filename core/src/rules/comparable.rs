//! Which questions follow from what leaves. A question may be asked if the consumer could compute its response from what
//! it may read: then the response tells nothing new.
//!
//! | what leaves | may be asked |
//! |---|---|
//! | a kept value | every comparison of its type |
//! | one of some values | whether it is one of them; not its order, which would tell where the others stand |
//! | a reversible token | whether it is the value behind another token |
//! | a truncated time | whether it is before a time of its grid |
//! | any other token | whether there is a value: `null` leaves as `null` |
//!
//! Elements of a collection are compared with `any`. An element that does not leave is no trace in the array, so a
//! question that such an element could satisfy (`ne`, `not`, `any()`) is not among them.

use super::automaton::{Array, Leaf, NodeId, Step};
use super::plan::{Body, Comparator, Comparison, Kept, Transform};

/// A value that a question can be about.
pub(crate) struct Reached<'a> {
    /// What leaves of it.
    pub(crate) leaf: &'a Leaf,
    /// How many names lead to the collection that has the value, if it is in one.
    pub(crate) collection: Option<usize>,
}

impl Body {
    /// The value that a chain of names leads to from the object, through one collection at most; `None` if nothing
    /// leaves there, or if it depends on an element's index what leaves.
    pub(crate) fn reach<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<Reached<'_>> {
        let mut way = Way { body: self, at: self.object(), taken: 0, collection: None };
        names.into_iter().try_for_each(|name| way.step(name))?;
        if self.automaton.node(way.at).leaf == Leaf::Drop {
            way.enter()?;
        }
        let leaf = &self.automaton.node(way.at).leaf;
        (*leaf != Leaf::Drop).then_some(Reached { leaf, collection: way.collection })
    }

    /// Every comparison that follows from what leaves of the object. `without`: navigation properties that may be
    /// expanded, which Graph does not compare.
    pub(super) fn comparable(&self, without: &[&str]) -> Vec<Comparison> {
        let all = self.reachable(without).into_iter().map(|(property, reached)| Comparison {
            property,
            collection: reached.collection,
            operators: operators(&reached),
        });
        all.filter(|it| !it.operators.is_empty()).collect()
    }

    /// The properties whose order follows from what leaves.
    pub(super) fn sortable(&self, without: &[&str]) -> Vec<String> {
        let all = self.reachable(without).into_iter();
        all.filter(|(_, reached)| is_sortable(reached)).map(|(property, _)| property).collect()
    }

    /// The properties of the object that an option can name, each once.
    fn reachable(&self, without: &[&str]) -> Vec<(String, Reached<'_>)> {
        let mut all: Vec<(String, Reached<'_>)> = Vec::new();
        for place in self.inside() {
            let Some(names) = names(&place.at.0) else { continue };
            let property = names.join("/");
            let is_known = all.iter().any(|(known, _)| *known == property);
            let is_expanded = names.first().is_some_and(|first| without.contains(first));
            if let (false, false, Some(reached)) = (is_known, is_expanded, self.reach(names)) {
                all.push((property, reached));
            }
        }
        all
    }
}

/// On the way from an object to a value in it.
struct Way<'a> {
    body: &'a Body,
    at: NodeId,
    taken: usize,
    collection: Option<usize>,
}

impl Way<'_> {
    fn step(&mut self, name: &str) -> Option<()> {
        if self.body.automaton.node(self.at).object.is_none() {
            self.enter()?;
        }
        let (_, member) = self.body.automaton.node(self.at).object.as_ref()?.member(name)?;
        self.at = member.node?;
        self.taken += 1;
        Some(())
    }

    /// From a collection to its elements.
    fn enter(&mut self) -> Option<()> {
        self.at = self.body.automaton.node(self.at).array.as_ref().and_then(Array::each)?;
        self.collection.replace(self.taken).is_none().then_some(())
    }
}

/// The names on the way to a place; `None` if it has another step than names and elements, or an annotation.
pub(super) fn names(steps: &[Step]) -> Option<Vec<&str>> {
    let named = steps.iter().filter(|step| !matches!(step, Step::OtherElements));
    named.map(|step| step.name().filter(|name| is_property(name))).collect()
}

/// Whether a text can be the name of a property (OData 4.01 ABNF, `odataIdentifier`, in ASCII).
pub(super) fn is_property(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What may be asked of the value.
pub(crate) fn operators(reached: &Reached<'_>) -> Vec<Comparator> {
    use Comparator::{Eq, Ge, Gt, In, Le, Lt, Ne, Present};
    let all: &[Comparator] = match reached.leaf {
        Leaf::Drop | Leaf::Transform(Transform::Link(_) | Transform::Headers(_)) => &[],
        Leaf::Keep(Kept::Boolean) => &[Eq, Ne],
        Leaf::Keep(Kept::Time | Kept::Number | Kept::Text) => &[Eq, Ne, Gt, Ge, Lt, Le, In],
        Leaf::Keep(Kept::OneOf(_) | Kept::TimeZone(_)) | Leaf::Transform(Transform::Reversible(_)) => {
            &[Eq, Ne, In]
        }
        Leaf::Transform(Transform::TruncateTime(_)) => &[Ge, Lt, Present],
        Leaf::Transform(_) => &[Present],
    };
    let tells_of_others = |by: &Comparator| reached.collection.is_some() && matches!(by, Ne | Present);
    all.iter().copied().filter(|by| !tells_of_others(by)).collect()
}

/// Whether a list may be sorted by the value.
pub(crate) fn is_sortable(reached: &Reached<'_>) -> bool {
    reached.collection.is_none()
        && matches!(reached.leaf, Leaf::Keep(Kept::Boolean | Kept::Time | Kept::Number | Kept::Text))
}

/// `from/emailAddress/address, sender/emailAddress/address (eq, in); subject (present)`: names, and what may be done with each.
pub(crate) fn with_ways(all: impl IntoIterator<Item = (String, String)>) -> String {
    let groups = alike(all).into_iter().map(|(names, how)| format!("{names} ({how})"));
    groups.collect::<Vec<_>>().join("; ")
}

/// Entries with the same second part, together: `a, b` and what may be done with both.
pub(crate) fn alike(all: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut groups: Vec<(Vec<String>, String)> = Vec::new();
    for (name, how) in all {
        match groups.iter_mut().find(|(_, own)| *own == how) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], how)),
        }
    }
    groups.into_iter().map(|(names, how)| (names.join(", "), how)).collect()
}
