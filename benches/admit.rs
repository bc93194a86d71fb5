//! The cost of admitting a request: from the received target to the request for Graph.

mod support;

use std::hint::black_box;

use support::connector::Connector;

const REQUESTS: [(&str, &str); 3] = [
    ("list", ""),
    ("select and top", "?$select=id,subject,from,toRecipients,receivedDateTime&$top=1000"),
    (
        "filter and order",
        "?$filter=receivedDateTime%20ge%202026-01-01T00:00:00Z%20and%20receivedDateTime%20lt%202026-02-01T00:00:00Z\
         &$orderby=receivedDateTime%20desc&$top=100",
    ),
];

fn main() {
    let connector = Connector::new();
    let mut criterion = support::criterion();
    let mut group = criterion.benchmark_group("admit");
    for (name, query) in REQUESTS {
        group.bench_function(name, |bencher| bencher.iter(|| connector.admit(black_box(query))));
    }
    group.finish();
    criterion.final_summary();
}
