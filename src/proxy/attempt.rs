//! A request that `glassine doctor` makes in a consumer's name: admitted, authorized, fetched and sanitized like any
//! other. It comes through no socket. It leaves no audit record, because a running proxy may be writing the audit log.

use std::io;
use std::sync::Arc;

use http::StatusCode;

use super::account::Accounting;
use super::consumer::{Caller, Consumer};
use super::pipeline::Broken;
use super::problem::Problem;
use super::{ProxyState, serve_one};
use crate::audit::{AuditLog, Options};
use crate::metrics::Metrics;
use glassine_core::admit::Request;
use glassine_core::sanitize::Clean;

/// The doctor asks for pages of few objects, but a delta's first page can have a thousand.
const MAX_DOCUMENT: usize = 16 * 1024 * 1024;

/// Why an attempt got no document. Its text contains nothing of the request or of Graph's response.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Trouble(#[from] Problem);

/// Which step failed.
pub(crate) enum Cause<'a> {
    /// The rules refuse the request.
    Refused,
    /// The proxy got no access token for Graph.
    Token,
    /// Graph did not respond.
    Upstream,
    /// Graph responded with an error.
    Graph { status: StatusCode, code: Option<&'a str> },
    /// Graph's response cannot be sanitized, so nothing of it leaves.
    Response,
}

/// The document that the consumer would get.
pub(crate) async fn attempt(
    state: &ProxyState,
    consumer: &Arc<Consumer>,
    request: &Request<'_>,
) -> Result<Clean<Vec<u8>>, Trouble> {
    let nowhere = AuditLog::to_stream(Box::new(io::sink()), Options::default());
    let audit = Arc::new(nowhere.map_err(|_| Problem::AuditFailing)?);
    let mut account =
        Accounting { audit, metrics: Arc::new(Metrics::new()), traces: None }.open(request.method);
    let caller = Caller { consumer: Arc::clone(consumer), graph_token: None };
    let response = serve_one(state, &caller, request, &mut account, None).await?;
    Ok(response.collect(MAX_DOCUMENT).await?)
}

impl Trouble {
    /// Which step failed.
    pub(crate) fn cause(&self) -> Cause<'_> {
        match &self.0 {
            Problem::Refused(_) => Cause::Refused,
            Problem::Token(_) => Cause::Token,
            Problem::Upstream(_) | Problem::Broken(Broken::Upstream(_)) => Cause::Upstream,
            Problem::Graph(error) => {
                Cause::Graph { status: error.status, code: error.code.as_ref().map(|code| *code.get()) }
            }
            _ => Cause::Response,
        }
    }
}
