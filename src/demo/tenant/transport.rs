//! Faults of the transport, each in one of so many requests to Graph. The tenant has none unless it is
//! [unreliable](super::Tenant::unreliable).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a connection may be idle before it is closed. Azure's load balancers wait for 4 minutes
/// (<https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset>); nobody wants to wait as long for a demo.
pub(super) const IDLE: Duration = Duration::from_millis(500);

/// What goes wrong between Graph and its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TransportFault {
    /// 429 with `Retry-After` in place of the response (<https://learn.microsoft.com/graph/throttling>).
    Throttled,
    /// A 200 whose JSON ends too early, though its framing is whole: chunked and with a length in turn, also inside gzip. Graph
    /// sends the head before it has all objects (`odata.streaming=true`), so a later failure can only show as this.
    CutJson,
    /// The connection is closed within the response, before its framing is whole. Over HTTP/2, the stream is reset.
    ClosedWithin,
    /// The connection is closed when the request arrives, as a balancer does whose idle limit ends just then. Over HTTP/2, the
    /// stream is reset.
    ClosedUnanswered,
    /// Every connection that is idle for half a second is closed; over HTTP/2 after a GOAWAY.
    ClosedIdle,
    /// The server leaves after the response: `Connection: close`, or over HTTP/2 a graceful GOAWAY (RFC 9113 section 6.8).
    GoAway,
    /// Over HTTP/2, the request is refused unprocessed (`REFUSED_STREAM`, RFC 9113 section 8.7). Over HTTP/1.1, which has no such
    /// word, the connection is closed.
    Refused,
}

/// Which requests have which fault.
pub(super) struct Faults {
    kinds: Vec<TransportFault>,
    every: u64,
    requests: AtomicU64,
}

impl Faults {
    /// Each of the `kinds` in turn, in one of `every` requests.
    pub(super) fn new(kinds: &[TransportFault], every: u64) -> Faults {
        Faults { kinds: kinds.to_vec(), every: every.max(1), requests: AtomicU64::new(0) }
    }

    /// The fault of the next request.
    pub(super) fn next(&self) -> Option<TransportFault> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let by_request: Vec<_> = self.kinds.iter().filter(|it| **it != TransportFault::ClosedIdle).collect();
        let turn = number.checked_div(self.every).filter(|_| number.is_multiple_of(self.every))?;
        let place = turn.saturating_sub(1).checked_rem(u64::try_from(by_request.len()).ok()?)?;
        by_request.get(usize::try_from(place).ok()?).copied().copied()
    }

    /// How long connections may be idle.
    pub(super) fn idle(&self) -> Option<Duration> {
        self.kinds.contains(&TransportFault::ClosedIdle).then_some(IDLE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Faults, IDLE, TransportFault};

    #[test]
    fn faults_come_in_turn_and_idle_is_none_of_a_request() {
        let kinds = [TransportFault::CutJson, TransportFault::ClosedIdle, TransportFault::Throttled];
        let faults = Faults::new(&kinds, 3);
        let of_requests: Vec<_> = (0..9).map(|_| faults.next()).collect();
        let (cut, throttled) = (Some(TransportFault::CutJson), Some(TransportFault::Throttled));
        assert_eq!(of_requests, [None, None, cut, None, None, throttled, None, None, cut]);
        assert_eq!(faults.idle(), Some(IDLE));
        let none = Faults::new(&[], 1);
        assert_eq!((none.next(), none.idle()), (None, None));
        assert_eq!(Faults::new(&[TransportFault::ClosedIdle], 1).next(), None);
    }
}
