//! The checks for each consumer: the token of its application, permissions, endpoints and mailboxes.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Subject;
use super::endpoints::Asker;
use super::findings::Finding;
use super::mailboxes::{self, Mailboxes};
use super::permissions::{Grantee, Measure, Witness};
use super::running::Running;
use super::token::{self, Claims, NoToken};
use crate::config::{self, UpstreamCredential};
use crate::proxy::{Consumer, ProxyState};
use crate::upstream::TokenSource;
use glassine_core::grants::compare;
use glassine_core::rules::plan::Permission;

/// The time for all requests to endpoints. The consumers are checked concurrently.
const ASKING: Duration = Duration::from_secs(22);

/// The additional time for requests to the mailboxes that the operator names.
const MAILBOXES: Duration = Duration::from_secs(10);

/// Which servers respond.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) graph: bool,
    pub(super) entra: bool,
}

/// The findings, in the order of the configuration.
pub(super) struct Examined {
    pub(super) tokens: Vec<Finding>,
    pub(super) consumers: Vec<Report>,
}

/// The findings for one consumer.
pub(super) struct Report {
    pub(super) consumer: String,
    pub(super) permissions: Vec<Finding>,
    pub(super) endpoints: Vec<Finding>,
    pub(super) mailboxes: Vec<Finding>,
}

/// An app registration. Its consumers share its tokens.
struct Application {
    check: String,
    credential: UpstreamCredential,
    source: Arc<TokenSource>,
    /// The permissions of all its consumers.
    needed: Vec<Permission>,
    token: Result<Claims, NoToken>,
}

/// The check of one consumer, with everything that its requests need.
struct ConsumerCheck {
    state: Arc<ProxyState>,
    consumer: Arc<Consumer>,
    claims: Claims,
    needed: Vec<Permission>,
    grantee: Grantee,
    mailboxes: Mailboxes,
    running: Running,
    deadline: Instant,
}

/// `state` is `None` if the configuration's files cannot be used. `now` is in seconds since 1970.
pub(super) async fn examine(
    subject: &Subject,
    state: Option<&Arc<ProxyState>>,
    reach: Reach,
    running: &Running,
    now: i64,
) -> Examined {
    let Some(state) = state else {
        return Examined::skipped(
            subject,
            "the configuration's files cannot be used: see the configuration section",
        );
    };
    if !reach.entra {
        return Examined::skipped(subject, "Entra cannot be reached: see the network section");
    }
    let applications = applications(subject.config.upstream().credential(), state).await;
    if applications.is_empty() {
        return Examined::skipped(subject, "consumers bring their own tokens for Graph (`forward: true`)");
    }
    let tokens =
        applications.iter().map(|it| token::check(&it.token, &it.credential, &it.check, now)).collect();
    let deadline = Instant::now() + ASKING;
    let mut tasks = Vec::new();
    for consumer in state.consumers() {
        let check = consumer_check(subject, state, consumer, &applications, running, deadline);
        tasks.push((consumer, check.map(|check| tokio::spawn(check.examine(reach)))));
    }
    let mut consumers = Vec::new();
    for (consumer, task) in tasks {
        let report = match task {
            Some(task) => task.await.ok(),
            None => None,
        };
        let skipped = || Report::skipped(&consumer.name(), &subject.mailboxes, "there is no token");
        consumers.push(report.unwrap_or_else(skipped));
    }
    Examined { tokens, consumers }
}

/// The applications with their tokens, which are requested concurrently.
async fn applications(shared: &UpstreamCredential, state: &ProxyState) -> Vec<Application> {
    let mut applications: Vec<Application> = Vec::new();
    for consumer in state.consumers() {
        let Some(source) = consumer.tokens() else { continue };
        let needed = &consumer.policy().plan.permissions;
        match applications.iter_mut().find(|it| Arc::ptr_eq(&it.source, source)) {
            Some(application) => application.needed.extend_from_slice(needed),
            None => applications.push(Application::new(consumer, shared, source, needed)),
        }
    }
    let asking = applications.iter().map(|application| {
        let source = Arc::clone(&application.source);
        tokio::spawn(async move { token::ask(&source).await })
    });
    let asking: Vec<_> = asking.collect();
    for (application, asking) in applications.iter_mut().zip(asking) {
        application.token = asking.await.unwrap_or(Err(NoToken::Late));
    }
    applications
}

impl Application {
    fn new(
        consumer: &Consumer,
        shared: &UpstreamCredential,
        source: &Arc<TokenSource>,
        needed: &[Permission],
    ) -> Self {
        let own = consumer.checked().application();
        Self {
            check: own
                .map_or_else(|| "upstream".to_owned(), |_| format!("application of {}", consumer.name())),
            credential: own.unwrap_or(shared).clone(),
            source: Arc::clone(source),
            needed: needed.to_vec(),
            token: Err(NoToken::Late),
        }
    }
}

impl Application {
    /// The client id comes from the configuration, or else from the token.
    fn grantee(&self) -> Grantee {
        let claimed = || self.token.as_ref().ok()?.as_ref()?.client_id().map(str::to_owned);
        let placeholder = || "CLIENT_ID".to_owned();
        let configured = self.credential.client_id().map(str::to_owned);
        let client_id = configured.or_else(claimed).unwrap_or_else(placeholder);
        if self.credential.is_managed_identity() {
            Grantee::Identity(client_id)
        } else {
            Grantee::Application(client_id)
        }
    }
}

/// `None` without a token.
fn consumer_check(
    subject: &Subject,
    state: &Arc<ProxyState>,
    consumer: &Arc<Consumer>,
    applications: &[Application],
    running: &Running,
    deadline: Instant,
) -> Option<ConsumerCheck> {
    let source = consumer.tokens()?;
    let application = applications.iter().find(|it| Arc::ptr_eq(&it.source, source))?;
    Some(ConsumerCheck {
        state: Arc::clone(state),
        consumer: Arc::clone(consumer),
        claims: application.token.as_ref().ok()?.clone(),
        grantee: application.grantee(),
        needed: application.needed.clone(),
        mailboxes: subject.mailboxes.clone(),
        running: running.clone(),
        deadline,
    })
}

impl ConsumerCheck {
    async fn examine(self, reach: Reach) -> Report {
        let roles = self.claims.as_ref().map(|claims| claims.roles.as_slice());
        if !reach.graph {
            let reason = "Graph cannot be reached: see the network section";
            let skipped = Report::skipped(&self.consumer.name(), &self.mailboxes, reason);
            let permissions = self.permissions(&|_| None);
            return Report { permissions, ..skipped };
        }
        let asker = Asker {
            state: &self.state,
            consumer: &self.consumer,
            roles,
            grantee: &self.grantee,
            deadline: self.deadline,
        };
        let known = mailboxes::known(&self.consumer, self.mailboxes.inside.as_deref());
        let tried = asker.try_all(known).await;
        let own_domains = asker.check_own_domains().await;
        let asker = Asker { deadline: Instant::now() + MAILBOXES, ..asker };
        Report {
            consumer: self.consumer.name().to_string(),
            permissions: self.permissions(&|permission| tried.witness(permission)),
            endpoints: tried.findings().chain(own_domains).collect(),
            mailboxes: asker.try_mailboxes(&self.mailboxes).await,
        }
    }

    fn permissions(&self, witness: Witness<'_>) -> Vec<Finding> {
        let Some(claims) = &self.claims else {
            let reason = "the token cannot be read here; the endpoints tell what it opens";
            return vec![Finding::skip("all", reason)];
        };
        let plan = &self.consumer.policy().plan;
        let measure = Measure { plan, shared: &self.needed, grantee: &self.grantee, witness };
        measure.check(&claims.roles).into_iter().chain(self.running(&claims.roles)).collect()
    }

    /// Whether the running proxy's token lacks what is granted now.
    fn running(&self, roles: &[String]) -> Option<Finding> {
        let missing = compare(&self.consumer.policy().plan.permissions, roles).missing;
        let granted = |name: &str| !missing.iter().any(|missing| missing.permission == name);
        let is_identity = matches!(self.grantee, Grantee::Identity(_));
        self.running.check(&self.consumer.name(), is_identity, granted)
    }
}

impl Examined {
    fn skipped(subject: &Subject, reason: &str) -> Self {
        let names = subject.config.consumers().iter().map(config::Consumer::name);
        Self {
            tokens: vec![Finding::skip("upstream", reason)],
            consumers: names.map(|name| Report::skipped(name, &subject.mailboxes, reason)).collect(),
        }
    }
}

impl Report {
    fn skipped(consumer: &str, mailboxes: &Mailboxes, reason: &str) -> Self {
        Self {
            consumer: consumer.to_owned(),
            permissions: vec![Finding::skip("all", reason)],
            endpoints: vec![Finding::skip("all", reason)],
            mailboxes: mailboxes::skipped(mailboxes, reason),
        }
    }
}
