//! Responses in which every property of every type holds a marker, in many disguises.

use std::collections::{BTreeMap, BTreeSet};

use super::endpoints::{Endpoint, Form};
use super::marker::Registry;
use super::schema::{Property, Schema};

/// The kind of values that a response has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// What Graph could write where a value is kept, and markers everywhere else.
    Proper,
    Text,
    Upper,
    Address,
    OwnAddress,
    ProxyAddress,
    X500,
    Guid,
    ExchangeId,
    Url,
    Escaped,
    Long,
    Number,
    ObjectForLeaf,
    ArrayForLeaf,
    LeafForContainer,
    ArrayForObject,
    Deep,
}

impl Filling {
    pub(crate) const ALL: [Self; 18] = [
        Self::Proper,
        Self::Text,
        Self::Upper,
        Self::Address,
        Self::OwnAddress,
        Self::ProxyAddress,
        Self::X500,
        Self::Guid,
        Self::ExchangeId,
        Self::Url,
        Self::Escaped,
        Self::Long,
        Self::Number,
        Self::ObjectForLeaf,
        Self::ArrayForLeaf,
        Self::LeafForContainer,
        Self::ArrayForObject,
        Self::Deep,
    ];

    /// Whether containers and leaves are where the schema has them, so that everything that is kept has to leave.
    pub(crate) fn is_well_formed(self) -> bool {
        let odd = [
            Self::ObjectForLeaf,
            Self::ArrayForLeaf,
            Self::LeafForContainer,
            Self::ArrayForObject,
            Self::Deep,
        ];
        !odd.contains(&self)
    }
}

/// The deepest nesting of containers, because the schema's types refer to each other in circles.
const MAX_NESTING: usize = 4;
/// More than a transform takes (64 KiB).
const LONG: usize = 70_000;
/// Nested objects; the sanitizer takes 64.
const DEEP: usize = 40;

pub(crate) struct Filler<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) registry: &'a mut Registry,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) filling: Filling,
    /// Where Graph's links lead: scheme, host and path.
    pub(crate) link: String,
    /// The kept paths that got a proper value.
    pub(crate) proper: BTreeSet<String>,
}

impl Filler<'_> {
    /// The bodies that show every type of the endpoint: one page, or an object of each type.
    pub(crate) fn bodies(&mut self) -> Vec<String> {
        let family = self.schema.family(self.endpoint.type_name);
        if self.endpoint.form == Form::Entity {
            return family.iter().map(|name| self.object(name, "", 0)).collect();
        }
        let objects: Vec<_> = family.iter().map(|name| self.object(name, "", 0)).collect();
        vec![self.page(&objects.join(","))]
    }

    fn page(&mut self, objects: &str) -> String {
        let count = self.leaf("page:@odata.count");
        let context = self.leaf("page:@odata.context");
        let extras = self.extras("page:", 0);
        let secret = self.registry.text("page:@odata.nextLink", false);
        let link = match self.endpoint.form {
            Form::Delta => format!(r#""@odata.deltaLink":"{}?$deltatoken={secret}""#, self.link),
            _ => format!(r#""@odata.nextLink":"{}?$skiptoken={secret}""#, self.link),
        };
        format!(
            r#"{{"@odata.context":{context},"@odata.count":{count},{extras},"value":[{objects}],{link}}}"#
        )
    }

    /// An object of a type, all its properties and some that no schema has.
    fn object(&mut self, type_name: &str, path: &str, nesting: usize) -> String {
        let mut members = Vec::new();
        for (name, property) in self.properties(type_name, nesting) {
            if property.is_navigation() && nesting > 0 {
                continue;
            }
            let value = self.value(&property, &join(path, &name), nesting);
            members.push(self.member(&name, &value));
        }
        if nesting < 2 {
            members.push(self.extras(path, nesting));
        }
        if self.endpoint.form == Form::Delta && nesting == 0 {
            let reason = self.leaf(&join(path, "@removed.reason"));
            let other = self.leaf(&join(path, "@removed.other"));
            members.push(format!(r#""@removed":{{"reason":{reason},"other":{other}}}"#));
        }
        members.retain(|member| !member.is_empty());
        format!("{{{}}}", members.join(","))
    }

    /// The properties of an object. Inside another, objects of derived types stand in its place: it has the properties of all.
    fn properties(&self, type_name: &str, nesting: usize) -> BTreeMap<String, Property> {
        let family = if nesting > 0 { self.schema.family(type_name) } else { vec![type_name.to_owned()] };
        family.iter().flat_map(|name| self.schema.properties(name)).collect()
    }

    /// Annotations, known and unknown, an unknown property, and a marker as a name. Few of them in inner objects, of
    /// which there are many.
    fn extras(&mut self, path: &str, nesting: usize) -> String {
        const NAMES: [&str; 16] = [
            "@odata.id",
            "@odata.etag",
            "@odata.editLink",
            "@odata.readLink",
            "@odata.mediaContentType",
            "@odata.mediaReadLink",
            "@microsoft.graph.tips",
            "@microsoft.graph.downloadUrl",
            "@vendor.note",
            "subject@odata.type",
            "subject@OData.Community.Display.V1.FormattedValue",
            "attachments@odata.context",
            "attachments@odata.nextLink",
            "toRecipients@odata.nextLink",
            "singleValueExtendedProperties@odata.context",
            "extension_8f3c_secret",
        ];
        let count = if nesting == 0 { NAMES.len() } else { 2 };
        let mut members: Vec<_> =
            NAMES.iter().take(count).map(|name| (*name, self.leaf(&join(path, name)))).collect();
        if !path.starts_with("page:") {
            for name in ["@odata.type", "@odata.context"] {
                members.push((name, self.leaf(&join(path, name))));
            }
        }
        let name = self.registry.text(&join(path, "a name"), false);
        let value = self.leaf(&join(path, "of an unknown name"));
        let mut members: Vec<_> =
            members.into_iter().map(|(name, value)| self.member(name, &value)).collect();
        members.push(format!(r#""{name}":{value}"#));
        members.push(format!(r#""{name}@odata.type":{{"{name}":[{value}]}}"#));
        members.join(",")
    }

    fn member(&self, name: &str, value: &str) -> String {
        match self.filling {
            Filling::Escaped => format!("\"{}\":{value}", escaped(name)),
            _ => format!("\"{name}\":{value}"),
        }
    }

    fn value(&mut self, property: &Property, path: &str, nesting: usize) -> String {
        let type_name = property.type_name();
        let is_object = self.schema.has(type_name) && nesting < MAX_NESTING;
        if !is_object && !property.is_collection() {
            return self.leaf(path);
        }
        match (self.filling, property.is_collection()) {
            (Filling::LeafForContainer, _) => self.leaf(path),
            (Filling::ArrayForObject, false) => format!("[{}]", self.one(type_name, &element(path), nesting)),
            (Filling::ArrayForObject, true) => self.one(type_name, path, nesting),
            (_, false) => self.one(type_name, path, nesting),
            (_, true) => {
                let two = [(); 2].map(|()| self.one(type_name, &element(path), nesting));
                format!("[{}]", two.join(","))
            }
        }
    }

    fn one(&mut self, type_name: &str, path: &str, nesting: usize) -> String {
        if self.schema.has(type_name) && nesting < MAX_NESTING {
            self.object(type_name, path, nesting + 1)
        } else {
            self.leaf(path)
        }
    }

    fn leaf(&mut self, path: &str) -> String {
        match self.filling {
            Filling::Proper if self.endpoint.kept.contains(&path) => {
                self.proper.insert(path.to_owned());
                self.endpoint.proper(path).to_owned()
            }
            Filling::Number => self.registry.number(path, self.endpoint.keeps_number(path)),
            Filling::ObjectForLeaf => {
                let [name, value, address] =
                    ["a name", "value", "address"].map(|it| self.text(&join(path, it)));
                format!(
                    r#"{{"{name}":1,"value":"{value}","address":"{address}","emailAddress":{{"address":"{address}"}}}}"#
                )
            }
            Filling::ArrayForLeaf => {
                let [one, two] = [element(path), join(&element(path), "value")].map(|it| self.text(&it));
                format!(r#"["{one}",{{"value":"{two}"}},["{one}"]]"#)
            }
            Filling::Deep => {
                let marker = self.text(&join(path, "deep"));
                let open = r#"{"value":["#.repeat(DEEP / 2);
                format!(r#"{open}"{marker}"{}"#, "]}".repeat(DEEP / 2))
            }
            _ => {
                let marker = self.text(path);
                format!("\"{}\"", disguised(self.filling, &marker, path))
            }
        }
    }

    /// No text leaves, kept or not, that this program or the rules do not spell.
    fn text(&mut self, path: &str) -> String {
        self.registry.text(path, false)
    }
}

/// The marker in the form that a property's value might have; a part of a JSON string.
fn disguised(filling: Filling, marker: &str, path: &str) -> String {
    use base64::Engine as _;
    match filling {
        Filling::Upper => marker.to_uppercase(),
        Filling::Address => format!("{marker}@{marker}.example"),
        Filling::OwnAddress => format!("{marker} <mailto:{marker}@contoso.com>"),
        Filling::ProxyAddress => format!("SMTP:{marker}+{marker}@contoso.com"),
        Filling::X500 => format!("/o=ExchangeLabs/ou=Group/cn=Recipients/cn={marker}@contoso.com"),
        Filling::Guid => format!("0409a7eb-588d-4871-b629-{marker}"),
        Filling::ExchangeId => {
            let id = format!("\0\u{3}$\00409a7eb-588d-4871-b629-{marker}\0.\0\0~?>{marker}");
            let standard = base64::engine::general_purpose::STANDARD.encode(id);
            standard.replace('/', "-").replace('+', "_")
        }
        Filling::Url => {
            format!("https://outlook.office365.com/owa/?ItemID={marker}&exvsurl={}", percent(marker))
        }
        Filling::Escaped => escaped(marker),
        // Only at the top of an object, and there for one property in four: those are megabytes already.
        Filling::Long if path.len() % 4 == 2 && !path.contains(['.', '[', '@', ' ']) => {
            format!("{marker} {} {marker}", "x".repeat(LONG))
        }
        _ => marker.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ if path.ends_with(':') => format!("{path}{name}"),
        _ => format!("{path}.{name}"),
    }
}

fn element(path: &str) -> String {
    format!("{path}[]")
}
