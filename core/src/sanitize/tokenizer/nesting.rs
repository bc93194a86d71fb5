//! Which containers are open.

use super::limits::MAX_DEPTH;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// A stack of containers, one bit each: the lowest bit is the innermost, and it is set for an object.
#[derive(Debug)]
pub(super) struct Nesting {
    bits: u128,
    depth: u32,
    /// Invariant: at most [`MAX_DEPTH`], the width of `bits`.
    limit: u32,
}

impl Nesting {
    pub(super) fn new(limit: u32) -> Self {
        Self { bits: 0, depth: 0, limit: limit.min(MAX_DEPTH) }
    }

    /// Opens a container. Beyond the limit it does nothing and returns false.
    #[must_use]
    pub(super) fn open(&mut self, container: Container) -> bool {
        if self.depth >= self.limit {
            return false;
        }
        self.bits = self.bits << 1 | u128::from(container == Container::Object);
        self.depth += 1;
        true
    }

    /// Closes the innermost container.
    pub(super) fn close(&mut self) {
        self.bits >>= 1;
        self.depth = self.depth.saturating_sub(1);
    }

    /// The innermost open container.
    pub(super) fn container(&self) -> Option<Container> {
        match (self.depth, self.bits & 1) {
            (0, _) => None,
            (_, 0) => Some(Container::Array),
            (..) => Some(Container::Object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All 128 levels keep their kind, and a limit beyond the bits is cut to them.
    #[test]
    fn keeps_every_level() {
        let kind = |level: u32| {
            if level.is_multiple_of(3) { Container::Object } else { Container::Array }
        };
        let mut nesting = Nesting::new(u32::MAX);
        assert!((0..MAX_DEPTH).all(|level| nesting.open(kind(level))));
        assert!(!nesting.open(Container::Array));
        for level in (0..MAX_DEPTH).rev() {
            assert_eq!(nesting.container(), Some(kind(level)));
            nesting.close();
        }
        assert_eq!(nesting.container(), None);
    }
}
