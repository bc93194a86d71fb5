//! Query options, and the effect of `$select` on an object. As lenient as Graph: any letter case, the `$` may be
//! missing.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::filter::Filter;
use super::order::Order;
use super::properties::Properties;
use glassine_core::hex;

/// The system query options of OData that Graph knows. Names without `$` may be anything.
const SYSTEM: &[&str] = &[
    "count",
    "deltatoken",
    "expand",
    "filter",
    "format",
    "orderby",
    "search",
    "select",
    "skip",
    "skiptoken",
    "top",
];

/// The options of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// The lower-case name without `$`, and the pair as written, which links repeat.
    written: Vec<(String, String)>,
    decoded: Vec<(String, String)>,
}

/// How `$select` treats a type.
pub(super) struct Shape {
    pub(super) type_name: &'static str,
    /// The properties returned without `$select`. `None` means all but `select_only`.
    pub(super) default: Option<&'static [&'static str]>,
    pub(super) select_only: &'static [&'static str],
    /// The properties returned even if `$select` does not name them.
    pub(super) always: &'static [&'static str],
    pub(super) properties: &'static Properties,
}

impl Options {
    pub(super) fn parse(query: &str) -> Result<Options, Fault> {
        let mut options = Options::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = percent_decoded(&name.replace('+', " ")).to_lowercase();
            let system = name.strip_prefix('$');
            if system.is_some_and(|name| !SYSTEM.contains(&name)) {
                return Err(Fault::UnknownOption(name));
            }
            let name = system.unwrap_or(&name).to_owned();
            if options.value(&name).is_some() {
                return Err(Fault::DuplicateOption(name));
            }
            options.decoded.push((name.clone(), percent_decoded(&value.replace('+', " "))));
            options.written.push((name, pair.to_owned()));
        }
        Ok(options)
    }

    /// The decoded value of an option, by its folded name without `$`.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.decoded.iter().find(|option| option.0 == name).map(|option| option.1.as_str())
    }

    /// The selected names as they were written.
    pub(super) fn select(&self) -> Option<Vec<String>> {
        let names = self.value("select")?.split(',').map(str::trim).filter(|name| !name.is_empty());
        Some(names.map(str::to_owned).collect())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether `$expand` names this navigation property.
    pub(super) fn expands(&self, property: &str) -> bool {
        let expand = self.value("expand").unwrap_or_default();
        let names = expand.split(',').map(|item| item.split('(').next().unwrap_or_default().trim());
        names.into_iter().any(|name| name.eq_ignore_ascii_case(property))
    }

    /// The options with a new value for `replaced` as Exchange writes them in next links: `%24` in names, and values in the form of
    /// HTML forms (`%24top=100&%24select=id%2Csubject&%24skip=23352&%24orderby=receivedDateTime+asc`; microsoft-graph-docs-contrib#7980).
    pub(super) fn encoded_with(&self, replaced: &str, value: &str) -> String {
        let kept = self.written.iter().zip(&self.decoded).filter(|((folded, _), _)| folded != replaced);
        let encoded = |(name, value): (&str, &str)| format!("{}={}", form_encoded(name), form_encoded(value));
        let kept = kept.map(|((folded, pair), (_, value))| encoded((&full_name(folded, pair), value)));
        kept.chain([encoded((&format!("${replaced}"), value))]).collect::<Vec<_>>().join("&")
    }

    /// The options as written, with a new value for `replaced`: the query of a next link.
    pub(super) fn with(&self, replaced: &str, value: &str) -> String {
        let kept = self.written.iter().filter(|option| option.0 != replaced).map(|option| option.1.clone());
        kept.chain([format!("${replaced}={value}")]).collect::<Vec<_>>().join("&")
    }
}

impl Shape {
    /// The object with the selected properties, or with the default ones.
    pub(super) fn project(&self, object: Value, selected: Option<&[String]>) -> Value {
        let Value::Object(object) = object else {
            return object;
        };
        let keep: Box<dyn Fn(&str) -> bool> = match (selected, self.default) {
            (Some(selected), _) if !contains(selected, "*") => {
                let selects =
                    |name: &str| selected.iter().any(|own| without_cast(own).eq_ignore_ascii_case(name));
                Box::new(move |name| selects(name) || contains(self.always, name))
            }
            (None, Some(default)) => Box::new(move |name| contains(default, name)),
            _ => Box::new(|name| !contains(self.select_only, name)),
        };
        let kept = object.into_iter().filter(|(name, _)| name.starts_with('@') || keep(name));
        Value::Object(kept.collect::<Map<_, _>>())
    }

    /// The selected names. Refuses one that the type does not have.
    pub(super) fn selected(&self, options: &Options, beta: bool) -> Result<Option<Vec<String>>, Fault> {
        let selected = options.select();
        match selected.iter().flatten().find(|name| !self.has(name, beta)) {
            Some(name) => Err(self.unknown_selected(name)),
            None => Ok(selected),
        }
    }

    pub(super) fn unknown_selected(&self, name: &str) -> Fault {
        Fault::UnknownSelected { name: name.to_owned(), type_name: self.type_name }
    }

    /// Refuses comparisons of properties that the type does not have.
    pub(super) fn check_filter(&self, filter: &Filter, beta: bool) -> Result<(), Fault> {
        self.check(filter.paths().into_iter(), "Invalid filter clause: ", beta)
    }

    /// Refuses sorting by properties that the type does not have.
    pub(super) fn check_order(&self, order: &Order, beta: bool) -> Result<(), Fault> {
        self.check(order.paths(), "", beta)
    }

    /// Whether `$select` may name it: `*`, a property, a property of a property, or one of a derived type
    /// (`microsoft.graph.eventMessage/type`).
    pub(super) fn has(&self, name: &str, beta: bool) -> bool {
        let first = name.split('/').next().unwrap_or_default();
        name == "*" || first.contains('.') || self.properties.has(first, beta)
    }

    fn check<'a>(
        &self,
        mut paths: impl Iterator<Item = &'a str>,
        clause: &'static str,
        beta: bool,
    ) -> Result<(), Fault> {
        match paths.find(|path| !self.has(path, beta)) {
            Some(path) => {
                let name = path.split('/').next().unwrap_or_default().to_owned();
                Err(Fault::UnknownProperty { clause, name, type_name: self.type_name })
            }
            None => Ok(()),
        }
    }
}

/// The value at a path of property names (`from/emailAddress/address`), in any letter case. `null` if there is none.
pub(super) fn at_path(object: &Value, path: &str) -> Value {
    let step = |value: &Value, name: &str| -> Option<Value> {
        let members = value.as_object()?;
        members.iter().find(|member| member.0.eq_ignore_ascii_case(name)).map(|member| member.1.clone())
    };
    let found = path.split('/').try_fold(object.clone(), |value, name| step(&value, name));
    found.unwrap_or_default()
}

/// The name as written, with the `$` of OData's own.
fn full_name(folded: &str, pair: &str) -> String {
    let written = percent_decoded(pair.split_once('=').map_or(pair, |(name, _)| name));
    if SYSTEM.contains(&folded) { format!("${}", written.trim_start_matches('$')) } else { written }
}

/// Percent-encoded, with `+` for a space.
fn form_encoded(text: &str) -> String {
    percent_encoded(text, b"").replace("%20", "+")
}

/// Encodes all octets but letters, digits, `-`, `_`, `.` and those in `also`.
pub(super) fn percent_encoded(text: &str, also: &[u8]) -> String {
    let is_plain =
        |octet: &u8| octet.is_ascii_alphanumeric() || b"-_.".contains(octet) || also.contains(octet);
    let encoded = text.bytes().map(|octet| match is_plain(&octet) {
        true => char::from(octet).to_string(),
        false => format!("%{octet:02X}"),
    });
    encoded.collect()
}

/// Decodes `%xx` once. An invalid escape stays unchanged, as on servers of this kind.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = (*first == b'%').then(|| after.split_first_chunk::<2>()).flatten();
        let byte = escape.and_then(|(digits, after)| Some((hex::octet(*digits)?, after)));
        let (byte, after) = byte.unwrap_or((*first, after));
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The property of a selection with the derived type in front: `microsoft.graph.eventMessage/meetingMessageType`.
fn without_cast(selected: &str) -> &str {
    selected.split_once('/').filter(|(cast, _)| cast.contains('.')).map_or(selected, |(_, property)| property)
}

fn contains(names: &[impl AsRef<str>], name: &str) -> bool {
    names.iter().any(|it| it.as_ref().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Options, Shape, at_path, percent_decoded};
    use crate::demo::tenant::fault::Fault;
    use crate::demo::tenant::properties;

    const SHAPE: Shape = Shape {
        type_name: "t",
        default: None,
        select_only: &["secret"],
        always: &["id"],
        properties: &properties::MAIL_FOLDER,
    };

    #[test]
    fn options_fold_names_and_decode_once() {
        let options = Options::parse("%24Select=Id%2Cmail&top=5&$filter=a+eq+'%2B'").unwrap();
        assert_eq!(options.select().unwrap(), ["Id", "mail"]);
        assert_eq!(options.value("top"), Some("5"));
        assert_eq!(options.value("filter"), Some("a eq '+'"));
        assert_eq!(options.with("skip", "5"), "%24Select=Id%2Cmail&top=5&$filter=a+eq+'%2B'&$skip=5");
        let encoded = "%24Select=Id%2Cmail&%24top=5&%24filter=a+eq+%27%2B%27&%24skip=5";
        assert_eq!(options.encoded_with("skip", "5"), encoded);
        let own = Options::parse("includeHiddenFolders=true&$skip=2").unwrap();
        assert_eq!(own.encoded_with("skip", "3"), "includeHiddenFolders=true&%24skip=3");
    }

    #[test]
    fn an_option_in_both_spellings_is_refused_as_a_duplicate() {
        let error = Options::parse("$top=1&top=2").unwrap_err();
        assert_eq!(error, Fault::DuplicateOption("top".to_owned()));
    }

    #[test]
    fn selection_in_any_case_and_annotations_stay() {
        let object = json!({ "@odata.etag": "x", "id": 1, "mail": 2, "secret": 3 });
        let select = ["MAIL".to_owned()];
        assert_eq!(
            SHAPE.project(object.clone(), Some(&select)),
            json!({ "@odata.etag": "x", "id": 1, "mail": 2 })
        );
        let cast = ["microsoft.graph.special/Secret".to_owned()];
        let selected = json!({ "@odata.etag": "x", "id": 1, "secret": 3 });
        assert_eq!(SHAPE.project(object.clone(), Some(&cast)), selected);
        assert_eq!(SHAPE.project(object, None), json!({ "@odata.etag": "x", "id": 1, "mail": 2 }));
    }

    #[test]
    fn unknown_names_are_refused_and_beta_knows_more() {
        let selected = |query, beta| SHAPE.selected(&Options::parse(query).unwrap(), beta);
        assert!(selected("$select=id,wellKnownName", false).is_err());
        assert!(selected("$select=ID,wellKnownName", true).is_ok());
        assert!(selected("$select=*,microsoft.graph.mailSearchFolder/filterQuery", false).is_ok());
        assert_eq!(selected("", false), Ok(None));
    }

    #[test]
    fn unknown_system_options_are_refused_and_others_ignored() {
        assert_eq!(Options::parse("$Apply=x").unwrap_err(), Fault::UnknownOption("$apply".to_owned()));
        assert!(Options::parse("apply=x&changeType=created").is_ok());
    }

    #[test]
    fn paths_go_through_objects() {
        let object = json!({ "from": { "emailAddress": { "address": "a@b" } } });
        assert_eq!(at_path(&object, "From/emailaddress/Address"), json!("a@b"));
        assert_eq!(at_path(&object, "to/emailAddress"), json!(null));
    }

    #[test]
    fn percent_decoding_happens_once_and_keeps_invalid_escapes() {
        assert_eq!(percent_decoded("a%20b%2F%C3%BC%2523"), "a b/ü%23");
        assert_eq!(percent_decoded("100%"), "100%");
        assert_eq!(percent_decoded("%+1"), "%+1");
    }
}
