//! JSON batches: `POST /{version}/$batch` (Microsoft Graph, "Combine multiple HTTP requests using JSON batching").
//!
//! A batch is an envelope around requests that could each be made alone. This module reads the envelope. Each request
//! in it is then read like any other.
//!
//! Clients write envelopes in more forms than the documentation shows. A form is accepted if it has one reading: keys in
//! any letter case, integers as ids, methods in any letter case (OData JSON Format 4.01, section 19.1), URLs with raw
//! spaces, with the batch's version in front, or on this proxy's own URL.
//!
//! | file | what |
//! |---|---|
//! | `envelope` | the JSON of the envelope |
//! | `id` | the ids of requests |
//! | `item_url` | the URL of a request |
//! | `response` | what comes before a response's body |

mod envelope;
mod id;
mod item_url;
mod response;

use super::Version;
use super::url::BaseUrl;
use envelope::{Envelope, Item};

pub use id::ItemId;
pub use response::ItemHead;

/// Graph's own limit.
pub const MAX_ITEMS: usize = 20;
/// The most bytes of an envelope: twenty requests, each with the longest target, and a KiB for the rest of each.
pub const MAX_ENVELOPE: usize = 500 * 1024;
/// The most bytes of an item's id. SDKs use numbers or GUIDs.
const MAX_ID: usize = 128;

/// One request of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// The id that the consumer gave the request.
    pub id: ItemId,
    /// The method, in upper case.
    pub method: String,
    /// The origin-form target, with the batch's version in front.
    pub target: String,
    /// The `Prefer` header, if there is one.
    pub prefer: Option<String>,
    /// Whether its `ConsistencyLevel` header says `eventual`.
    pub eventual: bool,
    /// The positions, in the batch, of the requests that must succeed first. All are before this one.
    pub depends_on: Vec<usize>,
    /// Whether the request has a body that says something. `null`, `{}` and `""` do not.
    pub has_body: bool,
}

/// Why an envelope was refused as a whole. The texts repeat nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not JSON, not of the documented form, or a key that comes twice (letter case does not count).
    #[error("the body is not a batch: {{\"requests\":[{{\"id\",\"method\",\"url\"}}]}}, each key once")]
    Form,
    /// No request, or more than [`MAX_ITEMS`].
    #[error("a batch has 1 to {MAX_ITEMS} requests")]
    Count,
    /// An id that is empty, too long, or used twice (letter case does not count, and `1` is `"1"`).
    #[error("each request of a batch needs an id that no other request has, of 1 to {MAX_ID} bytes")]
    Id,
    /// `dependsOn` names something other than an earlier request.
    #[error("`dependsOn` can name earlier requests of the batch only")]
    DependsOn,
    /// A URL that is neither relative to the version nor on this proxy's own URL.
    #[error(
        "the URLs of a batch are relative to the version, as in `/users`, or begin with this proxy's URL"
    )]
    Url,
    /// A URL with another version than the batch's.
    #[error("a URL names another version than the batch; send the request to the `$batch` of its version")]
    Version,
}

impl BatchError {
    /// A stable name, for responses, logs and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "batchMalformed",
            Self::Count => "batchCount",
            Self::Id => "batchId",
            Self::DependsOn => "batchDependsOn",
            Self::Url => "batchUrl",
            Self::Version => "batchVersion",
        }
    }
}

/// Reads an envelope that was sent to the `$batch` of this version. `own` is where consumers find this proxy.
///
/// # Errors
///
/// [`BatchError`] if it is not a batch. An error in a single request becomes that request's response.
pub fn parse(version: Version, own: &BaseUrl, envelope: &[u8]) -> Result<Vec<BatchItem>, BatchError> {
    let requests = Envelope::read(envelope).ok_or(BatchError::Form)?;
    if !(1..=MAX_ITEMS).contains(&requests.len()) {
        return Err(BatchError::Count);
    }
    let ids: Vec<_> = requests.iter().map(|item| item.id.folded()).collect();
    let items = requests.into_iter().enumerate();
    items.map(|(at, item)| check(item, version, own, ids.get(..at).unwrap_or_default())).collect()
}

fn check(item: Item, version: Version, own: &BaseUrl, earlier: &[String]) -> Result<BatchItem, BatchError> {
    let id = item.id.folded();
    if id.is_empty() || id.len() > MAX_ID || earlier.contains(&id) {
        return Err(BatchError::Id);
    }
    let place = |name: &ItemId| earlier.iter().position(|id| *id == name.folded());
    let depends_on = item.depends_on.iter().flatten().map(place).collect::<Option<_>>();
    Ok(BatchItem {
        method: item.method.to_ascii_uppercase(),
        target: item_url::target(version, own, &item.url)?,
        eventual: item.is_eventual(),
        depends_on: depends_on.ok_or(BatchError::DependsOn)?,
        has_body: item.has_body(),
        prefer: item.prefer(),
        id: item.id,
    })
}

#[cfg(test)]
mod tests;
