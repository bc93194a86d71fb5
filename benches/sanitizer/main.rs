//! What sanitizing costs: pages of messages through the shipped rules with real keys, beside the obvious way
//! of doing the same (parse to a tree, edit, write).
//!
//! `cargo bench -p glassine-benches --bench sanitizer` runs it. With `-- --sweep` at the end, it measures documents of
//! 50 kB to 500 MB instead, and thousands of streams at once. Throughput is in bytes of the page that Graph sends.
//! Before anything is measured, both ways have to give equal documents. The benchmarks `tokenizer`, `matcher`,
//! `transforms`, `admit` and `links` measure the parts.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod baseline;
#[path = "../support/mod.rs"]
mod support;
mod sweep;

use std::cell::RefCell;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use serde_json::Value;

use baseline::edit_tree;
use support::connector::Connector;
use support::pages::{self, Page};

fn main() {
    let connector = Connector::new();
    if std::env::args().any(|argument| argument == "--sweep") {
        return sweep::run(&connector);
    }
    let pages = pages::make(&connector.selected());
    for page in &pages {
        require_equal_documents(&connector, page);
    }
    let mut criterion = support::criterion();
    for page in pages {
        bench_page(&mut criterion, &connector, page);
    }
    criterion.final_summary();
}

/// The comparison means something only if both do the same.
fn require_equal_documents(connector: &Connector, page: &Page) {
    let document = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let sanitized = document(connector.sanitize(page.bytes()));
    assert_eq!(sanitized, document(edit_tree(page.bytes(), connector)), "{}", page.name);
    assert_eq!(sanitized["value"].as_array().map(Vec::len), Some(page.messages), "{}", page.name);
}

/// Each run has new ids, because no consumer requests the same page over and over.
fn bench_page(criterion: &mut Criterion, connector: &Connector, page: Page) {
    let mut group = criterion.benchmark_group(page.name);
    group.throughput(Throughput::Bytes(page.bytes().len().try_into().unwrap()));
    let page = RefCell::new(page);
    let mut bench = |name, sanitize: &dyn Fn(&[u8])| {
        group.bench_function(name, |bencher| {
            let renew = || page.borrow_mut().renew();
            bencher.iter_batched(
                renew,
                |()| sanitize(black_box(page.borrow().bytes())),
                BatchSize::PerIteration,
            );
        });
    };
    bench("sanitizer", &|page| connector.stream(page, |piece| drop(black_box(piece))));
    bench("serde_json::Value", &|page| drop(black_box(edit_tree(page, connector))));
    group.finish();
}
