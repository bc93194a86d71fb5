//! What sanitizing costs: pages of messages through the shipped rules with real keys, beside the obvious way
//! of doing the same (parse to a tree, edit, write), and the parts on their own.
//!
//! `cargo bench` runs it. Throughput is in bytes of the page as it comes from Graph. Before anything is measured, both
//! ways have to give equal documents.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod baseline;
mod connector;
#[path = "../pages/mailbox.rs"]
mod mailbox;
mod pages;
mod silent;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use glassine::pseudonym::{Class, Outcome, Pseudonyms};
use glassine::sanitize::tokenizer::{Limits, Tokenizer};
use serde_json::Value;

use baseline::edit_tree;
use connector::Connector;
use pages::Page;
use silent::Silent;

fn main() {
    let connector = Connector::new();
    let pages = pages::make(&connector.selected());
    for page in &pages {
        require_equal_documents(&connector, page);
    }
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    for page in &pages {
        bench_page(&mut criterion, &connector, page);
    }
    bench_tokens(&mut criterion, connector.pseudonyms());
    criterion.final_summary();
}

/// A comparison is worth nothing if the two do not do the same.
fn require_equal_documents(connector: &Connector, page: &Page) {
    let document = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let sanitized = document(connector.sanitize(page.bytes()));
    assert_eq!(sanitized, document(edit_tree(page.bytes(), connector)), "{}", page.name);
    assert_eq!(sanitized["value"].as_array().map(Vec::len), Some(page.messages), "{}", page.name);
}

fn bench_page(criterion: &mut Criterion, connector: &Connector, page: &Page) {
    let mut group = criterion.benchmark_group(page.name);
    group.throughput(Throughput::Bytes(page.bytes().len().try_into().unwrap()));
    group.bench_function("sanitizer", |bencher| {
        bencher.iter(|| connector.sanitize(black_box(page.bytes())));
    });
    group.bench_function("serde_json::Value", |bencher| {
        bencher.iter(|| edit_tree(black_box(page.bytes()), connector));
    });
    group.bench_function("tokenizer only", |bencher| {
        bencher.iter(|| tokenize(black_box(page.bytes())));
    });
    group.finish();
}

fn tokenize(page: &[u8]) {
    let mut tokenizer = Tokenizer::new(Limits::default());
    for chunk in page.chunks(connector::CHUNK) {
        tokenizer.feed(chunk, &mut Silent).unwrap();
    }
    tokenizer.finish(&mut Silent).unwrap();
}

/// One token at a time: what an address or an id costs beside the scanning.
fn bench_tokens(criterion: &mut Criterion, keys: &Pseudonyms) {
    /// As long as the ids of real messages.
    const ID: &str = "AAMkADcxZDMxMTVmLWU4YWYtNDJhZS05ZDRlLWU0OTdhYTQ3ZWYxZQBGAAAAAADpsYjDQq0AoDjJu4DIK6YLBwCpXLGFBbE0ZkOuNQ8iHhMkAAAAAAEJAACpXLGFBbE0ZkOuNQ8iHhMkAAAAAI9iAAA=";
    const X500: &str = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=00aa-alice";
    let mut group = criterion.benchmark_group("token");
    let mut bench = |name: &str, raw: &str, transform: fn(&Pseudonyms, &str, &mut Vec<u8>) -> Outcome| {
        group.bench_function(name, |bencher| {
            let mut out = Vec::with_capacity(512);
            bencher.iter(|| {
                out.clear();
                transform(keys, black_box(raw), &mut out)
            });
        });
    };
    bench("email, own domain", "Alice.Example@contoso.com", Pseudonyms::email);
    bench("email, other domain", "alice.example@fabrikam.example", Pseudonyms::email);
    bench("email, X.500", X500, Pseudonyms::email);
    bench("id", ID, Pseudonyms::id);
    bench("id, reversible", ID, |keys, raw, out| keys.reversible(Class::Id, raw, out));
    group.finish();
}
