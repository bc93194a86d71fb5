//! The canonical form of an address, version `e1`: which spellings name the same person.
//!
//! A person appears in Graph as `Alice@Contoso.com` in a message, `SMTP:alice@contoso.com` among the proxy
//! addresses, `"Alice (HR)" <alice@contoso.com>` where a client put it into an address, and as
//! `/o=ExchangeLabs/…/cn=…-alice` where Exchange did not resolve it. The first three must give the same token, or
//! joins break. The last one names Alice too, and must not leave in clear text because it lacks an `@`.
//!
//! Addresses that the proxy understands have a canonical form. Everything else is `opaque`: the proxy pseudonymises its
//! exact octets. Nothing is an error. An error would either lose a recipient, or let the sender of a strange address
//! decide what happens to the message. Kinds cannot be confused, because the MAC covers the kind (see `token.rs`).
//!
//! The order matters:
//!
//! 1. Remove the wrappers. An X.500 address may be wrapped like any other.
//! 2. Look for X.500 before the `@`, since a distinguished name may contain an `@`.
//! 3. Unquote a quoted local part only if this cannot change its meaning.
//! 4. Put the domain through UTS 46. If it fails, the whole address is opaque. So a readable domain never contains
//!    unchecked text.
//!
//! Two addresses of one person keep two tokens: joining them would need the directory. Changing any rule here changes
//! tokens, like a new key does. It needs a new version, `e2`.
//!
//! The name of a guest's account is no address, although it looks like one: it holds the guest's address. Reading it
//! ([`guest`]) comes before the canonical form, as unwrapping does.

mod guest;

use std::borrow::Cow;

use super::fold::{folded, trimmed};
use super::own::OwnDomains;
use super::policy::PlusTags;
use super::primitives::{MAC_LEN, sha256};
use crate::hex;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Longest canonical address of a mailbox in octets: 64 for the local part, `@` and 255 (RFC 5321, section
/// 4.5.3.1).
const MAILBOX_MAX: usize = 320;

/// Longest spelling of an address that the proxy parses, in octets. An X.500 address may have this length. Longer text
/// is not an address, and the cost of Punycode grows with the square of a label's length.
const WRITTEN_MAX: usize = 1024;

/// Schemes, which are not part of the address: `mailto:` (RFC 6068), and the proxy address types of mailboxes.
const SCHEMES: [&str; 4] = ["mailto:", "smtp:", "sip:", "x500:"];

/// How many rounds remove wrappers: `<mailto:<a@x>>` needs two. Without a bound, the cost of one address could grow
/// with the square of its length.
const MAX_WRAPPERS: usize = 4;

/// The prefix of an X.500 address that Exchange encoded as a local part.
const ENCAPSULATED_X500: &str = "imceaex-";

/// What an operator decides about which addresses are one.
#[derive(Clone, Copy)]
pub(super) struct Sameness<'o> {
    pub(super) plus_tags: PlusTags,
    pub(super) own: &'o OwnDomains,
}

/// An address in its canonical form.
#[cfg_attr(test, derive(Debug, Eq, PartialEq))]
pub(super) enum Address<'a> {
    /// `local@domain`, folded, the domain in A-labels.
    Mailbox {
        /// The part before the `@`.
        local: String,
        /// The part after the `@`.
        domain: String,
    },
    /// An X.500 distinguished name, folded.
    X500(String),
    /// Anything else, unchanged.
    Opaque(&'a str),
    /// SHA-256 of text that is too long to be an address.
    Digest([u8; MAC_LEN]),
}

impl<'a> Address<'a> {
    /// The canonical form of `raw`, or `None` if `raw` is blank.
    pub(super) fn parse(raw: &'a str, sameness: Sameness<'_>) -> Option<Self> {
        let text = unwrapped(raw);
        match text {
            "" => (!trimmed(raw).is_empty()).then_some(Self::Opaque(trimmed(raw))),
            _ if text.len() > WRITTEN_MAX => Some(Self::Digest(sha256(text.as_bytes()))),
            _ if is_x500(text) => Some(Self::X500(folded(text))),
            _ => Some(mailbox(text, sameness).unwrap_or(Self::Opaque(text))),
        }
    }

    /// The domain, if the proxy recognises one.
    pub(super) fn domain(&self) -> Option<&str> {
        match self {
            Self::Mailbox { domain, .. } => Some(domain),
            Self::X500(_) | Self::Opaque(_) | Self::Digest(_) => None,
        }
    }
}

/// `domain` in A-labels and lower case: UTS 46 non-transitional ToASCII with `UseSTD3ASCIIRules`, `CheckHyphens`
/// off, `VerifyDnsLength` on and one trailing dot removed. `None` if the text is not a domain.
///
/// The result contains only letters, digits, hyphens and dots.
pub fn canonical_domain(domain: &str) -> Option<String> {
    let domain = trimmed(domain);
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify)
        .ok()
        .map(|ascii| ascii.into_owned())
}

/// `raw` without display name, angle brackets, scheme and surrounding space.
fn unwrapped(raw: &str) -> &str {
    let mut text = trimmed(raw);
    for _ in 0..MAX_WRAPPERS {
        let inside = trimmed(without_scheme(within_brackets(text)));
        if inside.len() == text.len() {
            break;
        }
        text = inside;
    }
    text
}

fn within_brackets(text: &str) -> &str {
    text.strip_suffix('>').and_then(after_last_bracket).unwrap_or(text)
}

/// The text after the last `<` outside a quoted string.
fn after_last_bracket(text: &str) -> Option<&str> {
    text.get(last_unquoted(text, '<')? + 1..)
}

fn without_scheme(text: &str) -> &str {
    SCHEMES.iter().find_map(|scheme| strip_prefix_ignore_case(text, scheme)).unwrap_or(text)
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The last position of `wanted`, an ASCII character, outside quoted strings.
fn last_unquoted(text: &str, wanted: char) -> Option<usize> {
    if !text.contains('"') {
        return text.rfind(wanted);
    }
    unquoted(text).filter(|(_, c)| *c == wanted).last().map(|(at, _)| at)
}

/// The characters of `text` outside quoted strings (RFC 5322, section 3.2.4), with their positions.
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, c)| {
        let was_quoted = quoted;
        let was_escaped = escaped;
        escaped = quoted && !was_escaped && *c == '\\';
        if *c == '"' && !was_escaped {
            quoted = !quoted;
        }
        !was_quoted && !quoted
    })
}

fn is_x500(text: &str) -> bool {
    strip_prefix_ignore_case(text, "/o=").is_some()
}

/// `None` for text that is neither an address with a domain nor an X.500 address encoded as one.
fn mailbox<'a>(text: &'a str, sameness: Sameness<'_>) -> Option<Address<'a>> {
    let (local, domain) = text.split_at_checked(last_unquoted(text, '@')?)?;
    let domain = canonical_domain(domain.strip_prefix('@')?)?;
    let local = folded(&atoms(local)?);
    let (local, domain) = guest::invited(&local, &domain, sameness.own).unwrap_or((local, domain));
    if let Some(name) = encapsulated_x500(&local) {
        return Some(Address::X500(name));
    }
    let local = if sameness.strips_at(&local, &domain) { without_tag(local) } else { local };
    if local.len() + 1 + domain.len() > MAILBOX_MAX {
        return Some(Address::Digest(sha256(text.as_bytes())));
    }
    (!is_x500(&local)).then_some(Address::Mailbox { local, domain })
}

/// The local part without quotes, if none of its characters need quotes.
fn atoms(local: &str) -> Option<Cow<'_, str>> {
    let plain = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => Cow::Owned(without_escapes(quoted)),
        None => Cow::Borrowed(local),
    };
    let reads_the_same = !plain.is_empty() && trimmed(&plain) == plain && plain.chars().all(needs_no_quotes);
    reads_the_same.then_some(plain)
}

/// A quoted string's content with each quoted pair `\x` read as `x`.
fn without_escapes(quoted: &str) -> String {
    let mut escaped = false;
    let keep = |c: &char| {
        escaped = !escaped && *c == '\\';
        !escaped
    };
    quoted.chars().filter(keep).collect()
}

/// `atext` of RFC 5322 with RFC 6532's extension, and the dot in any position: real local parts end with a dot or
/// have two in a row.
fn needs_no_quotes(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~.".contains(c)
        || !(c.is_ascii() || c.is_control() || c.is_whitespace())
}

impl Sameness<'_> {
    /// Whether what follows a `+` names no other mailbox. A guest's name that holds no address is not that of the member
    /// before its `+`.
    fn strips_at(self, local: &str, domain: &str) -> bool {
        match self.plus_tags {
            PlusTags::Keep => false,
            PlusTags::Strip => true,
            PlusTags::StripOwn => self.own.contains(domain) && !guest::is_name(local),
        }
    }
}

fn without_tag(mut local: String) -> String {
    if let Some(plus @ 1..) = local.find('+') {
        local.truncate(plus);
    }
    local
}

/// The X.500 address in `IMCEAEX-_o=ExchangeLabs_ou=…+20…`. `_` encodes `/`. `+` with two hexadecimal digits encodes
/// the character with that code. `local` is already folded.
fn encapsulated_x500(local: &str) -> Option<String> {
    let mut rest = local.strip_prefix(ENCAPSULATED_X500)?;
    let mut name = String::with_capacity(rest.len());
    while let Some((literal, code)) = rest.split_once('+') {
        let (digits, after) = code.split_at_checked(2)?;
        name.push_str(&literal.replace('_', "/"));
        name.push(char::from(hex::octet(digits.as_bytes().try_into().ok()?)?));
        rest = after;
    }
    name.push_str(&rest.replace('_', "/"));
    (is_x500(&name) && unwrapped(&name) == name).then(|| folded(&name))
}

#[cfg(test)]
mod tests;
