//! Reload on SIGHUP and when files change. A bad file leaves the last good state running, and says so.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::{Service, StartError, load};
use crate::config::{AuditSink, Config, Source};

/// How often files are looked at. Looking is cheap, works on every file system, and sees a swapped symbolic link, which
/// is how Kubernetes updates mounted files.
const LOOK: Duration = Duration::from_secs(2);

/// Reloads for as long as the service runs.
pub(super) async fn watch(mut service: Service, mut hangup: Signal) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = Stamp::of(&service);
    loop {
        let asked = tokio::select! {
            told = hangup.recv() => told.is_some(),
            _ = ticks.tick() => false,
        };
        let now = Stamp::of(&service);
        if asked || now != seen {
            service.reload();
            seen = Stamp::of(&service);
        }
    }
}

impl Service {
    fn reload(&mut self) {
        match self.try_reload() {
            Ok(()) => {
                self.metrics.reloaded(true);
                tracing::info!("the files were reloaded");
            }
            Err(error) => {
                self.metrics.reloaded(false);
                tracing::error!(error = %error, "the files cannot be used; the last good state goes on running");
            }
        }
    }

    fn try_reload(&mut self) -> Result<(), StartError> {
        let (config, state, _) = load(&self.file)?;
        if let (Some(tls), Some(files)) = (&self.tls, config.tls()) {
            tls.reload(files)?;
        }
        if needs_restart(&self.config, &config) {
            tracing::warn!("listeners, connection limits and the audit log change at the next start only");
        }
        self.proxy.replace(state);
        self.config = config;
        Ok(())
    }
}

fn needs_restart(old: &Config, new: &Config) -> bool {
    let audit = |config: &Config| match config.audit() {
        AuditSink::File(file) => Some(file.path().to_owned()),
        AuditSink::Stdout => None,
    };
    old.listen() != new.listen()
        || old.admin() != new.admin()
        || old.tls().is_some() != new.tls().is_some()
        || old.connections() != new.connections()
        || old.drain() != new.drain()
        || audit(old) != audit(new)
}

/// What tells that a file was changed or replaced.
#[derive(PartialEq, Eq)]
struct Stamp(Vec<Option<(SystemTime, u64)>>);

impl Stamp {
    fn of(service: &Service) -> Self {
        let files = [service.file.clone()].into_iter().chain(named_files(&service.config));
        Self(files.map(|file| stamp(&file)).collect())
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Access tokens and client secrets are read when they are used, so they are not here.
fn named_files(config: &Config) -> Vec<PathBuf> {
    let rules = config.consumers().iter().map(|consumer| consumer.rules());
    let keys = match config.keys() {
        Source::File(file) => Some(file),
        Source::Environment { .. } => None,
    };
    let tls = config
        .tls()
        .into_iter()
        .flat_map(|tls| [Some(&tls.certificate), Some(&tls.private_key), tls.client_ca.as_ref()]);
    let files = rules.chain(keys).chain(config.upstream().ca()).chain(tls.flatten());
    files.map(|file| file.path().to_owned()).collect()
}
