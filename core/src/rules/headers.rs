//! `headers`: what leaves of a list of names and values, as the headers of a message. The values of a few headers leave as
//! tokens. Of others it leaves only that one of them sets a flag: `automatic`, `list`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::check::is_label;
use super::check::shapes::{Checker, Selected};
use super::codes;
use super::plan::Treatment;
use super::raw::{self, PseudonymKind};
use super::transform::Transform;
use crate::yaml::Spanned;

/// The members of each element of the list (Microsoft Graph, `internetMessageHeader`).
pub const HEADER_NAME: &str = "name";
/// See [`HEADER_NAME`].
pub const HEADER_VALUE: &str = "value";

/// The value of a flag: a text, because that is what clients of Graph expect of a header.
pub const FLAG: &str = "true";

/// The most flags: each is a bit of a `u32`.
const MAX_FLAGS: usize = 32;

/// The most headers. A look-up compares them one by one.
const MAX_HEADERS: usize = 64;

/// The longest name of a header. The rules' lines are no longer.
const MAX_NAME: usize = 128;

/// What leaves of a list of headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// In the order of their names without letter case. No two names differ in letter case only.
    headers: Vec<Header>,
    /// In the order of their names.
    flags: Vec<Box<str>>,
}

/// A header that the rules name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name, in the rules' spelling.
    pub name: Box<str>,
    /// How the value is read, if a token of it leaves.
    pub token: Option<PseudonymKind>,
    /// The flags that it sets, as bits in the order of [`Headers::flags`].
    flags: u32,
}

impl Headers {
    /// The number of the header of this name. Names of headers have no letter case (RFC 5322 1.2.2).
    pub fn find(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header.name.eq_ignore_ascii_case(name))
    }

    /// The header of this number.
    pub fn get(&self, at: usize) -> Option<&Header> {
        self.headers.get(at)
    }

    /// The headers that the rules name.
    pub fn all(&self) -> &[Header] {
        &self.headers
    }

    /// The flags of a header, each with its bit.
    pub fn flags(&self, header: &Header) -> impl Iterator<Item = (u32, &str)> {
        let bits = std::iter::successors(Some(1_u32), |bit| bit.checked_mul(2));
        bits.zip(&self.flags).filter(|(bit, _)| header.flags & bit != 0).map(|(bit, name)| (bit, &**name))
    }

    /// The names that leave: of headers with a token, and of flags.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tokens().map(|(name, _)| name).chain(self.flags.iter().map(|flag| &**flag))
    }

    /// Whether a token of a value leaves.
    pub fn has_tokens(&self) -> bool {
        self.tokens().next().is_some()
    }

    /// What leaves, in plain words.
    pub fn in_words(&self) -> Cow<'static, str> {
        let tokens: Vec<_> = self.tokens().map(|(name, _)| name).collect();
        let flags: Vec<_> = self.flags.iter().map(|flag| &**flag).collect();
        match (tokens.as_slice(), flags.as_slice()) {
            (tokens, []) => format!("{} as pseudonyms, no other header", tokens.join(", ")),
            ([], flags) => format!("whether {}, no header", flags.join(", ")),
            (tokens, flags) => {
                format!("{} as pseudonyms; whether {}; no other header", tokens.join(", "), flags.join(", "))
            }
        }
        .into()
    }

    /// Whether all that leaves by this leaves by the other, too.
    pub fn is_within(&self, other: &Self) -> bool {
        self.tokens().all(|token| other.tokens().any(|own| own == token))
            && self.flags.iter().all(|flag| self.setting(flag).eq(other.setting(flag)))
    }

    /// The headers of which a token leaves, and how each is read.
    pub fn tokens(&self) -> impl Iterator<Item = (&str, PseudonymKind)> {
        self.headers.iter().filter_map(|header| Some((&*header.name, header.token?)))
    }

    /// The headers that set a flag.
    fn setting(&self, flag: &str) -> impl Iterator<Item = &str> {
        let sets = move |header: &&Header| self.flags(header).any(|(_, own)| own == flag);
        self.headers.iter().filter(sets).map(|header| &*header.name)
    }
}

impl fmt::Display for Headers {
    /// As the rules call it. Names are of letters, digits and few signs, so none looks like two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens: Vec<_> = self.tokens().map(|(name, kind)| format!("{name}: {kind}")).collect();
        write!(f, "headers {{{}}}", tokens.join(", "))?;
        for flag in &self.flags {
            write!(f, ", {flag} by {}", self.setting(flag).collect::<Vec<_>>().join(" or "))?;
        }
        Ok(())
    }
}

impl Checker<'_> {
    /// Each `headers` of a shape as written.
    pub(super) fn headers(&mut self, entry: &Spanned<raw::Headers>) {
        let written = &entry.value;
        self.need_path(written.path.as_ref(), &written.paths, &entry.span);
        let Some(headers) = self.named(written, &entry.span) else { return };
        let selected = Selected { one: written.path.as_ref(), many: &written.paths, reviewed: false };
        self.paths(&selected, &Treatment::Transform(Transform::Headers(Arc::new(headers))));
    }

    fn named(&mut self, written: &raw::Headers, span: &Range<usize>) -> Option<Headers> {
        let mut headers: BTreeMap<String, Header> = BTreeMap::new();
        for (name, kind) in &written.tokens.0 {
            let header = self.header(name, &mut headers)?;
            header.token = Some(*kind.0.as_ref()?);
        }
        let mut flags: Vec<_> = written.flags.0.iter().collect();
        flags.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value));
        for (bit, (flag, by)) in std::iter::successors(Some(1_u32), |bit| bit.checked_mul(2)).zip(&flags) {
            let by = by.0.as_ref()?;
            self.flag(flag, by, written)?;
            for name in by {
                self.header(name, &mut headers)?.flags |= bit;
            }
        }
        if headers.is_empty() || headers.len() > MAX_HEADERS || flags.len() > MAX_FLAGS {
            let message = "this names no header, or more than 64 headers or 32 flags";
            self.error(
                codes::HEADERS,
                span,
                message,
                "name headers, as in `tokens: { In-Reply-To: message_id }`",
            );
            return None;
        }
        let flags = flags.into_iter().map(|(flag, _)| flag.value.as_str().into()).collect();
        Some(Headers { headers: headers.into_values().collect(), flags })
    }

    /// The header of this name, which may have been named before, in the same spelling.
    fn header<'h>(
        &mut self,
        name: &Spanned<String>,
        headers: &'h mut BTreeMap<String, Header>,
    ) -> Option<&'h mut Header> {
        let text = name.value.as_str();
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(is_plain) {
            let hint = "names of headers have letters, digits, hyphens, underscores and dots";
            self.error(codes::HEADERS, &name.span, "this is not the name of a header", hint);
            return None;
        }
        let unnamed = || Header { name: text.into(), token: None, flags: 0 };
        let header = headers.entry(text.to_ascii_lowercase()).or_insert_with(unnamed);
        if *header.name == *text {
            return Some(header);
        }
        let hint = "letter case makes no difference in names of headers: write each in one way";
        self.error(codes::HEADERS, &name.span, "this header is named twice", hint);
        None
    }

    /// A flag leaves in the place of a header's name, so it must not be taken for one.
    fn flag(&mut self, flag: &Spanned<String>, by: &[Spanned<String>], written: &raw::Headers) -> Option<()> {
        let mut tokens = written.tokens.0.iter().map(|(name, _)| name);
        let message = if by.is_empty() {
            "no header could set this flag"
        } else if !is_label(&flag.value) {
            "a flag's name has lower-case letters, digits and hyphens only"
        } else if tokens.any(|name| name.value.eq_ignore_ascii_case(&flag.value)) {
            "this flag has the name of a header, of which a token leaves"
        } else {
            return Some(());
        };
        self.error(codes::HEADERS, &flag.span, message, "write it as in `list: [List-Id]`");
        None
    }
}
