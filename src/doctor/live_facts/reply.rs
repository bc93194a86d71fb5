//! A response, which can be read through these methods only. None returns text of the response: they compare it with words of
//! this program, count, and measure.

use std::collections::BTreeSet;

use http::Version;
use http::header::{CONTENT_ENCODING, HeaderMap};
use serde_json::Value;

use super::fact::{Code, Fact, LinkShape};
use super::question::{Observed, Unclear};
use crate::upstream::InquiryResponse;

/// One response, or the pages of one collection.
pub(super) struct Reply {
    status: u16,
    version: Version,
    headers: HeaderMap,
    has_mark: bool,
    /// The origin of the server.
    server: String,
    /// The codes that the question assumes.
    assumed: &'static [Fact],
    /// The documents, one for each page. `Null` if a page is not readable JSON.
    pages: Vec<Value>,
}

/// A text of a response that only becomes part of a later request: an id or a link.
pub(super) struct Opaque(String);

impl Opaque {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// For the request, and nothing else.
    pub(super) fn for_request(&self) -> &str {
        &self.0
    }
}

/// The byte order mark of UTF-8 (RFC 8259 section 8.1 forbids it in JSON).
const MARK: &[u8] = "\u{feff}".as_bytes();

impl Reply {
    pub(super) fn new(response: InquiryResponse, server: String, assumed: &'static [Fact]) -> Self {
        let InquiryResponse { status, version, headers, body } = response;
        let page = document(&headers, &body);
        let has_mark = body.starts_with(MARK);
        Self { status: status.as_u16(), version, headers, has_mark, server, assumed, pages: vec![page] }
    }

    /// Adds the next page.
    pub(super) fn push(&mut self, next: Self) {
        self.status = next.status;
        self.pages.extend(next.pages);
    }

    /// The status, with the code of an error.
    pub(super) fn status(&self) -> Fact {
        let code = self.last().pointer("/error/code").or_else(|| self.last().get("error"));
        let code = code.and_then(Value::as_str).map_or(Code::None, |code| Code::of(code, self.assumed));
        Fact::Status { status: self.status, code }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == 200
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.status == 404
    }

    /// What `read` finds in a response with status 200; otherwise the status.
    pub(super) fn if_ok(&self, read: impl FnOnce(&Self) -> Observed) -> Observed {
        match (self.is_ok(), self.last()) {
            (false, _) => Ok(self.status()),
            (true, Value::Null) => Err(Unclear::Unreadable),
            (true, _) => read(self),
        }
    }

    /// The number of objects on all pages.
    pub(super) fn objects(&self) -> usize {
        self.all().count()
    }

    /// Whether the last page has this member.
    pub(super) fn has(&self, member: &str) -> bool {
        self.last().get(member).is_some()
    }

    /// Whether one of the objects has this member.
    pub(super) fn some_have(&self, member: &str) -> bool {
        self.all().any(|object| object.get(member).is_some())
    }

    /// Whether two objects have the same id.
    pub(super) fn repeats_an_id(&self) -> bool {
        let ids: Vec<_> = self.all().filter_map(|object| object.get("id")?.as_str()).collect();
        ids.iter().collect::<BTreeSet<_>>().len() < ids.len()
    }

    /// Which of these words the text at `pointer` is.
    pub(super) fn is_one_of(
        &self,
        pointer: &str,
        mut words: impl Iterator<Item = &'static str>,
    ) -> Option<&'static str> {
        let text = self.last().pointer(pointer)?.as_str()?;
        words.find(|word| *word == text)
    }

    /// Whether the URL at `pointer` has a query.
    pub(super) fn has_query(&self, pointer: &str) -> Option<bool> {
        Some(self.last().pointer(pointer)?.as_str()?.contains('?'))
    }

    /// The shape of the last page's `@odata.nextLink`.
    pub(super) fn next_link(&self) -> Observed {
        self.if_ok(|reply| reply.link("@odata.nextLink").ok_or(Unclear::NoLink).map(Fact::Link))
    }

    /// The shape of the last page's `@odata.deltaLink`.
    pub(super) fn delta_link(&self) -> Observed {
        self.if_ok(|reply| match reply.link("@odata.deltaLink") {
            None if reply.has("@odata.nextLink") => Err(Unclear::TooManyPages),
            link => link.ok_or(Unclear::NoLink).map(Fact::Link),
        })
    }

    /// The length of the longest link.
    pub(super) fn longest_link(&self) -> usize {
        let links = ["@odata.nextLink", "@odata.deltaLink"].map(|name| self.link(name));
        links.into_iter().flatten().map(|shape| shape.length).max().unwrap_or_default()
    }

    fn link(&self, member: &str) -> Option<LinkShape> {
        Some(LinkShape::of(self.last().get(member)?.as_str()?, &self.server))
    }

    /// The target of the next link, if it leads back to the server.
    pub(super) fn next_target(&self) -> Option<Opaque> {
        let link = self.last().get("@odata.nextLink")?.as_str()?;
        let target = link.strip_prefix(&self.server)?;
        target.starts_with('/').then(|| Opaque::new(target.to_owned()))
    }

    /// Whether a header field contains this word, without letter case.
    pub(super) fn header_has(&self, name: &str, word: &str) -> bool {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.into_iter().any(|value| value.to_ascii_lowercase().contains(word))
    }

    pub(super) fn has_header(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(super) fn has_byte_order_mark(&self) -> bool {
        self.has_mark
    }

    pub(super) fn is_http2(&self) -> bool {
        self.version == Version::HTTP_2
    }

    /// The ids of the objects that `which` holds for, in their order.
    pub(super) fn ids(&self, which: impl Fn(&Seen<'_>) -> bool) -> Vec<Opaque> {
        let objects = self.all().filter(|object| which(&Seen(object)));
        let ids = objects.filter_map(|object| object.get("id")?.as_str());
        ids.map(|id| Opaque::new(id.to_owned())).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Value> {
        self.pages.iter().filter_map(|page| page.get("value")?.as_array()).flatten()
    }

    fn last(&self) -> &Value {
        self.pages.last().unwrap_or(&Value::Null)
    }
}

/// An object that can be compared, but not read.
pub(super) struct Seen<'a>(&'a Value);

impl Seen<'_> {
    pub(super) fn is(&self, member: &str, word: &str) -> bool {
        self.0.get(member).and_then(Value::as_str) == Some(word)
    }

    pub(super) fn has_text(&self, member: &str) -> bool {
        self.0.get(member).is_some_and(Value::is_string)
    }

    pub(super) fn is_false(&self, member: &str) -> bool {
        self.0.get(member) == Some(&Value::Bool(false))
    }
}

/// The JSON of a body without a content coding. A byte order mark is passed over.
fn document(headers: &HeaderMap, body: &[u8]) -> Value {
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Value::Null;
    }
    serde_json::from_slice(body.strip_prefix(MARK).unwrap_or(body)).unwrap_or_default()
}
