//! Which tickets were used in this process. With several replicas, a ticket can be used once on each of them. Entra
//! then refuses the second use of the authorization code.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The rate limit on steps allows fewer tickets than this in their ten minutes.
const MAX: usize = 16_384;

/// The ids of used tickets, kept until the tickets expire.
#[derive(Default)]
pub(super) struct Spent(Mutex<HashMap<String, i64>>);

impl Spent {
    /// Records the use of a ticket. `false` if the ticket was used before, or if there is no room to record it.
    pub(super) fn spend(&self, id: &str, expires: i64, now: i64) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MAX {
            spent.retain(|_, expires| now < *expires);
        }
        let new = spent.len() < MAX && !spent.contains_key(id);
        if new {
            spent.insert(id.to_owned(), expires);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault: more links of the connection pages are in use than can be remembered. Outcome: further ones are refused until older ones expire.
    #[test]
    fn a_second_use_is_refused_and_expired_tickets_make_room() {
        let spent = Spent::default();
        assert!(spent.spend("a", 10, 0) && !spent.spend("a", 10, 1) && spent.spend("b", 10, 1));
        let filled = (0..MAX).filter(|at| spent.spend(&at.to_string(), 10, 1)).count();
        assert_eq!(filled, MAX - 2);
        assert!(!spent.spend("c", 20, 1), "what cannot be remembered is not accepted");
        assert!(spent.spend("c", 20, 10));
    }
}
