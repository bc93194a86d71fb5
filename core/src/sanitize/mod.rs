//! Decides what leaves. Everything that comes from upstream enters as [`Raw`]; everything that goes to a consumer is
//! [`Clean`]; this module is the only way from the one to the other.
//!
//! ```text
//!                  ┌────────────┐ events  ┌─────────┐ leaf + treatment ┌────────────┐
//!  Raw<&[u8]> ───▶ │ tokenizer  │ ──────▶ │ matcher │ ───────────────▶ │ transforms │ ──▶ Clean<Vec<u8>>
//!  (any chunking)  │ (RFC 8259) │         │ (plan)  │                  │ (keys)     │
//!                  └────────────┘         └─────────┘                  └────────────┘
//! ```
//!
//! The tokenizer validates every byte, also of what is dropped: two readers of one document must not disagree about it.
//! The matcher follows the plan's automaton, one node per open container. A transform sees one string at a time. Only
//! the open containers and the one value that is being transformed are held, so a page of any size costs the same
//! memory.
//!
//! This module knows nothing of HTTP, of sockets or of time. What else a response consists of (header values, an error's
//! code, a count) passes through the small gates in [`gate`].

pub mod gate;
mod guard;
mod header;
mod matcher;
mod order;
mod place;
mod reply_depth;
pub mod tokenizer;
mod transform;

use std::sync::Arc;

use matcher::Matcher;
use tokenizer::{Halt, Limits, SyntaxError, Tokenizer};

pub use guard::{Clean, Raw};
pub use matcher::{Counters, Unlisted};

use crate::graph::target::MAX_TARGET;
use crate::pseudonym::Pseudonyms;
use crate::rules::plan::{Body, LinkKind};

/// What a document is sanitized with.
#[derive(Clone)]
pub struct Context {
    /// What leaves.
    pub body: Arc<Body>,
    /// The consumer's keys.
    pub pseudonyms: Arc<Pseudonyms>,
    /// How links are rewritten.
    pub links: Arc<dyn Links>,
}

/// Rewrites a Graph link to one that the consumer may have.
pub trait Links: Send + Sync {
    /// The consumer's link in place of `link`.
    ///
    /// # Errors
    ///
    /// [`LinkRefusal`] if the consumer could not follow it.
    fn rewrite(&self, link: &str, kind: LinkKind) -> Result<String, LinkRefusal>;
}

/// Why a link is not rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// It is not one that this proxy would follow.
    Elsewhere,
    /// The consumer's link would be longer than a request's target may be.
    TooLong,
}

/// Sanitizes one JSON document, chunk by chunk.
pub struct Sanitizer {
    tokenizer: Tokenizer,
    matcher: Matcher,
}

/// Why a document was refused. What has been taken of it so far is not a complete response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It is not JSON, or exceeds a limit.
    #[error("the document is not acceptable JSON: {0}")]
    Syntax(#[from] SyntaxError),
    /// It is JSON, but the rules cannot be applied to it without doubt.
    #[error("{0}")]
    Violation(#[from] Violation),
}

/// What makes a well-formed document unacceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Two readers could disagree about which of the two counts.
    #[error("a property that the rules name comes twice in one object")]
    DuplicateProperty,
    /// A text, or a name, that would leave as written. One half of a surrogate pair stands for no character, and the
    /// consumer's parser may keep it, replace it or fail.
    #[error("a text that leaves as written has half of a surrogate pair (`\\ud800` to `\\udfff` alone)")]
    LoneSurrogate,
    /// The outermost value is not an object.
    #[error("the document is not an object")]
    NotAnObject,
    /// An error where an object should be. What the rules would keep of it would look like an object without
    /// properties.
    #[error("the document is an error in Graph's shape instead of what was requested")]
    AnError,
    /// A page without its `value` array: it would look like the last, empty one.
    #[error("the document has no `value` array, so it is not a page")]
    NotAPage,
    /// The response to `/$count` is not digits alone.
    #[error("the response to `/$count` is not a number")]
    NotACount,
    /// A link that cannot be rewritten. Dropping it would silently end the consumer's walk.
    #[error("a link leads somewhere that this proxy does not follow")]
    Link,
    /// A link that would be too long for the consumer's next request. Dropping it would silently end the walk, too.
    #[error(
        "a link of Graph makes a link to this proxy of more than {MAX_TARGET} bytes, the most that a request's target may have. \
         Links are as long as Graph's tokens: ask Graph for less at once, with a smaller `$top` or a shorter `$filter`"
    )]
    LinkTooLong,
}

impl From<LinkRefusal> for Violation {
    fn from(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::Elsewhere => Self::Link,
            LinkRefusal::TooLong => Self::LinkTooLong,
        }
    }
}

impl Sanitizer {
    /// A sanitizer at the start of a document.
    pub fn new(context: Context) -> Self {
        Self { tokenizer: Tokenizer::new(Limits::default()), matcher: Matcher::new(context) }
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    ///
    /// [`Failure`]; the sanitizer cannot be used afterwards.
    pub fn feed(&mut self, chunk: Raw<&[u8]>) -> Result<(), Failure> {
        let chunk = chunk.read();
        self.matcher.make_room(chunk.len());
        self.tokenizer.feed(chunk, &mut self.matcher).map_err(Failure::from)
    }

    /// Ends the document.
    ///
    /// # Errors
    ///
    /// [`Failure`] if it is not complete.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.tokenizer.finish(&mut self.matcher)?;
        self.matcher.check_complete()?;
        Ok(())
    }

    /// What may leave of the chunks read since the last call.
    pub fn take(&mut self) -> Clean<Vec<u8>> {
        self.matcher.take()
    }

    /// How many bytes may leave and have not been taken.
    pub fn pending(&self) -> usize {
        self.matcher.pending()
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.matcher.counters()
    }
}

impl From<Halt<Violation>> for Failure {
    fn from(halt: Halt<Violation>) -> Self {
        match halt {
            Halt::Syntax(error) => Self::Syntax(error),
            Halt::Violation(violation) => Self::Violation(violation),
        }
    }
}

/// Sanitizes a document that is in memory as a whole.
///
/// # Errors
///
/// As [`Sanitizer::feed`] and [`Sanitizer::finish`].
pub fn sanitize(context: Context, document: Raw<&[u8]>) -> Result<(Clean<Vec<u8>>, Counters), Failure> {
    let mut sanitizer = Sanitizer::new(context);
    sanitizer.feed(document)?;
    sanitizer.finish()?;
    Ok((sanitizer.take(), sanitizer.counters()))
}
