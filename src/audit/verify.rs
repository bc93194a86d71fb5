//! How a log is verified: its links, its MACs, and that it contains a line that was noted before.

use std::io::{self, BufRead, Read};

use serde::Serialize;

use super::chain::{CONTINUED, Link, MAX_LINE_BYTES, Position, TORN_LINE, sha256_hex};
use super::mac::{self, Mac, MacKey};

/// The content of an intact log, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Whole lines, markers included.
    pub lines: u64,
    /// Chains that begin at [`GENESIS`](super::chain::GENESIS). A file has one; collected standard output has one per start of the program.
    pub chains: u64,
    /// Places where a crash left an unfinished line.
    pub torn: u64,
    /// Lines with a MAC. With keys, each was checked and is good.
    pub macs: u64,
    /// The `seq` of the first line, if this file continues a file that was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<u64>,
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
    /// A key with the line's key id did not make its MAC.
    #[error("its `mac` is not of the key: who changed the line has no key, or these are other keys")]
    Mac,
    /// The line has no MAC, although lines before it have one.
    #[error("it has no `mac`, although lines before it have one: who wrote it has no key")]
    NoMac,
    /// The MAC is of a key that was not given.
    #[error("its `mac` is of a key that is not among these: give the key file that had this key, too")]
    UnknownKey,
    /// The log could not be read.
    #[error("the log cannot be read")]
    Read(#[source] io::Error),
}

/// Reads a whole log and checks every link.
pub fn verify(reader: impl BufRead) -> Result<Summary, BrokenAt> {
    Verifier::default().read(reader, |_| ())
}

/// What a log lacks although its chain holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No line has the hash that was noted before.
    #[error(
        "no line has the given head: the log was cut before that line or written anew, or the file that has it was not given"
    )]
    Head,
    /// Keys were given, and no line has a MAC.
    #[error("no line has a `mac`, so the keys prove nothing")]
    Macs,
}

/// Checks the links of a log that is in one file or, after a rotation, in several.
#[derive(Default)]
pub struct Verifier {
    /// The keys that MACs are checked with; `None` checks none.
    keys: Option<Vec<MacKey>>,
    /// The hash of a line that the log has to contain.
    noted: Option<String>,
    /// Whether a line with this hash was read, or one that follows it.
    found: bool,
    /// Whether a line with a good MAC was read.
    sealed: bool,
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
    /// Checks MACs, too, with these keys. Several may have the same id.
    #[must_use]
    pub fn with_keys(self, keys: Vec<MacKey>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Demands a line with this hash, which was noted before. The first file may then begin anywhere in its chain.
    #[must_use]
    pub fn from_head(self, head: String) -> Self {
        Self { noted: Some(head), ..self }
    }

    /// What must be there and is not, once all files were read.
    ///
    /// # Errors
    ///
    /// [`Missing`].
    pub fn complete(&self) -> Result<(), Missing> {
        if self.noted.is_some() && !self.found {
            return Err(Missing::Head);
        }
        if self.keys.is_some() && !self.sealed && self.expected.is_some() {
            return Err(Missing::Macs);
        }
        Ok(())
    }

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
        } else if self.expected.is_none() && (link.is(CONTINUED) || self.noted.is_some()) {
            self.summary.continues = Some(link.seq);
        } else {
            let expected = self.expected.clone().unwrap_or_else(Position::genesis);
            if link.seq != expected.seq {
                return Err(Why::Sequence);
            }
            if link.prev != expected.prev {
                return Err(Why::Hash);
            }
        }
        self.note(&link.prev);
        self.advance(content)
    }

    fn note(&mut self, hash: &str) {
        self.found |= self.noted.as_deref() == Some(hash);
    }

    fn check_mac(&mut self, content: &[u8]) -> Result<(), Why> {
        let Some(keys) = &self.keys else {
            self.summary.macs += u64::from(mac::is_there(content));
            return Ok(());
        };
        match mac::check(keys, content) {
            Mac::Good => {
                self.sealed = true;
                self.summary.macs += 1;
                Ok(())
            }
            // The `prev` of the first line with a MAC covers the lines of its chain before it.
            Mac::Absent if !self.sealed => Ok(()),
            Mac::Absent => Err(Why::NoMac),
            Mac::Bad => Err(Why::Mac),
            Mac::UnknownKey => Err(Why::UnknownKey),
        }
    }

    fn accept_marker(&mut self, link: &Link, content: &[u8]) -> Result<(), Why> {
        let expected = self.expected.clone().unwrap_or_else(Position::genesis);
        if !link.is(TORN_LINE) || link.prev != sha256_hex(&self.torn) {
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
        self.check_mac(content)?;
        let position = Position::after(content).ok_or(Why::Sequence)?;
        self.note(&position.prev);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u32) -> Vec<Vec<u8>> {
        let mut position = Position::genesis();
        (0..count)
            .map(|n| {
                let (line, next) = position.link(format!("{{\"n\":{n}}}").as_bytes(), None);
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
        let (marker, next) = place.link_torn(&torn, None);
        let (after, _) = next.link(b"{\"n\":9}", None);

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
