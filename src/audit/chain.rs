//! How lines of an audit log are linked, and how a log is verified.
//!
//! Every line is one JSON object that begins with `seq`, a number that rises by one, and `prev`, the SHA-256 of the
//! line before it (without its newline) in hexadecimal. The first line of a chain has `seq` 0 and `prev` [`GENESIS`].
//!
//! A crash can leave an unfinished line. The next start ends this line with a newline and writes a marker
//! `{"seq":…,"prev":…,"event":"torn_line","after":…}`. `prev` is the hash of the torn bytes, `after` is the hash of the
//! last whole line. So the chain covers the damage, and nobody can insert anything there later.
//!
//! The chain has no key. It shows edits by somebody who cannot rewrite the whole file. Against somebody who can, keep
//! [`Summary::head`] elsewhere from time to time. If a log still contains that line, nobody has rewritten what is
//! before it.

use std::io::{self, BufRead, Read};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use glassine_core::hex;

/// The `prev` of a chain's first line. No line has this hash.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The `event` of a marker after an unfinished line.
pub(crate) const TORN_LINE: &str = "torn_line";

/// The longest line. The record of a request is well under 2 KiB, a line of an event under 20 KiB. Bounds the memory that
/// a damaged file can make the reader use.
pub(crate) const MAX_LINE_BYTES: usize = 32 * 1024;

/// What the next line links to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    seq: u64,
    prev: String,
}

impl Position {
    /// The start of a fresh chain.
    pub(crate) fn genesis() -> Self {
        Self { seq: 0, prev: GENESIS.to_owned() }
    }

    /// The position after `line`; `None` if `line` is not a line of a chain.
    pub fn after(line: &[u8]) -> Option<Self> {
        let link = Link::of(line)?;
        Some(Self { seq: link.seq.checked_add(1)?, prev: sha256_hex(line) })
    }

    /// Links `content` here. Returns the line, without its newline, and the position after it.
    pub fn link(&self, content: &impl Serialize) -> Result<(Vec<u8>, Self), serde_json::Error> {
        let line = serde_json::to_vec(&Linked { seq: self.seq, prev: &self.prev, content })?;
        let next = Self { seq: self.seq.saturating_add(1), prev: sha256_hex(&line) };
        Ok((line, next))
    }

    /// The marker that continues the chain after `torn`, an unfinished line at this position.
    pub(crate) fn link_torn(&self, torn: &[u8]) -> Result<(Vec<u8>, Self), serde_json::Error> {
        let over_the_torn_bytes = Self { seq: self.seq, prev: sha256_hex(torn) };
        over_the_torn_bytes.link(&Marker { event: TORN_LINE, after: &self.prev })
    }
}

#[derive(Serialize)]
struct Linked<'a, T> {
    seq: u64,
    prev: &'a str,
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Serialize)]
struct Marker<'a> {
    event: &'static str,
    after: &'a str,
}

/// The fields of a line that verification reads.
#[derive(Deserialize)]
struct Link {
    seq: u64,
    prev: String,
    event: Option<String>,
    after: Option<String>,
}

impl Link {
    fn of(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    fn starts_a_chain(&self) -> bool {
        self.seq == 0 && self.prev == GENESIS
    }
}

/// The content of an intact log, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Whole lines, markers included.
    pub lines: u64,
    /// Chains that begin at [`GENESIS`]. A file has one; collected standard output has one per start of the program.
    pub chains: u64,
    /// Places where a crash left an unfinished line.
    pub torn: u64,
    /// The hash of the last line, to keep elsewhere; `None` for an empty log.
    pub head: Option<String>,
}

/// The first line at which the chain does not hold.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct BrokenAt {
    /// One-based.
    pub line: u64,
    /// What is wrong there.
    pub why: Why,
}

/// What is wrong at a line.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// The line's `prev` is not the hash of the line before it.
    #[error("its `prev` does not fit the line before it: one of the two was changed, or a line is missing")]
    Hash,
    /// The line's `seq` is not one more than that of the line before.
    #[error("its `seq` does not follow: lines are missing, repeated or reordered")]
    Sequence,
    /// The line is not a record, and no marker after it says that a crash cut it off.
    #[error("it is not an audit record, and no marker says that a crash cut it off")]
    NotARecord,
    /// The last line has no newline: the program stopped while writing it and has not been started since.
    #[error("it is cut off: the program stopped while writing it and has not continued this log since")]
    Unfinished,
    /// The line is longer than any record.
    #[error("it is longer than any record")]
    TooLong,
    /// The log could not be read.
    #[error("the log cannot be read")]
    Read(#[source] io::Error),
}

/// Reads a whole log and checks every link.
pub fn verify(reader: impl BufRead) -> Result<Summary, BrokenAt> {
    Verifier::default().read(reader, |_| ())
}

/// Checks the links of a log that is in one file or, after a rotation, in several.
#[derive(Default)]
pub struct Verifier {
    /// One-based number of the current line in the current file.
    line: u64,
    /// Where the next line must link; `None` before the first.
    expected: Option<Position>,
    /// Bytes after the last whole line that are not a record.
    torn: Vec<u8>,
    /// The line at which `torn` begins.
    torn_at: u64,
    /// Of the current file.
    summary: Summary,
}

impl Verifier {
    /// Reads the next file of the log. It continues the chain of the file before it, or begins a new one. Calls `each`
    /// with every record, without its newline.
    ///
    /// # Errors
    ///
    /// [`BrokenAt`]; what `each` has seen is not proved then, and the verifier cannot be used afterwards.
    pub fn read(&mut self, reader: impl BufRead, each: impl FnMut(&[u8])) -> Result<Summary, BrokenAt> {
        self.line = 0;
        self.summary = Summary::default();
        self.run(reader, each).map_err(|why| BrokenAt { line: self.line, why })?;
        Ok(self.summary.clone())
    }

    fn run(&mut self, mut reader: impl BufRead, mut each: impl FnMut(&[u8])) -> Result<(), Why> {
        while let Some(line) = next_line(&mut reader).inspect_err(|_| self.line += 1)? {
            self.line += 1;
            let content = line.strip_suffix(b"\n").ok_or(Why::Unfinished)?;
            if self.accept(content)? {
                each(content);
            }
        }
        self.finish()
    }

    /// Whether the line is a record. Otherwise a crash cut it off, as a marker has to say later.
    fn accept(&mut self, content: &[u8]) -> Result<bool, Why> {
        match Link::of(content) {
            Some(link) if self.torn.is_empty() => self.accept_link(&link, content)?,
            Some(link) => self.accept_marker(&link, content)?,
            None => {
                self.accept_torn(content)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn accept_link(&mut self, link: &Link, content: &[u8]) -> Result<(), Why> {
        if link.starts_a_chain() {
            self.summary.chains += 1;
        } else {
            let expected = self.expected.clone().unwrap_or_else(Position::genesis);
            if link.seq != expected.seq {
                return Err(Why::Sequence);
            }
            if link.prev != expected.prev {
                return Err(Why::Hash);
            }
        }
        self.advance(content)
    }

    fn accept_marker(&mut self, link: &Link, content: &[u8]) -> Result<(), Why> {
        let expected = self.expected.clone().unwrap_or_else(Position::genesis);
        let is_marker = link.event.as_deref() == Some(TORN_LINE);
        if !is_marker || link.prev != sha256_hex(&self.torn) {
            self.line = self.torn_at;
            return Err(Why::NotARecord);
        }
        if link.seq != expected.seq {
            return Err(Why::Sequence);
        }
        if link.after.as_deref() != Some(&expected.prev) {
            return Err(Why::Hash);
        }
        if self.expected.is_none() {
            self.summary.chains += 1;
        }
        self.torn.clear();
        self.summary.torn += 1;
        self.advance(content)
    }

    /// Several unfinished lines in a row come from crashes while a start wrote its marker. One marker covers all of
    /// them.
    fn accept_torn(&mut self, content: &[u8]) -> Result<(), Why> {
        if self.torn.is_empty() {
            self.torn_at = self.line;
        } else {
            self.torn.push(b'\n');
        }
        self.torn.extend_from_slice(content);
        if self.torn.len() > MAX_LINE_BYTES {
            self.line = self.torn_at;
            return Err(Why::NotARecord);
        }
        Ok(())
    }

    fn advance(&mut self, content: &[u8]) -> Result<(), Why> {
        let position = Position::after(content).ok_or(Why::Sequence)?;
        self.summary.lines += 1;
        self.summary.head = Some(position.prev.clone());
        self.expected = Some(position);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Why> {
        if self.torn.is_empty() {
            return Ok(());
        }
        self.line = self.torn_at;
        Err(Why::NotARecord)
    }
}

/// The next line with its newline, if it has one; `None` at the end.
fn next_line(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, Why> {
    let bound = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let read = reader.take(bound).read_until(b'\n', &mut line).map_err(Why::Read)?;
    if read == MAX_LINE_BYTES && !line.ends_with(b"\n") {
        return Err(Why::TooLong);
    }
    Ok((read > 0).then_some(line))
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::lower(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Content {
        n: u32,
    }

    fn lines(count: u32) -> Vec<Vec<u8>> {
        let mut position = Position::genesis();
        (0..count)
            .map(|n| {
                let (line, next) = position.link(&Content { n }).unwrap();
                position = next;
                line
            })
            .collect()
    }

    fn file(lines: &[Vec<u8>]) -> Vec<u8> {
        lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
    }

    #[test]
    fn an_untouched_log_verifies() {
        let lines = lines(3);
        let summary = verify(file(&lines).as_slice()).unwrap();
        assert_eq!((summary.lines, summary.chains, summary.torn), (3, 1, 0));
        assert_eq!(summary.head, Some(sha256_hex(&lines[2])));
        assert_eq!(verify(&b""[..]).unwrap(), Summary::default());
    }

    /// Fault: a line within the audit log is changed. Outcome: verification fails at the next line.
    #[test]
    fn a_changed_line_shows_at_its_successor() {
        let mut lines = lines(3);
        lines[1] = String::from_utf8(lines[1].clone()).unwrap().replace("\"n\":1", "\"n\":7").into_bytes();
        let broken = verify(file(&lines).as_slice()).unwrap_err();
        assert_eq!(broken.line, 3);
        assert!(matches!(broken.why, Why::Hash));
    }

    /// Fault: lines of the audit log are missing, repeated or reordered. Outcome: verification fails at the first one.
    #[test]
    fn missing_repeated_and_reordered_lines_show() {
        let whole = lines(4);
        for (kept, at) in [(vec![1, 2, 3], 1), (vec![0, 2, 3], 2), (vec![0, 1, 1], 3), (vec![0, 2, 1], 2)] {
            let chosen: Vec<_> = kept.iter().map(|i: &usize| whole[*i].clone()).collect();
            let broken = verify(file(&chosen).as_slice()).unwrap_err();
            assert_eq!(broken.line, at, "{kept:?}");
            assert!(matches!(broken.why, Why::Sequence), "{kept:?}");
        }
    }

    /// Fault: a cut line in the audit log has no marker of the next start. Outcome: verification fails.
    #[test]
    fn a_torn_line_needs_its_marker() {
        let good = lines(2);
        let torn = b"{\"seq\":2,\"pr".to_vec();
        let place = Position::after(&good[1]).unwrap();
        let (marker, next) = place.link_torn(&torn).unwrap();
        let (after, _) = next.link(&Content { n: 9 }).unwrap();

        let whole = [good.clone(), vec![torn.clone(), marker.clone(), after.clone()]].concat();
        let summary = verify(file(&whole).as_slice()).unwrap();
        assert_eq!((summary.lines, summary.torn), (4, 1));

        let other_torn =
            [good.clone(), vec![b"{\"seq\":2,".to_vec(), marker.clone(), after.clone()]].concat();
        assert_eq!(verify(file(&other_torn).as_slice()).unwrap_err().line, 3);
        let other_before = [vec![good[0].clone(), torn.clone(), marker, after.clone()]].concat();
        assert!(verify(file(&other_before).as_slice()).is_err());
        let no_marker = [good.clone(), vec![torn.clone(), after]].concat();
        assert!(matches!(verify(file(&no_marker).as_slice()).unwrap_err().why, Why::NotARecord));
        let at_the_end = [file(&good), torn].concat();
        assert!(matches!(verify(at_the_end.as_slice()).unwrap_err().why, Why::Unfinished));
    }

    /// Fault: a file without line ends is verified. Outcome: verification fails without reading it whole.
    #[test]
    fn a_line_longer_than_any_record_is_refused_without_reading_it_whole() {
        let endless = io::BufReader::new(io::repeat(b'a'));
        let broken = verify(endless).unwrap_err();
        assert_eq!(broken.line, 1);
        assert!(matches!(broken.why, Why::TooLong));
    }

    #[test]
    fn collected_standard_output_holds_one_chain_per_start() {
        let twice = [file(&lines(2)), file(&lines(3))].concat();
        assert_eq!(verify(twice.as_slice()).unwrap().chains, 2);
    }
}
