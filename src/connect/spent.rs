//! Which tickets were used. Of one process: behind several replicas a ticket could be used once on each, and then it is
//! Entra that refuses the second use of an authorization code.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// At the rate at which flows can begin, tickets of ten minutes are fewer.
const MAX: usize = 16 * 1024;

/// The ids of used tickets until they would have ended by themselves.
#[derive(Default)]
pub(super) struct Spent(Mutex<HashMap<String, i64>>);

impl Spent {
    /// Notes the use; `false` if there was one before, or no room to note it.
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

    #[test]
    fn a_second_use_is_refused_and_room_comes_back() {
        let spent = Spent::default();
        assert!(spent.spend("a", 10, 0) && !spent.spend("a", 10, 1) && spent.spend("b", 10, 1));
        let filled = (0..MAX).filter(|at| spent.spend(&at.to_string(), 10, 1)).count();
        assert_eq!(filled, MAX - 2);
        assert!(!spent.spend("c", 20, 1), "what cannot be remembered is not accepted");
        assert!(spent.spend("c", 20, 10));
    }
}
