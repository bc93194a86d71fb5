//! The running proxy's access tokens. The doctor gets tokens of its own, which have every permission that is granted now. The
//! running proxy may still have a token from before: its metrics say so.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::clock::in_words;
use super::findings::Finding;
use crate::config::Config;
use crate::upstream::{Inquirer, Inquiry, Network};
use glassine_core::graph::Url;

/// How long to wait for the metrics. The admin listener is on this machine or near it, and the machine may be busy. The doctor waits
/// for Graph and Entra meanwhile, so this limit makes no run longer.
const LIMIT: Duration = Duration::from_secs(10);

/// How often a proxy that is not ready is asked again, and after which pause: one that has just started soon has its first token.
const LOOKS: usize = 2;
const PAUSE: Duration = Duration::from_secs(1);

const PERMISSION: &str = "glassine_graph_token_permission";
const AGE: &str = "glassine_graph_token_age_seconds";

/// The metrics of a running proxy. Empty if none could be read: none runs, or its admin listener wants a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(String);

impl Running {
    pub(super) async fn of(config: &Config, network: &Network) -> Self {
        let mut running = Self::read(config, network).await;
        for _ in 0..LOOKS {
            if !running.has("glassine_ready ", "0") {
                break;
            }
            sleep(PAUSE).await;
            running = Self::read(config, network).await;
        }
        running
    }

    async fn read(config: &Config, network: &Network) -> Self {
        let text = async {
            let admin = config.admin().filter(|admin| admin.is_open())?;
            let url = Url::parse_private(&format!("http://{}/metrics", admin.reachable())).ok()?;
            let inquirer = Inquirer::new(url.origin().clone(), network).ok()?;
            let inquiry = Inquiry { target: url.target(), lines: &[], token: None };
            let metrics = timeout(LIMIT, inquirer.get(&inquiry)).await.ok()?.ok()?;
            String::from_utf8(metrics.body.to_vec()).ok()
        };
        Self(text.await.unwrap_or_default())
    }

    /// Whether a series without labels has this value.
    fn has(&self, series: &str, value: &str) -> bool {
        self.0.lines().any(|line| line.strip_prefix(series).is_some_and(|rest| rest.trim() == value))
    }

    /// A check that nobody made must not look like a good one. The configuration has only the hash of the token.
    pub(super) fn unread(config: &Config) -> Option<Finding> {
        config.admin().filter(|admin| !admin.is_open())?;
        let reason = "not read: the admin listener wants a token; the series glassine_graph_token_permission says \
                      whether the proxy's access token is older than a grant";
        Some(Finding::skip("metrics", reason))
    }

    /// What the running proxy cannot do at this moment. Nothing if no proxy's metrics could be read.
    pub(super) fn troubles(&self, config: &Config) -> Vec<Finding> {
        let place = config.admin().map(|admin| admin.reachable().to_string()).unwrap_or_default();
        let why = format!("curl -s 'http://{place}/readyz?verbose' says why");
        let full = "make room on the disk, or correct the folder's owner: it then goes on by itself\n\
                    the records that it could not write are counted in the event `resumed`";
        let audit = self.has("glassine_audit_failing ", "1").then(|| {
            Finding::fail("audit log", "it cannot write its audit log, so it refuses every request", full)
        });
        let files = self.has("glassine_config_good ", "0").then(|| {
            let message =
                "it could not use the files at its last reload; the last good state goes on running";
            Finding::warn("files", message, format!("correct what the configuration section says; {why}"))
        });
        let ready = self
            .has("glassine_ready ", "0")
            .then(|| Finding::fail("readiness", "it is not ready", why.clone()));
        audit.into_iter().chain(files).chain(ready).collect()
    }

    /// A warning if the consumer's token lacks what is granted now. `granted` says whether a needed permission is.
    pub(super) fn check(
        &self,
        consumer: &str,
        is_identity: bool,
        granted: impl Fn(&str) -> bool,
    ) -> Option<Finding> {
        let of_consumer = format!("{{consumer=\"{consumer}\"");
        let series = |name: &'static str| {
            let start = format!("{name}{of_consumer}");
            self.0.lines().filter_map(move |line| line.strip_prefix(start.as_str())?.rsplit_once(' '))
        };
        let lacks = series(PERMISSION).filter(|(_, value)| *value == "0");
        let names = lacks.filter_map(|(labels, _)| labels.split('"').nth(1));
        let late: Vec<_> = names.filter(|name| granted(name)).collect();
        let (_, age) = series(AGE).next()?;
        if late.is_empty() {
            return None;
        }
        let age = in_words(age.parse().ok()?);
        let message = format!(
            "its access token is {age} old and was issued before these were granted: {}",
            late.join(", ")
        );
        Some(Finding::warn("running proxy", message, advice(is_identity)))
    }
}

fn advice(is_identity: bool) -> &'static str {
    if is_identity {
        "Azure keeps a managed identity's token for up to 24 hours, and no request can shorten that: wait, or give the \
         machine another identity that has the permissions from the start (docs/ENTRA.md)"
    } else {
        "wait: a token that is older than 3 minutes is renewed after the next request that Graph denies for lack of it; or have \
         it renewed now: kill -HUP PID"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::findings::Outcome;

    #[test]
    fn a_token_from_before_a_grant_is_told_with_its_age() {
        let text = "glassine_graph_token_age_seconds{consumer=\"acme\"} 720\n\
                    glassine_graph_token_permission{consumer=\"acme\",permission=\"User.Read.All\"} 0\n\
                    glassine_graph_token_permission{consumer=\"acme\",permission=\"Mail.Read\"} 1\n\
                    glassine_graph_token_permission{consumer=\"acme2\",permission=\"Mail.Read\"} 0\n";
        let running = Running(text.to_owned());
        let finding = running.check("acme", false, |_| true).unwrap();
        assert_eq!(finding.outcome, Outcome::Warn);
        assert!(
            finding.message.ends_with("12 min old and was issued before these were granted: User.Read.All")
        );
        assert!(running.check("acme", false, |_| false).is_none(), "missing is another finding");
        assert!(running.check("acme2", false, |_| true).is_none(), "it has no token");
        assert!(Running::default().check("acme", false, |_| true).is_none());
    }
}
