//! The table of `benches/compression`, with the libraries that others use: zlib, zlib-ng, libdeflate, ISA-L, zstd.
//!
//! `benches/rivals/run` builds and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::undocumented_unsafe_blocks,
    reason = "a benchmark that cannot be set up has to stop"
)]

#[allow(dead_code, unused_imports, reason = "the program's module, of which a part is measured")]
#[path = "../../src/codec/mod.rs"]
mod codec;
#[path = "../compression/contest.rs"]
mod contest;
mod native;
#[path = "../compression/ours.rs"]
mod ours;
mod support;
mod zlib;
mod zstandard;

use support::connector::Connector;
use support::pages;

/// Enough for a stable median.
const ROUNDS: usize = 51;

fn main() {
    let connector = Connector::new();
    let [_, page, _] = &pages::make(&connector.selected())[..] else { return };
    let pages = contest::Pages { clean: &connector.sanitize(page.bytes()), raw: page.bytes() };
    let encoders: Vec<_> = [ours::encoders(), zlib::encoders(), native::encoders(), zstandard::encoders()]
        .into_iter()
        .flatten()
        .collect();
    let decoders: Vec<_> =
        [ours::decoders(), zlib::decoders(), native::decoders()].into_iter().flatten().collect();
    contest::run(&pages, &encoders, &decoders, ROUNDS);
}
