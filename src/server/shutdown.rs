//! The signal to stop, from the service to its listeners and connections.
//!
//! A stop has two steps. *Leaving*: everything is served as before, new connections too, but each response asks its
//! client to come back on another connection, which a load balancer brings to another replica. *Stopping*: the listener
//! closes, and what has begun ends.

use tokio::sync::watch;

/// How far a stop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Serving,
    Leaving,
    Stopping,
}

/// Triggers the stop. Dropping it triggers the stop too, so that no listener outlives its owner.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<Step>);

/// Receives the stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<Step>);

impl Shutdown {
    /// A trigger and its receiver.
    pub fn channel() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(Step::Serving);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Waits for the stop. Cancel-safe. Returns at once after the stop.
    pub async fn requested(&mut self) {
        self.reached(Step::Stopping).await;
    }

    /// Waits until clients should leave. Cancel-safe. Returns at once after that, and after the stop.
    pub(super) async fn leaving(&mut self) {
        self.reached(Step::Leaving).await;
    }

    /// Whether clients should leave.
    pub(super) fn is_leaving(&self) -> bool {
        *self.0.borrow() >= Step::Leaving || self.0.has_changed().is_err()
    }

    async fn reached(&mut self, step: Step) {
        // An error means that the trigger was dropped, which is a stop too.
        let _reached_or_dropped = self.0.wait_for(|now| *now >= step).await;
    }
}

impl ShutdownTrigger {
    /// From now on clients should leave. Changes nothing after [`Self::trigger`].
    pub fn leave(&self) {
        self.0.send_if_modified(|now| {
            let is_news = *now < Step::Leaving;
            *now = (*now).max(Step::Leaving);
            is_news
        });
    }

    /// Triggers the stop. A second call changes nothing.
    pub fn trigger(&self) {
        self.0.send_replace(Step::Stopping);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_and_a_drop_both_stop() {
        let (trigger, mut shutdown) = Shutdown::channel();
        let mut other = shutdown.clone();
        trigger.trigger();
        shutdown.requested().await;
        drop(trigger);
        other.requested().await;
        other.leaving().await;
        assert!(other.is_leaving());
    }

    #[tokio::test]
    async fn a_drop_is_seen_without_waiting() {
        let (trigger, shutdown) = Shutdown::channel();
        assert!(!shutdown.is_leaving());
        drop(trigger);
        assert!(shutdown.is_leaving());
    }

    #[tokio::test]
    async fn nothing_stops_without_a_trigger() {
        let (_trigger, mut shutdown) = Shutdown::channel();
        let mut requested = std::pin::pin!(shutdown.requested());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(requested.as_mut().poll(&mut context).is_pending());
    }

    #[tokio::test]
    async fn clients_leave_before_the_stop() {
        let (trigger, mut shutdown) = Shutdown::channel();
        trigger.leave();
        shutdown.leaving().await;
        assert!(shutdown.is_leaving());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::pin!(shutdown.clone().requested()).poll(&mut context).is_pending());
        trigger.trigger();
        trigger.leave();
        // A stop is not taken back.
        shutdown.requested().await;
    }
}
