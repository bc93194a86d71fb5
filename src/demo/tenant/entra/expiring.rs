//! Things that are kept for a while.

use std::collections::HashMap;

/// No more than this many at once: a demo may run for days, and anybody on the machine may fill it.
const MOST: usize = 100_000;

/// Things by name, each until a time of its own in seconds since 1970.
pub(super) struct Expiring<T>(HashMap<String, (i64, T)>);

impl<T> Default for Expiring<T> {
    fn default() -> Self {
        Expiring(HashMap::new())
    }
}

impl<T> Expiring<T> {
    /// Keeps a thing; false where one of that name is there already, or no room.
    pub(super) fn insert(&mut self, name: String, until: i64, thing: T, now: i64) -> bool {
        self.0.retain(|_, kept| kept.0 > now);
        let is_new = self.0.len() < MOST && !self.0.contains_key(&name);
        if is_new {
            self.0.insert(name, (until, thing));
        }
        is_new
    }

    pub(super) fn get(&mut self, name: &str, now: i64) -> Option<&mut T> {
        self.0.get_mut(name).filter(|kept| kept.0 > now).map(|kept| &mut kept.1)
    }

    pub(super) fn remove(&mut self, name: &str, now: i64) -> Option<T> {
        self.0.remove(name).filter(|kept| kept.0 > now).map(|kept| kept.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_kept_until_their_time_and_no_name_twice() {
        let mut kept = Expiring::default();
        let mut insert = |name: &str, until, now| kept.insert(name.to_owned(), until, (), now);
        assert!(insert("a", 10, 5));
        assert!(!insert("a", 20, 9));
        assert!(insert("a", 20, 10));
        assert!(kept.get("a", 19).is_some() && kept.get("a", 20).is_none() && kept.get("b", 0).is_none());
        assert!(kept.remove("a", 19).is_some() && kept.remove("a", 19).is_none());
    }
}
