//! Annotations: what may be asked, and what values can be, in the vocabularies that OASIS publishes
//! (<https://github.com/oasis-tcs/odata-vocabularies>).
//!
//! What may be asked of an entity set is annotated at the set, and what may be asked of a collection inside its entities is in
//! the set's `NavigationRestrictions`: tools understand longer targets of annotations less often.

use std::collections::BTreeMap;

use super::access::Access;
use super::xml::Xml;
use super::{CONTAINER, NAMESPACE};
use crate::graph::{Direction, OptionName};
use crate::rules::plan::{Comparator, Comparison, QueryPolicy};

/// Vocabularies, each with its alias here.
pub(super) const VOCABULARIES: [(&str, &str); 3] = [
    ("Org.OData.Capabilities.V1", "Capabilities"),
    ("Org.OData.Core.V1", "Core"),
    ("Org.OData.Validation.V1", "Validation"),
];

/// The proxy only reads.
const WRITING: [(&str, &str); 3] = [
    ("InsertRestrictions", "Insertable"),
    ("UpdateRestrictions", "Updatable"),
    ("DeleteRestrictions", "Deletable"),
];

const JSON: &str = "application/json";

/// The element for the path of a property.
const PATH: &str = "PropertyPath";

/// What holds for all collections.
pub(super) fn of_service(xml: &mut Xml) {
    xml.element("Annotation", &[("Term", "Capabilities.SupportedFormats")], |xml| {
        xml.element("Collection", &[], |xml| xml.text("String", JSON));
    });
    Place::Set.record("BatchSupport", xml, |xml| {
        Place::Inside.flag("Supported", true, xml);
        list("SupportedFormats", "String", [JSON], xml);
    });
    Place::Set.flag("KeyAsSegmentSupported", true, xml);
}

/// The texts of which a value is one.
pub(super) fn allowed<'w>(words: impl Iterator<Item = &'w str>, xml: &mut Xml) {
    xml.element("Annotation", &[("Term", "Validation.AllowedValues")], |xml| {
        xml.element("Collection", &[], |xml| {
            for word in words {
                xml.element("Record", &[], |xml| value("Value", "String", word, xml));
            }
        });
    });
}

/// An annotation with a text.
pub(super) fn text(term: &str, text: &str, xml: &mut Xml) {
    xml.leaf("Annotation", &[("Term", term), ("String", text)]);
}

/// What may be asked of an entity set, and of the collections inside its entities. `access` has all collections.
pub(super) fn of_set(name: &str, access: &BTreeMap<String, Access<'_>>, xml: &mut Xml) {
    let nothing = Access::default();
    let own = access.get(name).unwrap_or(&nothing);
    let inside: Vec<_> = access
        .iter()
        .filter_map(|(path, it)| Some((path.strip_prefix(name)?.strip_prefix('/')?, it)))
        .collect();
    let target = format!("{NAMESPACE}.{CONTAINER}/{name}");
    xml.element("Annotations", &[("Target", &target)], |xml| {
        restrictions(Place::Set, own, xml);
        let uncounted = inside.iter().filter(|(_, it)| !it.is_countable()).map(|(path, _)| *path);
        Place::Set.record("CountRestrictions", xml, |xml| {
            Place::Inside.flag("Countable", own.is_countable(), xml);
            list("NonCountableNavigationProperties", "NavigationPropertyPath", uncounted, xml);
        });
        expansions(own.policy(), xml);
        if inside.is_empty() {
            return;
        }
        Place::Set.record("NavigationRestrictions", xml, |xml| {
            xml.element("PropertyValue", &[("Property", "RestrictedProperties")], |xml| {
                xml.element("Collection", &[], |xml| {
                    inside.iter().for_each(|(path, it)| restricted(path, it, xml));
                });
            });
        });
    });
}

fn restricted(path: &str, access: &Access<'_>, xml: &mut Xml) {
    xml.element("Record", &[], |xml| {
        value("NavigationProperty", "NavigationPropertyPath", path, xml);
        restrictions(Place::Inside, access, xml);
    });
}

/// Where a restriction stands: its name is that of a term or of a property.
#[derive(Clone, Copy)]
enum Place {
    Set,
    Inside,
}

impl Place {
    fn record(self, name: &str, xml: &mut Xml, inside: impl FnOnce(&mut Xml)) {
        let record = |xml: &mut Xml| xml.element("Record", &[], inside);
        match self {
            Self::Set => xml.element("Annotation", &[("Term", &term(name))], record),
            Self::Inside => xml.element("PropertyValue", &[("Property", name)], record),
        }
    }

    fn flag(self, name: &str, flag: bool, xml: &mut Xml) {
        let flag = if flag { "true" } else { "false" };
        match self {
            Self::Set => xml.leaf("Annotation", &[("Term", &term(name)), ("Bool", flag)]),
            Self::Inside => value(name, "Bool", flag, xml),
        }
    }
}

fn term(name: &str) -> String {
    format!("Capabilities.{name}")
}

fn value(property: &str, kind: &str, value: &str, xml: &mut Xml) {
    xml.leaf("PropertyValue", &[("Property", property), (kind, value)]);
}

/// A collection of values in elements of this name; nothing if there are none.
fn list<'w>(name: &str, element: &str, words: impl IntoIterator<Item = &'w str>, xml: &mut Xml) {
    let words: Vec<_> = words.into_iter().collect();
    if !words.is_empty() {
        xml.element("PropertyValue", &[("Property", name)], |xml| {
            xml.element("Collection", &[], |xml| words.iter().for_each(|word| xml.text(element, word)));
        });
    }
}

fn restrictions(place: Place, access: &Access<'_>, xml: &mut Xml) {
    let nothing = QueryPolicy::default();
    let policy = access.policy().unwrap_or(&nothing);
    for (name, property) in WRITING {
        place.record(name, xml, |xml| Place::Inside.flag(property, false, xml));
    }
    place.record("ReadRestrictions", xml, |xml| {
        Place::Inside.flag("Readable", access.is_listed(), xml);
        custom(policy, xml);
        Place::Inside.record("ReadByKeyRestrictions", xml, |xml| {
            Place::Inside.flag("Readable", access.by_key, xml);
        });
    });
    place.flag("IndexableByKey", access.by_key, xml);
    place.flag("TopSupported", policy.value(&OptionName::Top).is_some(), xml);
    place.flag("SkipSupported", policy.value(&OptionName::Skip).is_some(), xml);
    place.record("SelectSupport", xml, |xml| Place::Inside.flag("Supported", policy.select, xml));
    place.record("SearchRestrictions", xml, |xml| Place::Inside.flag("Searchable", false, xml));
    place.record("FilterRestrictions", xml, |xml| filters(policy, access, xml));
    place.record("SortRestrictions", xml, |xml| sorting(policy, access, xml));
}

/// Options that are not OData's.
fn custom(policy: &QueryPolicy, xml: &mut Xml) {
    let names = policy.values.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with('$'));
    let names: Vec<_> = names.collect();
    if !names.is_empty() {
        xml.element("PropertyValue", &[("Property", "CustomQueryOptions")], |xml| {
            xml.element("Collection", &[], |xml| {
                for name in names {
                    xml.element("Record", &[], |xml| value("Name", "String", name, xml));
                }
            });
        });
    }
}

fn filters(policy: &QueryPolicy, access: &Access<'_>, xml: &mut Xml) {
    let is_open = |name: &str| policy.filter.iter().any(|it| root(&it.property) == name);
    Place::Inside.flag("Filterable", !policy.filter.is_empty(), xml);
    if policy.filter.is_empty() {
        return;
    }
    list("NonFilterableProperties", PATH, access.properties().filter(|name| !is_open(name)), xml);
    xml.element("PropertyValue", &[("Property", "FilterExpressionRestrictions")], |xml| {
        xml.element("Collection", &[], |xml| policy.filter.iter().for_each(|it| comparison(it, xml)));
    });
}

/// The vocabulary knows kinds of expressions only, so a description names the operators.
fn comparison(comparison: &Comparison, xml: &mut Xml) {
    let Comparison { property, collection: _, operators } = comparison;
    let is_by_order = operators.iter().any(|operator| operator.is_by_order());
    let kind = match (is_by_order, operators.contains(&Comparator::In)) {
        (true, _) => "MultiRange",
        (false, true) => "MultiValue",
        (false, false) => "SingleValue",
    };
    let any = if comparison.collection.is_some() { ", of an element, with any" } else { "" };
    xml.element("Record", &[], |xml| {
        value("Property", PATH, property, xml);
        value("AllowedExpressions", "String", kind, xml);
        text("Core.Description", &format!("{}{any}", comparison.operators()), xml);
    });
}

fn sorting(policy: &QueryPolicy, access: &Access<'_>, xml: &mut Xml) {
    let is_open = |name: &str| policy.order_by.iter().any(|(path, _)| root(path) == name);
    let only = |direction| {
        let all = policy.order_by.iter().filter(move |(_, directions)| *directions == [direction]);
        all.map(|(path, _)| path.as_str())
    };
    Place::Inside.flag("Sortable", !policy.order_by.is_empty(), xml);
    if !policy.order_by.is_empty() {
        list("AscendingOnlyProperties", PATH, only(Direction::Ascending), xml);
        list("DescendingOnlyProperties", PATH, only(Direction::Descending), xml);
        list("NonSortableProperties", PATH, access.properties().filter(|name| !is_open(name)), xml);
    }
}

fn expansions(policy: Option<&QueryPolicy>, xml: &mut Xml) {
    let is_open = policy.is_some_and(|policy| !policy.expand.is_empty());
    Place::Set.record("ExpandRestrictions", xml, |xml| {
        Place::Inside.flag("Expandable", is_open, xml);
        if is_open {
            value("MaxLevels", "Int", "1", xml);
        }
    });
}

/// The property of the object that a path begins with.
fn root(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}
