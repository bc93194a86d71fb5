//! The access tokens in use: how old they are, and which permissions that the rules need are in them. Asked for when somebody
//! reads the metrics.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The token that a consumer's requests carry now.
pub(crate) struct TokenFacts {
    /// The consumer.
    pub(crate) consumer: Arc<str>,
    /// How long ago the issuer gave it.
    pub(crate) age: Duration,
    /// The permissions that the consumer's rules need, and whether the token has each. Empty if the token cannot be read.
    pub(crate) permissions: Vec<(String, bool)>,
}

type Asked = Box<dyn Fn() -> Vec<TokenFacts> + Send + Sync>;

/// The metrics of tokens. Labels are names from the operator's files.
#[derive(Default)]
pub(super) struct TokenMetrics {
    age: Family<ConsumerLabels, Gauge>,
    permissions: Family<PermissionLabels, Gauge>,
    asked: ArcSwapOption<Asked>,
    /// Held while the values are replaced and read, so that no reader sees half of them.
    alone: Mutex<()>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConsumerLabels {
    consumer: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PermissionLabels {
    consumer: Arc<str>,
    permission: String,
}

impl TokenMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "graph_token_age_seconds",
            "The age of the access token that a consumer's requests carry",
            self.age.clone(),
        );
        registry.register(
            "graph_token_permission",
            "1 if the access token in use has a permission that the consumer's rules need, otherwise 0",
            self.permissions.clone(),
        );
    }

    /// Sets what says how the tokens are.
    pub(super) fn ask(&self, asked: impl Fn() -> Vec<TokenFacts> + Send + Sync + 'static) {
        self.asked.store(Some(Arc::new(Box::new(asked))));
    }

    /// Reads the metrics with the present values.
    pub(super) fn while_fresh<T>(&self, read: impl FnOnce() -> T) -> T {
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        self.age.clear();
        self.permissions.clear();
        let facts = self.asked.load().as_ref().map(|asked| asked()).unwrap_or_default();
        for TokenFacts { consumer, age, permissions } in facts {
            let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
            self.age.get_or_create(&ConsumerLabels { consumer: Arc::clone(&consumer) }).set(seconds);
            for (permission, is_there) in permissions {
                let labels = PermissionLabels { consumer: Arc::clone(&consumer), permission };
                self.permissions.get_or_create(&labels).set(i64::from(is_there));
            }
        }
        read()
    }
}
