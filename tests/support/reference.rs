//! What leaves of a document, decided the slow and obvious way: the whole document is in memory, and every rule of the
//! file *as written* is evaluated on it. `jsonpath-rust` decides what a path selects. Nothing of the
//! compiled form is used: no automaton, no matcher, no plan.
//!
//! What the reference adds to RFC 9535 is the language's own (docs/RULES.md):
//!
//! - a container is written if a path of a writing rule goes on in it by a selector that fits: a name in an object, an
//!   index, a slice or `[*]` in an array;
//! - in writing rules `[*]` selects the elements of arrays, not the members of objects;
//! - a string with a lone surrogate ([`LONE`]) is no text: it is dropped where texts are transformed or compared, and
//!   the document is refused where it would leave as written;
//! - `redact` beats a transform, which beats `keep`;
//! - a nested shape's rules are evaluated on the value it is for; an `unlisted: keep` around it stops there.

use std::collections::{HashMap, HashSet};

use glassine_core::catalogue::time_zones;
use glassine_core::pseudonym::{Class, Outcome, Pseudonyms};
use glassine_core::rules::raw::{self, PseudonymKind, TimeUnit};
use glassine_core::yaml::{ByKind, Recovered, Spanned};
use jsonpath_rust::JsonPath;
use jsonpath_rust::parser::model::{JpQuery, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::sanitizing::rewritten;
use super::surrogates::LONE;

/// What leaves, or `None` if the document is refused. The file's first endpoint responds.
pub(crate) fn sanitized(file: &raw::File, keys: &Pseudonyms, document: &Value) -> Option<Value> {
    response(file, 0, keys, document)
}

/// What leaves through the endpoint at this index in the file.
pub(crate) fn response(file: &raw::File, at: usize, keys: &Pseudonyms, document: &Value) -> Option<Value> {
    let endpoint = file.endpoints[at].0.as_ref().unwrap();
    let counted = endpoint.query.values.iter().any(|(name, _)| name.value == "$count");
    let mut marks = Marks::new(file);
    match &endpoint.response.value {
        raw::Response::Entity(name) => marks.enter(named(file, &name.value), document),
        raw::Response::Property(name) => return property(file, endpoint, &name.value, keys, document),
        raw::Response::Collection(name) => marks.enter(&envelope(name, counted, None), document),
        raw::Response::Delta(name) => {
            let shape = Some(named(file, &name.value));
            marks.enter(&envelope(name, counted, shape), document);
        }
        raw::Response::Count(_) => panic!("a count is no document"),
    }
    let is_page = !matches!(endpoint.response.value, raw::Response::Entity(_));
    if !document.is_object() || (is_page && !document["value"].is_array()) {
        return None;
    }
    let members = Reference { marks: &marks, keys }.object(document, marks.unlisted(document, false));
    members.ok().map(Value::Object)
}

/// What leaves of a property that is alone in its response: what leaves of it in an object that has nothing else.
fn property(
    file: &raw::File,
    endpoint: &raw::Endpoint,
    shape: &str,
    keys: &Pseudonyms,
    document: &Value,
) -> Option<Value> {
    let (_, name) = endpoint.get.value.rsplit_once('/').unwrap();
    let mut object = Map::new();
    if let Some(value) =
        document.as_object()?.get("value").filter(|value| !value.is_object() && !value.is_array())
    {
        object.insert(name.to_owned(), value.clone());
    }
    let object = Value::Object(object);
    let mut marks = Marks::new(file);
    marks.enter(named(file, shape), &object);
    let mut left = Reference { marks: &marks, keys }.object(&object, marks.unlisted(&object, false)).ok()?;
    let value = left.remove(name).map(|value| ("value".to_owned(), value));
    Some(Value::Object(value.into_iter().collect()))
}

fn named<'f>(file: &'f raw::File, name: &str) -> &'f raw::Shape {
    let (_, shape) = file.shapes.0.iter().find(|(own, _)| own.value == name).unwrap();
    shape.0.as_ref().unwrap()
}

/// The page around the objects, written as a shape. `changed`: the shape of objects whose changes these are.
fn envelope(element: &Spanned<String>, counted: bool, changed: Option<&raw::Shape>) -> raw::Shape {
    let path = |text: &str| element.with(text.to_owned());
    let mut shape = raw::Shape { link: vec![path("$['@odata.nextLink']")], ..raw::Shape::default() };
    let paths = vec![path("$.value[*]")];
    shape.nested.push(Recovered(Some(raw::Nested { path: None, paths, shape: element.clone() })));
    let mut keep = raw::Keep::default();
    if counted {
        keep.numbers.push(Recovered(Some(element.with(ByKind::Text(path("$['@odata.count']"))))));
    }
    if let Some(changed) = changed {
        shape.link.push(path("$['@odata.deltaLink']"));
        let related = related(changed).into_iter().map(|name| format!("$.value[*]['{name}'][*]"));
        let removed = related.chain(["$.value[*]".to_owned()]);
        keep.one_of.push(Recovered(Some(raw::OneOf {
            path: None,
            paths: removed.map(|at| path(&format!("{at}['@removed'].reason"))).collect(),
            values: element.with(["changed", "deleted"].map(path).into()),
            reviewed: false,
        })));
    }
    shape.keep = Recovered(Some(element.with(ByKind::Full(keep))));
    shape
}

/// The changes of relationships that the shape lets out: `members@delta`.
fn related(shape: &raw::Shape) -> Vec<String> {
    let nested = shape.nested.iter().map(|nested| nested.0.as_ref().unwrap());
    let nested = nested.flat_map(|nested| nested.path.iter().chain(&nested.paths));
    let paths =
        nested.map(|path| path.value.clone()).chain(treatments(shape).into_iter().map(|(path, _)| path));
    let elements = Regex::new(r#"^\$\[['"]([^'"]+@delta)['"]\]\[\*\]"#).unwrap();
    paths.filter_map(|path| Some(elements.captures(&path)?[1].to_owned())).collect()
}

/// A node of the document, by its address.
type Node = *const Value;

/// The treatment of a string.
#[derive(Clone)]
enum Treatment {
    Keep(Kept),
    Pseudonym(PseudonymKind),
    Reversible,
    Match(Regex, Option<String>, Option<(String, PseudonymKind)>),
    Domain,
    Digest,
    Truncate(TimeUnit),
    HashIp,
    ReplyDepth,
    Headers(Headers),
    Link,
}

/// Names of headers with the kinds of their tokens, and names of flags with headers. The rules' names have no other letter case.
#[derive(Clone)]
struct Headers {
    tokens: Vec<(String, PseudonymKind)>,
    flags: Vec<(String, Vec<String>)>,
}

/// What a kept value may be.
#[derive(Clone)]
enum Kept {
    Time,
    Boolean,
    Number,
    OneOf(Vec<String>),
    TimeZone,
    Text,
}

impl Kept {
    fn is(&self, leaf: &Value) -> Result<bool, Refused> {
        Ok(match (self, leaf) {
            (Self::Text, Value::String(text)) if text.contains(LONE) => return Err(Refused),
            (Self::Text, _) | (_, Value::Null) | (Self::Boolean, Value::Bool(_)) => true,
            (Self::Number, Value::Number(number)) => number.to_string().len() <= 32,
            (Self::Time, Value::String(text)) => is_time(text),
            (Self::OneOf(texts), Value::String(text)) => texts.contains(text),
            (Self::TimeZone, Value::String(text)) => time_zones().any(|zone| zone == text),
            _ => false,
        })
    }
}

/// A date, a time of a day, or both with or without an offset.
fn is_time(text: &str) -> bool {
    let clock = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,12})?";
    let offset = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?";
    let form = Regex::new(&format!(r"^(?:(\d{{4}})-(\d\d)-(\d\d)(?:T{clock}{offset})?|{clock})$")).unwrap();
    let Some(parts) = form.captures(text).filter(|_| text.is_ascii()) else { return false };
    let number = |at: usize| parts.get(at).and_then(|found| found.as_str().parse().ok());
    match (number(1), number(2), number(3)) {
        (Some(year), Some(month), Some(day)) => {
            let (month, day) = (i8::try_from(month).unwrap(), i8::try_from(day).unwrap());
            jiff::civil::Date::new(year, month, day).is_ok()
        }
        _ => true,
    }
}

/// The rules' decisions about the nodes of one document.
struct Marks<'f> {
    file: &'f raw::File,
    entered: HashSet<(Node, *const raw::Shape)>,
    /// Where a nested shape begins, and whether it keeps what it does not list.
    begins: HashMap<Node, bool>,
    redacted: HashSet<Node>,
    kept: HashMap<Node, Kept>,
    transformed: HashMap<Node, Treatment>,
    objects: HashSet<Node>,
    arrays: HashSet<Node>,
}

impl<'f> Marks<'f> {
    fn new(file: &'f raw::File) -> Self {
        Self {
            file,
            entered: HashSet::new(),
            begins: HashMap::new(),
            redacted: HashSet::new(),
            kept: HashMap::new(),
            transformed: HashMap::new(),
            objects: HashSet::new(),
            arrays: HashSet::new(),
        }
    }

    /// Evaluates every rule of a shape on `base`.
    fn enter(&mut self, shape: &raw::Shape, base: &Value) {
        *self.begins.entry(base).or_default() |=
            shape.unlisted.as_ref().is_some_and(|unlisted| unlisted.value == raw::Unlisted::Keep);
        if !self.entered.insert((base, shape)) {
            return;
        }
        for path in &shape.redact {
            self.redacted.extend(base.query(&path.value).unwrap().into_iter().map(std::ptr::from_ref));
        }
        for (path, treatment) in treatments(shape) {
            for node in self.selected(&path, base) {
                match &treatment {
                    Treatment::Keep(kept) => drop(self.kept.insert(node, kept.clone())),
                    transform => drop(self.transformed.insert(node, transform.clone())),
                }
            }
        }
        for nested in shape.nested.iter().map(|nested| nested.0.as_ref().unwrap()) {
            let inner = named(self.file, &nested.shape.value);
            for path in nested.path.iter().chain(&nested.paths) {
                self.selected(&path.value, base).into_iter().for_each(|node| self.enter(inner, node));
            }
        }
    }

    /// What a writing rule's path selects, one step after the other; the containers on the way are marked.
    fn selected<'d>(&mut self, path: &str, base: &'d Value) -> Vec<&'d Value> {
        let mut nodes = vec![base];
        for segment in parse_json_path(path).unwrap().segments {
            let selectors = match segment {
                Segment::Selector(one) => vec![one],
                Segment::Selectors(many) => many,
                Segment::Descendant(_) => panic!("a writing rule does not descend"),
            };
            nodes = nodes
                .into_iter()
                .flat_map(|node| selectors.iter().flat_map(|one| self.step(node, one)).collect::<Vec<_>>())
                .collect();
        }
        nodes
    }

    fn step<'d>(&mut self, node: &'d Value, selector: &Selector) -> Vec<&'d Value> {
        match (selector, node) {
            (Selector::Name(_), Value::Object(_)) => drop(self.objects.insert(node)),
            (Selector::Slice(start, Some(end), _), _) if start.unwrap_or(0) >= *end => return Vec::new(),
            (Selector::Wildcard | Selector::Index(_) | Selector::Slice(..), Value::Array(_)) => {
                self.arrays.insert(node);
            }
            (Selector::Wildcard, _) => return Vec::new(),
            _ => {}
        }
        let query = JpQuery::new(vec![Segment::Selector(selector.clone())]);
        js_path_process(&query, node).unwrap().into_iter().map(|found| found.val()).collect()
    }

    /// Whether `node` keeps what no rule names. `around` says whether the container around it does.
    fn unlisted(&self, node: &Value, around: bool) -> bool {
        self.begins.get(&std::ptr::from_ref(node)).copied().unwrap_or(around)
    }
}

fn treatments(shape: &raw::Shape) -> Vec<(String, Treatment)> {
    let mut all = Vec::new();
    let mut add = |paths: Vec<&Spanned<String>>, treatment: Treatment| {
        all.extend(paths.iter().map(|path| (path.value.clone(), treatment.clone())));
    };
    if let Some(Spanned { value: ByKind::Full(keep), .. }) = &shape.keep.0 {
        add(paths(&keep.times), Treatment::Keep(Kept::Time));
        add(paths(&keep.booleans), Treatment::Keep(Kept::Boolean));
        add(paths(&keep.numbers), Treatment::Keep(Kept::Number));
        add(paths(&keep.time_zones), Treatment::Keep(Kept::TimeZone));
        add(paths(&keep.text), Treatment::Keep(Kept::Text));
        for entry in keep.one_of.iter().map(|entry| entry.0.as_ref().unwrap()) {
            let texts = entry.values.value.iter().map(|value| value.value.clone()).collect();
            add(entry.path.iter().chain(&entry.paths).collect(), Treatment::Keep(Kept::OneOf(texts)));
        }
    }
    add(paths(&shape.domain), Treatment::Domain);
    add(paths(&shape.digest), Treatment::Digest);
    add(shape.hash_ip.iter().collect(), Treatment::HashIp);
    add(shape.reply_depth.iter().collect(), Treatment::ReplyDepth);
    add(shape.link.iter().collect(), Treatment::Link);
    for entry in shape.pseudonymize.iter().map(|entry| entry.0.as_ref().unwrap()) {
        let kind = entry.kind.value;
        let treatment = if entry.reversible { Treatment::Reversible } else { Treatment::Pseudonym(kind) };
        add(entry.path.iter().chain(&entry.paths).collect(), treatment);
    }
    for entry in shape.truncate_time.iter().map(|entry| entry.0.as_ref().unwrap()) {
        add(entry.path.iter().chain(&entry.paths).collect(), Treatment::Truncate(entry.to));
    }
    for entry in shape.headers.iter().map(|entry| &entry.0.as_ref().unwrap().value) {
        let kind = |(name, kind): &(Spanned<String>, Recovered<PseudonymKind>)| {
            (name.value.clone(), kind.0.unwrap())
        };
        let by = |(flag, by): &(Spanned<String>, Recovered<Vec<Spanned<String>>>)| {
            let by = by.0.as_ref().unwrap().iter().map(|name| name.value.clone());
            (flag.value.clone(), by.collect())
        };
        let mut flags: Vec<_> = entry.flags.0.iter().map(by).collect();
        flags.sort();
        let headers = Headers { tokens: entry.tokens.0.iter().map(kind).collect(), flags };
        add(entry.path.iter().chain(&entry.paths).collect(), Treatment::Headers(headers));
    }
    for entry in shape.matches.iter().map(|entry| entry.0.as_ref().unwrap()) {
        let keep = entry.keep.as_ref().map(|group| group.value.clone());
        let token = entry.pseudonymize.as_ref().map(|part| (part.group.value.clone(), part.kind.value));
        let regex = Regex::new(&entry.regex.value).unwrap();
        add(entry.path.iter().chain(&entry.paths).collect(), Treatment::Match(regex, keep, token));
    }
    all
}

/// The paths of entries that are a path each.
fn paths(entries: &raw::Selections) -> Vec<&Spanned<String>> {
    let values = entries.iter().map(|entry| &entry.0.as_ref().unwrap().value);
    let paths = values.map(|value| match value {
        ByKind::Text(path) => path,
        ByKind::List(_) | ByKind::Full(_) => panic!("the rules of these tests have paths alone"),
    });
    paths.collect()
}

/// The document is refused.
struct Refused;

struct Reference<'a> {
    marks: &'a Marks<'a>,
    keys: &'a Pseudonyms,
}

impl Reference<'_> {
    fn value(&self, value: &Value, around: bool) -> Result<Option<Value>, Refused> {
        let (node, unlisted) = (std::ptr::from_ref(value), self.marks.unlisted(value, around));
        if self.marks.redacted.contains(&node) {
            return Ok(None);
        }
        match value {
            Value::Array(elements)
                if let Some(Treatment::Headers(headers)) = self.marks.transformed.get(&node) =>
            {
                Ok(Some(self.listed(elements, headers)))
            }
            // The list is all that leaves at this place, also where what no rule names leaves.
            Value::Object(_) if matches!(self.marks.transformed.get(&node), Some(Treatment::Headers(_))) => {
                Ok(None)
            }
            Value::Object(_) if unlisted || self.marks.objects.contains(&node) => {
                Ok(Some(Value::Object(self.object(value, unlisted)?)))
            }
            Value::Array(elements) if unlisted || self.marks.arrays.contains(&node) => {
                let elements = elements.iter().map(|element| self.value(element, unlisted));
                Ok(Some(elements.filter_map(Result::transpose).collect::<Result<_, _>>()?))
            }
            Value::Object(_) | Value::Array(_) => match self.marks.transformed.get(&node) {
                Some(Treatment::Link) => Err(Refused),
                _ => Ok(None),
            },
            leaf => match self.marks.transformed.get(&node) {
                Some(treatment) => self.transformed(leaf, treatment),
                None => {
                    let kept = self.marks.kept.get(&node).or(unlisted.then_some(&Kept::Text));
                    Ok(kept.map_or(Ok(false), |kept| kept.is(leaf))?.then(|| leaf.clone()))
                }
            },
        }
    }

    fn object(&self, value: &Value, unlisted: bool) -> Result<Map<String, Value>, Refused> {
        let members = value.as_object().into_iter().flatten();
        let members = members
            .filter_map(|(name, value)| Some((name.clone(), self.value(value, unlisted).transpose()?)));
        let named = |name: String| if name.contains(LONE) { Err(Refused) } else { Ok(name) };
        members.map(|(name, value)| Ok((named(name)?, value?))).collect()
    }

    fn transformed(&self, leaf: &Value, treatment: &Treatment) -> Result<Option<Value>, Refused> {
        let text = match leaf {
            // No list is null.
            Value::Null => return Ok((!matches!(treatment, Treatment::Headers(_))).then_some(Value::Null)),
            Value::String(text) if !text.contains(LONE) => text,
            _ if matches!(treatment, Treatment::Link) => return Err(Refused),
            _ => return Ok(None),
        };
        Ok(match treatment {
            Treatment::Keep(_) => Some(leaf.clone()),
            Treatment::Pseudonym(kind) => written(|out| self.token(*kind, text, out)),
            Treatment::Reversible => written(|out| self.keys.reversible(Class::Id, text, out)),
            Treatment::Domain => written(|out| self.keys.domain(text, out)),
            Treatment::HashIp => written(|out| self.keys.ip(text, out)),
            Treatment::Digest => {
                Some(json!({"length": text.chars().count(), "words": text.split_whitespace().count()}))
            }
            Treatment::ReplyDepth => reply_depth(text).map(Value::from),
            Treatment::Truncate(unit) => truncated(text, *unit).map(Value::from),
            Treatment::Match(regex, keep, token) => {
                self.matched(text, regex, keep.as_deref(), token.as_ref())
            }
            Treatment::Headers(_) => None,
            Treatment::Link => Some(rewritten(text).ok_or(Refused)?.into()),
        })
    }

    fn token(&self, kind: PseudonymKind, text: &str, out: &mut Vec<u8>) -> Outcome {
        match kind {
            PseudonymKind::Email => self.keys.email(text, out),
            PseudonymKind::EmailList => self.keys.email_list(text, out),
            PseudonymKind::Id => self.keys.id(text, out),
            PseudonymKind::Thread => self.keys.thread(text, out),
            PseudonymKind::MessageId => self.keys.message_id(text, out),
            PseudonymKind::Text => self.keys.text(text, out),
        }
    }

    /// What leaves of a list of headers.
    fn listed(&self, elements: &[Value], headers: &Headers) -> Value {
        let (mut left, mut set) = (Vec::new(), HashSet::new());
        for element in elements {
            let (Some(name), Some(value)) = (element["name"].as_str(), element["value"].as_str()) else {
                continue;
            };
            if value.len() > 64 * 1024 || name.contains(LONE) || value.contains(LONE) {
                continue;
            }
            if let Some((own, kind)) = headers.tokens.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
                let token = match kind {
                    PseudonymKind::MessageId => self.ids(value),
                    kind => written(|out| self.token(*kind, value, out)),
                };
                left.extend(token.map(|token| json!({ "name": own, "value": token })));
            }
            for (flag, by) in &headers.flags {
                if by.iter().any(|own| own.eq_ignore_ascii_case(name))
                    && says_so(name, value)
                    && set.insert(flag)
                {
                    left.push(json!({ "name": flag, "value": "true" }));
                }
            }
        }
        left.into()
    }

    fn ids(&self, value: &str) -> Option<Value> {
        let ids = Regex::new(r"<[^<>\s]+>").unwrap();
        let token = |id: regex::Match<'_>| written(|out| self.keys.message_id(id.as_str(), out));
        let tokens: Vec<_> = ids.find_iter(value).filter_map(token).collect();
        let tokens: Vec<_> = tokens.iter().filter_map(Value::as_str).collect();
        match tokens.len() {
            0 if value.is_empty() => Some(Value::Null),
            1..=1000 => Some(tokens.join(" ").into()),
            _ => None,
        }
    }

    /// In the tests' patterns, the kept group is before the pseudonymised one.
    fn matched(
        &self,
        text: &str,
        regex: &Regex,
        keep: Option<&str>,
        token: Option<&(String, PseudonymKind)>,
    ) -> Option<Value> {
        let captures = regex.captures(text).filter(|captures| captures[0].len() == text.len())?;
        let mut value = String::new();
        if let Some(group) = keep {
            value.push_str(captures.name(group)?.as_str());
        }
        if let Some((group, kind)) = token {
            let token = written(|out| self.token(*kind, captures.name(group).unwrap().as_str(), out))?;
            value.push_str(token.as_str()?);
        }
        Some(value.into())
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> Outcome) -> Option<Value> {
    let mut out = Vec::new();
    match write(&mut out) {
        Outcome::Written => Some(String::from_utf8(out).unwrap().into()),
        Outcome::Empty => Some(Value::Null),
        Outcome::NotUnderstood => None,
    }
}

/// Whether a header sets its flags: most do unless they are empty.
fn says_so(name: &str, value: &str) -> bool {
    let word =
        Regex::new(r"[^;,( \t\r\n]+").unwrap().find(value).map_or("", |word| word.as_str()).to_lowercase();
    match name.to_lowercase().as_str() {
        "auto-submitted" => !matches!(word.as_str(), "" | "no"),
        "x-auto-response-suppress" => !matches!(word.as_str(), "" | "none"),
        "precedence" => matches!(word.as_str(), "bulk" | "junk" | "auto_reply"),
        _ => !value.trim().is_empty(),
    }
}

/// Counts characters: the tests' indexes are in canonical base64, where 4 characters are 3 octets.
fn reply_depth(text: &str) -> Option<usize> {
    let form =
        Regex::new(r"^A[Q-T][A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$");
    let octets = text.trim_end_matches('=').len() * 3 / 4;
    let is_index = form.unwrap().is_match(text) && octets >= 22 && (octets - 22).is_multiple_of(5);
    is_index.then(|| (octets - 22) / 5).filter(|depth| *depth <= 1000)
}

/// Cuts the text, because the tests' times are in UTC and in Graph's form.
fn truncated(text: &str, unit: TimeUnit) -> Option<String> {
    let time = Regex::new(r"^(\d{4}-\d\d-\d\dT)(\d\d:)(\d\d:)\d\d(?:\.\d+)?(Z?)$").unwrap();
    // With another offset, the same moment in UTC.
    let offset = Regex::new(r"[+-]\d\d:\d\d$").unwrap();
    let moment = if offset.is_match(text) { text.parse::<jiff::Timestamp>().ok() } else { None };
    let text = moment.map_or_else(|| text.to_owned(), |moment| moment.to_string());
    let parts = time.captures(&text)?;
    let (hour, minute) = match unit {
        TimeUnit::Minute => (&parts[2], &parts[3]),
        TimeUnit::Hour => (&parts[2], "00:"),
        TimeUnit::Day => ("00:", "00:"),
    };
    Some(format!("{}{hour}{minute}00{}", &parts[1], &parts[4]))
}
