//! The cost of one token: computed, and found in the cache.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

mod support;

use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use glassine_core::pseudonym::{Class, Outcome, Pseudonyms, Reserved};

use support::connector::Connector;

/// More values than the cache holds.
const VALUES: usize = 100_000;

/// As long as the ids of real messages.
const ID: &str = "AAMkADcxZDMxMTVmLWU4YWYtNDJhZS05ZDRlLWU0OTdhYTQ3ZWYxZQBGAAAAAADpsYjDQq0AoDjJu4DIK6YLBwCpXLGFBbE0ZkOuNQ8iHhMkAAAAAAEJAACpXLGFBbE0ZkOuNQ8iHhMkAAAAAI9iAAA=";
/// The mailbox's GUID and the thread's, as Exchange lays them out.
const CONVERSATION: &str = "AAQkADAwMDM3ZmZlLWFhMTAtYzJmMS0wMDAwLTAwMDAwMDAwMDAwMAAQAAAAAAAAAAAAW93VgWFG0xc=";

/// A function that writes a token.
type Make = fn(&Pseudonyms, &str, &mut Vec<u8>) -> Outcome;

fn main() {
    let connector = Connector::new();
    let mut criterion: Criterion = support::criterion();
    let mut group = criterion.benchmark_group("transforms");
    let keys = connector.pseudonyms();
    let reversible: Make = |keys, raw, out| keys.reversible(Class::Id, raw, out);
    let people =
        |domain: &str| (0..VALUES).map(|at| format!("Alice.Example{at}@{domain}")).collect::<Vec<_>>();
    let (own, other) = (people("contoso.com"), people("fabrikam.example"));
    let x500: Vec<_> = (0..VALUES)
        .map(|at| format!("/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=00aa{at}-alice"))
        .collect();
    let ids: Vec<_> = (0..VALUES).map(|at| format!("{at:06}{ID}")).collect();
    let conversations: Vec<_> =
        (0..VALUES).map(|at| CONVERSATION.replace("AAAAAAW93", &format!("{at:06}W93"))).collect();
    bench(&mut group, "email, own domain", keys, Pseudonyms::email, &own);
    bench(&mut group, "email, other domain", keys, Pseudonyms::email, &other);
    bench(&mut group, "email, X.500", keys, Pseudonyms::email, &x500);
    bench(&mut group, "email, found", keys, Pseudonyms::email, &own[..1]);
    bench(&mut group, "id", keys, Pseudonyms::id, &ids);
    bench(&mut group, "id, reversible", keys, reversible, &ids);
    bench(&mut group, "id, reversible, found", keys, reversible, &ids[..1]);
    bench_together(&mut group, "id, reversible, eight together", keys, &ids);
    bench(&mut group, "thread", keys, Pseudonyms::thread, &conversations);
    bench(&mut group, "thread, found", keys, Pseudonyms::thread, &conversations[..1]);
    group.finish();
    criterion.final_summary();
}

/// As the sanitizer makes the tokens of ids that come the first time. The time is that of eight.
fn bench_together(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    keys: &Pseudonyms,
    values: &[String],
) {
    const TOGETHER: usize = 8;
    group.bench_function(name, |bencher| {
        let (mut out, mut reserved) = (Vec::with_capacity(4096), Reserved::default());
        let mut values = values.iter().cycle();
        bencher.iter(|| {
            out.clear();
            for id in values.by_ref().take(TOGETHER) {
                let _written = keys.reversible_later(Class::Id, black_box(id), &mut out, &mut reserved);
            }
            keys.fill(&mut reserved, &mut out);
        });
    });
}

/// Cycles through the values. Of many values, none is still in the cache when its turn comes; a single one always is.
fn bench(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    keys: &Pseudonyms,
    make: Make,
    values: &[String],
) {
    group.bench_function(name, |bencher| {
        let mut out = Vec::with_capacity(512);
        let mut values = values.iter().cycle();
        bencher.iter(|| {
            out.clear();
            make(keys, black_box(values.next().unwrap()), &mut out)
        });
    });
}
