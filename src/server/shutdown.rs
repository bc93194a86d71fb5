//! The signal to stop, from the service to its listeners and connections.

use tokio::sync::watch;

/// Triggers the stop. Dropping it triggers the stop too, so that no listener outlives its owner.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Receives the stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A trigger and its receiver.
    pub fn channel() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Waits for the stop. Cancel-safe. Returns at once after the stop.
    pub async fn requested(&mut self) {
        // An error means that the trigger was dropped, which is a stop too.
        let _asked_or_dropped = self.0.wait_for(|asked| *asked).await;
    }
}

impl ShutdownTrigger {
    /// Triggers the stop. A second call changes nothing.
    pub fn trigger(&self) {
        self.0.send_replace(true);
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
    }

    #[tokio::test]
    async fn nothing_stops_without_a_trigger() {
        let (_trigger, mut shutdown) = Shutdown::channel();
        let mut requested = std::pin::pin!(shutdown.requested());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(requested.as_mut().poll(&mut context).is_pending());
    }
}
