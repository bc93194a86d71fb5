//! A rules file as checked: names resolved, paths parsed, nothing compiled.

use std::ops::Range;

use super::path::Path;
use super::plan::Treatment;

/// A shape's number in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ShapeId(pub(super) usize);

/// What leaves of one kind of object.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) rules: Vec<Rule>,
    pub(super) nested: Vec<Nested>,
    /// Where `unlisted: keep` stands, if it does.
    pub(super) unlisted_keep: Option<Range<usize>>,
}

/// One path and what happens to the leaf it selects.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) path: Path,
    pub(super) treatment: Treatment,
    /// Where the author wrote it.
    pub(super) span: Range<usize>,
}

/// One path and the shape of the objects it selects.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    pub(super) path: Path,
    pub(super) shape: ShapeId,
}
