//! The audit log's record of one request.
//!
//! Every field is a number, a member of a closed set, a name from the operator's own files, or this proxy's own
//! request id. No field can hold a path, a query, an address or a token, so none is logged.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// One request, from its admission to its last byte.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// When the request began: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// The id in the response's `request-id` header, made by this proxy.
    pub request_id: String,
    /// The consumer's name in the configuration; `None` when nobody was identified.
    #[serde(serialize_with = "name")]
    pub consumer: Option<Arc<str>>,
    /// The rules that the consumer is served under: the first 16 digits of the fingerprint of its statement. `None`
    /// when nobody was identified.
    #[serde(serialize_with = "name")]
    pub rules: Option<Arc<str>>,
    /// The id of the key that the tokens of the response are made with: an older one while the consumer follows links that it
    /// sealed. `None` when nobody was identified.
    pub key: Option<char>,
    /// The HTTP method. An unknown method is `OTHER`, because the consumer chose its text.
    pub method: &'static str,
    /// The endpoint's name in the rules; `None` when no endpoint matched.
    #[serde(serialize_with = "name")]
    pub endpoint: Option<Arc<str>>,
    /// Whether the rules admitted the request.
    pub decision: Decision,
    /// Why, as a stable code.
    pub reason: &'static str,
    /// The status sent to the consumer; `None` if the consumer left before.
    pub status: Option<u16>,
    /// The status of Graph's response; `None` if Graph was not asked or did not respond.
    pub upstream_status: Option<u16>,
    /// How the request ended.
    pub outcome: Outcome,
    /// What passed through, in numbers.
    #[serde(flatten)]
    pub counters: Counters,
    /// From the request's head to the end of the response.
    pub milliseconds: u64,
}

/// The opening record of a response that leaves in pieces. It is in the log before the first piece leaves. If no [`Record`]
/// with the same id follows, the program was killed while data left.
#[derive(Debug, Serialize)]
pub(super) struct Opening<'a> {
    time: &'a str,
    event: &'static str,
    request_id: &'a str,
    consumer: Option<&'a str>,
    rules: Option<&'a str>,
    key: Option<char>,
    method: &'static str,
    endpoint: Option<&'a str>,
    status: Option<u16>,
    upstream_status: Option<u16>,
}

/// What became of a response whose record was written too late: its consumer no longer waited for it.
#[derive(Debug, Serialize)]
pub(super) struct Correction<'a> {
    time: String,
    event: &'static str,
    request_id: &'a str,
    reason: &'static str,
    status: Option<u16>,
    outcome: Outcome,
}

impl Record {
    pub(super) fn opening(&self) -> Opening<'_> {
        Opening {
            time: &self.time,
            event: "begin",
            request_id: &self.request_id,
            consumer: self.consumer.as_deref(),
            rules: self.rules.as_deref(),
            key: self.key,
            method: self.method,
            endpoint: self.endpoint.as_deref(),
            status: self.status,
            upstream_status: self.upstream_status,
        }
    }

    pub(super) fn correction(&self) -> Correction<'_> {
        Correction {
            time: now(),
            event: "corrected",
            request_id: &self.request_id,
            reason: self.reason,
            status: self.status,
            outcome: self.outcome,
        }
    }
}

/// The time of a record: RFC 3339, UTC, milliseconds.
pub(super) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// Whether the rules admitted a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The rules admitted the request.
    Allowed,
    /// The request was refused before Graph was asked.
    Refused,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole response was handed to the connection.
    Complete,
    /// The proxy sent a refusal.
    Refused,
    /// Graph or Entra could not be reached, or their response cannot be passed on. The proxy sent an error.
    UpstreamFailed,
    /// The response broke off after its head had gone out. The consumer can see this.
    Aborted,
    /// The consumer left, or the request's task was dropped.
    ClientGone,
}

/// What passed through, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Bytes of Graph's body that were read, before decoding its content coding.
    pub bytes_read: u64,
    /// Bytes of the body that were sent, after compression.
    pub bytes_sent: u64,
    /// Values that left unchanged.
    pub kept: u64,
    /// Values that left in another form.
    pub transformed: u64,
    /// How often Graph was asked once more because it had asked to wait.
    #[serde(skip_serializing_if = "is_zero")]
    pub retried: u64,
    /// How long the request waited for its turn at Graph, and for Graph's `Retry-After`.
    #[serde(skip_serializing_if = "is_zero")]
    pub waited_milliseconds: u64,
    /// Values that did not leave, by reason code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<&'static str, u64>,
    /// Values that no line of the rules is for, by their shape, as in [`UNLISTED`]. For the metrics: that a page has properties
    /// which the rules do not name is the usual case, and no news for an auditor.
    #[serde(skip)]
    pub unlisted: [u64; UNLISTED.len()],
}

/// The reasons for which values are dropped that no line of the rules is for, in the order of [`Counters::unlisted`].
pub(crate) const UNLISTED: [&str; 4] =
    ["unlisted_object", "unlisted_array", "unlisted_string", "unlisted_scalar"];

impl Counters {
    /// Adds `count` values that were dropped for `reason`, a stable code.
    pub fn drop_values(&mut self, reason: &'static str, count: u64) {
        let total = self.dropped.entry(reason).or_default();
        *total = total.saturating_add(count);
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The method if RFC 9110 or RFC 5789 defines it, otherwise `OTHER`.
pub(crate) fn method_name(method: &str) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

pub(super) fn name<S: Serializer>(name: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    name.as_deref().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_method_becomes_other() {
        assert_eq!(method_name("GET"), "GET");
        assert_eq!(method_name("ALICE"), "OTHER");
    }

    #[test]
    fn dropped_values_add_up_by_reason() {
        let mut counters = Counters::default();
        counters.drop_values("unlisted", 2);
        counters.drop_values("unlisted", 3);
        counters.drop_values("wrong_type", 1);
        assert_eq!(counters.dropped, BTreeMap::from([("unlisted", 5), ("wrong_type", 1)]));
    }
}
