//! The grammar of numbers (RFC 8259 section 6) as an automaton, so that a number may be cut anywhere.
//!
//! ```text
//! Start ─'-'─▶ Minus ─'0'─▶ Zero ───┬─'.'─▶ Point ─digit─▶ Fraction ⟲ ─┬─'e'─▶ Exponent ─sign─▶ Sign
//!   └─────────────┴─'1'..'9'─▶ Integer ⟲ ──────────────────────────────┘          └──digit──▶ Power ⟲ ◀──┘
//! ```

/// How far a number has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Start,
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

impl Number {
    /// Reads as many bytes as can belong to the number, and returns how many those are.
    pub(super) fn advance(self, bytes: &[u8]) -> (Self, usize) {
        let mut number = self;
        let length = bytes.iter().take_while(|byte| number.take(**byte)).count();
        (number, length)
    }

    /// Whether the number may end here.
    pub(super) fn is_complete(self) -> bool {
        matches!(self, Self::Zero | Self::Integer | Self::Fraction | Self::Power)
    }

    fn take(&mut self, byte: u8) -> bool {
        let next = self.after(byte);
        *self = next.unwrap_or(*self);
        next.is_some()
    }

    fn after(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'-') => Some(Self::Minus),
            (Self::Start | Self::Minus, b'0') => Some(Self::Zero),
            (Self::Start | Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::Sign),
            (Self::Exponent | Self::Sign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_number(text: &str) -> bool {
        let (number, length) = Number::Start.advance(text.as_bytes());
        length == text.len() && number.is_complete()
    }

    #[test]
    fn follows_the_grammar() {
        for text in
            ["0", "-0", "7", "-10", "0.0", "1.50", "1e5", "1E+05", "-0.1e-0", "9007199254740993", "1e400"]
        {
            assert!(is_number(text), "{text}");
        }
        for text in
            ["", "-", "+1", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "1e5.5", "0x1", "--1", "1-", "NaN"]
        {
            assert!(!is_number(text), "{text}");
        }
    }
}
