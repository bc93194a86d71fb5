//! What reading costs: pages validated, and nothing done with them.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

mod support;

use std::hint::black_box;

use criterion::Throughput;
use glassine_core::sanitize::tokenizer::{Limits, Tokenizer};

use support::connector::{CHUNK, Connector};
use support::pages;
use support::silent::Silent;

fn main() {
    let pages = pages::make(&Connector::new().selected());
    let mut criterion = support::criterion();
    let mut group = criterion.benchmark_group("tokenizer");
    for page in &pages {
        group.throughput(Throughput::Bytes(page.bytes().len().try_into().unwrap()));
        group.bench_function(page.name, |bencher| bencher.iter(|| tokenize(black_box(page.bytes()))));
    }
    group.finish();
    criterion.final_summary();
}

fn tokenize(page: &[u8]) {
    let mut tokenizer = Tokenizer::new(Limits::default());
    for chunk in page.chunks(CHUNK) {
        tokenizer.feed(chunk, &mut Silent).unwrap();
    }
    tokenizer.finish(&mut Silent).unwrap();
}
