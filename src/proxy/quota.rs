//! `RateLimit-Limit`, `-Remaining` and `-Reset`: for clients that pace themselves. The names are those of
//! draft-ietf-httpapi-ratelimit-headers-06; Graph uses them, too.

use http::header::{HeaderName, HeaderValue};

use super::raw_response::CleanHeader;

const LIMIT: &str = "ratelimit-limit";
pub(super) const REMAINING: &str = "ratelimit-remaining";
pub(super) const RESET: &str = "ratelimit-reset";

/// How many requests a consumer may still send.
#[derive(Clone, Copy)]
pub(super) struct Quota {
    /// At once, after a pause.
    pub(super) limit: u32,
    /// At once, now.
    pub(super) remaining: u32,
    /// Seconds until `remaining` is `limit`, if the consumer sends nothing. At least one.
    pub(super) reset: u32,
}

impl Quota {
    pub(super) fn fields(self) -> [(HeaderName, HeaderValue); 3] {
        [(LIMIT, self.limit), (REMAINING, self.remaining), (RESET, self.reset)]
            .map(|(name, value)| (HeaderName::from_static(name), value.into()))
    }

    /// Whether a client that paces itself by Graph's headers is slower than one that does so by this quota. Without all
    /// three, Graph tells no pace.
    pub(super) fn is_looser_than(self, of_graph: &[CleanHeader]) -> bool {
        let number = |wanted| {
            let (_, value) = of_graph.iter().find(|(name, _)| *name == wanted)?;
            value.get().parse::<f64>().ok()
        };
        match (number(LIMIT), number(REMAINING), number(RESET)) {
            (Some(_), Some(remaining), Some(reset)) => {
                pause(remaining, reset) > pause(self.remaining.into(), self.reset.into())
            }
            _ => false,
        }
    }
}

/// Whether a header is one of the three.
pub(super) fn is_quota(name: &str) -> bool {
    [LIMIT, REMAINING, RESET].contains(&name)
}

/// Seconds between two requests of a client that spreads what remains over the time until the reset.
fn pause(remaining: f64, reset: f64) -> f64 {
    reset / remaining.max(1.0)
}
