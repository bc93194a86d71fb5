//! How large and how deep a document may be.

/// Open containers at once. Microsoft Graph's deepest responses (a batch of expanded collections) stay below 20.
pub(crate) const DEFAULT_DEPTH: u32 = 64;

/// The most that [`Limits::depth`] can be: open containers are kept as the bits of one integer.
pub const MAX_DEPTH: u32 = 128;

/// Bytes of a key as written. Property names of Microsoft Graph have tens of bytes, `@odata` annotations with a
/// path some hundreds. A key is held in memory whole, so this is also a bound on memory.
pub(crate) const DEFAULT_KEY_LENGTH: usize = 4 * 1024;

/// Bytes of a number as written. A double has at most 767 significant digits (IEEE 754 binary64), so the other digits
/// of a longer number tell a reader nothing. A number is held in memory whole, so this is also a bound on memory.
pub(crate) const DEFAULT_NUMBER_LENGTH: usize = 1024;

/// Bytes of a document. Pages of Microsoft Graph have at most some tens of megabytes; a compression bomb has more. The
/// document is not held in memory, so this is a bound on time.
pub(crate) const DEFAULT_DOCUMENT_LENGTH: u64 = 1024 * 1024 * 1024;

/// The limits of a document. What reaches a limit is read; what exceeds it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open arrays and objects at once. Values above [`MAX_DEPTH`] count as [`MAX_DEPTH`].
    pub depth: u32,
    /// Bytes of a key between its quotes, as written.
    pub key_length: usize,
    /// Bytes of a number, as written.
    pub number_length: usize,
    /// Bytes of the document, whitespace included.
    pub document_length: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: DEFAULT_DEPTH,
            key_length: DEFAULT_KEY_LENGTH,
            number_length: DEFAULT_NUMBER_LENGTH,
            document_length: DEFAULT_DOCUMENT_LENGTH,
        }
    }
}
