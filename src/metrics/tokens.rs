//! The access tokens for Graph: whether there is one, how old it is, and which permissions that the rules need are in it. Asked
//! for when somebody reads the metrics.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::clock::Clock;
use super::series::{ConsumerLabels, gauge_value};

/// The token for a consumer's requests.
pub(crate) struct TokenFacts {
    /// The consumer.
    pub(crate) consumer: Arc<str>,
    /// False if there is none, and the last attempt to get one failed.
    pub(crate) is_good: bool,
    /// How many seconds this machine's clock is ahead of the issuer's; `None` if the issuer does not show it.
    pub(crate) clock_ahead: Option<i64>,
    /// The token that requests carry now; `None` if there is none.
    pub(crate) current: Option<CurrentToken>,
}

/// A token that requests carry.
pub(crate) struct CurrentToken {
    /// How long ago the issuer gave it.
    pub(crate) age: Duration,
    /// When it expires, in seconds since 1970; `None` if that is not known.
    pub(crate) expiry: Option<i64>,
    /// The permissions that the consumer's rules need, and whether the token has each. Empty if the token cannot be read.
    pub(crate) permissions: Vec<(String, bool)>,
}

type Asked = Box<dyn Fn() -> Vec<TokenFacts> + Send + Sync>;

/// The metrics of tokens. Labels are names from the operator's files.
#[derive(Default)]
pub(super) struct TokenMetrics {
    good: Family<ConsumerLabels, Gauge>,
    age: Family<ConsumerLabels, Gauge>,
    expiry: Family<ConsumerLabels, Gauge>,
    permissions: Family<PermissionLabels, Gauge>,
    asked: ArcSwapOption<Asked>,
    /// Held while the values are replaced and read, so that no reader sees half of them.
    alone: Mutex<()>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PermissionLabels {
    consumer: Arc<str>,
    permission: String,
}

impl TokenMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "token_good",
            "1 if the proxy has a token for the consumer's requests to Graph, 0 if the last attempt to get one failed",
            self.good.clone(),
        );
        registry.register_with_unit(
            "graph_token_age",
            "The age of the access token that a consumer's requests carry",
            Unit::Seconds,
            self.age.clone(),
        );
        registry.register_with_unit(
            "graph_token_expiry_timestamp",
            "When the access token expires that a consumer's requests carry, in seconds since 1970",
            Unit::Seconds,
            self.expiry.clone(),
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
    pub(super) fn while_fresh<T>(&self, clock: &Clock, read: impl FnOnce() -> T) -> T {
        let _alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        self.good.clear();
        self.age.clear();
        self.expiry.clear();
        self.permissions.clear();
        let facts = self.asked.load().as_ref().map(|asked| asked()).unwrap_or_default();
        clock.ahead_of_entra(facts.iter().filter_map(|it| it.clock_ahead));
        facts.into_iter().for_each(|it| self.set(it));
        read()
    }

    fn set(&self, facts: TokenFacts) {
        let TokenFacts { consumer, is_good, clock_ahead: _, current } = facts;
        let labels = ConsumerLabels { consumer: Arc::clone(&consumer) };
        self.good.get_or_create(&labels).set(i64::from(is_good));
        let Some(CurrentToken { age, expiry, permissions }) = current else { return };
        self.age.get_or_create(&labels).set(gauge_value(age.as_secs()));
        if let Some(expiry) = expiry {
            self.expiry.get_or_create(&labels).set(expiry);
        }
        for (permission, is_there) in permissions {
            let labels = PermissionLabels { consumer: Arc::clone(&consumer), permission };
            self.permissions.get_or_create(&labels).set(i64::from(is_there));
        }
    }
}
