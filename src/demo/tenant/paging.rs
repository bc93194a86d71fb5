//! Pages and their next links. Outlook's links repeat the request with `$skip`, the directory's with an opaque
//! `$skiptoken`.
//!
//! In lists of messages, `$skip` counts all items that Exchange has gone through, also those that are no messages. So it grows by
//! more than the page (<https://learn.microsoft.com/graph/api/user-list-messages>: "Do not try to extract the `$skip` value";
//! microsoft-graph-docs-contrib#6921: `$skip=12` after ten messages). A client that computes it gets some messages twice.

use serde::Serialize;
use serde_json::Value;

use super::directory::is_advanced;
use super::fault::Fault;
use super::long_tokens::shortened;
use super::page_token::{self, Named};
use super::route::Request;

/// Page sizes of messages and folders: 10 by default, at most 1000
/// (<https://learn.microsoft.com/graph/api/user-list-messages>).
pub(super) const OUTLOOK: Sizes = Sizes { default: 10, cap: 1000 };
/// Page sizes of users and groups: 100 by default, at most 999
/// (<https://learn.microsoft.com/graph/api/user-list>).
pub(super) const DIRECTORY: Sizes = Sizes { default: 100, cap: 999 };

/// The default and the greatest size of a page.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    default: usize,
    cap: usize,
}

/// A collection's page; members are written in this order.
#[derive(Debug, Default, Serialize)]
pub(super) struct Page {
    #[serde(rename = "@odata.context")]
    pub(super) context: String,
    #[serde(rename = "@odata.count", skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<usize>,
    pub(super) value: Vec<Value>,
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    pub(super) next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink", skip_serializing_if = "Option::is_none")]
    pub(super) delta_link: Option<String>,
}

/// The part of a list that a page shows.
#[derive(Debug, PartialEq)]
pub(super) struct Window {
    pub(super) start: usize,
    pub(super) size: usize,
}

/// What `$skip` counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Skipped {
    /// The objects of the list.
    Objects,
    /// The items of the store, of which one in eight is not in the list: the sixth, the fourteenth and so on.
    Items,
}

impl Skipped {
    /// How many objects are among the first `items` that `$skip` counts.
    fn shown_before(self, items: usize) -> usize {
        match self {
            Skipped::Objects => items,
            Skipped::Items => items - items.saturating_add(2) / 8,
        }
    }

    /// The `$skip` of the page that begins with this object of the list.
    fn before(self, object: usize) -> usize {
        match self {
            Skipped::Objects => object,
            Skipped::Items => object.saturating_add(object.saturating_add(2) / 7),
        }
    }
}

impl Sizes {
    /// The page size: `$top`, else `Prefer: odata.maxpagesize`, else the default.
    pub(super) fn size(self, request: &Request<'_>) -> Result<usize, Fault> {
        self.of(request, request.options.value("top"))
    }

    /// The page size for this `$top`.
    pub(super) fn of(self, request: &Request<'_>, top: Option<&str>) -> Result<usize, Fault> {
        match top.map(|top| number("top", top)).transpose()? {
            Some(size) if size == 0 || size > self.cap => Err(Fault::PageSize { size, cap: self.cap }),
            Some(size) => Ok(size),
            None => Ok(self.preferred(request)),
        }
    }

    /// The page size without `$top`.
    pub(super) fn preferred(self, request: &Request<'_>) -> usize {
        request.headers.page_size.map_or(self.default, |size| size.clamp(1, self.cap))
    }
}

/// A page of an Outlook list. Calls `render` only for the items on the page.
pub(super) fn outlook_page<T>(
    request: &Request<'_>,
    context: String,
    items: &[T],
    skipped: Skipped,
    render: impl Fn(&T) -> Value,
) -> Result<Page, Fault> {
    let skip = request.options.value("skip").map(|skip| number("skip", skip)).transpose()?;
    let start = skipped.shown_before(skip.unwrap_or_default());
    let window = Window { start, size: OUTLOOK.size(request)? };
    let count = request.options.is_true("count").then_some(items.len());
    let next = window.next(items.len()).map(|next| skipped.before(next));
    let next_link = next.map(|next| request.mailbox_link("skip", &next.to_string()));
    Ok(Page { context, count, value: window.render(items, render), next_link, delta_link: None })
}

/// A page of a directory list. Only the first page has the count, and only if the request is eventually consistent:
/// otherwise `$count=true` is ignored.
pub(super) fn directory_page<'n, T>(
    request: &Request<'_>,
    context: String,
    items: &[T],
    named: impl Fn(&T) -> Named<'n>,
    render: impl Fn(&T) -> Value,
) -> Result<Page, Fault> {
    if request.options.value("skip").is_some() {
        return Err(Fault::Skip);
    }
    let seed = request.tenant.directory.seed;
    let token = request.options.value("skiptoken");
    let opened = |token| page_token::opened(seed, items, &named, shortened(token));
    let start = token.map_or(Some(0), opened).ok_or(Fault::PageToken)?;
    let window = Window { start, size: DIRECTORY.size(request)? };
    let count = (is_advanced(request) && token.is_none()).then_some(items.len());
    let last = window.next(items.len()).and_then(|_| window.of(items).last());
    let token = |last| request.tenant.lengthened(page_token::after(seed, named(last)));
    let next_link = last.map(|last| request.next_link("skiptoken", &token(last)));
    Ok(Page { context, count, value: window.render(items, render), next_link, delta_link: None })
}

fn number(option: &'static str, value: &str) -> Result<usize, Fault> {
    value.parse().map_err(|_| Fault::OptionValue { option, value: value.to_owned() })
}

impl Window {
    /// The start of the next page, if there is one.
    pub(super) fn next(&self, length: usize) -> Option<usize> {
        self.start.checked_add(self.size).filter(|next| *next < length)
    }

    /// The items on the page.
    pub(super) fn of<'a, T>(&self, items: &'a [T]) -> impl Iterator<Item = &'a T> {
        items.iter().skip(self.start).take(self.size)
    }

    fn render<T>(&self, items: &[T], render: impl Fn(&T) -> Value) -> Vec<Value> {
        self.of(items).map(render).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Skipped, Window};

    #[test]
    fn a_link_leads_to_the_next_object_whatever_it_skips() {
        for skipped in [Skipped::Objects, Skipped::Items] {
            for object in 0..100 {
                assert_eq!(skipped.shown_before(skipped.before(object)), object, "{skipped:?}");
            }
        }
        assert_eq!([5, 10, 20].map(|object| Skipped::Items.before(object)), [6, 11, 23]);
        assert_eq!(
            Skipped::Items.shown_before(6),
            Skipped::Items.shown_before(5),
            "an item that is not shown"
        );
    }

    #[test]
    fn the_last_page_has_no_next() {
        assert_eq!(Window { start: 0, size: 10 }.next(11), Some(10));
        assert_eq!(Window { start: 10, size: 10 }.next(20), None);
        assert_eq!(Window { start: usize::MAX, size: 10 }.next(20), None);
    }
}
