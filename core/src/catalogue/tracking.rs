//! What Graph takes in requests for changes: less than in requests for what there is.

use std::sync::LazyLock;

use super::lines::{first, records};
use super::permissions::canonical;
use super::resource::Resource;

/// What Graph takes of `$filter`, `$orderby` and `$top` where it tracks changes of objects of one type.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    of: &'static str,
    /// Properties, each with its operators.
    filter: Vec<(&'static str, Vec<&'static str>)>,
    /// Properties, each with its directions.
    order: Vec<(&'static str, Vec<&'static str>)>,
    top: bool,
}

#[derive(Debug, Default)]
struct Changes {
    tracked: Vec<Tracking>,
    untracked: Vec<&'static str>,
}

static CHANGES: LazyLock<Changes> = LazyLock::new(|| {
    let mut changes = Changes::default();
    for (kind, rest) in records(include_str!("../../data/paths.txt")).map(first) {
        match kind {
            "delta" => changes.add(rest),
            "untracked" => changes.untracked.push(rest),
            _ => {}
        }
    }
    changes
});

/// What Graph takes in a request for changes of these objects; `None` if the catalogue does not know.
pub(crate) fn tracking(resource: &Resource) -> Option<&'static Tracking> {
    let mut tracked = CHANGES.tracked.iter();
    tracked.find(|tracking| resource.is_delta && resource.of.is_a(tracking.of))
}

/// Whether Graph is known to track no changes at this path. For its form see [`super::resolve`].
pub(crate) fn is_untracked(path: &str) -> bool {
    CHANGES.untracked.contains(&canonical(path).as_str())
}

impl Changes {
    fn add(&mut self, line: &'static str) {
        let mut words = line.split(' ');
        let of = words.next().unwrap_or_default();
        if self.tracked.iter().all(|tracking| tracking.of != of) {
            self.tracked.push(Tracking { of, ..Tracking::default() });
        }
        let Some(tracking) = self.tracked.iter_mut().find(|tracking| tracking.of == of) else { return };
        match (words.next(), words.next()) {
            (Some("filter"), Some(property)) => tracking.filter.push((property, words.collect())),
            (Some("order"), Some(property)) => tracking.order.push((property, words.collect())),
            (Some("top"), None) => tracking.top = true,
            _ => {}
        }
    }
}

impl Tracking {
    /// Whether `$filter` may compare the property by this operator, as OData spells it.
    pub(crate) fn filters(&self, property: &str, operator: &str) -> bool {
        lists(&self.filter, property, operator)
    }

    /// Whether `$orderby` may name the property with this direction, as OData spells it.
    pub(crate) fn orders(&self, property: &str, direction: &str) -> bool {
        lists(&self.order, property, direction)
    }

    /// Whether `$top` is taken.
    pub(crate) fn tops(&self) -> bool {
        self.top
    }

    /// What `$filter` may be, as a rule would open it: `{ receivedDateTime: [ge, gt] }`. `None` if nothing.
    pub(crate) fn filter(&self) -> Option<String> {
        as_rule(&self.filter)
    }

    /// What `$orderby` may be, as a rule would open it. `None` if nothing.
    pub(crate) fn order(&self) -> Option<String> {
        as_rule(&self.order)
    }
}

fn lists(all: &[(&str, Vec<&str>)], property: &str, way: &str) -> bool {
    all.iter().any(|(own, ways)| own.eq_ignore_ascii_case(property) && ways.contains(&way))
}

fn as_rule(all: &[(&str, Vec<&str>)]) -> Option<String> {
    let entries: Vec<_> = all.iter().map(|(own, ways)| format!("{own}: [{}]", ways.join(", "))).collect();
    (!entries.is_empty()).then(|| format!("{{ {} }}", entries.join(", ")))
}
