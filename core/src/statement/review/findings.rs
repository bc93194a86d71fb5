//! What a reviewer must look at: what `check` found, what leaves and can tell who somebody is or what somebody wrote, and
//! what the configuration opens.

use std::ops::Range;

use serde::Serialize;

use super::deployment::{Deployment, Recipient};
use super::objects::{Object, Row};
use crate::catalogue::{Shared, shared};
use crate::diagnostic::{self, Code, Diagnostic, Located, Report};
use crate::pseudonym::{DomainMode, OwnDomain};
use crate::rules::{Plan, codes};

/// More leaves or is opened than should be.
const RED: [Code; 8] = [
    codes::IDENTIFYING,
    codes::DERIVED,
    codes::UNLISTED_KEEP,
    codes::RAW_PARAM,
    codes::OVER_PRIVILEGED,
    codes::UNNEEDED_PERMISSION,
    codes::KEPT_TEXT,
    codes::ALL_DOMAINS,
];

/// About a line by which something leaves.
const LEAVING: [Code; 4] = [codes::IDENTIFYING, codes::DERIVED, codes::UNLISTED_KEEP, codes::KEPT_TEXT];

/// Something that a reviewer must look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The code, if `check` has one for it.
    pub code: Option<&'static str>,
    /// What it is, in one sentence.
    pub what: String,
    /// What leaves by it.
    pub properties: Vec<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// The file.
    pub file: String,
    /// The line of the file, if it is about one.
    pub line: Option<usize>,
    /// The place in the rules, if something leaves by it.
    #[serde(skip)]
    span: Option<Range<usize>>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It can tell who somebody is or what somebody wrote, or more is open than is needed.
    Red,
    /// The author should look at it. Nothing more leaves.
    Note,
}

/// All findings, the worst first.
pub(super) fn of(
    plan: &Plan,
    report: &Report,
    objects: &[Object],
    deployment: Option<&Deployment<'_>>,
) -> Vec<Finding> {
    let reported = report.diagnostics.iter().zip(report.located());
    let mut all: Vec<_> =
        reported.map(|(diagnostic, located)| Finding::reported(diagnostic, &located)).collect();
    for object in objects {
        for row in object.rows.iter().filter(|row| row.danger.is_some()) {
            add_row(object, row, report, &mut all);
        }
    }
    all.extend(deployment.into_iter().flat_map(|deployment| configured(deployment, plan)));
    all.sort_by_key(|finding| finding.level);
    all
}

/// Adds the property to what was found about its line. About an entry with `reviewed: true` nothing was found.
fn add_row(object: &Object, row: &Row, report: &Report, all: &mut Vec<Finding>) {
    let property = format!("{} of {}", row.path, object.title);
    for span in &row.places {
        match all.iter_mut().find(|finding| finding.span.as_ref() == Some(span)) {
            Some(finding) => finding.properties.push(property.clone()),
            None => all.push(Finding {
                code: row.code.map(Code::as_str),
                what: row.danger.clone().unwrap_or_default(),
                properties: vec![property.clone()],
                line: Some(diagnostic::line(&report.source, span.start)),
                span: Some(span.clone()),
                ..Finding::red(&report.file, REVIEWED)
            }),
        }
    }
}

const REVIEWED: &str = "the entry says that a reviewer has agreed: `reviewed: true`";

impl Finding {
    fn reported(diagnostic: &Diagnostic, located: &Located<'_>) -> Self {
        Self {
            level: if RED.contains(&diagnostic.code) { Level::Red } else { Level::Note },
            code: Some(located.code),
            what: located.message.to_owned(),
            properties: Vec::new(),
            advice: located.hint.map(str::to_owned),
            file: located.file.to_owned(),
            line: located.line,
            span: diagnostic.span.clone().filter(|_| LEAVING.contains(&diagnostic.code)),
        }
    }

    fn red(file: &str, advice: &str) -> Self {
        Self {
            level: Level::Red,
            code: None,
            what: String::new(),
            properties: Vec::new(),
            advice: Some(advice.to_owned()),
            file: file.to_owned(),
            line: None,
            span: None,
        }
    }
}

/// What the configuration opens.
fn configured(deployment: &Deployment<'_>, plan: &Plan) -> Vec<Finding> {
    let mut all = Vec::new();
    if plan.domains == DomainMode::KeepListed {
        all.extend(deployment.tenant_domains.iter().filter_map(|domain| of_strangers(domain)));
    }
    all.extend(deployment.foreign_hosts.iter().map(|host| foreign(host)));
    all.extend(deployment.recipients.iter().flat_map(of_recipient));
    let finding = |(what, advice)| Finding { what, ..Finding::red(deployment.file, advice) };
    all.into_iter().map(finding).collect()
}

/// What is wrong, and what to do.
type Sentences = (String, &'static str);

fn of_strangers(domain: &OwnDomain) -> Option<Sentences> {
    let why = match shared(domain.name())? {
        Shared::Provider => "everybody can get a mailbox there",
        Shared::Suffix => "everybody can register a domain below it",
    };
    let what = format!("strangers' addresses leave with the readable domain `{domain}`: {why}");
    Some((what, "list only your organisation's own domains in `tenant_domains`"))
}

fn foreign(host: &str) -> Sentences {
    let what = format!("requests or credentials go to `{host}`, which is not Microsoft's");
    (what, "leave `graph` and `authority` out, or write `cloud`, unless this is a test server")
}

fn of_recipient(recipient: &Recipient<'_>) -> Vec<Sentences> {
    let Recipient { setting, title: _, shares_with, accepts_all_of_issuer } = recipient;
    let name = setting.consumer;
    let mut all = Vec::new();
    if setting.forwards {
        let what =
            format!("`{name}` brings its own access token for Graph, and can use it to bypass the proxy");
        all.push((what, "give the proxy a credential of its own in place of `forward: true`"));
    }
    if !shares_with.is_empty() {
        let others: Vec<_> = shares_with.iter().map(|other| format!("`{other}`")).collect();
        let (domain, others) = (setting.pseudonym_domain, others.join(", "));
        let what = format!(
            "`{name}` shares the pseudonym domain `{domain}` with {others}: they can join their data"
        );
        all.push((
            what,
            "give each consumer a pseudonym domain of its own, unless both reviews agree to the join",
        ));
    }
    if *accepts_all_of_issuer {
        let what = format!("every token of the issuer with this audience is accepted as `{name}`");
        all.push((what, "name what only this consumer's tokens have: `claims: { azp: … }`"));
    }
    all
}
