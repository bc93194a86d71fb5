//! The signing keys of the look-alike, and their key set.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::jose::SigningKey;

/// How many keys are published: the one in use, and the one before it, whose tokens are still in use.
const PUBLISHED: usize = 2;

/// The keys of one tenant, the oldest first.
#[derive(Default)]
pub(super) struct SigningKeys {
    /// Empty until a key is needed.
    keys: Vec<Arc<SigningKey>>,
}

impl SigningKeys {
    /// The key in use. The first key is generated on first use, once for all tenants of the process, because it takes
    /// longer than everything else in a tenant.
    pub(super) fn current(&mut self) -> Option<Arc<SigningKey>> {
        static FIRST: OnceLock<Option<Arc<SigningKey>>> = OnceLock::new();
        if self.keys.is_empty() {
            self.keys.extend(FIRST.get_or_init(|| SigningKey::generate().map(Arc::new)).clone());
        }
        self.keys.last().cloned()
    }

    /// Signs with a new key from now on. The previous key stays published.
    pub(super) fn roll(&mut self) {
        let _first = self.current();
        self.keys.extend(SigningKey::generate().map(Arc::new));
        let old = self.keys.len().saturating_sub(PUBLISHED);
        self.keys.drain(..old);
    }

    /// The key set (RFC 7517), with the `issuer` that Entra puts into every key: `{tenantid}` stands for any tenant.
    pub(super) fn jwks(&mut self, base: &str) -> Value {
        let _first = self.current();
        jwks(base, self.keys.iter().rev().map(|key| &**key))
    }
}

/// A key set of these keys.
pub(super) fn jwks<'k>(base: &str, keys: impl IntoIterator<Item = &'k SigningKey>) -> Value {
    let keys = keys.into_iter().map(|key| {
        let mut jwk = key.jwk();
        if let Value::Object(members) = &mut jwk {
            members.insert("issuer".to_owned(), json!(format!("{base}/{{tenantid}}/v2.0")));
        }
        jwk
    });
    json!({ "keys": keys.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(keys: &mut SigningKeys) -> Vec<String> {
        let published = keys.jwks("b");
        let id = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        published["keys"].as_array().unwrap().iter().map(id).collect()
    }

    #[test]
    fn a_rolled_key_is_published_beside_the_one_before_it() {
        let mut keys = SigningKeys::default();
        let first = ids(&mut keys);
        keys.roll();
        let second = ids(&mut keys);
        assert_eq!((first.len(), second.len(), &second[1]), (1, 2, &first[0]));
        keys.roll();
        let third = ids(&mut keys);
        assert!(third.len() == 2 && third[1] == second[0] && !third.contains(&first[0]));
    }
}
