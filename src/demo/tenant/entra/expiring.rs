//! A map whose entries expire.

use std::collections::HashMap;

/// The most entries at once: a demo may run for days, and anybody on the machine can add entries.
const MOST: usize = 100_000;

/// Things by name, each with its expiry in seconds since 1970.
pub(super) struct Expiring<T>(HashMap<String, (i64, T)>);

impl<T> Default for Expiring<T> {
    fn default() -> Self {
        Expiring(HashMap::new())
    }
}

impl<T> Expiring<T> {
    /// Keeps a thing. Returns false if the name is taken or there is no room.
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
    fn an_entry_is_kept_until_it_expires_and_its_name_is_taken_until_then() {
        let mut kept = Expiring::default();
        let mut insert = |name: &str, until, now| kept.insert(name.to_owned(), until, (), now);
        assert!(insert("a", 10, 5));
        assert!(!insert("a", 20, 9));
        assert!(insert("a", 20, 10));
        assert!(kept.get("a", 19).is_some() && kept.get("a", 20).is_none() && kept.get("b", 0).is_none());
        assert!(kept.remove("a", 19).is_some() && kept.remove("a", 19).is_none());
    }
}
