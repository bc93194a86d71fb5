//! What a list is asked: `$filter`, `$search` and `$orderby`, checked as the store behind it does.

use serde_json::Value;

use super::directory::{self, Kind};
use super::fault::Fault;
use super::filter::Filter;
use super::odata::{Shape, at_path};
use super::order::Order;
use super::route::Request;
use super::search::Search;

/// The options that decide which items a list has, and in which order.
#[derive(Debug, Default)]
pub(super) struct Query {
    pub(super) filter: Filter,
    /// Of the directory. Mail is searched as one text.
    pub(super) search: Search,
    pub(super) order: Order,
}

impl Query {
    /// The query of a list of the directory.
    pub(super) fn of(request: &Request<'_>, kind: &Kind) -> Result<Query, Fault> {
        let query = Query::parse(request, kind.shape)?;
        directory::check(request, kind, &query, directory::is_advanced(request))?;
        Ok(query)
    }

    /// The query of `/$count` in the directory, which is an advanced one by itself.
    pub(super) fn of_count(request: &Request<'_>, kind: &Kind) -> Result<Query, Fault> {
        directory::check_count(request)?;
        let query = Query::parse(request, kind.shape)?;
        directory::check(request, kind, &query, true)?;
        Ok(query)
    }

    /// The query of a list in a mailbox.
    pub(super) fn of_mailbox(request: &Request<'_>, shape: &Shape) -> Result<Query, Fault> {
        let query = Query { search: Search::default(), ..Query::parse(request, shape)? };
        if request.options.value("search").is_some() {
            if !query.filter.is_empty() {
                return Err(Fault::SearchWithFilter);
            }
            if !query.order.is_empty() {
                return Err(Fault::SearchWithOrder);
            }
        }
        if query.order.suits(&query.filter) { Ok(query) } else { Err(Fault::InefficientFilter) }
    }

    /// The items that match, in their order.
    pub(super) fn apply<T>(&self, items: Vec<T>, to_json: impl Fn(&T) -> Value) -> Vec<T> {
        if self.filter.is_empty() && self.search.is_empty() && self.order.is_empty() {
            return items;
        }
        let holds = |object: &Value| {
            self.filter.matches(&|path| at_path(object, path)) && self.search.matches(object)
        };
        let objects = items.into_iter().map(|item| (to_json(&item), item));
        let mut matching: Vec<(Value, T)> = objects.filter(|(object, _)| holds(object)).collect();
        self.order.sort(&mut matching, |(object, _), path| at_path(object, path));
        matching.into_iter().map(|(_, item)| item).collect()
    }

    fn parse(request: &Request<'_>, shape: &Shape) -> Result<Query, Fault> {
        let (options, beta) = (&request.options, request.version.is_beta());
        let filter = Filter::parse(options.value("filter"))?;
        shape.check_filter(&filter, beta)?;
        let order = Order::parse(options.value("orderby"))?;
        shape.check_order(&order, beta)?;
        Ok(Query { filter, search: Search::of(options.value("search")), order })
    }
}
