//! What the directory's lists may be asked: less than mail's, and some of it only as an *advanced query*, which has
//! `ConsistencyLevel: eventual` and `$count=true` (<https://learn.microsoft.com/graph/aad-advanced-queries>).

use super::fault::Fault;
use super::filter::{Filter, Function, Operator};
use super::odata::Shape;
use super::query::Query;
use super::route::Request;
use super::search::Search;

/// A type of the directory, as its lists treat it.
pub(super) struct Kind {
    pub(super) shape: &'static Shape,
    /// The name in errors.
    pub(super) resource: &'static str,
    /// The properties that `$orderby` may name.
    pub(super) sortable: &'static [&'static str],
    /// The properties that the directory does not store itself, which `$filter` may not name.
    pub(super) elsewhere: &'static [&'static str],
}

/// Whether a request has what advanced queries need.
pub(super) fn is_advanced(request: &Request<'_>) -> bool {
    request.headers.eventual && request.options.is_true("count")
}

/// Refuses `/$count` without the header.
pub(super) fn check_count(request: &Request<'_>) -> Result<(), Fault> {
    if request.headers.eventual { Ok(()) } else { Err(Fault::NotEventual("Raw count (/$count)")) }
}

/// Refuses what the directory cannot be asked, and what only an advanced query can ask.
pub(super) fn check(
    request: &Request<'_>,
    kind: &Kind,
    query: &Query,
    is_advanced: bool,
) -> Result<(), Fault> {
    check_properties(kind, query)?;
    check_search(request)?;
    if is_advanced { Ok(()) } else { check_plain(query, request.headers.eventual) }
}

fn check_properties(kind: &Kind, query: &Query) -> Result<(), Fault> {
    let is_one_of = |names: &[&str], path: &str| names.iter().any(|name| name.eq_ignore_ascii_case(path));
    if let Some(path) = query.filter.paths().into_iter().find(|path| is_one_of(kind.elsewhere, path)) {
        return Err(Fault::FilterProperty { name: path.to_owned(), resource: kind.resource });
    }
    if has(&query.filter, &|it| matches!(it, Filter::Call { function: Function::Contains, .. })) {
        return Err(Fault::FilterOperator("Contains"));
    }
    let sortable = query.order.paths().all(|path| is_one_of(kind.sortable, path));
    if sortable { Ok(()) } else { Err(Fault::Sorting) }
}

fn check_search(request: &Request<'_>) -> Result<(), Fault> {
    match request.options.value("search") {
        Some(_) if !request.headers.eventual => Err(Fault::SearchNotEventual),
        Some(text) if Search::of(Some(text)).is_empty() => Err(Fault::Search(text.to_owned())),
        _ => Ok(()),
    }
}

fn check_plain(query: &Query, eventual: bool) -> Result<(), Fault> {
    if let Some(operator) = advanced_operator(&query.filter) {
        return Err(if eventual { Fault::Unsupported } else { Fault::NotEventual(operator) });
    }
    let is_limited = !query.filter.is_empty() || !query.search.is_empty();
    if is_limited && !query.order.is_empty() { Err(Fault::Sorting) } else { Ok(()) }
}

/// The first operator that only advanced queries have, as errors name it.
fn advanced_operator(filter: &Filter) -> Option<&'static str> {
    let is_not_equal = |it: &Filter| matches!(it, Filter::Compare { operator: Operator::Ne, .. });
    let ends_with = |it: &Filter| matches!(it, Filter::Call { function: Function::EndsWith, .. });
    if has(filter, &is_not_equal) {
        Some("Operator 'ne'")
    } else if has(filter, &|it| matches!(it, Filter::Not(_))) {
        Some("Operator 'not'")
    } else {
        has(filter, &ends_with).then_some("Operator 'endsWith'")
    }
}

fn has(filter: &Filter, wanted: &dyn Fn(&Filter) -> bool) -> bool {
    let mut found = false;
    filter.visit(&mut |condition| found |= wanted(condition));
    found
}
