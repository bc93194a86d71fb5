//! What the configuration decides about a consumer's privacy, before and after.

use super::{Difference, Verdict, wider_if};
use crate::pseudonym::{OwnDomain, PlusTags};
use crate::rules::Plan;
use crate::statement::Setting;

/// The differences between two settings of one consumer, whose rules are now those of `plan`.
pub fn compare_settings(old: &Setting<'_>, new: &Setting<'_>, plan: &Plan) -> Vec<Difference> {
    let mut all = own_domains(old.tenant_domains, new.tenant_domains, plan);
    let mut add = |verdict, what: String| all.push(Difference::new(verdict, None, what));
    if old.pseudonym_domain != new.pseudonym_domain {
        let (before, after) = (old.pseudonym_domain, new.pseudonym_domain);
        add(
            Verdict::Wider,
            format!("tokens are those of the pseudonym domain `{after}`, and were those of `{before}`"),
        );
    }
    if old.graph != new.graph {
        add(Verdict::Wider, format!("requests go to {}, and went to {}", new.graph, old.graph));
    }
    if old.forwards != new.forwards {
        let now = if new.forwards { "is forwarded" } else { "is no longer forwarded" };
        add(wider_if(new.forwards), format!("the consumer's own access token {now} to Graph"));
    }
    all
}

fn own_domains(old: &[OwnDomain], new: &[OwnDomain], plan: &Plan) -> Vec<Difference> {
    let listed =
        new.iter().filter(|domain| !old.contains(domain)).map(|domain| match covering(old, domain) {
            Some(own) => (Verdict::Neutral, format!("`{domain}` is listed, which `{own}` covered before")),
            None => (Verdict::Wider, format!("`{domain}` leaves readable where own domains do")),
        });
    let gone = old.iter().filter(|domain| !new.contains(domain)).map(|domain| match covering(new, domain) {
        Some(own) => (Verdict::Neutral, format!("`{domain}` is no longer listed, and `{own}` covers it")),
        // Tags tell apart the addresses of a mailbox that had one token.
        None if plan.plus_tags == PlusTags::StripOwn => {
            (Verdict::Wider, format!("`{domain}` no longer leaves readable, and its plus tags count"))
        }
        None => (Verdict::Narrower, format!("`{domain}` no longer leaves readable")),
    });
    listed.chain(gone).map(|(verdict, what)| Difference::new(verdict, None, what)).collect()
}

fn covering<'o>(own: &'o [OwnDomain], domain: &OwnDomain) -> Option<&'o OwnDomain> {
    own.iter().find(|entry| entry.covers(domain))
}
