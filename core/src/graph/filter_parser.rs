//! The parser of `$filter`: recursive descent over the tokens, one method per rule of the grammar.
//!
//! ```text
//! or      = and *( "or" and )
//! and     = unary *( "and" unary )
//! unary   = "not" unary / "(" or ")" / call / path rest
//! call    = function "(" path "," string ")"
//! rest    = op literal / "in" "(" literal *( "," literal ) ")" / "/any(" [ variable ":" or ] ")"
//! path    = name *( "/" name )
//! ```
//!
//! The grammar is the part of OData 4.01 (ABNF section 4) that a rule can allow. Operators and functions are read in
//! any letter case, as the ABNF has them. Arithmetic, functions of one argument, `all`, `$count`, aliases, casts and
//! comparisons of two properties are not in this grammar, so they cannot get through.

use super::filter::{Filter, Function, Operator};
use super::lexer::{Token, TokenKind, tokens};
use super::literal::Literal;
use super::option::{MAX_FILTER_DEPTH, MAX_FILTER_TERMS};
use super::option_error::{OptionError, OptionErrorKind as Kind};
use super::property_path::PropertyPath;
use super::segment::is_identifier;

/// Parses a decoded `$filter` value of bounded length.
pub(super) fn parse(value: &str) -> Result<Filter, OptionError> {
    let tokens = tokens(value)?;
    let mut parser = Parser { rest: &tokens, end: value.len(), depth: 0, terms: 0, lambda: None };
    let filter = parser.or()?;
    match parser.rest {
        [] => Ok(filter),
        _ => Err(parser.expected("'and', 'or' or the end")),
    }
}

struct Parser<'t, 'a> {
    rest: &'t [Token<'a>],
    /// Where the value ends, for errors there.
    end: usize,
    depth: usize,
    terms: usize,
    lambda: Option<Lambda<'a>>,
}

/// What the variable of the enclosing `any` stands for.
#[derive(Clone)]
struct Lambda<'a> {
    variable: &'a str,
    collection: Vec<String>,
}

impl<'a> Parser<'_, 'a> {
    fn or(&mut self) -> Result<Filter, OptionError> {
        let mut parts = vec![self.and()?];
        while self.take_keyword("or") {
            parts.push(self.and()?);
        }
        Ok(single_or(parts, Filter::Or))
    }

    fn and(&mut self) -> Result<Filter, OptionError> {
        let mut parts = vec![self.unary()?];
        while self.take_keyword("and") {
            parts.push(self.unary()?);
        }
        Ok(single_or(parts, Filter::And))
    }

    fn unary(&mut self) -> Result<Filter, OptionError> {
        if self.take_keyword("not") {
            return Ok(Filter::Not(Box::new(self.negated()?)));
        }
        if self.take(&TokenKind::Open) {
            let inner = self.nested(Self::or)?;
            self.expect(&TokenKind::Close, "')'")?;
            return Ok(inner);
        }
        match self.rest {
            [Token { kind: TokenKind::Word(_), .. }, Token { kind: TokenKind::Open, .. }, ..] => self.call(),
            _ => self.path_and_rest(),
        }
    }

    /// What a `not` applies to. `not (...)` counts as one level, like `not` without parentheses: filters are written
    /// with them and must read back.
    fn negated(&mut self) -> Result<Filter, OptionError> {
        match self.rest {
            [Token { kind: TokenKind::Open, .. }, ..] => self.unary(),
            _ => self.nested(Self::unary),
        }
    }

    fn call(&mut self) -> Result<Filter, OptionError> {
        let unknown = self.expected("a property, 'contains', 'endswith' or 'startswith'");
        let function = self.word().and_then(Function::parse).ok_or(unknown)?;
        self.expect(&TokenKind::Open, "'('")?;
        let path = self.path()?;
        self.expect(&TokenKind::Comma, "','")?;
        let not_text = self.expected("a quoted string");
        let literal = self.literal()?;
        if !matches!(literal, Literal::String(_)) {
            return Err(not_text);
        }
        self.expect(&TokenKind::Close, "')'")?;
        Ok(Filter::Call { function, path, literal })
    }

    fn path_and_rest(&mut self) -> Result<Filter, OptionError> {
        let start = self.position();
        let names = self.names()?;
        if self.take(&TokenKind::Slash) {
            return self.any(names);
        }
        let path = self.resolve(names, start)?;
        if self.take_keyword("in") {
            return Ok(Filter::In { path, literals: self.list()? });
        }
        let no_operator = self.expected("a comparison operator or 'in'");
        let op = self.word().and_then(Operator::parse).ok_or(no_operator)?;
        Ok(Filter::Compare { path, op, literal: self.literal()? })
    }

    /// `any(variable:condition)` after the collection's path and its slash.
    fn any(&mut self, collection: Vec<String>) -> Result<Filter, OptionError> {
        if self.lambda.is_some() {
            return Err(self.fail(Kind::NestedLambda));
        }
        if !self.take_keyword("any") {
            return Err(self.expected("a property name or 'any'"));
        }
        self.expect(&TokenKind::Open, "'('")?;
        let path = PropertyPath::from_names(collection.clone());
        if self.take(&TokenKind::Close) {
            self.count_term()?;
            return Ok(Filter::Any { path, condition: None });
        }
        let variable = self.name("a lambda variable")?;
        self.expect(&TokenKind::Colon, "':'")?;
        self.lambda = Some(Lambda { variable, collection });
        let condition = self.nested(Self::or)?;
        self.lambda = None;
        self.expect(&TokenKind::Close, "')'")?;
        Ok(Filter::Any { path, condition: Some(Box::new(condition)) })
    }

    fn list(&mut self) -> Result<Vec<Literal>, OptionError> {
        self.expect(&TokenKind::Open, "'('")?;
        let mut literals = vec![self.literal()?];
        while self.take(&TokenKind::Comma) {
            literals.push(self.literal()?);
        }
        self.expect(&TokenKind::Close, "')' or ','")?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, OptionError> {
        self.count_term()?;
        let invalid = self.fail(Kind::InvalidLiteral);
        let (literal, rest) = match self.rest {
            [
                Token { kind: TokenKind::Word(type_name), .. },
                Token { kind: TokenKind::Text(value), is_glued: true, .. },
                rest @ ..,
            ] => (Literal::from_enum(type_name, value), rest),
            [Token { kind: TokenKind::Word(word), .. }, rest @ ..] => (Literal::from_word(word), rest),
            [Token { kind: TokenKind::Text(text), .. }, rest @ ..] => {
                (Some(Literal::String(text.clone())), rest)
            }
            _ => return Err(self.expected("a literal")),
        };
        self.rest = rest;
        literal.ok_or(invalid)
    }

    /// Names joined by slashes, up to a slash before `any(` or before something that is not a name.
    fn names(&mut self) -> Result<Vec<String>, OptionError> {
        let mut names = vec![self.name("a property name")?.to_owned()];
        while let [Token { kind: TokenKind::Slash, .. }, Token { kind: TokenKind::Word(_), .. }, after @ ..] =
            self.rest
        {
            if matches!(after, [Token { kind: TokenKind::Open, .. }, ..]) {
                break;
            }
            self.take(&TokenKind::Slash);
            names.push(self.name("a property name")?.to_owned());
        }
        Ok(names)
    }

    fn name(&mut self, what: &'static str) -> Result<&'a str, OptionError> {
        let no_name = self.expected(what);
        self.word().filter(|word| is_identifier(word)).ok_or(no_name)
    }

    fn path(&mut self) -> Result<PropertyPath, OptionError> {
        let start = self.position();
        let names = self.names()?;
        self.resolve(names, start)
    }

    /// The path from the entity, for names that begin at `start`.
    fn resolve(&self, names: Vec<String>, start: usize) -> Result<PropertyPath, OptionError> {
        let Some(lambda) = &self.lambda else {
            return Ok(PropertyPath::from_names(names));
        };
        match names.split_first() {
            Some((first, inner)) if first == lambda.variable => {
                Ok(PropertyPath::from_names([lambda.collection.as_slice(), inner].concat()))
            }
            _ => Err(OptionError::new(Kind::Expected("a path that begins with the lambda variable"), start)),
        }
    }

    fn nested(&mut self, rule: fn(&mut Self) -> Result<Filter, OptionError>) -> Result<Filter, OptionError> {
        if self.depth >= MAX_FILTER_DEPTH {
            return Err(self.fail(Kind::TooDeep));
        }
        self.depth = self.depth.saturating_add(1);
        let filter = rule(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(filter)
    }

    fn count_term(&mut self) -> Result<(), OptionError> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > MAX_FILTER_TERMS { Err(self.fail(Kind::TooManyTerms)) } else { Ok(()) }
    }

    fn word(&mut self) -> Option<&'a str> {
        match self.rest {
            [Token { kind: TokenKind::Word(word), .. }, rest @ ..] => {
                self.rest = rest;
                Some(word)
            }
            _ => None,
        }
    }

    fn take(&mut self, kind: &TokenKind<'_>) -> bool {
        match self.rest {
            [first, rest @ ..] if first.kind == *kind => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        match self.rest {
            [Token { kind: TokenKind::Word(word), .. }, rest @ ..] if word.eq_ignore_ascii_case(keyword) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, kind: &TokenKind<'_>, what: &'static str) -> Result<(), OptionError> {
        if self.take(kind) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn expected(&self, what: &'static str) -> OptionError {
        self.fail(Kind::Expected(what))
    }

    fn fail(&self, kind: Kind) -> OptionError {
        OptionError::new(kind, self.position())
    }

    fn position(&self) -> usize {
        self.rest.first().map_or(self.end, |token| token.start)
    }
}

fn single_or(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            join(parts)
        }
    }
}
