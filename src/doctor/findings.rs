//! What was found: checks with their outcomes, in sections, and the sum of them.

use serde::Serialize;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    /// As it should be.
    Ok,
    /// It works, and somebody should know.
    Warn,
    /// It does not work, or is not safe.
    Fail,
    /// It was not looked at; the message says why.
    Skip,
}

/// What a check is about. The order is that of the response.
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
}

impl Section {
    /// What people read.
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
        }
    }
}

/// One check. Nothing in it is personal, secret or of the tenant's content.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    pub(super) check: String,
    pub(super) outcome: Outcome,
    /// What was seen.
    pub(super) message: String,
    /// What to do, in lines.
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

/// A check in its place.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) section: Section,
    /// Whose it is, where it is one consumer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consumer: Option<String>,
    #[serde(flatten)]
    pub(super) finding: Finding,
}

/// How many checks came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub(super) ok: usize,
    pub(super) warn: usize,
    pub(super) fail: usize,
    pub(super) skip: usize,
}

/// Everything that was found, in the order in which it is told.
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
