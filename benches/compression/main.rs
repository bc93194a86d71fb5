//! What compressing costs: the program's codecs beside zlib-rs at two levels, on a page of 1,000 messages.
//!
//! `cargo bench -p glassine-benches --bench compression` prints the table. `benches/rivals` prints the same table with the C
//! libraries that others use.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

mod contest;
mod ours;
#[path = "../support/mod.rs"]
mod support;

use glassine::codec;

use support::connector::Connector;
use support::pages;

/// Enough for a stable median.
const ROUNDS: usize = 51;

fn main() {
    let connector = Connector::new();
    let [_, page, _] = &pages::make(&connector.selected())[..] else { return };
    // `cargo test --benches` runs a benchmark without this argument, to see whether it works.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let pages = contest::Pages { clean: &connector.sanitize(page.bytes()), raw: page.bytes() };
    contest::run(&pages, &ours::encoders(), &ours::decoders(), rounds);
}
