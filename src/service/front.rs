//! What serves the public listener: the proxy, and the connection pages if they are configured.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;

use crate::audit::AuditLog;
use crate::connect::{Connect, Site};
use crate::metrics::Metrics;
use crate::proxy::{Proxy, ProxyState, ResponseBody};
use crate::server::Peer;
use crate::trace::Exporter;

/// The proxy and the connection pages. They share the audit log and the metrics.
pub(super) struct Front {
    proxy: Proxy,
    connect: Connect,
}

impl Front {
    pub(super) fn new(
        state: Arc<ProxyState>,
        site: Option<Site>,
        audit: Arc<AuditLog>,
        metrics: Arc<Metrics>,
        traces: Option<Arc<Exporter>>,
    ) -> Self {
        let connect = Connect::new(site, Arc::clone(&audit), Arc::clone(&metrics));
        Self { proxy: Proxy::new(state, audit, metrics).with_traces(traces), connect }
    }

    /// The proxy's current state.
    pub(super) fn state(&self) -> Arc<ProxyState> {
        self.proxy.state()
    }

    /// Serves all later requests with the state and the pages of a reload.
    pub(super) fn replace(&self, state: Arc<ProxyState>, site: Option<Site>) {
        self.proxy.replace(state);
        self.connect.replace(site);
    }

    /// See [`Proxy::stop_waiting`].
    pub(super) fn stop_waiting(&self) {
        self.proxy.stop_waiting();
    }

    /// Serves a request. Paths of Graph begin with a version, so none of them collides with `/connect`.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Response<Either<ResponseBody, Full<Bytes>>> {
        if self.connect.serves(request.uri().path()) {
            self.connect.handle(request, peer.address.ip()).await.map(Either::Right)
        } else {
            self.proxy.handle(request, peer).await.map(Either::Left)
        }
    }
}
