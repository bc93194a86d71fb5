//! A checked rules file: names are resolved and paths parsed, but nothing is compiled yet.

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
    /// The place of `unlisted: keep` in the file, if the shape has it.
    pub(super) unlisted_keep: Option<Range<usize>>,
}

/// One path and what happens to the leaf it selects.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) path: Path,
    pub(super) treatment: Treatment,
    /// Whether the author says that a reviewer has looked at it.
    pub(super) reviewed: bool,
    /// Where the author wrote it.
    pub(super) span: Range<usize>,
}

/// One path and the shape of the objects it selects.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    pub(super) path: Path,
    pub(super) shape: ShapeId,
    /// Where the author wrote the path.
    pub(super) span: Range<usize>,
}
