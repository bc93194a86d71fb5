//! The document: types, functions and the entity container.

use std::collections::BTreeMap;

use super::access::Access;
use super::annotations::{self, VOCABULARIES, text};
use super::property::{Property, Single};
use super::schema::{Function, KEY, Schema, Structured};
use super::xml::Xml;
use super::{CONTAINER, NAMESPACE};

/// The namespace of what Graph does not have.
const OWN_NAMESPACE: &str = "glassine";

/// Where OASIS publishes vocabularies.
const OASIS: &str = "https://docs.oasis-open.org/odata/odata-vocabularies/v4.0/vocabularies";

const DIGEST: &str = "digest";

pub(super) fn write(schema: &Schema, access: &BTreeMap<String, Access<'_>>) -> String {
    let version = if schema.is_untyped() { "4.01" } else { "4.0" };
    let edmx = [("Version", version), ("xmlns:edmx", "http://docs.oasis-open.org/odata/ns/edmx")];
    let mut xml = Xml::new();
    xml.element("edmx:Edmx", &edmx, |xml| {
        VOCABULARIES.iter().for_each(|(namespace, alias)| reference(namespace, alias, xml));
        xml.element("edmx:DataServices", &[], |xml| {
            self::schema(schema, access, xml);
            if schema.has_digest() {
                digest(xml);
            }
        });
    });
    xml.into_text()
}

fn reference(namespace: &str, alias: &str, xml: &mut Xml) {
    let uri = format!("{OASIS}/{namespace}.xml");
    xml.element("edmx:Reference", &[("Uri", &uri)], |xml| {
        xml.leaf("edmx:Include", &[("Namespace", namespace), ("Alias", alias)]);
    });
}

const EDM: (&str, &str) = ("xmlns", "http://docs.oasis-open.org/odata/ns/edm");

fn schema(schema: &Schema, access: &BTreeMap<String, Access<'_>>, xml: &mut Xml) {
    xml.element("Schema", &[("Namespace", NAMESPACE), EDM], |xml| {
        schema.enums.keys().for_each(|name| enum_type(name, &schema.members_of(name), xml));
        for (name, own) in &schema.types {
            structured(name, own, schema.has_key(name), xml);
        }
        schema.functions.iter().for_each(|it| function(it, xml));
        container(schema, xml);
        schema.roots.keys().for_each(|name| annotations::of_set(name, access, xml));
    });
}

fn digest(xml: &mut Xml) {
    xml.element("Schema", &[("Namespace", OWN_NAMESPACE), EDM], |xml| {
        xml.element("ComplexType", &[("Name", DIGEST)], |xml| {
            for name in ["length", "words"] {
                xml.leaf("Property", &[("Name", name), ("Type", "Edm.Int64"), ("Nullable", "false")]);
            }
        });
    });
}

fn enum_type(name: &str, members: &[&str], xml: &mut Xml) {
    xml.element("EnumType", &[("Name", name)], |xml| {
        members.iter().for_each(|member| xml.leaf("Member", &[("Name", member)]));
    });
}

fn structured(name: &str, own: &Structured, has_key: bool, xml: &mut Xml) {
    let base = own.base.map(qualified).unwrap_or_default();
    let all =
        [("Name", name), ("BaseType", base.as_str()), ("OpenType", if own.is_open { "true" } else { "" })];
    let attributes: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    xml.element(if own.is_entity { "EntityType" } else { "ComplexType" }, &attributes, |xml| {
        if has_key {
            xml.element("Key", &[], |xml| xml.leaf("PropertyRef", &[("Name", KEY)]));
        }
        for (name, it) in &own.properties {
            property(name, it, has_key && name == KEY, xml);
        }
        for (name, it) in &own.navigations {
            navigation(name, it, xml);
        }
    });
}

fn property(name: &str, property: &Property, is_key: bool, xml: &mut Xml) {
    let of = type_of(property);
    let attributes = [("Name", name), ("Type", of.as_str()), ("Nullable", "false")];
    // Without a word, a property can be null.
    let attributes = attributes.get(..if is_key { 3 } else { 2 }).unwrap_or(&attributes);
    xml.element("Property", attributes, |xml| {
        let says: Vec<_> = property.says.iter().map(String::as_str).collect();
        if !says.is_empty() {
            text("Core.Description", &says.join("; "), xml);
        }
        if let Some(pattern) = &property.pattern {
            text("Validation.Pattern", &format!("^{pattern}$"), xml);
        }
        if let Some(words) = property.allowed.as_ref().filter(|_| !matches!(property.of, Single::Enum(_))) {
            annotations::allowed(words.iter().map(String::as_str), xml);
        }
    });
}

/// Graph contains what is in a mailbox or a group in that, and refers to users, groups and other objects of the directory.
fn navigation(name: &str, target: &Property, xml: &mut Xml) {
    let of = type_of(target);
    let attributes = [("Name", name), ("Type", of.as_str()), ("ContainsTarget", "true")];
    let is_reference = matches!(target.of, Single::Object(name) if is_directory(name));
    xml.leaf("NavigationProperty", attributes.get(..if is_reference { 2 } else { 3 }).unwrap_or(&attributes));
}

fn is_directory(name: &str) -> bool {
    let versions = [crate::graph::Version::V1, crate::graph::Version::Beta];
    let of = versions.into_iter().find_map(|version| crate::catalogue::type_named(version, name));
    of.is_some_and(|of| of.is_a("directoryObject"))
}

fn type_of(property: &Property) -> String {
    let of = match &property.of {
        Single::Primitive(name) => name.clone(),
        Single::Enum(name) | Single::Object(name) => qualified(name),
        Single::Digest => format!("{OWN_NAMESPACE}.{DIGEST}"),
        Single::Untyped => "Edm.Untyped".to_owned(),
    };
    if property.is_collection { collection(&of) } else { of }
}

fn qualified(name: &str) -> String {
    format!("{NAMESPACE}.{name}")
}

fn collection(of: &str) -> String {
    format!("Collection({of})")
}

fn function(Function { name, bound_to, returns }: &Function, xml: &mut Xml) {
    let of = |(name, is_many): &(&str, bool)| {
        if *is_many { collection(&qualified(name)) } else { qualified(name) }
    };
    let (bound_to, returns) = (of(bound_to), of(returns));
    xml.element("Function", &[("Name", name), ("IsBound", "true")], |xml| {
        xml.leaf("Parameter", &[("Name", "bindingParameter"), ("Type", &bound_to), ("Nullable", "false")]);
        xml.leaf("ReturnType", &[("Type", &returns), ("Nullable", "false")]);
    });
}

fn container(schema: &Schema, xml: &mut Xml) {
    xml.element("EntityContainer", &[("Name", CONTAINER)], |xml| {
        for (name, (of, is_set)) in &schema.roots {
            let of = qualified(of);
            let (element, kind) = if *is_set { ("EntitySet", "EntityType") } else { ("Singleton", "Type") };
            xml.leaf(element, &[("Name", name), (kind, &of)]);
        }
        annotations::of_service(xml);
    });
}
