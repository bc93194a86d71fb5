//! Reload on SIGHUP and when files change. If a file is bad, the last good state keeps running, and the log and the audit
//! log say so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::checks::Announcer;
use super::{Loaded, Ordering, Service, StartError, count, door_rules, events, load};
use crate::audit::Event;
use crate::config::{Approvals, AuditSink, Config, ConsumerCredential, FileRef, JwksLocation};
use crate::file_system::Look;
use glassine_core::diagnostic::Causes;

/// What `/readyz?verbose` says after a reload that failed.
const LAST_GOOD: &str = "the files cannot be used; the last good state goes on running:";

/// How often files are checked for changes. Polling is cheap, works on every file system, and notices a swapped
/// symbolic link, which is how Kubernetes updates mounted files.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often the proxy looks whether it is ready until it has said so in the log.
const FIRST_LOOKS: Duration = Duration::from_millis(100);

/// Reloads for as long as the service runs.
pub(super) async fn watch(mut service: Service, mut hangup: Signal) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut announcer = Announcer::new(&service.facts, &service.readiness);
    let mut soon = interval(FIRST_LOOKS);
    loop {
        let requested = tokio::select! {
            signal = hangup.recv() => signal.is_some(),
            _ = ticks.tick() => false,
            _ = soon.tick(), if !announcer.has_spoken() => {
                announcer.look();
                continue;
            }
        };
        if requested {
            // Whoever rotates the audit log says so with a hangup.
            service.audit.reopen();
        }
        if requested || !service.seen.is_current() || service.has_notice(Timestamp::now()) {
            service.reload().await;
        }
        service.look_at_certificates(Timestamp::now());
        announcer.look();
    }
}

impl Service {
    /// Whether an approval has come near its end, or to it. The reload that follows says so: it warns, or it fails.
    fn has_notice(&mut self, now: Timestamp) -> bool {
        self.notice.take_if(|notice| now > *notice).is_some()
    }

    fn look_at_certificates(&mut self, now: Timestamp) {
        if let Some(trouble) = self.certificates.look(&self.config, now) {
            self.facts.certificates.store(trouble.map(Arc::new));
            self.note_certificates();
        }
    }

    async fn reload(&mut self) {
        self.certificates.expire();
        match self.try_reload().await {
            Ok(()) => {
                self.metrics.reloaded(true, Timestamp::now().as_second());
                self.facts.files_are_good.store(true, Ordering::Release);
                self.readiness.explain(&self.running());
            }
            Err(error) => {
                self.metrics.reloaded(false, Timestamp::now().as_second());
                self.facts.files_are_good.store(false, Ordering::Release);
                self.readiness.explain(&format!("{LAST_GOOD}\n{}\n{}", Causes(&error), self.running()));
                tracing::error!(error = %Causes(&error), "the files cannot be used; the last good state goes on running");
                self.record_failure(&error).await;
            }
        }
    }

    async fn record_failure(&mut self, error: &StartError) {
        let errors = events::errors(&self.file, error);
        if let Err(error) = self.audit.write_event(Event::ReloadFailed(&errors)).await {
            tracing::error!(error = %Causes(&*error), "the failed reload cannot be recorded");
        }
        // The files are good: the reload follows as soon as it can be recorded.
        if matches!(error, StartError::Record(_)) {
            self.seen.expire();
        }
    }

    async fn try_reload(&mut self) -> Result<(), StartError> {
        let earlier = self.front.state();
        let before = Some((&*earlier, &self.last_keys));
        let Loaded { config, state, site, warnings, .. } = load(&self.file, &mut self.seen, before)?;
        if let (Some(tls), Some(files)) = (&self.tls, config.tls()) {
            tls.reload(files)?;
        }
        if let (Some(tls), Some(files)) = (&self.admin_tls, config.tls()) {
            tls.reload(&files.without_client_certificates())?;
        }
        if needs_restart(&self.config, &config) {
            tracing::warn!("listeners, their limits, the audit log and traces change at the next start only");
        }
        if demands_less(&self.config, &config) {
            tracing::warn!("the configuration demands fewer approvals than before, or none");
        }
        let serving = events::serving(&state, Some(&earlier), &warnings);
        // Before the new state serves: no request is served under rules that no event names.
        self.audit.write_event(Event::Reload(&serving)).await.map_err(StartError::Record)?;
        self.audit.set_key(state.audit_key().cloned());
        events::log_reload(&serving, &earlier, &warnings);
        self.note_keys(serving.keys).await;
        self.metrics.warned(count(&warnings));
        self.front.replace(state, site);
        self.door.replace(door_rules(&config));
        self.provide();
        self.config = config;
        self.note_approvals();
        Ok(())
    }
}

/// Who may change the configuration may do this, but not silently.
fn demands_less(old: &Config, new: &Config) -> bool {
    let required = |config: &Config| config.approvals().map(|it| it.policy().require);
    required(new) < required(old)
}

fn needs_restart(old: &Config, new: &Config) -> bool {
    let audit = |config: &Config| match config.audit() {
        AuditSink::File(file) => Some(file.path().to_owned()),
        AuditSink::Stdout => None,
    };
    old.listen() != new.listen()
        || old.admin() != new.admin()
        || old.tls().is_some() != new.tls().is_some()
        || old.limits() != new.limits()
        || audit(old) != audit(new)
        || old.audit_sync() != new.audit_sync()
        || old.audit_rotate() != new.audit_rotate()
        || old.traces() != new.traces()
}

/// The files of the configuration, each with its [`Look`] just before it was last read, so that no later change is
/// missed. Includes the files that a bad configuration names: a reload follows when one of them is mended or appears.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<PathBuf, Option<Look>>);

impl Seen {
    /// Forgets all files but the configuration file.
    pub(super) fn restart(&mut self, file: &Path) {
        self.0.clear();
        self.note(file.to_owned());
    }

    /// Adds the files that the configuration names.
    pub(super) fn note_named(&mut self, config: &Config) {
        named_files(config).into_iter().for_each(|file| self.note(file.path().to_owned()));
    }

    fn note(&mut self, file: PathBuf) {
        let look = Look::at(&file);
        self.0.insert(file, look);
    }

    /// Takes every file for changed.
    fn expire(&mut self) {
        self.0.values_mut().for_each(|look| *look = None);
    }

    fn is_current(&self) -> bool {
        self.0.iter().all(|(file, seen)| Look::at(file) == *seen)
    }
}

/// The files that a reload reads. Access tokens and client secrets are read when they are used, so they are not among
/// them.
pub(super) fn named_files(config: &Config) -> Vec<&FileRef> {
    let rules = config.consumers().iter().map(|consumer| consumer.rules());
    let keys = config.keys().file();
    let tls = config
        .tls()
        .into_iter()
        .flat_map(|tls| [Some(&tls.certificate), Some(&tls.private_key), tls.client_ca.as_ref()]);
    let key_sets = config.consumers().iter().filter_map(|consumer| match consumer.credential() {
        ConsumerCredential::Jwt(jwt) => match &jwt.keys {
            JwksLocation::File(file) => Some(file),
            JwksLocation::Url(_) => None,
        },
        ConsumerCredential::Bearer(_) | ConsumerCredential::Certificate(_) => None,
    });
    let signers = config.approvals().map(Approvals::signers);
    let signatures = config.consumers().iter().flat_map(|consumer| consumer.approved_by().files());
    let files = rules.chain(keys).chain(key_sets).chain(config.upstream().ca()).chain(tls.flatten());
    files.chain(signers).chain(signatures).collect()
}
