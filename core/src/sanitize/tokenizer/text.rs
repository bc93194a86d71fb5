//! Cuts the inside of a string, of a key or a value, into pieces.

use super::error::{SyntaxError, SyntaxErrorKind};
use super::escape::{self, Escape};
use super::input::Input;

/// One piece of a string.
pub(super) enum Piece<'a> {
    /// Valid text without escapes, never empty.
    Run(&'a str),
    /// One whole escape, as written, and its character.
    Escape { raw: &'a str, decoded: char },
    /// An escaped surrogate without its other half, as written.
    LoneSurrogate { raw: &'a str },
    /// The closing quote.
    End,
    /// The chunk is used up; the string goes on in the next.
    More,
}

/// What must be kept of a string when a chunk ends in it: nothing, or the beginning of one UTF-8 sequence (at most 3
/// bytes) or of one escape (at most 11 bytes, the first a backslash).
#[derive(Debug, Default)]
pub(super) struct Text {
    carry: [u8; escape::MAX_LENGTH],
    carried: usize,
    /// Where the carried bytes start in the document.
    start: u64,
}

/// What carried bytes have become.
enum Carried {
    Character,
    Escape(char),
    /// Of more than one escape's bytes, the last one only tells that the first escape has no other half.
    LoneSurrogate,
    Incomplete,
}

impl Text {
    /// Takes the next piece: the end, an escape or a run.
    #[inline(always)]
    pub(super) fn next<'a, 'c: 'a>(&'a mut self, input: &mut Input<'c>) -> Result<Piece<'a>, SyntaxError> {
        if self.carried > 0 {
            return self.resume(input);
        }
        match input.peek() {
            None => Ok(Piece::More),
            Some(b'"') => {
                input.advance(1);
                Ok(Piece::End)
            }
            Some(b'\\') => self.escape(input),
            Some(..0x20) => Err(input.fail(SyntaxErrorKind::ControlCharacter)),
            Some(_) => match input.take_run() {
                "" => self.broken_character(input),
                run => Ok(Piece::Run(run)),
            },
        }
    }

    /// Whether no bytes are carried from an earlier chunk.
    pub(super) fn is_whole(&self) -> bool {
        self.carried == 0
    }

    /// A byte that is not UTF-8 is an error, unless the chunk's end has cut a character.
    #[cold]
    fn broken_character<'c>(&mut self, input: &mut Input<'c>) -> Result<Piece<'c>, SyntaxError> {
        let is_cut = str::from_utf8(input.rest()).is_err_and(|error| error.error_len().is_none());
        if !is_cut {
            return Err(input.fail(SyntaxErrorKind::InvalidUtf8));
        }
        self.carry_rest(input);
        Ok(Piece::More)
    }

    #[inline]
    fn escape<'c>(&mut self, input: &mut Input<'c>) -> Result<Piece<'c>, SyntaxError> {
        let simple = input.rest().get(1).and_then(|letter| escape::simple(*letter));
        match simple {
            Some(decoded) => Ok(Piece::Escape { raw: input.take_text(2)?, decoded }),
            None => self.other_escape(input),
        }
    }

    fn other_escape<'c>(&mut self, input: &mut Input<'c>) -> Result<Piece<'c>, SyntaxError> {
        match escape::read(input.rest()).map_err(|kind| input.fail(kind))? {
            Escape::Complete(length, decoded) => Ok(Piece::Escape { raw: input.take_text(length)?, decoded }),
            Escape::LoneSurrogate => Ok(Piece::LoneSurrogate { raw: input.take_text(escape::UNIT_LENGTH)? }),
            Escape::Incomplete => {
                self.carry_rest(input);
                Ok(Piece::More)
            }
        }
    }

    fn carry_rest(&mut self, input: &mut Input<'_>) {
        self.start = input.position();
        while let Some(byte) = input.peek() {
            self.push(byte);
            input.advance(1);
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.carry.get_mut(self.carried) {
            *slot = byte;
            self.carried += 1;
        }
    }

    /// Adds bytes to the carried ones, one at a time, until they are one character or one escape.
    #[cold]
    fn resume(&mut self, input: &mut Input<'_>) -> Result<Piece<'_>, SyntaxError> {
        while let Some(byte) = input.peek() {
            self.push(byte);
            let carried = self.read_carry().map_err(|kind| SyntaxError::new(kind, self.start))?;
            if matches!(carried, Carried::LoneSurrogate) && self.carried > escape::UNIT_LENGTH {
                // The byte belongs to what comes after the surrogate.
                self.carried -= 1;
                return Ok(Piece::LoneSurrogate { raw: self.release_surrogate()? });
            }
            input.advance(1);
            match carried {
                Carried::Incomplete => {}
                Carried::LoneSurrogate => {
                    return Ok(Piece::LoneSurrogate { raw: self.release_surrogate()? });
                }
                Carried::Character => return Ok(Piece::Run(self.release()?)),
                Carried::Escape(decoded) => {
                    return Ok(Piece::Escape { raw: self.release()?, decoded });
                }
            }
        }
        Ok(Piece::More)
    }

    fn read_carry(&self) -> Result<Carried, SyntaxErrorKind> {
        let bytes = self.carried_bytes();
        if bytes.first() == Some(&b'\\') {
            return escape::read(bytes).map(|escape| match escape {
                Escape::Complete(_, decoded) => Carried::Escape(decoded),
                Escape::LoneSurrogate => Carried::LoneSurrogate,
                Escape::Incomplete => Carried::Incomplete,
            });
        }
        match str::from_utf8(bytes) {
            Ok(_) => Ok(Carried::Character),
            Err(error) if error.error_len().is_none() => Ok(Carried::Incomplete),
            Err(_) => Err(SyntaxErrorKind::InvalidUtf8),
        }
    }

    fn release(&mut self) -> Result<&str, SyntaxError> {
        let length = std::mem::take(&mut self.carried);
        let bytes = self.carry.get(..length).unwrap_or_default();
        str::from_utf8(bytes).map_err(|_| SyntaxError::new(SyntaxErrorKind::InvalidUtf8, self.start))
    }

    /// The lone surrogate that the carried bytes begin with. What stays carried is the beginning of the next escape.
    fn release_surrogate(&mut self) -> Result<&str, SyntaxError> {
        let start = self.start;
        self.carried = self.carried.saturating_sub(escape::UNIT_LENGTH);
        self.start = start.saturating_add(u64::try_from(escape::UNIT_LENGTH).unwrap_or_default());
        self.carry.rotate_left(escape::UNIT_LENGTH);
        let released = self.carry.get(escape::MAX_LENGTH - escape::UNIT_LENGTH..).unwrap_or_default();
        str::from_utf8(released).map_err(|_| SyntaxError::new(SyntaxErrorKind::InvalidUtf8, start))
    }

    fn carried_bytes(&self) -> &[u8] {
        self.carry.get(..self.carried).unwrap_or_default()
    }
}
