//! The end of a running proxy, in steps.
//!
//! ```text
//!  SIGTERM ──▶ lame duck ─────────────────────────▶ drain ─────────────────▶ end
//!              /readyz 503, everything is served,   the listener closes,
//!              clients are asked to leave           what has begun ends
//! ```
//!
//! A load balancer needs some seconds to notice that a proxy is not ready. A listener that closes at once refuses the
//! requests of those seconds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Service;
use super::front::Front;
use super::signals::{Stop, Stops};
use crate::server::{Phase, Readiness, ShutdownTrigger};

/// Waits for the request to stop, and makes the steps until the drain.
pub(super) struct LameDuck {
    stops: Stops,
    time: Duration,
    readiness: Readiness,
    trigger: ShutdownTrigger,
    front: Arc<Front>,
}

impl LameDuck {
    pub(super) fn new(service: &Service, stops: Stops, trigger: ShutdownTrigger) -> Self {
        Self {
            stops,
            time: service.config.limits().lame_duck,
            readiness: service.readiness.clone(),
            trigger,
            front: Arc::clone(&service.front),
        }
    }

    pub(super) async fn run(mut self) {
        let stop = self.stops.next().await;
        self.readiness.enter(Phase::Stopping);
        if stop == Stop::Gently && !self.time.is_zero() {
            self.leave().await;
        }
        tracing::info!("stopping; responses that have begun may end");
        self.trigger.trigger();
        self.front.stop_waiting();
    }

    /// Serves while clients leave. Another signal ends this.
    async fn leave(&mut self) {
        tracing::info!("no longer ready; requests are served until load balancers have noticed");
        self.trigger.leave();
        tokio::select! {
            () = sleep(self.time) => {}
            _ = self.stops.next() => {}
        }
    }
}
