//! Combinations of `$filter` and `$orderby` that Exchange refuses, although it takes each alone.
//!
//! Source: Microsoft Graph API reference, "List messages", "Using filter and orderby in the same query". Not all that breaks the
//! rule is refused (outlook-mcp#31, 2026-09, shows some of it), so nothing here decides about a request.

use super::filter::Filter;
use super::option;
use super::option_name::OptionName;
use super::property_path::PropertyPath;
use super::target::Target;

/// The code of Exchange's error.
pub const INEFFICIENT_FILTER: &str = "InefficientFilter";

/// Whether Exchange would refuse the filter and the order together: each property of `$orderby` has to be in `$filter`, in the same
/// order and before all others.
pub fn is_inefficient(target: &Target) -> bool {
    let filter = target.option(&OptionName::Filter).and_then(|value| option::filter(value).ok());
    let order = target.option(&OptionName::OrderBy).and_then(|value| option::order_by(value).ok());
    let (Some(filter), Some(order)) = (filter, order) else { return false };
    let compared = compared(&filter);
    let is_same = |((ordered, _), compared): (&(PropertyPath, _), &&PropertyPath)| {
        ordered.eq_ignore_ascii_case(compared)
    };
    order.len() > compared.len() || !order.iter().zip(&compared).all(is_same)
}

/// The properties that are compared, each once, in the order in which they occur.
fn compared(filter: &Filter) -> Vec<&PropertyPath> {
    let all: Vec<&PropertyPath> = match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().flat_map(compared).collect(),
        Filter::Not(inner) => compared(inner),
        Filter::Any { path, .. }
        | Filter::Call { path, .. }
        | Filter::Compare { path, .. }
        | Filter::In { path, .. } => vec![path],
    };
    let mut once: Vec<&PropertyPath> = Vec::new();
    for path in all {
        if !once.iter().any(|known| known.eq_ignore_ascii_case(path)) {
            once.push(path);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(query: &str) -> bool {
        is_inefficient(&Target::parse(&format!("/v1.0/users/u/messages?{query}")).unwrap())
    }

    #[test]
    fn what_is_sorted_by_has_to_lead_the_filter() {
        for query in [
            "$filter=isRead%20eq%20false&$orderby=receivedDateTime",
            "$filter=isRead%20eq%20false%20and%20receivedDateTime%20ge%202026-01-01&$orderby=receivedDateTime",
            "$filter=receivedDateTime%20ge%202026-01-01&$orderby=receivedDateTime,sentDateTime",
            "$filter=a%20eq%201%20and%20b%20eq%202&$orderby=b,a",
            "$filter=not(isRead%20eq%20true)&$orderby=receivedDateTime%20desc",
        ] {
            assert!(refused(query), "{query}");
        }
        for query in [
            "$orderby=receivedDateTime",
            "$filter=isRead%20eq%20false",
            "$filter=receivedDateTime%20ge%202026-01-01%20and%20isRead%20eq%20false&$orderby=RECEIVEDDATETIME%20desc",
            "$filter=a%20gt%201%20and%20a%20lt%205%20and%20b%20eq%202&$orderby=a,b%20desc",
            "$filter=%28a%20eq%201%29%20or%20b%20eq%202&$orderby=a",
            "$filter=nonsense&$orderby=a",
        ] {
            assert!(!refused(query), "{query}");
        }
    }
}
