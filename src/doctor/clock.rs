//! This machine's clock against the `Date` of Graph's and Entra's responses.

use super::findings::Finding;
use crate::upstream::WRONG_CLOCK;

/// The difference that Entra and verifiers of signed tokens tolerate, in seconds.
const FAIL: u64 = 300;

const ADVICE: &str = "set the clock and keep it set: `timedatectl set-ntp true`, or start chronyd; in a container, on its host\n\
     with a wrong clock, Entra refuses the proxy's assertions, and the proxy refuses consumers' signed tokens and certificates";

/// `ahead`: how many seconds this clock is ahead of the server's. `None` if the response has no `Date`.
pub(super) fn check(server: &str, ahead: Option<i64>) -> Finding {
    let Some(ahead) = ahead else {
        return Finding::skip(server, format!("{server}'s response has no date"));
    };
    let message = match ahead {
        0 => format!("no difference from {server}'s"),
        1.. => format!("{} ahead of {server}'s", in_words(ahead.unsigned_abs())),
        _ => format!("{} behind {server}'s", in_words(ahead.unsigned_abs())),
    };
    match ahead.unsigned_abs() {
        FAIL.. => Finding::fail(server, message, ADVICE),
        WRONG_CLOCK.. => Finding::warn(server, message, ADVICE),
        _ => Finding::ok(server, message),
    }
}

/// A rounded duration for people.
pub(super) fn in_words(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::findings::Outcome;

    #[test]
    fn a_minute_is_a_warning_and_five_minutes_are_a_failure() {
        let outcome = |ahead| check("Graph", Some(ahead)).outcome;
        for (ahead, expected) in [
            (0, Outcome::Ok),
            (59, Outcome::Ok),
            (-60, Outcome::Warn),
            (299, Outcome::Warn),
            (-300, Outcome::Fail),
            (86_400, Outcome::Fail),
        ] {
            assert_eq!(outcome(ahead), expected, "{ahead}");
        }
        assert_eq!(check("Graph", None).outcome, Outcome::Skip);
        assert_eq!(check("Graph", Some(-600)).message, "10 min behind Graph's");
    }
}
