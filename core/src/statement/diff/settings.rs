//! What the configuration decides about a consumer's privacy, before and after.

use super::{Difference, Verdict, wider_if};
use crate::statement::Setting;

/// The differences between two settings of one consumer.
pub fn compare_settings(old: &Setting<'_>, new: &Setting<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut add = |verdict, what: String| all.push(Difference::new(verdict, None, what));
    for domain in new.tenant_domains.iter().filter(|domain| !old.tenant_domains.contains(domain)) {
        add(Verdict::Wider, format!("`{domain}` leaves readable where own domains do"));
    }
    for domain in old.tenant_domains.iter().filter(|domain| !new.tenant_domains.contains(domain)) {
        add(Verdict::Narrower, format!("`{domain}` no longer leaves readable"));
    }
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
