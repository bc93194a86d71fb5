//! The two types that carry the guarantee: [`Raw`] comes from upstream, [`Clean`] may leave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::graph::ErrorBody;
use crate::graph::batch::ItemHead;
use crate::interface::Document;

/// Something from upstream. Only the sanitizer can look inside. `Raw` has no `Debug`, `Display`, `Deref` or
/// `Serialize`, so it cannot reach a log or a response by accident.
pub struct Raw<T>(T);

impl<T> Raw<T> {
    /// Marks `value` as coming from upstream.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The same bytes, borrowed.
    pub fn bytes(&self) -> Raw<&[u8]>
    where
        T: AsRef<[u8]>,
    {
        Raw(self.0.as_ref())
    }

    pub(super) fn read(self) -> T {
        self.0
    }
}

/// Something that may leave. Only the sanitizer makes it, and, in this file, conversions of this program's own texts:
/// error bodies, heads of a batch's responses, descriptions, punctuation.
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

impl From<ItemHead<'_>> for Clean<Vec<u8>> {
    /// The consumer's own id, a status, and header values that are clean or this program's.
    fn from(head: ItemHead<'_>) -> Self {
        Self(head.to_json())
    }
}

impl From<Document> for Clean<Vec<u8>> {
    /// A description is made of rules and of this program's texts, before any request.
    fn from(document: Document) -> Self {
        Self(document.text().as_bytes().to_vec())
    }
}

impl Clean<Vec<u8>> {
    /// Appends `more`.
    pub fn append(&mut self, more: Self) {
        self.0.extend_from_slice(&more.0);
    }

    /// As a JSON string in base64, which is how a batch carries a body that is not JSON.
    pub fn to_base64_json(&self) -> Self {
        Self(format!("\"{}\"", STANDARD.encode(&self.0)).into_bytes())
    }

    /// This program's own punctuation.
    pub fn punctuation(text: &'static str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Borrow;
    use std::fmt::{Debug, Display};
    use std::ops::{Deref, DerefMut};

    use serde::Serialize;
    use static_assertions::assert_not_impl_any;

    use super::*;

    // Each of these traits would open a way past the sanitizer. If `Raw` gets one, the tests no longer compile.
    assert_not_impl_any!(Raw<Vec<u8>>: AsRef<[u8]>, Borrow<[u8]>, Clone, Debug, Deref, DerefMut, Display, Into<Vec<u8>>, Serialize);
    assert_not_impl_any!(Raw<&[u8]>: AsRef<[u8]>, Borrow<[u8]>, Clone, Debug, Deref, DerefMut, Display, Into<Vec<u8>>, Serialize);
}
