//! The key ring and its file.
//!
//! ```yaml
//! version: 1
//! keys:
//!   - id: "B"                            # the first key makes new tokens
//!     created: "2026-05-01T09:00:00Z"
//!     secret: "…43 base64url characters…"
//!   - id: "A"                            # the other keys only open tokens they made
//!     created: "2025-05-01T09:00:00Z"
//!     superseded: "2026-05-04T09:00:00Z" # optional: until when it was first
//!     secret: "…"
//! ```
//!
//! The position decides, never a date: the first key makes tokens. A key behind it that was never first and is not older
//! is *staged*. `change` has the steps from one ring to the next.

mod change;

use super::derive::{audit_key, connection_result_seed, fingerprint_key};
use super::reversible::Sealer;
use super::{AddressPolicy, Pseudonyms};
use crate::hex;
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
pub use change::{Retired, RingError, Standing};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// One key per id, and an id is one base64url character.
const MAX_KEYS: usize = 64;

/// Octets of a master key.
const SECRET_LEN: usize = 32;

/// A key with fewer distinct octets is not random. Of 32 random octets about 30 are distinct. Fewer than 16 are
/// distinct less often than once in 10^18 keys.
const MIN_DISTINCT: usize = 16;

/// Octets of a fingerprint: enough to compare two machines by eye, too few for any other use.
const FINGERPRINT_LEN: usize = 8;

/// The message of the fingerprint's MAC.
const FINGERPRINT_MESSAGE: &[u8] = b"glassine key fingerprint";

/// The master keys of a deployment. The first one is *the newest*: it makes tokens, whatever its date. Wiped on drop.
/// Deliberately without `Debug`.
pub struct KeyRing {
    newest: Key,
    older: Vec<Key>,
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: char,
    pub(super) master: Zeroizing<[u8; SECRET_LEN]>,
    created: Moment,
    /// Until when it was the first key, if the file says so.
    superseded: Option<Moment>,
}

/// A time, and how the file writes it (RFC 3339).
#[derive(Clone)]
struct Moment {
    text: String,
    at: Timestamp,
}

/// The printable facts about one key of the ring.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    /// The key's id.
    pub id: char,
    /// When the key was made, as written in the key file (RFC 3339).
    pub created: String,
    /// 64 bits of an HMAC under a key derived from the master key, in hexadecimal digits.
    pub fingerprint: String,
    /// What the key does.
    pub standing: Standing,
}

/// Why a key file was refused. The message says where and what to do. It never contains text from the file.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it means")]
pub enum KeyFileError {
    #[error(
        "key file{0}: expected `version: 1` and `keys:`, a list of `id`, `created` and `secret`; make one with `glassine keys new`"
    )]
    Form(At),
    #[error("key file{0}: only `version: 1` is known; use the release that wrote this file")]
    Version(At),
    #[error("key file: {0} keys, expected 1 to 64; remove keys that no token in use was made with")]
    Count(usize),
    #[error("key file{0}: `id` has to be one character of A-Z, a-z, 0-9, `-` or `_`")]
    Id(At),
    #[error("key file{0}: `id` is used by an earlier key; give each key its own")]
    DuplicateId(At),
    #[error("key file{0}: `created` has to be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z")]
    Created(At),
    #[error(
        "key file{0}: `superseded` has to be an RFC 3339 timestamp such as 2026-01-31T12:00:00Z, or absent"
    )]
    Superseded(At),
    #[error("key file{0}: `secret` has to be 32 octets in base64url; make one with `glassine keys new`")]
    Secret(At),
    #[error("key file{0}: `secret` is not random; make one with `glassine keys new`")]
    Weak(At),
}

/// A line of the key file, if known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct At(Option<u64>);

impl KeyRing {
    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError`] for the first deviation from the format at the top of this module.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let file: KeyFile = serde_saphyr::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| KeyFileError::Form(At(error.location().map(|at| at.line()))))?;
        if file.version.value != 1 {
            return Err(KeyFileError::Version(at(file.version.referenced)));
        }
        Self::checked(&file.keys)
    }

    fn checked(written: &[KeyAsWritten]) -> Result<Self, KeyFileError> {
        let too_many = || KeyFileError::Count(written.len());
        let keys = written.iter().map(Key::checked).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        for (key, as_written) in keys.iter().zip(written) {
            if !seen.insert(key.id) {
                return Err(KeyFileError::DuplicateId(at(as_written.id.referenced)));
            }
        }
        let mut keys = keys.into_iter();
        let mut newest = keys.next().ok_or_else(too_many)?;
        // Left over if somebody moved the key to the front by hand.
        newest.superseded = None;
        let older: Vec<Key> = keys.collect();
        if older.len() < MAX_KEYS { Ok(Self { newest, older }) } else { Err(too_many()) }
    }

    /// The text of a key file with one key: 32 random octets, an id and its RFC 3339 creation time.
    pub fn render_new(master: &[u8; SECRET_LEN], id: char, created: &str) -> Zeroizing<String> {
        render([Written { id, created, superseded: None, master }].into_iter())
    }

    /// The text of this ring's file.
    pub fn render(&self) -> Zeroizing<String> {
        render(self.keys().map(|key| Written {
            id: key.id,
            created: &key.created.text,
            superseded: key.superseded.as_ref().map(|it| it.text.as_str()),
            master: &key.master,
        }))
    }

    /// The fingerprint of each key, in the file's order.
    pub fn fingerprint(&self) -> Vec<Fingerprint> {
        self.keys().map(|key| key.fingerprint(self.standing(key))).collect()
    }

    /// The pseudonyms of one pseudonym domain. Each consumer has its own, unless two share one on purpose.
    pub fn pseudonyms(&self, domain: &str, policy: &AddressPolicy) -> Pseudonyms {
        Pseudonyms::new(self, domain, policy)
    }

    /// The ids of the keys that only open what they made.
    pub fn older_ids(&self) -> impl Iterator<Item = char> {
        self.older.iter().map(|key| key.id)
    }

    /// The same keys, of which the one with this id makes new tokens; `None` if there is none.
    pub fn led_by(&self, id: char) -> Option<Self> {
        let newest = self.keys().find(|key| key.id == id)?.clone();
        let older = self.keys().filter(|key| key.id != id).cloned().collect();
        Some(Self { newest, older })
    }

    /// Seals the values that the connection pages hand to a browser.
    pub fn connection_sealer(&self) -> Sealer {
        Sealer::connections(self)
    }

    /// The seeds (Ed25519, RFC 8032) of the keys that sign the result of a connection, newest first.
    pub fn connection_result_seeds(&self) -> Vec<Zeroizing<[u8; 32]>> {
        self.keys().map(|key| connection_result_seed(&key.master)).collect()
    }

    /// The keys for MACs (HMAC-SHA-256) of the audit log's lines, with the ids of the keys that they are derived from, newest
    /// first.
    pub fn audit_keys(&self) -> Vec<(char, Zeroizing<[u8; 32]>)> {
        self.keys().map(|key| (key.id, audit_key(&key.master))).collect()
    }

    pub(super) const fn newest(&self) -> &Key {
        &self.newest
    }

    pub(super) fn older(&self) -> &[Key] {
        &self.older
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

impl Key {
    fn checked(written: &KeyAsWritten) -> Result<Self, KeyFileError> {
        let id = key_id(&written.id.value).ok_or_else(|| KeyFileError::Id(at(written.id.referenced)))?;
        let created = Moment::read(&written.created, KeyFileError::Created)?;
        let superseded = written.superseded.as_ref();
        let superseded = superseded.map(|it| Moment::read(it, KeyFileError::Superseded)).transpose()?;
        let line = at(written.secret.referenced);
        let master = master_key(&written.secret.value).ok_or(KeyFileError::Secret(line))?;
        if is_weak(&master) {
            return Err(KeyFileError::Weak(line));
        }
        Ok(Self { id, master, created, superseded })
    }

    fn fingerprint(&self, standing: Standing) -> Fingerprint {
        let mac = fingerprint_key(&self.master).mac([FINGERPRINT_MESSAGE]);
        let fingerprint = mac.get(..FINGERPRINT_LEN).map(hex::lower).unwrap_or_default();
        Fingerprint { id: self.id, created: self.created.text.clone(), fingerprint, standing }
    }
}

impl Moment {
    fn read(written: &Spanned<String>, refusal: fn(At) -> KeyFileError) -> Result<Self, KeyFileError> {
        let at = written.value.parse().map_err(|_| refusal(at(written.referenced)))?;
        Ok(Self { text: written.value.clone(), at })
    }

    /// Whole seconds, as files have them.
    fn of(at: Timestamp) -> Self {
        Self { text: at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), at }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    version: Spanned<u64>,
    keys: Vec<KeyAsWritten>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyAsWritten {
    id: Spanned<String>,
    created: Spanned<String>,
    superseded: Option<Spanned<String>>,
    secret: Spanned<SecretText>,
}

/// Wiped on drop, also when a later part of the file is refused.
struct SecretText(Zeroizing<String>);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The id that the text is: one sign of base64url.
pub(super) fn key_id(text: &str) -> Option<char> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(id), None) if URL_SAFE.as_str().contains(id) => Some(id),
        _ => None,
    }
}

fn master_key(text: &SecretText) -> Option<Zeroizing<[u8; SECRET_LEN]>> {
    const BASE64URL: GeneralPurpose = GeneralPurpose::new(
        &URL_SAFE,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let octets = Zeroizing::new(BASE64URL.decode(text.0.as_bytes()).ok()?);
    octets.as_slice().try_into().ok().map(Zeroizing::new)
}

/// Whether a key repeats a few octets or counts in equal steps, like keys typed by hand.
fn is_weak(master: &[u8; SECRET_LEN]) -> bool {
    let distinct: BTreeSet<&u8> = master.iter().collect();
    let steps: BTreeSet<u8> =
        master.iter().zip(master.iter().skip(1)).map(|(a, b)| b.wrapping_sub(*a)).collect();
    distinct.len() < MIN_DISTINCT || steps.len() == 1
}

/// A key as a file has it.
struct Written<'a> {
    id: char,
    created: &'a str,
    superseded: Option<&'a str>,
    master: &'a [u8; SECRET_LEN],
}

fn render<'a>(keys: impl Iterator<Item = Written<'a>>) -> Zeroizing<String> {
    // Growing would leave copies of the secrets in memory.
    let mut text = Zeroizing::new(String::with_capacity(MAX_KEYS * 240));
    text.push_str(
        "# Whoever has this file can tell whose pseudonym is whose. Keep it where only the proxy reads it.\n",
    );
    text.push_str("version: 1\nkeys:\n");
    for Written { id, created, superseded, master } in keys {
        let secret = Zeroizing::new(URL_SAFE_NO_PAD.encode(master));
        let id = id.to_string();
        let lines = [
            ("- id", Some(id.as_str())),
            ("  created", Some(created.trim())),
            ("  superseded", superseded.map(str::trim)),
            ("  secret", Some(secret.as_str())),
        ];
        for (name, value) in lines {
            text.extend(value.into_iter().flat_map(|value| ["  ", name, ": \"", value, "\"\n"]));
        }
    }
    text
}

fn at(location: Location) -> At {
    At(Some(location.line()))
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

#[cfg(test)]
mod tests;
