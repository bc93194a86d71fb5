//! Pseudonyms: canonical forms, one-way tokens, reversible tokens, and their keys.
//!
//! # What is joined, and what is not
//!
//! A consumer counts and correlates: who writes to whom, how often, in which thread. For that, one person must have one
//! token everywhere. The consumer needs no other knowledge of the person. So each class of value has a *canonical
//! form*, which decides which spellings are the same. A token is a MAC over the canonical form.
//!
//! | class | same token | different tokens |
//! |---|---|---|
//! | `email` | case, display names, `SMTP:`, U-labels and A-labels of one address; a guest's name and address | two addresses of one person |
//! | `thread` | one thread read from two mailboxes | two threads |
//! | `message_id`, `id`, `text` | the same characters | anything else, case included |
//! | `domain` | case, U-label and A-label | a domain and its subdomain |
//! | `ip` | all spellings of one address, IPv4-mapped ones too | neighbouring addresses |
//!
//! Nothing is joined across classes, pseudonym domains or keys. An address has one token as an `email` and another as a
//! `text`. One consumer's tokens mean nothing to another. After a rotation, a person has a new token. HMAC is one-way,
//! so old one-way tokens cannot be converted. Old `p~` ids still open after a rotation, so they link old and new data.
//! Only a key file without the old keys cuts this link (SECURITY.md).
//!
//! # What a token does not hide
//!
//! Tokens exist to show equality, so frequency, timing and the shape of the graph remain visible. Anyone who sends a
//! mail to the tenant may recognise their own token by its time. Tokens are pseudonyms in the sense of GDPR article
//! 4(5): they are personal data for the holder of the key.
//!
//! # One-way and reversible
//!
//! `t~` and `d~` tokens are one-way. `p~` tokens can be opened with the key ring. They are for ids that a consumer must
//! send back in a request, never for addresses of people. `docs/PSEUDONYMS.md` is the published contract, with test
//! vectors.
//!
//! The output contains only the characters `A-Z a-z 0-9 - _ ~ @ .`, and `, ` between the tokens of a list. So a JSON
//! string can hold it without escapes.

mod address;
mod address_list;
mod base64url;
mod class;
mod derive;
mod fold;
mod keys;
mod own;
mod padding;
mod policy;
pub mod primitives;
mod recent;
mod reserved;
mod reversible;
#[cfg(test)]
mod tests;
mod thread;
mod token;

pub use address::canonical_domain;
pub use class::Class;
pub use keys::{At, Fingerprint, KeyFileError, KeyRing, Retired, RingError, Standing};
pub use own::{NotADomain, OwnDomain};
pub use policy::{AddressPolicy, DomainMode, PlusTags};
pub use reserved::Reserved;
pub use reversible::{Sealer, has_form_of_link};

use address::{Address, Sameness};
use class::PerClass;
use core::net::IpAddr;
use own::OwnDomains;
use recent::{Made, Recent};
use reversible::ReversibleTokens;
use token::{Canonical, Prefix, Tokens};
use zeroize::Zeroizing;

/// What was written for a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Outcome {
    /// The token.
    Written,
    /// Nothing, because there was no value. The caller writes `null`.
    Empty,
    /// Nothing, because the value is not of the requested class, or the policy drops it.
    NotUnderstood,
}

/// Makes the tokens of one pseudonym domain. Derives the keys once, and wipes them on drop.
pub struct Pseudonyms {
    tokens: PerClass<Tokens>,
    reversible: PerClass<ReversibleTokens>,
    sealer: Sealer,
    domains: DomainMode,
    own: OwnDomains,
    plus_tags: PlusTags,
    /// Tokens of values that recur: addresses, and ids of threads and folders.
    recent: Recent,
    /// The id of the key that makes new tokens.
    key: char,
}

impl Pseudonyms {
    /// The id of the key that makes new tokens.
    pub fn key(&self) -> char {
        self.key
    }

    fn new(ring: &KeyRing, domain: &str, policy: &AddressPolicy) -> Self {
        let newest = ring.newest();
        let tokens = |class| Tokens::new(derive::token_key(&newest.master, domain, class), newest.id);
        Self {
            tokens: PerClass::new(tokens),
            reversible: PerClass::new(|class| ReversibleTokens::new(ring, domain, class)),
            sealer: Sealer::values(ring, domain),
            domains: policy.domains,
            own: OwnDomains::new(&policy.own),
            plus_tags: policy.plus_tags,
            recent: Recent::new(),
            key: newest.id,
        }
    }

    /// The token of an address, then `@` and the domain as the policy says. Never [`Outcome::NotUnderstood`]: the exact
    /// text of a value that is not an address is pseudonymised.
    pub fn email(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        self.recent.or_make(Made::Email, raw, out, |out, _| self.make_email(raw, out))
    }

    /// The tokens of a header-style list of addresses (RFC 5322, section 3.4), joined by `, `.
    pub fn email_list(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        let mut outcome = Outcome::Empty;
        for entry in address_list::entries(raw) {
            if outcome == Outcome::Written {
                out.extend_from_slice(b", ");
            }
            outcome = self.email(&entry, out);
        }
        outcome
    }

    /// The domain of an address, readable or as a `d~` token, as the policy says. `@contoso.com` is accepted too.
    /// [`Outcome::NotUnderstood`] if `raw` has no domain or the policy drops it.
    pub fn domain(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        let text = fold::trimmed(raw);
        if let Some(domain) = text.strip_prefix('@') {
            return canonical_domain(domain)
                .map_or(Outcome::NotUnderstood, |domain| self.put_domain(&domain, out));
        }
        self.address(raw).map_or(Outcome::Empty, |address| self.write_domain(&address, out))
    }

    /// The token of the exact text of an object id.
    pub fn id(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        self.exact(Class::Id, "i1", raw, out)
    }

    /// The token of the thread that a `conversationId` names, the same from every mailbox. If the layout of the id is
    /// unknown, the token of its exact text.
    pub fn thread(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        self.recent.or_make(Made::Thread, raw, out, |out, _| self.make_thread(raw, out))
    }

    /// The token of the exact text of an `internetMessageId`: ids are case-sensitive (RFC 5322, section 3.6.4).
    pub fn message_id(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        self.exact(Class::MessageId, "m1", raw, out)
    }

    /// The token of the exact text.
    pub fn text(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        self.exact(Class::Text, "x1", raw, out)
    }

    /// The token of an IP address, the same for all its spellings (RFC 5952 lists them).
    pub fn ip(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        let text = fold::trimmed(raw);
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        match bare.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(IpAddr::V4(ip)) => self.write_ip("v4", &ip.octets(), out),
            Ok(IpAddr::V6(ip)) => self.write_ip("v6", &ip.octets(), out),
            Err(_) if text.is_empty() => Outcome::Empty,
            Err(_) => Outcome::NotUnderstood,
        }
    }

    /// A token that [`Pseudonyms::open`] turns back into `raw`, for ids that a consumer must send back in a request.
    pub fn reversible(&self, class: Class, raw: &str, out: &mut Vec<u8>) -> Outcome {
        if raw.is_empty() {
            return Outcome::Empty;
        }
        self.recent.or_make(Made::Reversible(class), raw, out, |out, _| {
            self.reversible.get(class).write(raw.as_bytes(), out);
            Outcome::Written
        })
    }

    /// As [`Self::reversible`], but may leave the token's place in `out` empty until [`Self::fill`].
    pub fn reversible_later(
        &self,
        class: Class,
        raw: &str,
        out: &mut Vec<u8>,
        reserved: &mut Reserved,
    ) -> Outcome {
        if raw.is_empty() {
            return Outcome::Empty;
        }
        self.recent.or_make(Made::Reversible(class), raw, out, |out, is_stored| {
            let tokens = self.reversible.get(class);
            if is_stored || raw.len() > Reserved::MAX_ID {
                tokens.write(raw.as_bytes(), out);
            } else {
                if !reserved.has_room(class) {
                    self.fill(reserved, out);
                }
                tokens.reserve(raw.as_bytes(), out, reserved.of(class));
            }
            Outcome::Written
        })
    }

    /// Makes the tokens whose places in `out` are reserved. `out` must begin as when they were reserved.
    pub fn fill(&self, reserved: &mut Reserved, out: &mut [u8]) {
        if let Some(class) = reserved.class() {
            self.reversible.get(class).fill(reserved, out);
        }
    }

    /// The value of a `p~` token that was made for this pseudonym domain and class with a key of the ring. `None`
    /// for any other text, whatever the reason.
    pub fn open(&self, class: Class, token: &str) -> Option<Zeroizing<String>> {
        let mut plain = self.reversible.get(class).open(token)?;
        String::from_utf8(std::mem::take(&mut *plain)).ok().map(Zeroizing::new)
    }

    /// Seals a value, such as a link, that a consumer must send back but can neither read nor change. Any replica with
    /// the same key ring can open it. The text is base64url.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> String {
        self.sealer.seal(purpose, plain)
    }

    /// Opens text sealed for this pseudonym domain and purpose with a key of the ring. `None` for any other text.
    pub fn unseal(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        self.sealer.open(purpose, sealed)
    }

    fn write(&self, class: Class, canonical: Canonical<'_>, out: &mut Vec<u8>) -> Outcome {
        self.tokens.get(class).write(Prefix::Value, canonical, out);
        Outcome::Written
    }

    fn exact(&self, class: Class, version: &'static str, raw: &str, out: &mut Vec<u8>) -> Outcome {
        if raw.is_empty() {
            return Outcome::Empty;
        }
        self.write(class, Canonical { version, kind: "exact", value: raw.as_bytes() }, out)
    }

    fn write_ip(&self, kind: &'static str, octets: &[u8], out: &mut Vec<u8>) -> Outcome {
        self.write(Class::Ip, Canonical { version: "n1", kind, value: octets }, out)
    }

    fn make_email(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        let Some(address) = self.address(raw) else {
            return Outcome::Empty;
        };
        self.write_address(&address, out);
        let before = out.len();
        out.push(b'@');
        if self.write_domain(&address, out) != Outcome::Written {
            out.truncate(before);
        }
        Outcome::Written
    }

    fn address<'a>(&self, raw: &'a str) -> Option<Address<'a>> {
        Address::parse(raw, Sameness { plus_tags: self.plus_tags, own: &self.own })
    }

    fn make_thread(&self, raw: &str, out: &mut Vec<u8>) -> Outcome {
        match thread::thread_guid(raw) {
            Some(guid) => {
                self.write(Class::Thread, Canonical { version: "c1", kind: "guid", value: &guid }, out)
            }
            None => self.exact(Class::Thread, "c1", raw, out),
        }
    }

    fn write_address(&self, address: &Address<'_>, out: &mut Vec<u8>) {
        let joined;
        let (kind, value) = match address {
            Address::Mailbox { local, domain } => {
                joined = [local.as_str(), domain].join("@");
                ("smtp", joined.as_bytes())
            }
            Address::X500(name) => ("x500", name.as_bytes()),
            Address::Opaque(text) => ("opaque", text.as_bytes()),
            Address::Digest(digest) => ("digest", digest.as_slice()),
        };
        let canonical = Canonical { version: "e1", kind, value };
        self.tokens.get(Class::Email).write(Prefix::Value, canonical, out);
    }

    fn write_domain(&self, address: &Address<'_>, out: &mut Vec<u8>) -> Outcome {
        address.domain().map_or(Outcome::NotUnderstood, |domain| self.put_domain(domain, out))
    }

    fn put_domain(&self, domain: &str, out: &mut Vec<u8>) -> Outcome {
        match self.domains {
            DomainMode::Drop => return Outcome::NotUnderstood,
            DomainMode::Keep => out.extend_from_slice(domain.as_bytes()),
            DomainMode::KeepListed if self.own.contains(domain) => out.extend_from_slice(domain.as_bytes()),
            DomainMode::KeepListed | DomainMode::Pseudonymize => {
                let canonical = Canonical { version: "d1", kind: "domain", value: domain.as_bytes() };
                self.tokens.get(Class::Domain).write(Prefix::Domain, canonical, out);
            }
        }
        Outcome::Written
    }
}
