//! Whether enough people have approved, and until when.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};

use super::{Approver, Judge, Signer};

/// How long before its end an approval is warned about: time for two people to review and sign.
const WARN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Enough people have approved a statement. Only [`Judge::decide`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// One for each person.
    #[serde(rename = "approved_by")]
    approvers: Vec<Approver>,
    required: NonZeroU32,
    /// The last moment at which enough approvals count.
    #[serde(rename = "until", skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    ends: Option<Timestamp>,
}

/// Too few people have approved a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// How many people have to approve.
    pub required: NonZeroU32,
    /// Who has.
    pub approved_by: Vec<String>,
    /// Who else could.
    pub missing: Vec<String>,
}

impl Judge {
    /// Whether these people are enough. Somebody who signed twice counts once.
    ///
    /// # Errors
    ///
    /// [`Shortage`], which says who is missing.
    pub fn decide(&self, approvers: impl IntoIterator<Item = Approver>) -> Result<Approval, Shortage> {
        let mut people: BTreeMap<usize, Approver> = BTreeMap::new();
        for approver in approvers {
            let is_later = |known: &Approver| end_of(&approver) > end_of(known);
            if people.get(&approver.person).is_none_or(is_later) {
                people.insert(approver.person, approver);
            }
        }
        let required = self.policy.require;
        let mut ends: Vec<_> = people.values().map(end_of).collect();
        ends.sort_unstable();
        let last = usize::try_from(required.get()).ok().and_then(|required| ends.len().checked_sub(required));
        match last.and_then(|last| ends.get(last)) {
            Some(end) => Ok(Approval {
                approvers: people.into_values().collect(),
                required,
                ends: Some(*end).filter(|end| *end < Timestamp::MAX),
            }),
            None => Err(self.shortage(&people)),
        }
    }

    fn shortage(&self, people: &BTreeMap<usize, Approver>) -> Shortage {
        let have: Vec<_> = people.keys().copied().collect();
        Shortage {
            required: self.policy.require,
            approved_by: people.values().map(|approver| approver.name.clone()).collect(),
            missing: self.signers.others(self.now, &have).into_iter().map(Signer::name).collect(),
        }
    }
}

/// The end, comparable with that of an approval that has none.
fn end_of(approver: &Approver) -> Timestamp {
    approver.ends.unwrap_or(Timestamp::MAX)
}

impl Approval {
    /// Who has approved: one key for each person.
    pub fn approvers(&self) -> &[Approver] {
        &self.approvers
    }

    /// The last moment at which enough approvals count. `None`: they have no end.
    pub fn ends(&self) -> Option<Timestamp> {
        self.ends
    }

    /// The end, if it is near.
    pub fn ends_soon(&self, now: Timestamp) -> Option<Timestamp> {
        self.ends.filter(|end| warning_at(*end) <= now)
    }

    /// The next moment at which something has to be said about this approval: that its end is near, or that it has ended.
    pub fn next_notice(&self, now: Timestamp) -> Option<Timestamp> {
        let end = self.ends?;
        Some(Some(warning_at(end)).filter(|warning| *warning > now).unwrap_or(end))
    }
}

fn warning_at(end: Timestamp) -> Timestamp {
    end.checked_sub(WARN).unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Approval {
    /// Who has approved, and until when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.approvers.iter().map(Approver::name).collect();
        write!(f, "approved by {} (required: {})", names.join(" and "), self.required)?;
        self.ends.map_or(Ok(()), |end| write!(f, ", until {end}"))
    }
}

impl fmt::Display for Shortage {
    /// Who has approved, and who is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { required, approved_by, missing } = self;
        write!(f, "{} of {required} people have approved", approved_by.len())?;
        for (title, names) in [("approved", approved_by), ("could still approve", missing)] {
            let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
            write!(f, "; {title}: {names}")?;
        }
        Ok(())
    }
}

/// A moment in JSON.
pub(super) fn as_text<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    moment.map(|moment| moment.to_string()).serialize(serializer)
}
