//! What the running state is made from, and when that ends: rules, keys, approvals, certificates.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::series::{ConsumerLabels, Facts, NONE, Series, gauge_value};

/// A key of the ring.
pub(crate) struct KeyFacts {
    /// Its id.
    pub(crate) id: char,
    /// Its fingerprint, as files and logs have it.
    pub(crate) fingerprint: String,
    /// What it does: `first`, `staged` or `superseded`.
    pub(crate) standing: &'static str,
    /// When it was made, in seconds since 1970; `None` if the file does not say it.
    pub(crate) created: Option<i64>,
}

/// When certificates end, in seconds since 1970.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CertificateEnds {
    /// The listeners' chain; `None` without TLS.
    pub(crate) listener: Option<i64>,
    /// The certificates that authenticate applications to Entra, by consumer.
    pub(crate) credentials: Vec<(Arc<str>, i64)>,
}

#[derive(Default)]
pub(super) struct Configuration {
    reloads: Family<ReloadLabels, Counter>,
    good: Gauge,
    loaded: Gauge,
    warnings: Gauge,
    approvals_end: Series<ConsumerLabels, Gauge>,
    /// The rules that serve each consumer.
    rules: Facts<RulesLabels>,
    /// The keys of the ring.
    keys: Facts<KeyLabels>,
    keys_created: Series<CreatedLabels, Gauge>,
    keys_replaced: Gauge,
    certificates_end: Series<CertificateLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    result: ReloadResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ReloadResult {
    Ok,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RulesLabels {
    consumer: Arc<str>,
    fingerprint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabels {
    key: String,
    fingerprint: String,
    standing: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CreatedLabels {
    key: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CertificateLabels {
    role: &'static str,
    consumer: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

impl Configuration {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("reloads", "Reloads of the configuration", self.reloads.clone());
        registry.register(
            "config_good",
            "1 if the running state is what the files say, 0 if they are bad and the last good state runs",
            self.good.clone(),
        );
        registry.register_with_unit(
            "config_loaded_timestamp",
            "When the running state was made from the files, in seconds since 1970",
            Unit::Seconds,
            self.loaded.clone(),
        );
        registry.register(
            "config_warnings",
            "Warnings about the files that the running state was made from",
            self.warnings.clone(),
        );
        registry.register_with_unit(
            "approvals_end_timestamp",
            "When the approvals of a consumer end, in seconds since 1970",
            Unit::Seconds,
            self.approvals_end.family.clone(),
        );
        registry.register_with_unit(
            "key_created_timestamp",
            "When a key of the ring was made, in seconds since 1970",
            Unit::Seconds,
            self.keys_created.family.clone(),
        );
        registry.register_with_unit(
            "keys_replaced_timestamp",
            "When all keys were replaced at once, in seconds since 1970; 0 if they were not, or are there again",
            Unit::Seconds,
            self.keys_replaced.clone(),
        );
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "When a certificate ends, or the first one of its chain, in seconds since 1970",
            Unit::Seconds,
            self.certificates_end.family.clone(),
        );
        registry.register("key", "The keys of the ring, and what each does", self.keys.clone());
        registry.register("rules", "The rules that serve a consumer", self.rules.clone());
        let build = Info::new(BuildLabels { version: env!("CARGO_PKG_VERSION") });
        registry.register("build", "The running program", build);
        for result in [ReloadResult::Ok, ReloadResult::Failed] {
            drop(self.reloads.get_or_create(&ReloadLabels { result }));
        }
    }

    pub(super) fn reloaded(&self, good: bool, now: i64) {
        let result = if good { ReloadResult::Ok } else { ReloadResult::Failed };
        self.reloads.get_or_create(&ReloadLabels { result }).inc();
        self.good.set(i64::from(good));
        if good {
            self.loaded.set(now);
        }
    }

    pub(super) fn warned(&self, warnings: usize) {
        self.warnings.set(gauge_value(warnings));
    }

    pub(super) fn approvals_end(&self, ends: impl IntoIterator<Item = (Arc<str>, i64)>) {
        let labels = |(consumer, end)| (ConsumerLabels { consumer }, end);
        set_all(&self.approvals_end, ends.into_iter().map(labels));
    }

    pub(super) fn certificates_end(&self, ends: CertificateEnds) {
        let listener = ends.listener.map(|end| ("listener", NONE.into(), end));
        let credentials = ends.credentials.into_iter().map(|(consumer, end)| ("credential", consumer, end));
        let labels = |(role, consumer, end)| (CertificateLabels { role, consumer }, end);
        set_all(&self.certificates_end, listener.into_iter().chain(credentials).map(labels));
    }

    pub(super) fn know_rules(&self, rules: impl IntoIterator<Item = (Arc<str>, String)>) {
        self.rules
            .set(rules.into_iter().map(|(consumer, fingerprint)| RulesLabels { consumer, fingerprint }));
    }

    pub(super) fn keys_replaced(&self, at: Option<i64>) {
        self.keys_replaced.set(at.unwrap_or(0));
    }

    pub(super) fn know_keys(&self, keys: Vec<KeyFacts>) {
        let created = |key: &KeyFacts| Some((CreatedLabels { key: key.id.into() }, key.created?));
        set_all(&self.keys_created, keys.iter().filter_map(created));
        self.keys.set(keys.into_iter().map(|KeyFacts { id, fingerprint, standing, .. }| KeyLabels {
            key: id.into(),
            fingerprint,
            standing,
        }));
    }
}

/// Replaces all series and their values.
fn set_all<L: Clone + Eq + Hash>(series: &Series<L, Gauge>, values: impl Iterator<Item = (L, i64)>) {
    let values: Vec<_> = values.collect();
    series.set(values.iter().map(|(labels, _)| labels.clone()));
    for (labels, value) in values {
        series.change(&labels, |gauge| {
            gauge.set(value);
        });
    }
}

impl EncodeLabelValue for ReloadResult {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
        };
        text.encode(encoder)
    }
}
