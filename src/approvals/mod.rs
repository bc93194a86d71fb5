//! Approvals: whether the people that the configuration demands have signed what leaves.
//!
//! Reviewers sign a consumer's statement, byte for byte, with `ssh-keygen -Y sign -n glassine-rules`. This module reads the
//! signatures and the signers file, and decides. It reads no file and no clock.
//!
//! | file | what |
//! |---|---|
//! | `signers`, `options`, `pattern`, `time` | the signers file: who may approve, with which key, when |
//! | `verifier` | whether a signature is over a text |
//! | `fault` | why a signature does not count, and what to do |
//! | `decision` | whether enough people have approved, and until when |
//!
//! # How an approval expires
//!
//! An SSH signature has no time in it, and the time of a file is what its last copy made it. So where approvals expire, the
//! day is part of what is signed: the text ends with a line such as `approved on 2027-01-31`, the day on which
//! `glassine statement` printed it. The signature does not repeat the day. [`Judge`] finds it: it compares the signature with
//! the text of each day of the last [`MAX_DAYS`]. Nobody can move the day without the reviewer's key.

mod decision;
mod fault;
mod options;
mod pattern;
mod signers;
mod time;
mod verifier;

use std::num::NonZeroU32;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use ssh_key::{HashAlg, SshSig};

pub use decision::{Approval, Shortage};
pub use fault::Fault;
pub use signers::{LineFault, Signers};

use glassine_core::statement::Statement;
use signers::Signer;
use verifier::Verifier;

/// What signatures are made for: `ssh-keygen -Y sign -n glassine-rules`. A signature for another purpose, such as a commit,
/// is no approval.
pub const NAMESPACE: &str = "glassine-rules";

/// The longest time for which an approval can hold, in days: three years.
pub const MAX_DAYS: u32 = 1_096;

/// What the configuration demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many people have to approve.
    pub require: NonZeroU32,
    /// For how many days an approval holds. `None`: for as long as its signer's line does.
    pub expire_days: Option<NonZeroU32>,
}

/// A person who has signed a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approver {
    /// The same number for all keys of one person.
    #[serde(skip)]
    person: usize,
    name: String,
    /// The fingerprint, as `ssh-keygen -l` prints it.
    key: String,
    #[serde(rename = "until", skip_serializing_if = "Option::is_none", serialize_with = "decision::as_text")]
    ends: Option<Timestamp>,
}

impl Approver {
    /// The person's name in the signers file.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The text that reviewers sign: the statement, with the day below it if approvals expire.
pub fn text_to_sign(statement: &Statement, day: Option<Date>) -> String {
    let text = statement.text();
    day.map_or_else(|| text.to_owned(), |day| format!("{text}\napproved on {day}\n"))
}

/// Decides which signatures count now, and whether they are enough.
#[derive(Clone, Debug)]
pub struct Judge {
    /// Who may approve.
    pub signers: Signers,
    /// What the configuration demands.
    pub policy: Policy,
    /// The time.
    pub now: Timestamp,
}

impl Judge {
    /// The person whose signature over the statement this is. `signature`: the text of the file.
    ///
    /// # Errors
    ///
    /// Why the signature does not count.
    pub fn approver(&self, signature: &str, statement: &Statement) -> Result<Approver, Fault> {
        let signature = read(signature)?;
        if signature.namespace() != NAMESPACE {
            return Err(Fault::Namespace(signature.namespace().to_owned()));
        }
        let verifier = Verifier::new(&signature)?;
        let signer = self.signer(&signature)?;
        if verifier.is_untouched() {
            return Err(Fault::Untouched(signer.name()));
        }
        Ok(Approver {
            person: signer.person,
            name: signer.name(),
            key: fingerprint(&signature),
            ends: self.end(signer, &verifier, statement)?,
        })
    }

    /// The line of the signers file that counts now. If several do, that with the latest end.
    fn signer(&self, signature: &SshSig) -> Result<&Signer, Fault> {
        let lines = || self.signers.with_key(signature.public_key());
        let latest = |signer: &&Signer| signer.options.valid_before.unwrap_or(Timestamp::MAX);
        let counting = lines().filter(|signer| signer.fault(self.now).is_none()).max_by_key(latest);
        counting.ok_or_else(|| {
            let fault = lines().find_map(|signer| signer.fault(self.now));
            fault.unwrap_or_else(|| Fault::UnknownKey(fingerprint(signature)))
        })
    }

    /// When the approval of a signature ends: with its signer's line, or after the days that the configuration grants.
    fn end(
        &self,
        signer: &Signer,
        verifier: &Verifier<'_>,
        statement: &Statement,
    ) -> Result<Option<Timestamp>, Fault> {
        let is_over = |day| verifier.is_over(&text_to_sign(statement, day));
        let other_text = || Fault::OtherText(*statement.fingerprint());
        let of_signer = signer.options.valid_before;
        let Some(granted) = self.policy.expire_days else {
            return if is_over(None) { Ok(of_signer) } else { Err(other_text()) };
        };
        if is_over(None) {
            return Err(Fault::NoDay(signer.name()));
        }
        let day = self.days().find(|day| is_over(Some(*day))).ok_or_else(other_text)?;
        let end = last_moment(day, granted).filter(|end| *end >= self.now);
        let end = end.ok_or_else(|| Fault::Expired(signer.name(), day, granted.get()))?;
        Ok(of_signer.into_iter().chain([end]).min())
    }

    /// The days on which the text can have been printed, the latest first. Clocks may differ, so tomorrow is one.
    fn days(&self) -> impl Iterator<Item = Date> {
        let tomorrow = self.now.to_zoned(TimeZone::UTC).date().tomorrow().ok();
        std::iter::successors(tomorrow, |day| day.yesterday().ok()).take(DAYS_TO_TRY)
    }
}

/// [`MAX_DAYS`], today and tomorrow.
const DAYS_TO_TRY: usize = MAX_DAYS as usize + 2;

/// The last second (UTC) of the last day on which the approval of a day counts.
fn last_moment(day: Date, granted: NonZeroU32) -> Option<Timestamp> {
    let last = day.checked_add(i64::from(granted.get()).days()).ok()?;
    let end = last.at(23, 59, 59, 0).to_zoned(TimeZone::UTC).ok()?;
    Some(end.timestamp())
}

/// Reads a signature file. The version is not part of what is signed, so only the one that there is counts.
fn read(signature: &str) -> Result<SshSig, Fault> {
    let signature = SshSig::from_pem(signature.trim()).map_err(|error| Fault::Form(error.to_string()))?;
    match signature.version() {
        SshSig::VERSION => Ok(signature),
        other => Err(Fault::Form(format!("version {other}"))),
    }
}

fn fingerprint(signature: &SshSig) -> String {
    signature.public_key().fingerprint(HashAlg::Sha256).to_string()
}
