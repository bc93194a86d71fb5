//! The statement: one canonical text that says all that a consumer may ask and all that leaves, for a person to read and
//! sign and for programs to compare. docs/STATEMENT.md defines it.
//!
//! Two plans that let out different things have different statements. Order, comments, and the names of shapes in a rules
//! file have no part in it: it is made from the compiled plan, which is what runs. The words in it are written out here
//! and pinned by tests, so that renaming a type of this program changes no fingerprint.

pub mod diff;
mod endpoint;
mod fingerprint;
mod lines;
mod probe;
pub mod review;

use crate::pseudonym::{DomainMode, OwnDomain, PlusTags};
use crate::rules::Plan;
use crate::rules::plan::{Endpoint, Permission};
use endpoint::Objects;
use lines::{Lines, list, quoted};

pub use fingerprint::Fingerprint;

/// The version of the form. Every statement begins with it.
const TITLE: &str = "glassine statement 1";

/// What the configuration decides about a consumer's privacy, besides the rules.
#[derive(Clone, Debug)]
pub struct Setting<'a> {
    /// The consumer's name.
    pub consumer: &'a str,
    /// The domain of its tokens: consumers that share one can join their data.
    pub pseudonym_domain: &'a str,
    /// The tenant's domains, which leave readable under `keep_listed`.
    pub tenant_domains: &'a [OwnDomain],
    /// The origin of Graph.
    pub graph: &'a str,
    /// Whether the consumer's own access token is forwarded to Graph: the consumer could then ask Graph itself.
    pub forwards: bool,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    text: String,
    fingerprint: Fingerprint,
}

impl Statement {
    /// What a rules file says, whoever the consumer is.
    pub fn of_rules(plan: &Plan) -> Self {
        Self::new(None, plan)
    }

    /// What a consumer may ask and gets.
    pub fn of_consumer(setting: &Setting<'_>, plan: &Plan) -> Self {
        Self::new(Some(setting), plan)
    }

    fn new(setting: Option<&Setting<'_>>, plan: &Plan) -> Self {
        let mut lines = Lines::default();
        lines.add(TITLE);
        setting.into_iter().for_each(|setting| add_setting(setting, &mut lines));
        add_head(plan, &mut lines);
        let mut endpoints: Vec<_> = plan.endpoints.iter().collect();
        endpoints.sort_by(|one, other| one.name.cmp(&other.name));
        let mut objects = Objects::default();
        for endpoint in endpoints {
            lines.gap();
            endpoint::add(endpoint, plan.count_of(endpoint), &mut objects, &mut lines);
        }
        objects.add(&mut lines);
        let text = lines.into_text();
        Self { fingerprint: Fingerprint::of(&text), text }
    }

    /// The text. Lines end with LF; characters other than printable ASCII stand in JSON strings only.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 over the text.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// What a sealed link of the endpoint is bound to: all that decides what may be asked there and what leaves. A change of other
/// endpoints' rules does not touch it.
pub fn binding(plan: &Plan, endpoint: &Endpoint) -> Fingerprint {
    let mut lines = Lines::default();
    lines.add(TITLE);
    lines.add(format!("domains of addresses: {}", domains(plan.domains)));
    lines.add(format!("plus tags of addresses: {}", plus_tags(plan.plus_tags)));
    let mut objects = Objects::default();
    endpoint::add(endpoint, plan.count_of(endpoint), &mut objects, &mut lines);
    objects.add(&mut lines);
    Fingerprint::of(&lines.into_text())
}

fn add_setting(setting: &Setting<'_>, lines: &mut Lines) {
    let Setting { consumer, pseudonym_domain, tenant_domains, graph, forwards } = setting;
    lines.gap();
    lines.add(format!("consumer {}", quoted(consumer)));
    lines.inside(|lines| {
        lines.add(format!("tokens are those of the pseudonym domain {}", quoted(pseudonym_domain)));
        let mut domains: Vec<_> = tenant_domains.iter().map(|domain| quoted(&domain.to_string())).collect();
        domains.sort();
        lines.add(format!("own domains: {}", list(&domains)));
        lines.add(format!("Graph is at {}", quoted(graph)));
        if *forwards {
            lines.add("the consumer's own access token is forwarded to Graph");
        }
    });
}

fn add_head(plan: &Plan, lines: &mut Lines) {
    lines.gap();
    lines.add(format!("connector {}", quoted(&plan.connector)));
    lines.inside(|lines| {
        lines.add(format!("title {}", quoted(&plan.title)));
        lines.add(format!("purpose {}", quoted(&plan.purpose)));
        lines.add(format!("domains of addresses: {}", domains(plan.domains)));
        lines.add(format!("plus tags of addresses: {}", plus_tags(plan.plus_tags)));
        let mut permissions: Vec<_> = plan.permissions.iter().map(permission).collect();
        permissions.sort();
        permissions.into_iter().for_each(|permission| lines.add(permission));
    });
}

fn permission(permission: &Permission) -> String {
    let Permission { any_of, why } = permission;
    let names: Vec<_> = any_of.iter().map(|name| quoted(name)).collect();
    let why = why.as_ref().map(|why| format!(": {}", quoted(why))).unwrap_or_default();
    format!("permission {}{why}", names.join(" or "))
}

fn domains(mode: DomainMode) -> &'static str {
    match mode {
        DomainMode::Keep => "all leave readable",
        DomainMode::KeepListed => "own domains leave readable, others as tokens",
        DomainMode::Pseudonymize => "leave as tokens",
        DomainMode::Drop => "do not leave",
    }
}

fn plus_tags(mode: PlusTags) -> &'static str {
    match mode {
        PlusTags::Keep => "part of the address",
        PlusTags::Strip => "not part of the address",
        PlusTags::StripOwn => "not part of the address at own domains",
    }
}
