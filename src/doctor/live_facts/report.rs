//! What was found out: for people, and for scripts. Nothing in it comes from a response but through a [`Fact`].

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::asker::NoReply;
use super::fact::Fact;
use super::question::{Question, Unclear};
use crate::doctor::token::NoToken;

/// How a question ended.
#[derive(Debug)]
pub(super) enum Ending {
    Observed(Fact),
    /// Asked, and still open.
    Unclear(Unclear),
    /// No response.
    NoReply(NoReply),
    /// Not asked, because nothing of the kind was found.
    Missing(&'static str),
    /// Not asked, because this permission is not granted.
    NotGranted(&'static str),
    /// Denied, with a token that does not show whether the permission is granted.
    Denied(&'static str),
}

/// A line of the report.
#[derive(Debug, Serialize)]
struct Line {
    topic: &'static str,
    question: &'static str,
    asks: &'static str,
    outcome: Outcome,
    /// What the response shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    observed: Option<String>,
    /// What the sample tenant does.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed: Option<String>,
    /// Why nothing was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    AsAssumed,
    Different,
    /// The sample tenant assumes nothing.
    Noted,
    NotAsked,
    /// Asked, and still open.
    Unclear,
}

/// The report of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    version: &'static str,
    /// The cloud by its name in the configuration; `another` for a test server.
    cloud: &'static str,
    requests: usize,
    longest_link: usize,
    /// The permissions whose questions were not asked.
    not_granted: BTreeSet<&'static str>,
    lines: Vec<Line>,
    /// Why no question was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

/// Why no question can be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoRun {
    #[error("the configuration's files cannot be used: run `glassine doctor` without `--live-facts`")]
    Configuration,
    #[error("consumers bring their own tokens for Graph (`forward: true`): name a credential of the proxy")]
    Forwarded,
    #[error("there is no access token: {0}: run `glassine doctor` without `--live-facts`")]
    Token(#[from] NoToken),
    #[error("TLS cannot be set up")]
    Tls(#[from] crate::upstream::ConnectorError),
    #[error("accounts and groups cannot be listed: {0}")]
    Cast(#[from] NoReply),
}

impl Report {
    pub(super) fn new(cloud: &'static str) -> Self {
        let version = env!("CARGO_PKG_VERSION");
        let (not_granted, lines) = (BTreeSet::new(), Vec::new());
        Self { version, cloud, requests: 0, longest_link: 0, not_granted, lines, failed: None }
    }

    pub(super) fn failed(cloud: &'static str, why: &NoRun) -> Self {
        Self { failed: Some(why.to_string()), ..Self::new(cloud) }
    }

    pub(super) fn add(&mut self, topic: &'static str, question: &Question, ending: &Ending) {
        if let Ending::NotGranted(permission) = ending {
            self.not_granted.insert(permission);
        }
        self.lines.push(Line::new(topic, question, ending));
    }

    pub(super) fn close(&mut self, requests: usize, longest_link: usize) {
        (self.requests, self.longest_link) = (requests, longest_link);
    }

    /// Whether questions were asked, and nothing differs.
    pub(crate) fn is_as_assumed(&self) -> bool {
        self.count(Outcome::AsAssumed) > 0 && self.count(Outcome::Different) == 0
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.lines.iter().filter(|line| line.outcome == outcome).count()
    }

    /// The text for people.
    pub(crate) fn render(&self) -> String {
        let Self { version, cloud, requests, longest_link, .. } = self;
        let mut text = format!("live facts of Microsoft Graph: glassine {version}, cloud {cloud}\n");
        if let Some(why) = &self.failed {
            return text + &format!("no question was asked: {why}\n");
        }
        text.push_str(&format!("{requests} requests; the longest link has {longest_link} characters\n\n"));
        for topic in self.lines.chunk_by(|one, other| one.topic == other.topic) {
            render_topic(topic, &mut text);
        }
        text + &self.summary()
    }

    fn summary(&self) -> String {
        let counts = format!(
            "{} as assumed, {} different, {} noted, {} unclear, {} not asked\n",
            self.count(Outcome::AsAssumed),
            self.count(Outcome::Different),
            self.count(Outcome::Noted),
            self.count(Outcome::Unclear),
            self.count(Outcome::NotAsked),
        );
        match &self.not_granted {
            missing if missing.is_empty() => counts,
            missing => {
                let names: Vec<_> = missing.iter().copied().collect();
                format!("{counts}for the rest, grant {} (docs/LIVE-CHECK.md)\n", names.join(", "))
            }
        }
    }
}

fn render_topic(lines: &[Line], text: &mut String) {
    let Some(first) = lines.first() else { return };
    let width = lines.iter().map(|line| line.question.len()).max().unwrap_or_default();
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "{}", first.topic);
    for line in lines {
        let shown = line.observed.as_ref().or(line.reason.as_ref()).map_or("", String::as_str);
        let _infallible =
            writeln!(text, "  {:<10}  {:<width$}  {shown}", line.outcome.as_str(), line.question);
        if let (Outcome::Different, Some(assumed)) = (line.outcome, &line.assumed) {
            let _infallible = writeln!(text, "              {:<width$}  assumed: {assumed}", "");
        }
    }
    text.push('\n');
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::AsAssumed => "as assumed",
            Self::Different => "DIFFERENT",
            Self::Noted => "noted",
            Self::NotAsked => "not asked",
            Self::Unclear => "unclear",
        }
    }
}

impl Line {
    fn new(topic: &'static str, question: &Question, ending: &Ending) -> Self {
        let &Question { name, asks, assumes, .. } = question;
        let assumed: Vec<_> = assumes.iter().map(Fact::to_string).collect();
        let (outcome, shown) = ending.outcome(assumes);
        let is_observed = matches!(ending, Ending::Observed(_));
        Self {
            topic,
            question: name,
            asks,
            outcome,
            observed: is_observed.then(|| shown.clone()),
            assumed: (!assumed.is_empty()).then(|| assumed.join(", or ")),
            reason: (!is_observed).then_some(shown),
        }
    }
}

impl Ending {
    /// How it compares with what is assumed, and the fact or the reason.
    fn outcome(&self, assumes: &[Fact]) -> (Outcome, String) {
        match self {
            Self::Observed(fact) => (Outcome::of(fact, assumes), fact.to_string()),
            Self::Unclear(why) => (Outcome::Unclear, why.to_string()),
            Self::NoReply(why) => (Outcome::Unclear, why.to_string()),
            Self::Missing(why) => (Outcome::NotAsked, (*why).to_owned()),
            Self::NotGranted(permission) => (Outcome::NotAsked, format!("{permission} is not granted")),
            Self::Denied(permission) => (
                Outcome::Unclear,
                format!("403, and the token does not show whether {permission} is granted"),
            ),
        }
    }
}

impl Outcome {
    fn of(fact: &Fact, assumes: &[Fact]) -> Self {
        match assumes {
            [] => Self::Noted,
            _ if assumes.iter().any(|assumed| fact.is_like(assumed)) => Self::AsAssumed,
            _ => Self::Different,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::live_facts::question::Get;

    fn question(name: &'static str, assumes: &'static [Fact]) -> Question {
        let get = Get::graph("/v1.0/users");
        Question { name, asks: "Is it?", needs: None, get, read: |reply| Ok(reply.status()), assumes }
    }

    #[test]
    fn a_difference_stands_with_what_was_assumed() {
        const EITHER: &[Fact] = &[Fact::status(400), Fact::OK];
        let mut report = Report::new("worldwide");
        report.add("wire", &question("same", EITHER), &Ending::Observed(Fact::OK));
        let refused = Ending::Observed(Fact::refused(400, "BadRequest"));
        report.add("wire", &question("other", &[Fact::Is("read"), Fact::OK]), &refused);
        report.add("wire", &question("new", &[]), &Ending::Observed(Fact::Is("odd")));
        report.add("mail", &question("open", &[Fact::OK]), &Ending::Unclear(Unclear::TooFew));
        report.add("mail", &question("closed", &[Fact::OK]), &Ending::NotGranted("Mail.Read"));
        report.close(5, 12);
        let expected = format!(
            "live facts of Microsoft Graph: glassine {}, cloud worldwide\n\
             5 requests; the longest link has 12 characters\n\n\
             wire\n  as assumed  same   200\n  DIFFERENT   other  400 BadRequest\n                     assumed: read, or 200\n  \
             noted       new    odd\n\n\
             mail\n  unclear     open    the mailbox or the group has too few objects to tell\n  \
             not asked   closed  Mail.Read is not granted\n\n\
             1 as assumed, 1 different, 1 noted, 1 unclear, 1 not asked\n\
             for the rest, grant Mail.Read (docs/LIVE-CHECK.md)\n",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(report.render(), expected);
        assert!(!report.is_as_assumed());
    }

    #[test]
    fn a_report_without_any_question_is_not_good() {
        assert!(!Report::new("worldwide").is_as_assumed());
        let failed = Report::failed("china", &NoRun::Forwarded);
        assert!(failed.render().contains("cloud china\nno question was asked: consumers bring"));
    }
}
