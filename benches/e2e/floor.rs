//! The two costs of the floor that hyper does not have: to read a page with the tokenizer, and to make one HMAC.
//!
//! `floor PAGE` prints both in seconds, each the fastest of many.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has to stop")]

#[path = "../support/silent.rs"]
mod silent;

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use glassine_core::pseudonym::primitives::HmacKey;

/// How long each measurement is repeated.
const REPEAT: Duration = Duration::from_millis(500);
/// HMACs between two readings of the clock.
const MACS: u32 = 10_000;
/// This value fits in one block of SHA-256. Its HMAC hashes two blocks, the fewest that any token needs.
const VALUE: &[u8] = b"alice.anders@contoso.com";

fn main() -> std::io::Result<()> {
    let page = std::fs::read(std::env::args_os().nth(1).unwrap())?;
    let key = HmacKey::new(b"any");
    let tokenizer = fastest(|| silent::tokenize([black_box(page.as_slice())]));
    let macs = fastest(|| {
        for _ in 0..MACS {
            black_box(key.mac([black_box(VALUE)]));
        }
    });
    writeln!(std::io::stdout(), "{tokenizer:e} {:e}", macs / f64::from(MACS))
}

fn fastest(mut work: impl FnMut()) -> f64 {
    let end = Instant::now() + REPEAT;
    let mut best = f64::INFINITY;
    while Instant::now() < end {
        let began = Instant::now();
        work();
        best = best.min(began.elapsed().as_secs_f64());
    }
    best
}
