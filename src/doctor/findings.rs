//! Findings: checks with their outcomes, in sections, with a summary.

use serde::Serialize;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// Everything is right.
    Ok,
    /// It works, but the operator should look at it.
    Warn,
    /// It does not work, or is not safe.
    Fail,
    /// It was not checked. The message says why.
    Skip,
}

/// The subject of a check. The output has the sections in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Section {
    Configuration,
    Clock,
    Network,
    Token,
    Permissions,
    Endpoints,
    Mailboxes,
    Keys,
    Certificates,
    PublicUrl,
    Running,
}

impl Section {
    /// The title for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Clock => "clock",
            Self::Network => "network",
            Self::Token => "token",
            Self::Permissions => "permissions",
            Self::Endpoints => "endpoints",
            Self::Mailboxes => "mailboxes",
            Self::Keys => "keys and secrets",
            Self::Certificates => "certificates",
            Self::PublicUrl => "public URL",
            Self::Running => "running proxy",
        }
    }
}

/// One check. Contains nothing personal, no secret, and no content from the tenant.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// The name of the check.
    pub(super) check: String,
    pub(super) outcome: Outcome,
    /// What the check found.
    pub(super) message: String,
    /// What to do, one or more lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: impl Into<String>, message: impl Into<String>) -> Self {
        Self { check: check.into(), outcome: Outcome::Ok, message: message.into(), advice: None }
    }

    pub(super) fn skip(check: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skip, ..Self::ok(check, reason) }
    }

    pub(super) fn warn(
        check: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Warn, advice: Some(advice.into()), ..Self::ok(check, message) }
    }

    pub(super) fn fail(
        check: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self { outcome: Outcome::Fail, ..Self::warn(check, message, advice) }
    }
}

/// A check in its section.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) section: Section,
    /// The consumer, if the check is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumer: Option<String>,
    #[serde(flatten)]
    pub(super) finding: Finding,
}

/// The number of checks with each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub(super) ok: usize,
    pub(super) warn: usize,
    pub(super) fail: usize,
    pub(super) skip: usize,
}

/// All findings, in the order of the output.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Findings {
    pub(super) checks: Vec<Entry>,
    pub(super) summary: Summary,
}

impl Findings {
    pub(super) fn add(
        &mut self,
        section: Section,
        consumer: Option<&str>,
        found: impl IntoIterator<Item = Finding>,
    ) {
        for finding in found {
            self.summary.count(finding.outcome);
            self.checks.push(Entry { section, consumer: consumer.map(str::to_owned), finding });
        }
    }

    /// Whether nothing failed.
    pub(crate) fn are_good(&self) -> bool {
        self.summary.fail == 0
    }
}

impl Summary {
    fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Warn => &mut self.warn,
            Outcome::Fail => &mut self.fail,
            Outcome::Skip => &mut self.skip,
        };
        *counter += 1;
    }
}
