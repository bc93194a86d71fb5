//! The two types that carry the guarantee.

use crate::graph::ErrorBody;

/// Something from upstream. Only the sanitizer can look inside; it has no `Debug`, `Display`, `Deref` or `Serialize`,
/// so it cannot reach a log or an answer by accident.
pub struct Raw<T>(T);

impl<T> Raw<T> {
    /// Marks `value` as coming from upstream.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    pub(super) fn read(self) -> T {
        self.0
    }
}

/// Something that may leave. Made by the sanitizer, and from this program's own error texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clean<T>(T);

impl<T> Clean<T> {
    pub(super) fn assertion(value: T) -> Self {
        Self(value)
    }

    /// What may leave.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// What may leave.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl From<ErrorBody<'_>> for Clean<Vec<u8>> {
    /// An error in Graph's shape holds this program's texts and ids, and a code that passed [`super::gate`].
    fn from(body: ErrorBody<'_>) -> Self {
        Self(body.to_json())
    }
}
