//! Validates a document and ignores its content.

use std::convert::Infallible;

use glassine_core::sanitize::tokenizer::{Handler, Key, Limits, Literal, Tokenizer};

/// Validates a document that comes in chunks.
pub(crate) fn tokenize<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) {
    let mut tokenizer = Tokenizer::new(Limits::default());
    for chunk in chunks {
        tokenizer.feed(chunk, &mut Silent).unwrap();
    }
    tokenizer.finish(&mut Silent).unwrap();
}

struct Silent;

impl Handler for Silent {
    type Violation = Infallible;

    fn begin_object(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn begin_array(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn end_array(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn key(&mut self, _key: Key<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    fn begin_string(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    /// As the sanitizer with nearly every long text.
    fn listens(&self) -> bool {
        false
    }

    fn string_run(&mut self, _run: &str) -> Result<(), Infallible> {
        Ok(())
    }

    fn string_escape(&mut self, _raw: &str, _decoded: char) -> Result<(), Infallible> {
        Ok(())
    }

    fn lone_surrogate(&mut self, _raw: &str) -> Result<(), Infallible> {
        Ok(())
    }

    fn end_string(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn number(&mut self, _text: &str) -> Result<(), Infallible> {
        Ok(())
    }

    fn literal(&mut self, _literal: Literal) -> Result<(), Infallible> {
        Ok(())
    }
}
