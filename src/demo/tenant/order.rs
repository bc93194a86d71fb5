//! `$orderby`: properties, the most important first, each ascending or descending.

use std::cmp::Ordering;

use serde_json::Value;

use super::fault::Fault;
use super::filter::Filter;

/// The order that a request asks for. Empty if it asks for none.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Order(Vec<Key>);

#[derive(Debug, PartialEq)]
struct Key {
    path: String,
    descending: bool,
}

impl Order {
    pub(super) fn parse(text: Option<&str>) -> Result<Order, Fault> {
        let invalid = |text: &str| Fault::OptionValue { option: "orderby", value: text.to_owned() };
        let Some(text) = text else { return Ok(Order::default()) };
        text.split(',')
            .map(|item| key(item).ok_or_else(|| invalid(text)))
            .collect::<Result<_, _>>()
            .map(Order)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.path.as_str())
    }

    /// Whether Exchange can do both: the properties of `$orderby` are in `$filter`, too, in the same order and before
    /// all others (<https://learn.microsoft.com/graph/api/user-list-messages#using-filter-and-orderby-in-the-same-query>).
    /// An example in <https://learn.microsoft.com/graph/query-parameters> sorts by one more property, against this rule.
    pub(super) fn suits(&self, filter: &Filter) -> bool {
        let filtered = filter.paths();
        let same = |(path, filtered): (&str, &&str)| path.eq_ignore_ascii_case(filtered);
        filter.is_empty() || (self.0.len() <= filtered.len() && self.paths().zip(&filtered).all(same))
    }

    /// Sorts the items by what `property` returns for them. Items that compare equal stay in their order.
    pub(super) fn sort<T>(&self, items: &mut [T], property: impl Fn(&T, &str) -> Value) {
        for key in self.0.iter().rev() {
            items.sort_by_cached_key(|item| Sortable {
                value: property(item, &key.path),
                descending: key.descending,
            });
        }
    }
}

/// `receivedDateTime`, `receivedDateTime asc`, `receivedDateTime desc`.
fn key(text: &str) -> Option<Key> {
    let mut words = text.split_whitespace();
    let path = words.next()?.to_owned();
    let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return None,
    };
    words.next().is_none().then_some(Key { path, descending })
}

/// A value in its place. Null comes first, texts compare without letter case.
#[derive(PartialEq, Eq)]
struct Sortable {
    value: Value,
    descending: bool,
}

impl Ord for Sortable {
    fn cmp(&self, other: &Sortable) -> Ordering {
        let ordering = compare(&self.value, &other.value);
        if self.descending { ordering.reverse() } else { ordering }
    }
}

impl PartialOrd for Sortable {
    fn partial_cmp(&self, other: &Sortable) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Value::String(one), Value::String(other)) => one.to_lowercase().cmp(&other.to_lowercase()),
        (one, other) => (!one.is_null()).cmp(&!other.is_null()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Order;
    use crate::demo::tenant::filter::Filter;

    fn sorted(orderby: &str) -> String {
        let mut items = vec![
            json!({"n": 2, "t": "b"}),
            json!({"n": 1, "t": "B"}),
            json!({"n": 3, "t": "a"}),
            json!({"n": 0}),
        ];
        let property = |item: &Value, path: &str| item.get(path).cloned().unwrap_or_default();
        Order::parse(Some(orderby)).unwrap().sort(&mut items, property);
        items.iter().map(|item| item["n"].to_string()).collect()
    }

    #[test]
    fn the_first_property_matters_most() {
        assert_eq!(sorted("n"), "0123");
        assert_eq!(sorted("n desc"), "3210");
        assert_eq!(sorted("t,n desc"), "0321");
        assert_eq!(sorted("t DESC, n asc"), "1230");
    }

    #[test]
    fn what_is_sorted_by_has_to_lead_the_filter() {
        let suits = |orderby: &str, filter: &str| {
            Order::parse(Some(orderby)).unwrap().suits(&Filter::parse(Some(filter)).unwrap())
        };
        assert!(suits("A desc", "a gt 1 and b eq 2"));
        assert!(suits("a,b", "a gt 1 and b eq 2 and c eq 3"));
        assert!(!suits("b", "a gt 1 and b eq 2"));
        assert!(!suits("a,b", "a gt 1"));
        assert!(!suits("b,a", "a gt 1 and b eq 2"));
        assert!(Order::parse(Some("a")).unwrap().suits(&Filter::default()));
    }

    #[test]
    fn other_words_are_refused() {
        for orderby in ["", "a up", "a desc b", "a,,b"] {
            assert!(Order::parse(Some(orderby)).is_err(), "{orderby}");
        }
    }
}
