//! Whether requests can be served, check by check.

use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

/// Whether requests can be served, and why not. Shared by the service, which knows, and the admin listener, which says so.
#[derive(Clone, Default)]
pub struct Readiness(Arc<State>);

#[derive(Default)]
struct State {
    phase: ArcSwap<Phase>,
    /// What else has to hold while the service serves.
    checks: ArcSwapOption<Checks>,
    explanation: ArcSwap<String>,
}

type Checks = Box<dyn Fn() -> Vec<Check> + Send + Sync>;

/// Where the service is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It reads its files.
    #[default]
    Starting,
    /// It serves.
    Serving,
    /// It was asked to stop.
    Stopping,
}

/// One thing that has to hold, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is checked. Like all texts here, it has nothing that is secret or personal.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
}

/// How a check ended. The texts are for the operator, and have no line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Some requests fail, and others are served.
    Partly(String),
    /// No request can be served.
    Bad(String),
}

impl Check {
    /// A check.
    pub fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self { name: name.into(), verdict }
    }

    /// Whether no request can be served.
    pub(super) fn is_bad(&self) -> bool {
        matches!(self.verdict, Verdict::Bad(_))
    }

    /// Why no request can be served, if it cannot.
    fn reason(&self) -> Option<String> {
        match &self.verdict {
            Verdict::Bad(why) => Some(format!("{}: {why}", self.name)),
            Verdict::Good | Verdict::Partly(_) => None,
        }
    }
}

/// A line in the form of Kubernetes' `?verbose`. `[!]` is this program's own: it fails for some requests.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Good => write!(f, "[+] {} ok", self.name),
            Verdict::Partly(why) => write!(f, "[!] {}: {why}", self.name),
            Verdict::Bad(why) => write!(f, "[-] {}: {why}", self.name),
        }
    }
}

impl Readiness {
    /// The service enters another phase.
    pub fn enter(&self, phase: Phase) {
        self.0.phase.store(Arc::new(phase));
    }

    /// Whether the service was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        **self.0.phase.load() == Phase::Stopping
    }

    /// Sets what has to hold while the service serves.
    pub fn check_by(&self, checks: impl Fn() -> Vec<Check> + Send + Sync + 'static) {
        self.0.checks.store(Some(Arc::new(Box::new(checks))));
    }

    /// Sets what `/readyz?verbose` says besides: whole lines.
    pub(crate) fn explain(&self, explanation: &str) {
        self.0.explanation.store(Arc::new(explanation.to_owned()));
    }

    /// All checks, as they are now.
    pub fn checks(&self) -> Vec<Check> {
        let phase = match **self.0.phase.load() {
            Phase::Starting => Check::new("start", Verdict::Bad("the proxy is starting".to_owned())),
            Phase::Serving => Check::new("start", Verdict::Good),
            Phase::Stopping => Check::new("stop", Verdict::Bad("the proxy is stopping".to_owned())),
        };
        let others = self.0.checks.load().as_ref().map(|checks| checks()).unwrap_or_default();
        std::iter::once(phase).chain(others).collect()
    }

    /// Why no request can be served: the first check that says so.
    pub fn trouble(&self) -> Option<String> {
        self.checks().iter().find_map(Check::reason)
    }

    pub(super) fn explanation(&self) -> Arc<String> {
        self.0.explanation.load_full()
    }
}
