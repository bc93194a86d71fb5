//! The cost of links: sealing Graph's link in a response, and opening and admitting it in the consumer's next request.

mod support;

use std::hint::black_box;

use support::connector::Connector;
use support::pages::{GRAPH, MAILBOX};

fn main() {
    let connector = Connector::new();
    let select = connector.selected();
    let graph = format!("{GRAPH}/v1.0/users/{MAILBOX}/messages?$top=1000&$select={select}&$skip=1000");
    let sealed = connector.next_link(&graph);
    let mut criterion = support::criterion();
    let mut group = criterion.benchmark_group("links");
    group.bench_function("seal", |bencher| bencher.iter(|| connector.next_link(black_box(&graph))));
    group.bench_function("open and admit", |bencher| bencher.iter(|| connector.follow(black_box(&sealed))));
    group.finish();
    criterion.final_summary();
}
