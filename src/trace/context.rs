//! `traceparent` of W3C Trace Context (Level 1, section 3.2), strictly: what is not well-formed is ignored, as the
//! specification demands.

use std::fmt;

use glassine_core::hex;

/// Digits of a `traceparent` of version 00.
const LENGTH: usize = 55;

/// The one flag that is specified.
const SAMPLED: u8 = 1;

/// The trace that a request is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace: TraceId,
    /// The span that this request is a part of; `None` if the request is the first one of its trace.
    pub(crate) parent: Option<SpanId>,
    /// Whether whoever began the trace records it.
    pub(crate) is_sampled: bool,
}

/// The id of a trace, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

/// The id of a span, written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanId([u8; 8]);

impl TraceContext {
    /// A trace that begins with the request of this id. So the id of such a trace is that of its first request, without the
    /// hyphens.
    pub(crate) fn begun_by(request_id: [u8; 16]) -> Self {
        Self { trace: TraceId(request_id), parent: None, is_sampled: true }
    }

    /// The trace in a `traceparent`: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. A later version may have more
    /// behind a hyphen.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let version = digits::<1>(parts.next()?)?;
        let trace = digits(parts.next()?).filter(|id| *id != [0; 16])?;
        let parent = digits(parts.next()?).filter(|id| *id != [0; 8])?;
        let [flags] = digits(parts.next()?)?;
        let is_whole = parts.next().is_none();
        let fits = match version {
            [0] => more.is_empty(),
            [0xff] => false,
            _ => more.is_empty() || more.starts_with('-'),
        };
        (is_whole && fits).then_some(Self {
            trace: TraceId(trace),
            parent: Some(SpanId(parent)),
            is_sampled: flags & SAMPLED != 0,
        })
    }

    /// The same trace, for what is a part of this span.
    pub(crate) fn within(self, span: SpanId) -> Self {
        Self { parent: Some(span), ..self }
    }
}

impl SpanId {
    /// The id of the span of this request: the random part of the request's id, so that each can be found by the other.
    pub(crate) fn of(request_id: [u8; 16]) -> Self {
        let [.., a, b, c, d, e, f, g, h] = request_id;
        let id = [a, b, c, d, e, f, g, h];
        if id == [0; 8] { Self([1; 8]) } else { Self(id) }
    }

    /// A random id. Without randomness it is not unique, and the span is still sent.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 8];
        // All-zero ids are invalid.
        if getrandom::fill(&mut bytes).is_err() || bytes == [0; 8] {
            bytes = [1; 8];
        }
        Self(bytes)
    }
}

/// So many octets, each as two lower-case digits.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut octets = text.as_bytes().chunks(2);
    let mut all = [0; N];
    for octet in &mut all {
        let [high, low] = octets.next()? else { return None };
        *octet = digit(*high)? << 4 | digit(*low)?;
    }
    octets.next().is_none().then_some(all)
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::lower(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::lower(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read() {
        let context = TraceContext::parse(GOOD).unwrap();
        assert_eq!(context.trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.parent.unwrap().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled);
        for (flags, is_sampled) in [("00", false), ("02", false), ("03", true), ("ff", true)] {
            let text = GOOD.replace("-01", &format!("-{flags}"));
            assert_eq!(TraceContext::parse(&text).unwrap().is_sampled, is_sampled, "{flags}");
        }
        assert_eq!(TraceContext::parse(&GOOD.replacen("00", "cc", 1)), Some(context));
        assert_eq!(
            TraceContext::parse(&format!("{}-what-comes", GOOD.replacen("00", "cc", 1))),
            Some(context)
        );
    }

    #[test]
    fn what_is_not_well_formed_is_ignored() {
        let zeros = |length| "0".repeat(length);
        for bad in [
            String::new(),
            GOOD.replace("-01", "-0"),
            format!("{GOOD}-"),
            format!("{GOOD}0"),
            format!(" {GOOD}"),
            format!("{GOOD} "),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            format!("{}.what-comes", GOOD.replacen("00", "cc", 1)),
            GOOD.replace('-', "_"),
            GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros(32)),
            GOOD.replace("00f067aa0ba902b7", &zeros(16)),
            GOOD.replace("4bf9", "4bg9"),
            GOOD.replace(
                "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
                "4bf92f3577b34da6a3ce929d0e0e473600-f067aa0ba902b7",
            ),
            GOOD.replace("4bf9", "ä0"),
        ] {
            assert_eq!(TraceContext::parse(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_own_trace_has_the_digits_of_its_first_request() {
        let context = TraceContext::begun_by([0x1f; 16]);
        assert_eq!(context.trace.to_string(), "1f".repeat(16));
        assert_ne!(SpanId::random(), SpanId::random());
    }
}
