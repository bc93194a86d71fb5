//! The grammar of JSON as a state machine. The module above explains how it works.

use super::error::{Halt, SyntaxError, SyntaxErrorKind};
use super::handler::{Handler, Key, Literal};
use super::input::{Input, is_whitespace};
use super::limits::Limits;
use super::nesting::{Container, Nesting};
use super::number::Number;
use super::text::{Piece, Text};

/// The outcome of a step. The error may be the handler's.
type Step<H> = Result<(), Halt<<H as Handler>::Violation>>;

/// All that is remembered of a document between two chunks.
#[derive(Debug)]
pub(super) struct Machine {
    limits: Limits,
    state: State,
    nesting: Nesting,
    text: Text,
    /// What has been read of a key or number: in an earlier chunk, or in an earlier piece of the key. Invariant: empty
    /// between tokens; never longer than the limit of the token that is being read.
    buffer: String,
    /// Where the key or number being read starts.
    token_start: u64,
}

/// What may come next.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A value: at the start, after a colon, after a comma in an array.
    Value,
    /// A value or the end of the array that has just begun.
    FirstElement,
    /// A comma or the end of the array.
    AfterElement,
    /// A key or the end of the object that has just begun.
    FirstKey,
    /// A key, after a comma.
    NextKey,
    /// A colon.
    AfterKey,
    /// A comma or the end of the object.
    AfterMember,
    /// Whitespace only: the document is complete.
    Done,
    InKey,
    InString,
    InNumber(Number),
    /// A literal, and how many of its bytes have been seen.
    InLiteral(Literal, usize),
}

impl Machine {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Value,
            nesting: Nesting::new(limits.depth),
            text: Text::default(),
            buffer: String::new(),
            token_start: 0,
        }
    }

    /// Reads all of `input`.
    pub(super) fn run<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        while !input.is_empty() {
            match self.state {
                State::InKey => self.read_key(input, handler)?,
                State::InString => self.read_string(input, handler)?,
                State::InNumber(number) => self.read_number(number, input, handler)?,
                State::InLiteral(literal, seen) => self.read_literal(literal, seen, input, handler)?,
                _ => self.between_tokens(input, handler)?,
            }
        }
        Ok(())
    }

    /// Ends the input, at `position`.
    pub(super) fn end<H: Handler>(&mut self, position: u64, handler: &mut H) -> Step<H> {
        match self.state {
            State::Done => Ok(()),
            State::InNumber(number) if number.is_complete() && self.nesting.container().is_none() => {
                self.end_number("", handler)
            }
            _ => Err(SyntaxError::new(SyntaxErrorKind::UnexpectedEnd, position).into()),
        }
    }

    fn between_tokens<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        let Some(byte) = input.skip_whitespace() else {
            return Ok(());
        };
        match (self.state, byte) {
            (State::FirstElement | State::AfterElement, b']') => {
                self.end_container(input, H::end_array, handler)
            }
            (State::FirstKey | State::AfterMember, b'}') => self.end_container(input, H::end_object, handler),
            (State::AfterMember, b',') => {
                input.advance(1);
                self.state = State::NextKey;
                Ok(())
            }
            (State::FirstKey | State::NextKey, b'"') => self.read_members(input, handler),
            (State::AfterElement, b',') | (State::AfterKey, b':') => {
                input.advance(1);
                self.state = State::Value;
                Ok(())
            }
            (State::Value | State::FirstElement, _) => self.begin_value(byte, input, handler),
            (state, _) => Err(input.fail(state.expectation()).into()),
        }
    }

    /// Reads a member, and those that follow without whitespace, as in JSON that programs write.
    fn read_members<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        loop {
            if handler.expected_key().is_some_and(|key| input.take_key(key)) {
                handler.expected_key_came().map_err(Halt::Violation)?;
                self.after_colon(input, handler)?;
            } else {
                self.begin_key(input, handler)?;
            }
            if !self.is_at_key(input) {
                return Ok(());
            }
        }
    }

    /// Whether a key comes next, after a member or at the beginning of an object. Takes the comma before it.
    #[inline]
    fn is_at_key(&mut self, input: &mut Input<'_>) -> bool {
        match self.state {
            State::FirstKey => {}
            State::AfterMember if input.take(b',') => self.state = State::NextKey,
            _ => return false,
        }
        input.peek() == Some(b'"')
    }

    fn begin_value<H: Handler>(&mut self, byte: u8, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        match byte {
            b'"' => self.begin_string(input, handler),
            b'{' => {
                self.begin_container(Container::Object, State::FirstKey, input)?;
                handler.begin_object().map_err(Halt::Violation)
            }
            b'[' => {
                self.begin_container(Container::Array, State::FirstElement, input)?;
                handler.begin_array().map_err(Halt::Violation)
            }
            b'-' | b'0'..=b'9' => {
                self.token_start = input.position();
                self.read_number(Number::Start, input, handler)
            }
            b'n' => self.read_literal(Literal::Null, 0, input, handler),
            b't' => self.read_literal(Literal::True, 0, input, handler),
            b'f' => self.read_literal(Literal::False, 0, input, handler),
            _ => Err(input.fail(SyntaxErrorKind::ExpectedValue).into()),
        }
    }

    fn begin_container(
        &mut self,
        container: Container,
        next: State,
        input: &mut Input<'_>,
    ) -> Result<(), SyntaxError> {
        if !self.nesting.open(container) {
            return Err(input.fail(SyntaxErrorKind::TooDeep));
        }
        input.advance(1);
        self.state = next;
        Ok(())
    }

    fn end_container<H: Handler>(
        &mut self,
        input: &mut Input<'_>,
        event: fn(&mut H) -> Result<(), H::Violation>,
        handler: &mut H,
    ) -> Step<H> {
        input.advance(1);
        self.nesting.close();
        self.end_value();
        event(handler).map_err(Halt::Violation)
    }

    fn end_value(&mut self) {
        self.state = match self.nesting.container() {
            Some(Container::Array) => State::AfterElement,
            Some(Container::Object) => State::AfterMember,
            None => State::Done,
        };
    }

    /// Takes the opening quote, and the whole key at once where the chunk has all of it and it has no escapes.
    fn begin_key<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        input.advance(1);
        match input.plain_string(self.limits.key_length) {
            Some(raw) => self.end_key(Key::plain(raw), input, handler),
            None => {
                self.token_start = input.position();
                self.state = State::InKey;
                self.read_key(input, handler)
            }
        }
    }

    /// Hands a key over, and takes the colon if it comes next.
    fn end_key<H: Handler>(&mut self, key: Key<'_>, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        handler.key(key).map_err(Halt::Violation)?;
        if input.take(b':') {
            return self.after_colon(input, handler);
        }
        self.state = State::AfterKey;
        Ok(())
    }

    /// Begins the value if it comes next.
    #[inline]
    fn after_colon<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        self.state = State::Value;
        match input.peek() {
            Some(b'"') => self.begin_string(input, handler),
            Some(byte) if !is_whitespace(byte) => self.begin_value(byte, input, handler),
            _ => Ok(()),
        }
    }

    fn read_key<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        loop {
            let piece = match self.text.next(input)? {
                Piece::Run(run) => run,
                Piece::Escape { raw, .. } | Piece::LoneSurrogate { raw } => raw,
                Piece::More => return Ok(()),
                Piece::End => break,
            };
            if self.buffer.len() + piece.len() > self.limits.key_length {
                return Err(SyntaxError::new(SyntaxErrorKind::KeyTooLong, self.token_start).into());
            }
            self.buffer.push_str(piece);
        }
        let raw = std::mem::take(&mut self.buffer);
        handler.key(Key::written(&raw)).map_err(Halt::Violation)?;
        self.state = State::AfterKey;
        self.reuse(raw);
        Ok(())
    }

    /// Takes the opening quote, and the whole string at once where the chunk has all of it and it has no escapes.
    #[inline]
    fn begin_string<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        input.advance(1);
        handler.begin_string().map_err(Halt::Violation)?;
        if let Some(text) = input.plain_string(usize::MAX) {
            self.end_value();
            return handler.rest_of_string(text).map_err(Halt::Violation);
        }
        self.state = State::InString;
        self.read_string(input, handler)
    }

    fn read_string<H: Handler>(&mut self, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        let listens = handler.listens();
        loop {
            if !listens && self.text.is_whole() {
                input.skip_text();
            }
            match self.text.next(input)? {
                Piece::Run(run) => handler.string_run(run),
                Piece::Escape { raw, decoded } => handler.string_escape(raw, decoded),
                Piece::LoneSurrogate { raw } => handler.lone_surrogate(raw),
                Piece::More => return Ok(()),
                Piece::End => break,
            }
            .map_err(Halt::Violation)?;
        }
        self.end_string(handler)
    }

    fn end_string<H: Handler>(&mut self, handler: &mut H) -> Step<H> {
        self.end_value();
        handler.end_string().map_err(Halt::Violation)
    }

    fn read_number<H: Handler>(&mut self, number: Number, input: &mut Input<'_>, handler: &mut H) -> Step<H> {
        let (number, length) = number.advance(input.rest());
        if self.buffer.len() + length > self.limits.number_length {
            return Err(SyntaxError::new(SyntaxErrorKind::NumberTooLong, self.token_start).into());
        }
        let part = input.take_text(length)?;
        if input.is_empty() {
            self.buffer.push_str(part);
            self.state = State::InNumber(number);
            return Ok(());
        }
        if !number.is_complete() {
            return Err(input.fail(SyntaxErrorKind::InvalidNumber).into());
        }
        self.end_number(part, handler)
    }

    fn end_number<H: Handler>(&mut self, last_part: &str, handler: &mut H) -> Step<H> {
        self.end_value();
        if self.buffer.is_empty() {
            return handler.number(last_part).map_err(Halt::Violation);
        }
        let mut text = std::mem::take(&mut self.buffer);
        text.push_str(last_part);
        handler.number(&text).map_err(Halt::Violation)?;
        self.reuse(text);
        Ok(())
    }

    fn read_literal<H: Handler>(
        &mut self,
        literal: Literal,
        seen: usize,
        input: &mut Input<'_>,
        handler: &mut H,
    ) -> Step<H> {
        let expected = literal.as_str().bytes().skip(seen);
        let missing = expected.len();
        let matching = expected.zip(input.rest()).take_while(|(want, got)| want == *got).count();
        input.advance(matching);
        if matching == missing {
            self.end_value();
            return handler.literal(literal).map_err(Halt::Violation);
        }
        if !input.is_empty() {
            return Err(input.fail(SyntaxErrorKind::InvalidLiteral).into());
        }
        self.state = State::InLiteral(literal, seen + matching);
        Ok(())
    }

    /// Keeps the allocation of a token that has been handed over.
    fn reuse(&mut self, mut token: String) {
        token.clear();
        self.buffer = token;
    }
}

impl State {
    /// The error for a byte that this state, between tokens, does not accept.
    fn expectation(self) -> SyntaxErrorKind {
        match self {
            Self::FirstKey | Self::NextKey => SyntaxErrorKind::ExpectedKey,
            Self::AfterKey => SyntaxErrorKind::ExpectedColon,
            Self::AfterElement | Self::AfterMember => SyntaxErrorKind::ExpectedCommaOrEnd,
            Self::Done => SyntaxErrorKind::TrailingBytes,
            _ => SyntaxErrorKind::ExpectedValue,
        }
    }
}
