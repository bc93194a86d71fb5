//! The cost of reading: the tokenizer validates pages and does nothing else.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

mod support;

use std::hint::black_box;

use criterion::Throughput;

use support::connector::{CHUNK, Connector};
use support::pages;
use support::silent::tokenize;

fn main() {
    let pages = pages::make(&Connector::new().selected());
    let mut criterion = support::criterion();
    let mut group = criterion.benchmark_group("tokenizer");
    for page in &pages {
        group.throughput(Throughput::Bytes(page.bytes().len().try_into().unwrap()));
        group.bench_function(page.name, |bencher| {
            bencher.iter(|| tokenize(black_box(page.bytes()).chunks(CHUNK)))
        });
    }
    group.finish();
    criterion.final_summary();
}
