//! The signals that a running proxy reacts to. They are handled from the first moment on: a signal whose handler is not
//! installed yet ends the process.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;

use super::StartError;

/// The signals, from [`Signals::install`] on.
pub struct Signals {
    /// SIGHUP.
    pub(super) hangup: Signal,
    pub(super) stops: Stops,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM: first let load balancers notice.
    Gently,
    /// SIGINT, which a person sends who wants the prompt back: responses that have begun may end, no more.
    Now,
}

/// The requests to stop, one after the other.
pub(super) enum Stops {
    Signals { interrupt: Signal, terminate: Signal },
    Channel(UnboundedReceiver<Stop>),
}

impl Signals {
    /// Handles SIGHUP, SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    ///
    /// [`StartError::Signals`].
    pub fn install() -> Result<Self, StartError> {
        let handle = |kind| signal(kind).map_err(StartError::Signals);
        let hangup = handle(SignalKind::hangup())?;
        let (terminate, interrupt) = (handle(SignalKind::terminate())?, handle(SignalKind::interrupt())?);
        Ok(Self { hangup, stops: Stops::Signals { interrupt, terminate } })
    }

    /// Handles SIGHUP, and stops when the channel says so or its sender is dropped. For programs that contain a proxy.
    ///
    /// # Errors
    ///
    /// [`StartError::Signals`].
    pub fn stopped_by(stops: UnboundedReceiver<Stop>) -> Result<Self, StartError> {
        let hangup = signal(SignalKind::hangup()).map_err(StartError::Signals)?;
        Ok(Self { hangup, stops: Stops::Channel(stops) })
    }

    /// Waits for the next request to stop. Cancel-safe.
    pub async fn stop(&mut self) -> Stop {
        self.stops.next().await
    }
}

impl Stops {
    /// Waits for the next request to stop. Cancel-safe.
    pub(super) async fn next(&mut self) -> Stop {
        match self {
            Self::Signals { interrupt, terminate } => tokio::select! {
                _ = interrupt.recv() => Stop::Now,
                _ = terminate.recv() => Stop::Gently,
            },
            Self::Channel(stops) => stops.recv().await.unwrap_or(Stop::Now),
        }
    }
}
