//! The review: what a reviewer reads before signing. What must be looked at comes first, then what leaves, what stays
//! inside, and what may be asked.
//!
//! All of it is made from the compiled plan, which is what runs, and from the catalogue, so it cannot differ from what
//! the sanitizer does. Nothing that leaves is missing: each place of [`Automaton::describe`] is in a row, or holds what is.
//!
//! | file | what |
//! |---|---|
//! | `findings` | what a reviewer must look at |
//! | `objects` | what leaves, by kind of object and property |
//! | `form` | in which form a value leaves |
//! | `example` | a value before and after, made by the sanitizer |
//! | `stays` | what the catalogue knows and the rules drop, by class |
//! | `requests` | what may be asked, in plain words |
//! | `deployment` | what the configuration says about the consumers |
//!
//! [`Automaton::describe`]: crate::rules::automaton::Automaton::describe

mod deployment;
mod example;
mod findings;
mod form;
mod objects;
mod requests;
mod stays;

use serde::Serialize;

use super::{Fingerprint, Statement};
use crate::catalogue::permissions::plain_words;
use crate::diagnostic::Report;
use crate::pseudonym::{DomainMode, OwnDomain, PlusTags};
use crate::rules::Plan;
use crate::sanitize::gate;

pub use deployment::{Deployment, Recipient};
pub use example::{Example, Scene};
pub use findings::{Finding, Level};
pub use form::{Form, Kind};
pub use objects::{Object, Redacted, Row, around, objects};
pub use requests::{Request, Requests};
pub use stays::{Dropped, Stays};

/// What a reviewer reads about one rules file.
#[derive(Debug, Serialize)]
pub struct Review {
    /// The file, as the user gave it.
    pub file: String,
    /// The connector's name.
    pub connector: String,
    /// The connector's name for people.
    pub title: String,
    /// What the data is for.
    pub purpose: String,
    /// The fingerprint of the rules' statement.
    pub fingerprint: Fingerprint,
    /// Who gets the data; empty if no configuration says so.
    pub consumers: Vec<Consumer>,
    /// What must be looked at, the worst first.
    pub findings: Vec<Finding>,
    /// The permissions that open the endpoints.
    pub permissions: Vec<Permission>,
    /// How addresses leave.
    pub addresses: Addresses,
    /// What leaves, by kind of object.
    pub objects: Vec<Object>,
    /// What leaves around the objects.
    pub around: Vec<Row>,
    /// The headers of Graph's responses that leave, whatever the rules.
    pub headers: Vec<&'static str>,
    /// What the catalogue knows and the rules drop, by class.
    pub stays: Vec<Stays>,
    /// What may be asked, by kind of object.
    pub requests: Vec<Requests>,
}

/// A consumer that gets the data.
#[derive(Debug, Serialize)]
pub struct Consumer {
    /// Its name in the configuration.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The domain of its tokens.
    pub pseudonym_domain: String,
    /// The other consumers with this domain.
    pub shares_with: Vec<String>,
    /// The fingerprint of its statement.
    pub fingerprint: Fingerprint,
}

/// A permission, in plain words.
#[derive(Debug, Serialize)]
pub struct Permission {
    /// The names of which one is enough, least first.
    pub any_of: Vec<String>,
    /// What Microsoft lets an application do with the first; `None` if the catalogue does not know it.
    pub opens: Option<&'static str>,
    /// What it is for, in the words of the rules' author.
    pub why: Option<String>,
}

/// How addresses leave.
#[derive(Debug, Serialize)]
pub struct Addresses {
    /// What happens to domains, in one sentence.
    pub domains: String,
    /// The domains that leave readable; `None` if all do.
    pub readable: Option<Vec<String>>,
    /// What happens to plus tags, in one sentence.
    pub plus_tags: &'static str,
    /// An address in the tenant, and a stranger's.
    pub examples: Vec<Example>,
}

impl Review {
    /// The review of compiled rules, with what a configuration says about them.
    pub fn of(plan: &Plan, report: &Report, deployment: Option<&Deployment<'_>>) -> Self {
        let tenant_domains = deployment.map(|deployment| deployment.tenant_domains);
        let scene = Scene::new(plan, &report.source, tenant_domains);
        let objects = objects::objects(&plan.endpoints, &scene);
        Self {
            file: report.file.clone(),
            connector: plan.connector.clone(),
            title: plan.title.clone(),
            purpose: plan.purpose.clone(),
            fingerprint: *Statement::of_rules(plan).fingerprint(),
            consumers: consumers(plan, deployment),
            findings: findings::of(plan, report, &objects, deployment),
            permissions: permissions(plan),
            addresses: Addresses::of(plan, tenant_domains, &scene),
            around: objects::around(&plan.endpoints, &scene),
            headers: gate::header_names().collect(),
            stays: stays::of(&objects),
            requests: requests::of(plan, &scene),
            objects,
        }
    }

    /// The findings of a level.
    pub fn findings_of(&self, level: Level) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.level == level)
    }
}

fn consumers(plan: &Plan, deployment: Option<&Deployment<'_>>) -> Vec<Consumer> {
    let recipients = deployment.into_iter().flat_map(|deployment| &deployment.recipients);
    let consumer = |Recipient { setting, title, shares_with, .. }: &Recipient<'_>| Consumer {
        name: setting.consumer.to_owned(),
        title: (*title).to_owned(),
        pseudonym_domain: setting.pseudonym_domain.to_owned(),
        shares_with: shares_with.iter().map(|name| (*name).to_owned()).collect(),
        fingerprint: *Statement::of_consumer(setting, plan).fingerprint(),
    };
    recipients.map(consumer).collect()
}

fn permissions(plan: &Plan) -> Vec<Permission> {
    let permission = |permission: &crate::rules::plan::Permission| Permission {
        any_of: permission.any_of.clone(),
        opens: permission.any_of.first().and_then(|name| plain_words(name)),
        why: permission.why.clone(),
    };
    plan.permissions.iter().map(permission).collect()
}

impl Addresses {
    /// `tenant_domains` are the tenant's own, if a configuration says which they are.
    pub fn of(plan: &Plan, tenant_domains: Option<&[OwnDomain]>, scene: &Scene<'_>) -> Self {
        let readable = match plan.domains {
            DomainMode::Keep => None,
            DomainMode::KeepListed => {
                Some(tenant_domains.unwrap_or_default().iter().map(OwnDomain::to_string).collect())
            }
            DomainMode::Pseudonymize | DomainMode::Drop => Some(Vec::new()),
        };
        Self {
            domains: domains(plan.domains, tenant_domains),
            readable,
            plus_tags: plus_tags(plan.plus_tags),
            examples: scene.addresses(),
        }
    }
}

fn domains(mode: DomainMode, own: Option<&[OwnDomain]>) -> String {
    let readable = match own {
        None => "Your own domains (`tenant_domains` in the configuration) stay readable".to_owned(),
        Some([]) => "No domain stays readable".to_owned(),
        Some([only]) if only.is_wildcard() => format!("Every domain below {} stays readable", only.name()),
        Some([only]) => format!("The domain {only} stays readable"),
        Some(several) => format!("The domains {} stay readable", listed(several)),
    };
    match mode {
        DomainMode::Keep => "Every domain leaves readable, also a stranger's.".to_owned(),
        DomainMode::KeepListed => format!("{readable}; every other domain leaves as a token of its own."),
        DomainMode::Pseudonymize => "Every domain leaves as a token of its own.".to_owned(),
        DomainMode::Drop => "No domain leaves.".to_owned(),
    }
}

fn listed(own: &[OwnDomain]) -> String {
    let entry = |own: &OwnDomain| match own.is_wildcard() {
        true => format!("all below {}", own.name()),
        false => own.to_string(),
    };
    own.iter().map(entry).collect::<Vec<_>>().join(", ")
}

fn plus_tags(mode: PlusTags) -> &'static str {
    match mode {
        PlusTags::Keep => "alice+news@ and alice@ have different tokens.",
        PlusTags::Strip => "alice+news@ has the token of alice@.",
        PlusTags::StripOwn => {
            "At your own domains, alice+news@ has the token of alice@. At other domains, they have different tokens."
        }
    }
}

#[cfg(test)]
mod tests;
