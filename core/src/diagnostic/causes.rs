//! An error with the causes of its causes.

use std::error::Error;
use std::{fmt, iter};

/// Writes an error, its cause, the cause's cause and so on, with colons between them.
///
/// Errors of libraries often repeat their cause in their own text. A cause that is already in the text is not written
/// again.
#[derive(Clone, Copy, Debug)]
pub struct Causes<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = self.0.to_string();
        for cause in iter::successors(self.0.source(), |error| (*error).source()) {
            let cause = cause.to_string();
            if !written.contains(&cause) {
                written = format!("{written}: {cause}");
            }
        }
        f.write_str(&written)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("{0} cannot be read")]
        Silent(&'static str, #[source] io::Error),
        #[error("{0} cannot be read: {1}")]
        Telling(&'static str, #[source] io::Error),
        #[error("nothing is served")]
        Outer(#[source] Box<Failure>),
    }

    #[test]
    fn every_cause_is_written_once() {
        let cause = || io::Error::other("the disk is gone");
        for (failure, text) in [
            (Failure::Silent("a", cause()), "a cannot be read: the disk is gone"),
            (Failure::Telling("a", cause()), "a cannot be read: the disk is gone"),
            (
                Failure::Outer(Box::new(Failure::Silent("a", cause()))),
                "nothing is served: a cannot be read: the disk is gone",
            ),
        ] {
            assert_eq!(Causes(&failure).to_string(), text);
        }
    }
}
