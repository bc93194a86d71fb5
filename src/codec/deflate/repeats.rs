//! Finds what came before.

use super::symbols::{MAX_DISTANCE, MAX_LENGTH};
use super::table::{KEY, Table};
use super::window::{BLOCK, Window};

/// The shortest repeat that is taken. It costs some 24 bits, as four characters of a token do.
const MIN_REPEAT: usize = KEY;

/// How many bytes are looked up where a word begins. A second one finds the word that another came before by chance.
const TRIES: usize = 2;

/// The text, how far it is divided into literals and repeats, and where its words began.
#[derive(Default)]
pub(super) struct Repeats {
    window: Window,
    table: Table,
    /// Up to here, the window's bytes are divided.
    done: usize,
}

/// Literals and the repeat behind them.
pub(super) struct Step<'a> {
    /// Begins with the literals. What is behind them may be read, not used.
    pub(super) text: &'a [u8],
    pub(super) literals: usize,
    /// `None` at the end of what is there.
    pub(super) repeat: Option<Repeat>,
}

/// The next `length` bytes are those that began `distance` before. `length` is at most [`MAX_LENGTH`], `distance` at most
/// [`MAX_DISTANCE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) length: usize,
    pub(super) distance: usize,
}

impl Repeats {
    /// Takes bytes from `input`, as many as there is room for. At least one.
    pub(super) fn fill(&mut self, input: &mut &[u8]) {
        if self.window.is_full() {
            let too_old = self.done.saturating_sub(MAX_DISTANCE);
            self.window.forget(too_old);
            self.table.forget(too_old);
            self.done -= too_old;
        }
        self.window.fill(input);
    }

    /// Where dividing can stop for now without cutting a repeat short. What is behind it is less than the window has beside
    /// [`MAX_DISTANCE`], so there is always room for more.
    pub(super) fn settled(&self) -> usize {
        self.end().saturating_sub(MAX_LENGTH + BLOCK)
    }

    /// Where the text ends.
    pub(super) fn end(&self) -> usize {
        self.window.end()
    }

    /// Bytes that are not divided yet.
    pub(super) fn held(&self) -> usize {
        self.end() - self.done
    }

    /// The next literals and repeat; `None` at `end`. A repeat may go beyond it.
    #[inline]
    pub(super) fn next(&mut self, end: usize) -> Option<Step<'_>> {
        if self.done >= end {
            return None;
        }
        let start = self.done;
        let found = self.search(start, end);
        let (at, repeat) = found.map_or((end, None), |(at, repeat)| (at, Some(repeat)));
        self.done = at + repeat.map_or(0, |repeat| repeat.length);
        Some(Step { text: self.window.behind(start), literals: at - start, repeat })
    }

    /// The first repeat that begins in a word between `start` and `end`.
    #[inline]
    fn search(&mut self, start: usize, end: usize) -> Option<(usize, Repeat)> {
        let mut at = start;
        while at < end {
            for _ in 0..TRIES {
                if let Some(repeat) = self.look_up(at) {
                    return Some(self.with_bytes_before(start, at, repeat));
                }
                at += 1;
            }
            at += self.window.word_length(at, end);
        }
        None
    }

    /// The longer repeat of the two that the table knows of.
    #[inline]
    fn look_up(&mut self, at: usize) -> Option<Repeat> {
        let word = self.window.word(at);
        let [later, earlier] = self.table.replace(word, at);
        let most = MAX_LENGTH.min(self.end() - at);
        let length = |old: usize| {
            let is_near = old < at && at - old <= MAX_DISTANCE;
            // Nearly all that is not equal differs here.
            let is_alike = is_near && self.window.word(old) as u32 == word as u32;
            if is_alike { self.window.common(old, at, most) } else { 0 }
        };
        let (from_later, from_earlier) = (length(later), length(earlier));
        let (length, old) =
            if from_earlier > from_later { (from_earlier, earlier) } else { (from_later, later) };
        (length >= MIN_REPEAT).then(|| Repeat { length, distance: at - old })
    }

    /// The repeat, and where it begins, with bytes before it that repeat, too.
    #[inline]
    fn with_bytes_before(&self, start: usize, at: usize, repeat: Repeat) -> (usize, Repeat) {
        let most = (at - start).min(MAX_LENGTH - repeat.length);
        let more = self.window.common_before(at - repeat.distance, at, most);
        (at - more, Repeat { length: repeat.length + more, ..repeat })
    }
}
