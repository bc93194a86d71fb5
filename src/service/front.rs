//! What responds on the public listener: the proxy, and beside it the connection pages, if they are wanted.

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

/// Both, with one audit log and one set of metrics.
pub(super) struct Front {
    proxy: Proxy,
    connect: Connect,
}

impl Front {
    pub(super) fn new(
        state: ProxyState,
        site: Option<Site>,
        audit: Arc<AuditLog>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let connect = Connect::new(site, Arc::clone(&audit), Arc::clone(&metrics));
        Self { proxy: Proxy::new(state, audit, metrics), connect }
    }

    /// What requests run on now.
    pub(super) fn state(&self) -> Arc<ProxyState> {
        self.proxy.state()
    }

    /// Serves requests that come from now on with what a reload read.
    pub(super) fn replace(&self, state: ProxyState, site: Option<Site>) {
        self.proxy.replace(state);
        self.connect.replace(site);
    }

    /// No path of Graph begins with `/connect`: there is a version before everything.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> Response<Either<ResponseBody, Full<Bytes>>> {
        if self.connect.serves(request.uri().path()) {
            self.connect.handle(request).await.map(Either::Right)
        } else {
            self.proxy.handle(request, peer).await.map(Either::Left)
        }
    }
}
