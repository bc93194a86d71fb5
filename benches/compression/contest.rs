//! The measurement: all codecs in turn, in many rounds, so that a busy moment of the machine hits them alike.
//!
//! Counts the CPU time of the thread, so that other load on the machine matters little.

#![expect(clippy::print_stdout, reason = "the results go to standard output")]

use std::fs;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustix::time::{ClockId, clock_gettime};

/// The proxy sends sanitized bytes in pieces of about this size.
const CLEAN_PIECE: usize = 32 * 1024;
/// About the size of the chunks that arrive from a socket.
const PACKED_CHUNK: usize = 16 * 1024;
/// How Graph compresses.
const GRAPHS_LEVEL: u32 = 6;
/// Open streams of each encoder, to tell what one holds.
const STREAMS: usize = 40;
/// How much each of them has read: more than any window.
const READ: usize = 768 * 1024;

/// More pieces of memory than earlier work has freed.
const HOLES: usize = 2_000;

/// The same page before and after the sanitizer.
pub(crate) struct Pages<'p> {
    pub(crate) clean: &'p [u8],
    pub(crate) raw: &'p [u8],
}

/// A stream that compresses.
pub(crate) trait Encode {
    /// Compresses `input` and appends what is ready.
    fn push(&mut self, input: &[u8], output: &mut Vec<u8>);
    /// Appends the rest.
    fn finish(self: Box<Self>, output: &mut Vec<u8>);
}

/// A way to compress.
pub(crate) struct Encoder {
    pub(crate) name: &'static str,
    pub(crate) open: fn() -> Box<dyn Encode>,
    /// Reads what it writes.
    pub(crate) read_back: Decode,
}

/// Decodes chunks, and hands over what is decoded.
pub(crate) type Decode = fn(&mut dyn Iterator<Item = &[u8]>, &mut dyn FnMut(&[u8]));

/// A way to decompress gzip.
pub(crate) struct Decoder {
    pub(crate) name: &'static str,
    pub(crate) decode: Decode,
}

/// Prints the table.
pub(crate) fn run(pages: &Pages<'_>, encoders: &[Encoder], decoders: &[Decoder], rounds: usize) {
    let packed = as_graph_packs(pages.raw);
    let sizes: Vec<usize> = encoders.iter().map(|encoder| size(encoder, pages.clean)).collect();
    decoders.iter().for_each(|decoder| require_page(decoder.name, decoder.decode, &packed, pages.raw));
    let memory: Vec<usize> = memory(encoders, pages.clean);
    let works = encoders.iter().map(|encoder| work_of(move || encode(encoder, pages.clean)));
    let reads = decoders.iter().map(|decoder| work_of(|| decode(decoder.decode, &packed, |_| {})));
    let times = times(&mut works.chain(reads).collect::<Vec<_>>(), rounds);
    let (out, read) = times.split_at(encoders.len());
    println!(
        "out: {} bytes in pieces of {CLEAN_PIECE}; in: {} bytes, as gzip {}\n",
        pages.clean.len(),
        pages.raw.len(),
        packed.len()
    );
    println!("| out | ms | fastest | size | kB for a stream |\n|---|---:|---:|---:|---:|");
    for (((encoder, time), size), memory) in encoders.iter().zip(out).zip(sizes).zip(memory) {
        let share = 1_000 * size / pages.clean.len();
        println!("| {} | {time} | {}.{} % | {memory} |", encoder.name, share / 10, share % 10);
    }
    println!("\n| in | ms | fastest |\n|---|---:|---:|");
    decoders.iter().zip(read).for_each(|(decoder, time)| println!("| {} | {time} |", decoder.name));
}

fn as_graph_packs(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GRAPHS_LEVEL));
    encoder.write_all(page).unwrap();
    encoder.finish().unwrap()
}

/// Compresses the page, and requires that it is read back.
fn size(encoder: &Encoder, page: &[u8]) -> usize {
    let packed = encode(encoder, page);
    require_page(encoder.name, encoder.read_back, &packed, page);
    packed.len()
}

fn require_page(name: &str, read: Decode, packed: &[u8], page: &[u8]) {
    let mut plain = Vec::new();
    decode(read, packed, |piece| plain.extend_from_slice(piece));
    assert!(plain == page, "{name} does not give the page back");
}

fn encode(encoder: &Encoder, page: &[u8]) -> Vec<u8> {
    let (mut stream, mut whole, mut piece) = ((encoder.open)(), Vec::new(), Vec::new());
    for clean in page.chunks(CLEAN_PIECE) {
        stream.push(black_box(clean), &mut piece);
        whole.append(&mut piece);
    }
    stream.finish(&mut whole);
    whole
}

fn decode(decode: Decode, packed: &[u8], mut output: impl FnMut(&[u8])) {
    decode(&mut black_box(packed).chunks(PACKED_CHUNK), &mut |piece| output(black_box(piece)));
}

type Work<'w> = Box<dyn FnMut() + 'w>;

fn work_of<'w, T>(work: impl Fn() -> T + 'w) -> Work<'w> {
    Box::new(move || drop(black_box(work())))
}

/// Median and fastest, printed as two cells.
struct Times(Duration, Duration);

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} | {:.2}", 1e3 * self.0.as_secs_f64(), 1e3 * self.1.as_secs_f64())
    }
}

fn times(works: &mut [Work<'_>], rounds: usize) -> Vec<Times> {
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..rounds {
        for (work, times) in works.iter_mut().zip(&mut times) {
            let began = on_core();
            work();
            times.push(on_core().saturating_sub(began));
        }
    }
    times.into_iter().map(summary).collect()
}

fn summary(mut times: Vec<Duration>) -> Times {
    times.sort();
    Times(*times.get(times.len() / 2).unwrap(), *times.first().unwrap())
}

/// This thread's CPU time.
fn on_core() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// What an open stream of each holds in the middle of a page, in kB. As many streams are opened before, and all are kept
/// open, so that memory freed by earlier work does not distort the result.
fn memory(encoders: &[Encoder], page: &[u8]) -> Vec<usize> {
    // Fills the holes that earlier work has left.
    let filling: Vec<_> = (0..HOLES).map(|_| vec![1_u8; CLEAN_PIECE]).collect();
    black_box(&filling);
    let mut open = Vec::new();
    let mut memory = |encoder| {
        open.push(open_streams(encoder, page));
        let before = resident();
        open.push(open_streams(encoder, page));
        resident().saturating_sub(before) / STREAMS
    };
    encoders.iter().map(&mut memory).collect()
}

fn open_streams(encoder: &Encoder, page: &[u8]) -> Vec<Box<dyn Encode>> {
    let mut streams: Vec<_> = (0..STREAMS).map(|_| (encoder.open)()).collect();
    let mut sent = Vec::new();
    for piece in page.get(..READ).unwrap_or(page).chunks(CLEAN_PIECE) {
        for stream in &mut streams {
            stream.push(piece, &mut sent);
            sent.clear();
        }
    }
    streams
}

/// The process's memory in kB (`/proc/self/status`, Linux).
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
