//! What a change of the rules means: for each difference whether more can leave, less, or as much as before.
//!
//! Both plans are automata, so their responses are compared place by place ([`leaves`]), and their requests part by part
//! ([`requests`]). Where two things cannot be compared, such as regular expressions, the change counts as wider. What is
//! wider comes with a witness: a request, and a response of Graph of which more leaves than before, found with the
//! sanitizer itself ([`witness`]).

mod leaves;
mod requests;
mod witness;

use std::ops::Range;
use std::sync::Arc;

use crate::pseudonym::Pseudonyms;
use crate::rules::Plan;
use crate::rules::plan::Endpoint;
use crate::rules::template::Part;

pub use witness::Witness;

/// What a difference means for what leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// More can leave or be asked, or what leaves cannot be compared.
    Wider,
    /// Less can leave or be asked.
    Narrower,
    /// As much as before.
    Neutral,
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What it means.
    pub verdict: Verdict,
    /// The endpoint that it is about; `None`: all of them.
    pub endpoint: Option<String>,
    /// What differs, in one sentence.
    pub what: String,
    /// The lines of the old file, in bytes.
    pub old: Vec<Range<usize>>,
    /// The lines of the new file, in bytes.
    pub new: Vec<Range<usize>>,
    /// What shows that more leaves; for what is wider only, and only if one was found.
    pub witness: Option<Witness>,
}

/// One side of the comparison.
#[derive(Clone)]
pub struct Side {
    /// The compiled rules.
    pub plan: Arc<Plan>,
    /// Keys for the witnesses, under the rules' treatment of addresses.
    pub keys: Arc<Pseudonyms>,
}

/// All differences, the widest first.
pub fn compare(old: &Side, new: &Side) -> Vec<Difference> {
    let mut all = head(&old.plan, &new.plan);
    for endpoint in &new.plan.endpoints {
        match same_requests(endpoint, &old.plan) {
            Some(before) => all.extend(compare_endpoints((old, before), (new, endpoint))),
            None => all.push(opened(old, new, endpoint)),
        }
    }
    for endpoint in &old.plan.endpoints {
        if same_requests(endpoint, &new.plan).is_none() {
            all.push(closed(endpoint));
        }
    }
    all.sort_by_key(|difference| difference.verdict);
    all
}

/// The endpoint for requests of the same form.
fn same_requests<'p>(endpoint: &Endpoint, plan: &'p Plan) -> Option<&'p Arc<Endpoint>> {
    plan.endpoints.iter().find(|other| form(other) == form(endpoint))
}

/// The template without the names of its parameters, which nobody outside sees.
fn form(endpoint: &Endpoint) -> Vec<String> {
    let part = |part: &Part| match part {
        Part::Param(_) => "{}".to_owned(),
        written => written.to_string().to_ascii_lowercase(),
    };
    endpoint.template.all().map(part).collect()
}

fn compare_endpoints(
    (old, before): (&Side, &Arc<Endpoint>),
    (new, after): (&Side, &Arc<Endpoint>),
) -> Vec<Difference> {
    let mut all = requests::compare(before, after);
    if before.name != after.name {
        let what = format!("the endpoint `{}` is now called `{}`", before.name, after.name);
        all.push(Difference::new(Verdict::Neutral, Some(after), what));
    }
    all.extend(leaves::compare((old, before), (new, after)));
    all
}

fn opened(old: &Side, new: &Side, endpoint: &Arc<Endpoint>) -> Difference {
    let what = format!("GET {} is open now", endpoint.template);
    Difference {
        new: vec![endpoint.places.endpoint.clone()],
        witness: witness::of_endpoint(old, new, endpoint),
        ..Difference::new(Verdict::Wider, Some(endpoint), what)
    }
}

fn closed(endpoint: &Endpoint) -> Difference {
    let what = format!("GET {} is no longer open", endpoint.template);
    Difference {
        old: vec![endpoint.places.endpoint.clone()],
        ..Difference::new(Verdict::Narrower, Some(endpoint), what)
    }
}

impl Difference {
    fn new(verdict: Verdict, endpoint: Option<&Endpoint>, what: String) -> Self {
        let endpoint = endpoint.map(|endpoint| endpoint.name.clone());
        Self { verdict, endpoint, what, old: Vec::new(), new: Vec::new(), witness: None }
    }
}

/// Differences in what is said once for all endpoints.
fn head(old: &Plan, new: &Plan) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut add = |verdict, what: String| all.push(Difference::new(verdict, None, what));
    if old.domains != new.domains {
        let verdict =
            if new.domains.shows() > old.domains.shows() { Verdict::Wider } else { Verdict::Narrower };
        add(
            verdict,
            format!("domains of addresses: {} before, {} now", old.domains.name(), new.domains.name()),
        );
    }
    if old.plus_tags != new.plus_tags {
        // With tags, people who use several addresses are told apart by them.
        let verdict = if new.plus_tags.tells_apart() { Verdict::Wider } else { Verdict::Narrower };
        add(verdict, format!("plus tags: {} before, {} now", old.plus_tags.name(), new.plus_tags.name()));
    }
    for (before, after, what) in [
        (&old.connector, &new.connector, "connector"),
        (&old.title, &new.title, "title"),
        (&old.purpose, &new.purpose, "purpose"),
    ] {
        if before != after {
            add(Verdict::Neutral, format!("the {what} reads {after:?}, and before {before:?}"));
        }
    }
    let names = |plan: &Plan| plan.permissions.iter().map(|it| it.any_of.clone()).collect::<Vec<_>>();
    let (before, after) = (names(old), names(new));
    for entry in after.iter().filter(|entry| !before.contains(entry)) {
        add(Verdict::Wider, format!("the permission {} is asked for", entry.join(" or ")));
    }
    for entry in before.iter().filter(|entry| !after.contains(entry)) {
        add(Verdict::Narrower, format!("the permission {} is no longer asked for", entry.join(" or ")));
    }
    all
}
