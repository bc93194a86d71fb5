//! Bits in bytes, the least significant first (RFC 1951 section 3.1.1).

/// The bits behind the last whole byte.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    bits: u64,
    count: u32,
}

/// Appends bits to a buffer. At most 56 are put between two calls of [`BitWriter::flush`]: with the seven that do not fill a byte
/// they fit a word.
pub(super) struct BitWriter<'a> {
    output: &'a mut Vec<u8>,
    /// Where the next byte goes. What the buffer has behind it is room.
    at: usize,
    rest: Rest,
}

/// How a block is written.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// As it came.
    Stored = 0,
    /// In codes that every decoder knows.
    Fixed = 1,
    /// In codes that it tells.
    Dynamic = 2,
}

/// Bytes that are written at once.
const WORD: usize = size_of::<u64>();

impl<'a> BitWriter<'a> {
    /// Writes behind `output` and `rest`. With room for as many bytes as come, the buffer grows once.
    pub(super) fn new(output: &'a mut Vec<u8>, rest: Rest, room: usize) -> Self {
        let at = output.len();
        output.resize(at + room + WORD, 0);
        Self { output, at, rest }
    }

    /// Puts `count` bits. Those of `bits` above them are zero.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.rest.bits |= bits << self.rest.count;
        self.rest.count += count;
    }

    /// Writes the whole bytes. It always writes a full word; the next call overwrites the part that does not count yet.
    #[inline]
    pub(super) fn flush(&mut self) {
        match self.output.get_mut(self.at..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => *room = self.rest.bits.to_le_bytes(),
            None => self.grow(),
        }
        let whole = self.rest.count / 8;
        self.at += whole as usize;
        self.rest.bits >>= 8 * whole;
        self.rest.count %= 8;
    }

    #[cold]
    fn grow(&mut self) {
        self.output.truncate(self.at);
        self.output.extend_from_slice(&self.rest.bits.to_le_bytes());
        self.output.resize(self.at + 64 * WORD, 0);
    }

    /// Begins a block (RFC 1951 section 3.2.3).
    pub(super) fn begin(&mut self, kind: Kind) {
        self.put((kind as u64) << 1, 3);
        self.flush();
    }

    /// Writes bytes as they are, in as many blocks as their lengths of sixteen bits need (RFC 1951 section 3.2.4). At least one.
    pub(super) fn write_stored(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let (piece, behind) = rest.split_at_checked(usize::from(u16::MAX)).unwrap_or((rest, &[]));
            self.begin(Kind::Stored);
            self.align();
            let length = piece.len() as u16;
            self.append(&length.to_le_bytes());
            self.append(&(!length).to_le_bytes());
            self.append(piece);
            if behind.is_empty() {
                return;
            }
            rest = behind;
        }
    }

    /// Writes an empty block that says that it is the last one. In the fixed code, its end is seven zeros.
    pub(super) fn write_last_block(&mut self) {
        self.put(1 | (Kind::Fixed as u64) << 1, 3 + 7);
        self.align();
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        self.rest.count = self.rest.count.next_multiple_of(8);
        self.flush();
    }

    /// Appends bytes. The last one before them is whole.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.output.truncate(self.at);
        self.output.extend_from_slice(bytes);
        self.at = self.output.len();
    }

    /// Gives back the room that is left, and what does not fill a byte.
    pub(super) fn finish(mut self) -> Rest {
        self.flush();
        self.output.truncate(self.at);
        self.rest
    }
}
