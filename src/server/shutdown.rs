//! The request to stop, from the one who decides to all who must know.

use tokio::sync::watch;

/// Asks for the stop. Dropping it asks too, so that no listener outlives its owner.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Learns of the stop.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A trigger and what it triggers.
    pub fn channel() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Waits until a stop is asked for. Cancel-safe; returns at once ever after.
    pub async fn requested(&mut self) {
        // An error says that the trigger was dropped, which is a stop.
        let _asked_or_dropped = self.0.wait_for(|asked| *asked).await;
    }
}

impl ShutdownTrigger {
    /// Asks for the stop. Asking twice is asking once.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn asking_and_dropping_both_stop() {
        let (trigger, mut shutdown) = Shutdown::channel();
        let mut other = shutdown.clone();
        trigger.trigger();
        shutdown.requested().await;
        drop(trigger);
        other.requested().await;
    }

    #[tokio::test]
    async fn nothing_stops_by_itself() {
        let (_trigger, mut shutdown) = Shutdown::channel();
        let mut requested = std::pin::pin!(shutdown.requested());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(requested.as_mut().poll(&mut context).is_pending());
    }
}
