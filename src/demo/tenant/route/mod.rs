//! From a request's target to a response. Targets that name one resource in Graph (`users('x')`, `Users/x`, `users/x/`)
//! name one resource here, so that tests can check whether the proxy and Graph read a target alike.

mod groups;
mod mail;
mod messages;
mod objects;
mod segments;
mod settings;
mod users;

use serde_json::Value;

pub(super) use self::segments::Segment;

use super::Tenant;
use super::access::Access;
use super::fault::Fault;
use super::odata::{Options, Shape};
use super::organization;
use super::paging::Page;

/// The two versions of Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    Beta,
}

/// What the header fields of a request ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Headers {
    /// `Prefer: odata.maxpagesize=…`.
    pub(super) page_size: Option<usize>,
    /// `Prefer: IdType="ImmutableId"`.
    pub(super) immutable_ids: bool,
    /// `ConsistencyLevel: eventual`.
    pub(super) eventual: bool,
    /// `Prefer: return=minimal`.
    pub(super) minimal: bool,
}

/// A parsed GET request.
pub(super) struct Request<'a> {
    pub(super) tenant: &'a Tenant,
    /// The start of links: scheme and authority, no slash at the end.
    pub(super) base: &'a str,
    pub(super) version: Version,
    /// The path as it was sent, version included.
    pub(super) path: &'a str,
    pub(super) options: Options,
    pub(super) headers: Headers,
    pub(super) access: &'a Access,
}

/// The content of a response.
pub(super) enum Reply {
    Page(Page),
    Object(Value),
    /// `text/plain`: a count.
    Text(String),
    /// `application/octet-stream`: a message in MIME.
    Mime(String),
}

impl Version {
    fn of(segment: &Segment) -> Result<Version, Fault> {
        match segment.text() {
            "v1.0" => Ok(Version::V1),
            "beta" => Ok(Version::Beta),
            other => Err(Fault::Version(other.to_owned())),
        }
    }

    pub(super) fn is_beta(self) -> bool {
        self == Version::Beta
    }

    fn as_str(self) -> &'static str {
        match self {
            Version::V1 => "v1.0",
            Version::Beta => "beta",
        }
    }
}

impl Request<'_> {
    /// A link that repeats this request with one option set.
    pub(super) fn next_link(&self, option: &str, value: &str) -> String {
        format!("{}{}?{}", self.base, self.path, self.options.with(option, value))
    }

    /// A link of Exchange that repeats this request with one option set. Below a folder, it has the keys in parentheses, elsewhere as
    /// they were sent. `mailFolders('AQMk…')/messages?%24select=…&%24skiptoken=…` is of a personal mailbox (2026,
    /// oomol-lab/open-connector#372). Others go on at `$skip` ([`paging`](super::paging)).
    pub(super) fn mailbox_link(&self, option: &str, value: &str) -> String {
        let path = segments::in_key_form(self.path).unwrap_or_else(|| self.path.to_owned());
        format!("{}{path}?{}", self.base, self.options.encoded_with(option, value))
    }

    /// The names in `$select`, if the type has them all.
    fn selected(&self, shape: &Shape) -> Result<Option<Vec<String>>, Fault> {
        shape.selected(&self.options, self.version.is_beta())
    }

    /// An absolute link to `path` under this version.
    pub(super) fn link(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.base, self.version.as_str())
    }

    /// The context URL of `what`, with the select list, as in Graph.
    fn context(&self, what: &str) -> String {
        let select = self.options.value("select").map(|names| format!("({names})")).unwrap_or_default();
        self.link(&format!("$metadata#{what}{select}"))
    }

    /// The context URL of one object.
    fn entity_context(&self, what: &str) -> String {
        format!("{}/$entity", self.context(what))
    }
}

/// Responds to a GET of `target` (path and query).
pub(super) fn respond(
    tenant: &Tenant,
    base: &str,
    target: (&str, Option<&str>),
    headers: Headers,
    access: &Access,
) -> Result<Reply, Fault> {
    let (path, query) = target;
    let segments = segments::parse(path);
    let (version, segments) = segments.split_first().ok_or_else(|| Fault::Version(String::new()))?;
    let options = Options::parse(query.unwrap_or_default())?;
    access.check(segments, &options)?;
    let request = Request { tenant, base, version: Version::of(version)?, path, options, headers, access };
    match segments {
        [first, rest @ ..] if first.is("users") => users::respond(&request, rest),
        [first, rest @ ..] if first.is("groups") => groups::respond(&request, rest),
        [first, rest @ ..] if first.is("organization") => organization_itself(&request, rest),
        [first, ..] if first.is("me") => Err(Fault::DelegatedOnly),
        [other, ..] => Err(other.unknown()),
        [] => Err(Fault::Segment(String::new())),
    }
}

/// The user's key in a path that leads to a mailbox.
pub(super) fn mailbox_owner(path: &str) -> Option<String> {
    match segments::parse(path).as_slice() {
        [_, first, key, resource, ..] if first.is("users") && users::is_of_mailbox(resource) => {
            Some(key.text().to_owned())
        }
        _ => None,
    }
}

/// The version of `/{version}/$batch`.
pub(super) fn batch_version(path: &str) -> Option<&'static str> {
    match segments::parse(path).as_slice() {
        [version, last] if last.is("$batch") => Version::of(version).ok().map(Version::as_str),
        _ => None,
    }
}

/// `/organization`, which has the tenant alone in it, and `/organization/{id}`.
fn organization_itself(request: &Request<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    let selected = request.selected(&organization::SHAPE)?;
    let object = organization::SHAPE.project(organization::organization(request.tenant), selected.as_deref());
    match segments {
        [] => {
            let context = request.context("organization");
            Ok(Reply::Page(Page { context, value: vec![object], ..Page::default() }))
        }
        [key] if key.is(request.tenant.tenant_id()) => {
            Ok(entity(request.entity_context("organization"), object))
        }
        [key] => Err(Fault::ResourceNotFound(key.text().to_owned())),
        [_, other, ..] => Err(other.unknown()),
    }
}

/// An object with its context first, as in Graph.
fn entity(context: String, mut object: Value) -> Reply {
    if let Value::Object(members) = &mut object {
        members.insert("@odata.context".to_owned(), Value::String(context));
    }
    Reply::Object(object)
}

fn count(length: usize) -> Reply {
    Reply::Text(length.to_string())
}
