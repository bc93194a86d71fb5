//! The signers file: who may approve, with which key, and when. Its format is that of OpenSSH's allowed signers
//! (ssh-keygen(1), ALLOWED SIGNERS), so that `ssh-keygen -Y verify` reads the same file.
//!
//! Approvals count people, and each line names one. Lines that share a name or a key are the same person: whoever has two
//! keys approves once, and so does whoever is listed under two names. What names no single person is refused: patterns, and
//! certificate authorities.

use std::ops::Range;

use jiff::Timestamp;
use ssh_key::PublicKey;
use ssh_key::public::KeyData;

use super::Fault;
use super::options::Options;
use super::verifier::is_usable;

/// A checked signers file.
#[derive(Clone, Debug)]
pub struct Signers(Vec<Signer>);

/// A line of the file: a person with a key.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    /// The same number for all lines of one person.
    pub(super) person: usize,
    principals: Vec<String>,
    key: KeyData,
    pub(super) options: Options,
}

/// A line of the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line, as a range of bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
}

/// What is wrong with a line, and what to do.
pub(super) type Wrong = (String, &'static str);

const FORM: &str = "write `alice@contoso.com namespaces=\"glassine-rules\" ssh-ed25519 AAAA…`: the person, options, the public key";

impl Signers {
    /// Reads a signers file.
    ///
    /// # Errors
    ///
    /// Every line that cannot be used, or the whole text if it names nobody.
    pub fn parse(text: &str) -> Result<Self, Vec<LineFault>> {
        let (mut signers, mut faults) = (Self(Vec::new()), Vec::new());
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let span = at..at + line.trim_end().len();
            at += line.len();
            match signer(line.trim()) {
                Some(Ok(signer)) => signers.add(signer),
                Some(Err((message, advice))) => faults.push(LineFault { span, message, advice }),
                None => {}
            }
        }
        if signers.0.is_empty() && faults.is_empty() {
            faults.push(LineFault { span: 0..0, message: "the file names nobody".to_owned(), advice: FORM });
        }
        if faults.is_empty() { Ok(signers) } else { Err(faults) }
    }

    fn add(&mut self, signer: Signer) {
        let known: Vec<_> =
            self.0.iter().filter(|other| other.is_person_of(&signer)).map(|other| other.person).collect();
        let person = known.iter().copied().min().unwrap_or(self.0.len());
        // The new line may show that two people of earlier lines are one.
        self.0
            .iter_mut()
            .filter(|other| known.contains(&other.person))
            .for_each(|other| other.person = person);
        self.0.push(Signer { person, ..signer });
    }

    /// The lines with this key.
    pub(super) fn with_key(&self, key: &KeyData) -> impl Iterator<Item = &Signer> {
        self.0.iter().filter(move |signer| signer.key == *key)
    }

    /// One line for each person who could approve now and is not in `except`.
    pub(super) fn others(&self, now: Timestamp, except: &[usize]) -> Vec<&Signer> {
        let mut others: Vec<&Signer> = Vec::new();
        for signer in self.0.iter().filter(|signer| signer.fault(now).is_none()) {
            if !except.contains(&signer.person) && others.iter().all(|other| other.person != signer.person) {
                others.push(signer);
            }
        }
        others
    }
}

impl Signer {
    /// The names of the line.
    pub(super) fn name(&self) -> String {
        self.principals.join(",")
    }

    /// Why the line does not count now.
    pub(super) fn fault(&self, now: Timestamp) -> Option<Fault> {
        self.options.fault(self.name(), now)
    }

    fn is_person_of(&self, other: &Self) -> bool {
        let is_shared = |name: &String| other.principals.iter().any(|it| it.eq_ignore_ascii_case(name));
        self.key == other.key || self.principals.iter().any(is_shared)
    }
}

/// `None` for an empty line or a comment.
fn signer(line: &str) -> Option<Result<Signer, Wrong>> {
    (!line.is_empty() && !line.starts_with('#')).then(|| read(line))
}

fn read(line: &str) -> Result<Signer, Wrong> {
    let incomplete = || ("the line has no person, or no public key".to_owned(), FORM);
    let has_person = |(first, _): &(&str, &str)| !is_key_type(first);
    let (principals, rest) = first_word(line).filter(has_person).ok_or_else(incomplete)?;
    let principals = names(principals.trim_matches('"'))?;
    if let Ok(key) = PublicKey::from_openssh(rest) {
        return Ok(Signer { person: 0, principals, key: usable(&key)?, options: Options::default() });
    }
    let (options, key) = first_word(rest).ok_or_else(incomplete)?;
    let (options, key) = if is_key_type(options) { ("", rest) } else { (options, key) };
    let options = Options::parse(options)?;
    let key = PublicKey::from_openssh(key).map_err(|error| {
        let advice = "copy the whole line of the public key file, as in `ssh-ed25519 AAAA…`";
        (format!("the public key cannot be read: {error}"), advice)
    })?;
    Ok(Signer { person: 0, principals, key: usable(&key)?, options })
}

fn names(list: &str) -> Result<Vec<String>, Wrong> {
    let names: Vec<_> = list.split(',').map(str::to_owned).collect();
    match names.iter().find(|name| name.is_empty() || name.contains(['*', '?', '!'])) {
        None => Ok(names),
        Some(name) => Err((
            format!("`{name}` names no single person, and approvals count people"),
            "write one line for each person, as in `alice@contoso.com ssh-ed25519 AAAA…`",
        )),
    }
}

/// Types of public keys, so that a key with a mistake is not taken for options.
fn is_key_type(word: &str) -> bool {
    ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-"].iter().any(|prefix| word.starts_with(prefix))
}

fn usable(key: &PublicKey) -> Result<KeyData, Wrong> {
    if is_usable(key.key_data()) {
        return Ok(key.key_data().clone());
    }
    Err((
        format!("signatures of this `{}` key are not accepted", key.algorithm()),
        "use an ed25519, ecdsa, ed25519-sk or ecdsa-sk key, or an RSA key of at least 2048 bits; list the key itself, not a certificate",
    ))
}

/// The text up to the first space outside quotes, and what follows.
fn first_word(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        c.is_ascii_whitespace() && !quoted
    })?;
    let (word, rest) = text.split_at_checked(end)?;
    Some((word, rest.trim_start()))
}
