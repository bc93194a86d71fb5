//! The rows of a CSV file (RFC 4180) as bytes, so that a row can be written again with other values in some of its cells and
//! nothing else changed: quotes, line ends and text in any encoding stay. A CSV library hands out values and quotes them anew.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};
use std::ops::Range;

use super::{InputError, Maker};
use crate::cli::error::Error;
use glassine_core::pseudonym::Outcome;

/// A row of more bytes than this has a quote that nobody closed. A spreadsheet's cell has 32,767 characters at most.
const MAX_ROW: usize = 1024 * 1024;

/// What some programs write at the beginning of a file in UTF-8. It is no part of the first cell.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum Problem {
    /// The value has no token of this kind.
    #[error("the value is not of the kind that `--as` names")]
    Kind,
    /// The value is not UTF-8.
    #[error("the value is not UTF-8 text: save the file as UTF-8")]
    NotText,
    /// The value could be in any of its cells.
    #[error("{found} cells, and the header has {expected}: is there a comma in a cell without quotes?")]
    Cells {
        /// How many the row has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// Something follows the end of a quoted cell.
    #[error("text stands behind the quote that ends a cell: write a quote in a cell twice")]
    Quote,
    /// The input ends in a quoted cell.
    #[error("a cell begins with a quote, and no quote ends it")]
    Unclosed,
    /// The row is too long.
    #[error("more than {MAX_ROW} bytes: is a quote missing?")]
    TooLong,
}

/// Standard input, line by line.
pub(super) struct Input<'a>(Chain<Cursor<Vec<u8>>, BufReader<&'a mut dyn Read>>);

impl<'a> Input<'a> {
    pub(super) fn new(input: &'a mut dyn Read) -> Self {
        Self(Cursor::new(Vec::new()).chain(BufReader::new(input)))
    }

    /// Takes the byte order mark off the beginning, if there is one. To be called first.
    pub(super) fn mark(&mut self) -> io::Result<&'static [u8]> {
        let (head, rest) = self.0.get_mut();
        let mut bytes = Vec::new();
        rest.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut bytes)?;
        if bytes == BYTE_ORDER_MARK {
            return Ok(BYTE_ORDER_MARK);
        }
        *head = Cursor::new(bytes);
        Ok(b"")
    }

    /// Appends a line with its end. False if there is none.
    pub(super) fn read_line(
        &mut self,
        line: &mut Vec<u8>,
        refuse: &dyn Fn(Problem) -> InputError,
    ) -> Result<bool, Error> {
        let left = MAX_ROW.saturating_sub(line.len()) as u64;
        let read = self.0.by_ref().take(left).read_until(b'\n', line).map_err(Error::StandardInput)?;
        if line.len() >= MAX_ROW && !line.ends_with(b"\n") {
            return Err(refuse(Problem::TooLong).into());
        }
        Ok(read > 0)
    }
}

/// A line without its end, and its end.
pub(super) fn split_end(line: &[u8]) -> (&[u8], &[u8]) {
    let text = line.strip_suffix(b"\n").map_or(line, |text| text.strip_suffix(b"\r").unwrap_or(text));
    line.split_at(text.len())
}

/// Where the next byte stands.
#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// At the beginning of a cell.
    #[default]
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: it ends the cell, or stands for a quote with the next one.
    Quote,
}

/// A row. Its buffers are used again for the next one.
#[derive(Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    cells: Vec<Range<usize>>,
    place: Place,
}

impl Row {
    /// Reads the next row, which can have several lines. False if there is none.
    pub(super) fn read(
        &mut self,
        input: &mut Input<'_>,
        refuse: &dyn Fn(Problem) -> InputError,
    ) -> Result<bool, Error> {
        self.bytes.clear();
        self.cells.clear();
        self.place = Place::Start;
        loop {
            let from = self.bytes.len();
            if !input.read_line(&mut self.bytes, refuse)? {
                return if from == 0 { Ok(false) } else { Err(refuse(Problem::Unclosed).into()) };
            }
            self.scan(from).map_err(refuse)?;
            if self.place != Place::Quoted {
                self.end_cell(split_end(&self.bytes).0.len());
                return Ok(true);
            }
        }
    }

    /// Finds the cells that end in the bytes from here on, the row's last one aside.
    fn scan(&mut self, from: usize) -> Result<(), Problem> {
        for at in from..self.bytes.len() {
            let byte = self.bytes.get(at).copied().unwrap_or_default();
            if byte == b',' && self.place != Place::Quoted {
                self.end_cell(at);
            }
            self.place = self.place.after(byte)?;
        }
        Ok(())
    }

    fn end_cell(&mut self, end: usize) {
        let start = self.cells.last().map_or(0, |cell| cell.end.saturating_add(1));
        self.cells.push(start..end);
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the row is an empty line.
    pub(super) fn is_blank(&self) -> bool {
        split_end(&self.bytes).0.is_empty()
    }

    /// The values of all cells. Those that are not text have replacement characters.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.cells.iter().map(|cell| {
            let value = self.bytes.get(cell.clone()).map(unquoted).unwrap_or_default();
            String::from_utf8_lossy(&value).into_owned()
        })
    }

    /// Appends the row with tokens in these cells, which are in order. On a problem, also says in which cell.
    pub(super) fn write(
        &self,
        columns: &[usize],
        maker: &Maker,
        out: &mut Vec<u8>,
    ) -> Result<(), (usize, Problem)> {
        let mut written = 0;
        for column in columns {
            let Some(cell) = self.cells.get(*column) else { continue };
            out.extend_from_slice(self.bytes.get(written..cell.start).unwrap_or_default());
            let raw = self.bytes.get(cell.clone()).unwrap_or_default();
            write_cell(raw, maker, out).map_err(|problem| (*column, problem))?;
            written = cell.end;
        }
        out.extend_from_slice(self.bytes.get(written..).unwrap_or_default());
        Ok(())
    }
}

impl Place {
    fn after(self, byte: u8) -> Result<Self, Problem> {
        Ok(match (self, byte) {
            (Self::Start, b'"') | (Self::Quote, b'"') => Self::Quoted,
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) => Self::Quoted,
            (_, b',') => Self::Start,
            (Self::Quote, b'\r' | b'\n') => Self::Quote,
            (Self::Quote, _) => return Err(Problem::Quote),
            (Self::Start | Self::Plain, _) => Self::Plain,
        })
    }
}

/// A token has no character that needs quotes, and keeps those that its value had.
fn write_cell(raw: &[u8], maker: &Maker, out: &mut Vec<u8>) -> Result<(), Problem> {
    let value = unquoted(raw);
    let text = std::str::from_utf8(&value).map_err(|_| Problem::NotText)?;
    let quote: &[u8] = if raw.starts_with(b"\"") { b"\"" } else { b"" };
    out.extend_from_slice(quote);
    maker.cell(text, out)?;
    out.extend_from_slice(quote);
    Ok(())
}

/// The value of a cell.
fn unquoted(raw: &[u8]) -> Cow<'_, [u8]> {
    let Some(quoted) = raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(raw);
    };
    let mut escaped = false;
    let keep = |byte: &u8| {
        escaped = !escaped && *byte == b'"';
        !escaped
    };
    Cow::Owned(quoted.iter().copied().filter(keep).collect())
}

impl Maker {
    /// Appends the token of a value of a row, or the value itself if it is blank.
    pub(super) fn cell(&self, value: &str, out: &mut Vec<u8>) -> Result<(), Problem> {
        if value.trim().is_empty() {
            out.extend_from_slice(value.as_bytes());
            return Ok(());
        }
        match self.make(value, out) {
            Outcome::Written | Outcome::Empty => Ok(()),
            Outcome::NotUnderstood => Err(Problem::Kind),
        }
    }
}
