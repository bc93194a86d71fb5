//! Reads `$filter`. Not the proxy's parser: a mistake that both share would stay hidden.
//!
//! ```text
//! or      = and *( "or" and )
//! and     = unary *( "and" unary )
//! unary   = "not" unary / "(" or ")" / function "(" path "," string ")" / path rest
//! rest    = operator literal / "in" "(" literal *( "," literal ) ")" / "/any(" [ variable ":" or ] ")"
//! ```

use super::{Filter, Function, Literal, Operator};

/// More levels of parentheses are refused.
const MAX_DEPTH: usize = 60;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Close,
    Colon,
    Comma,
    Open,
    Text(String),
    Word(String),
}

/// The filter. `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Filter> {
    let tokens = tokens(text)?;
    let mut parser = Parser { rest: &tokens, depth: 0 };
    let filter = parser.or()?;
    parser.rest.is_empty().then_some(filter)
}

struct Parser<'t> {
    rest: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Option<Filter> {
        let mut parts = vec![self.and()?];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        Some(if parts.len() == 1 { parts.pop()? } else { Filter::Or(parts) })
    }

    fn and(&mut self) -> Option<Filter> {
        let mut parts = vec![self.unary()?];
        while self.take_word("and") {
            parts.push(self.unary()?);
        }
        Some(if parts.len() == 1 { parts.pop()? } else { Filter::And(parts) })
    }

    fn unary(&mut self) -> Option<Filter> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth <= MAX_DEPTH)?;
        let filter = if self.take_word("not") {
            Filter::Not(Box::new(self.unary()?))
        } else if self.take(&Token::Open) {
            let inner = self.or()?;
            self.expect(&Token::Close)?;
            inner
        } else {
            self.condition()?
        };
        self.depth = self.depth.saturating_sub(1);
        Some(filter)
    }

    fn condition(&mut self) -> Option<Filter> {
        let word = self.word()?;
        if let Some(path) = word.strip_suffix("/any") {
            return self.any(path);
        }
        if self.take(&Token::Open) {
            return self.call(Function::parse(&word)?);
        }
        if self.take_word("in") {
            return Some(Filter::In { path: word, literals: self.list()? });
        }
        let operator = Operator::parse(&self.word()?)?;
        Some(Filter::Compare { path: word, operator, literal: self.literal()? })
    }

    fn any(&mut self, path: &str) -> Option<Filter> {
        self.expect(&Token::Open)?;
        let path = path.to_owned();
        if self.take(&Token::Close) {
            return Some(Filter::Any { path, condition: None });
        }
        let variable = self.word()?;
        self.expect(&Token::Colon)?;
        let condition = self.or()?;
        self.expect(&Token::Close)?;
        Some(Filter::Any { path, condition: Some((variable, Box::new(condition))) })
    }

    fn call(&mut self, function: Function) -> Option<Filter> {
        let path = self.word()?;
        self.expect(&Token::Comma)?;
        let text = self.text()?;
        self.expect(&Token::Close)?;
        Some(Filter::Call { function, path, text })
    }

    fn list(&mut self) -> Option<Vec<Literal>> {
        self.expect(&Token::Open)?;
        let mut literals = vec![self.literal()?];
        while self.take(&Token::Comma) {
            literals.push(self.literal()?);
        }
        self.expect(&Token::Close)?;
        Some(literals)
    }

    /// A text, an enumeration's member (`microsoft.graph.importance'high'`), or a word.
    fn literal(&mut self) -> Option<Literal> {
        if let Some(text) = self.text() {
            return Some(Literal::text(text));
        }
        let word = self.word()?;
        match self.text().filter(|_| word.contains('.')) {
            Some(member) => Some(Literal::text(member)),
            None => Literal::word(&word),
        }
    }

    fn text(&mut self) -> Option<String> {
        let (Token::Text(text), rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        Some(text.clone())
    }

    fn word(&mut self) -> Option<String> {
        let (Token::Word(word), rest) = self.rest.split_first()? else { return None };
        self.rest = rest;
        Some(word.clone())
    }

    fn take_word(&mut self, keyword: &str) -> bool {
        let is_next =
            matches!(self.rest.first(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        if is_next {
            self.rest = self.rest.split_first().map(|(_, rest)| rest).unwrap_or_default();
        }
        is_next
    }

    fn take(&mut self, token: &Token) -> bool {
        self.expect(token).is_some()
    }

    fn expect(&mut self, token: &Token) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (first == token).then(|| self.rest = rest)
    }
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let sign = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            ':' => Some(Token::Colon),
            _ => None,
        };
        let (token, after) = match sign {
            Some(sign) => (sign, rest.split_at_checked(1)?.1),
            None if first == '\'' => quoted(rest)?,
            None => word(first, rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Some(tokens)
}

/// `'text'`, in which `''` stands for `'`.
fn quoted(text: &str) -> Option<(Token, &str)> {
    let mut unescaped = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (part, after) = rest.split_once('\'')?;
        unescaped.push_str(part);
        match after.strip_prefix('\'') {
            Some(continued) => {
                unescaped.push('\'');
                rest = continued;
            }
            None => return Some((Token::Text(unescaped), after)),
        }
    }
}

/// A colon ends a name (`c:c eq 'x'`), but is part of a time.
fn word(first: char, text: &str) -> Option<(Token, &str)> {
    let is_number = first.is_ascii_digit() || first == '-';
    let ends = |c: char| c.is_whitespace() || "(),'".contains(c) || (c == ':' && !is_number);
    let (word, after) = text.split_at_checked(text.find(ends).unwrap_or(text.len()))?;
    Some((Token::Word(word.to_owned()), after))
}
