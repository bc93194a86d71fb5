//! What a change of the rules means: for each difference whether more can leave, less, or as much as before.
//!
//! Both plans are automata, so their responses are compared place by place ([`leaves`]), and their requests part by part
//! ([`requests`]). Where two things cannot be compared, such as regular expressions, the change counts as wider. What is
//! wider comes with a witness: a request, and a response of Graph of which more leaves than before, found with the
//! sanitizer itself ([`witness`]).

mod leaves;
mod requests;
mod settings;
mod witness;

use std::ops::Range;
use std::sync::Arc;

use crate::pseudonym::Pseudonyms;
use crate::rules::Plan;
use crate::rules::plan::Endpoint;
use crate::rules::template::Part;

pub use settings::compare_settings;
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
    /// A request that is open now and was refused before.
    pub request: Option<String>,
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
    let mut all = head(old, new);
    for endpoint in &new.plan.endpoints {
        match same_requests(endpoint, &old.plan) {
            Some(before) => all.extend(compare_endpoints((old, before), (new, endpoint))),
            None => all.push(opened(new, endpoint)),
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
    let mut all = requests::compare((old, before), (new, after));
    if before.name != after.name {
        let what = format!("the endpoint `{}` is now called `{}`", before.name, after.name);
        all.push(Difference::new(Verdict::Neutral, Some(after), what));
    }
    all.extend(leaves::compare((old, before), (new, after)));
    all
}

fn opened(new: &Side, endpoint: &Arc<Endpoint>) -> Difference {
    let what = format!("GET {} is open now", endpoint.template);
    Difference {
        new: vec![endpoint.places.endpoint.clone()],
        witness: witness::of_endpoint(new, endpoint),
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
    /// A difference without lines and witness.
    pub fn new(verdict: Verdict, endpoint: Option<&Endpoint>, what: String) -> Self {
        let endpoint = endpoint.map(|endpoint| endpoint.name.clone());
        Self { verdict, endpoint, what, old: Vec::new(), new: Vec::new(), request: None, witness: None }
    }
}

/// Differences in what is said once for all endpoints.
fn head(old: &Side, new: &Side) -> Vec<Difference> {
    let mut all = addresses(old, new);
    let (old, new) = (&*old.plan, &*new.plan);
    all.extend(permissions(old, new));
    let texts = [
        (&old.connector, &new.connector, "connector"),
        (&old.title, &new.title, "title"),
        (&old.purpose, &new.purpose, "purpose"),
    ];
    for (before, after, what) in texts.into_iter().filter(|(before, after, _)| before != after) {
        let what = format!("the {what} reads {after:?}, and before {before:?}");
        all.push(Difference::new(Verdict::Neutral, None, what));
    }
    all
}

fn addresses(old: &Side, new: &Side) -> Vec<Difference> {
    let mut all = Vec::new();
    let (before, after) = (old.plan.domains, new.plan.domains);
    if before != after {
        let is_wider = after.shows() > before.shows();
        let what = format!("domains of addresses: {} now, {} before", after.name(), before.name());
        let witness = if is_wider { witness::of_address(old, new) } else { None };
        all.push(Difference { witness, ..Difference::new(wider_if(is_wider), None, what) });
    }
    let (before, after) = (old.plan.plus_tags, new.plan.plus_tags);
    if before != after {
        // With tags, the addresses of one mailbox are told apart.
        let what = format!("plus tags: {} now, {} before", after.name(), before.name());
        all.push(Difference::new(wider_if(after.tells_apart() > before.tells_apart()), None, what));
    }
    all
}

fn permissions(old: &Plan, new: &Plan) -> Vec<Difference> {
    let missing = |from: &Plan, of: &Plan| {
        let names =
            of.permissions.iter().filter(|one| from.permissions.iter().all(|it| it.any_of != one.any_of));
        names.map(|one| one.any_of.join(" or ")).collect::<Vec<_>>()
    };
    let asked =
        missing(old, new).into_iter().map(|names| (true, format!("the permission {names} is asked for")));
    let dropped = missing(new, old)
        .into_iter()
        .map(|names| (false, format!("the permission {names} is no longer asked for")));
    asked.chain(dropped).map(|(is_wider, what)| Difference::new(wider_if(is_wider), None, what)).collect()
}

fn wider_if(is_wider: bool) -> Verdict {
    if is_wider { Verdict::Wider } else { Verdict::Narrower }
}
