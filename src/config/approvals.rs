//! The `approvals` section: who has to sign what leaves. If the section is there, no consumer is served without the
//! signatures that it demands.

use std::num::NonZeroU32;
use std::ops::Range;

use super::FileRef;
use super::check::{Context, optional};
use super::raw::{self, Text};
use crate::approvals::{MAX_DAYS, Policy};
use crate::config::codes::CONFIG_VALUE;
use glassine_core::yaml::{Recovered, Spanned};

/// One person, if the section does not say how many.
const DEFAULT_REQUIRED: NonZeroU32 = NonZeroU32::new(1).unwrap();

/// More people than this never review one file.
const MAX_REQUIRED: u64 = 100;

/// The checked section.
#[derive(Clone, Debug)]
pub struct Approvals {
    signers: FileRef,
    policy: Policy,
}

impl Approvals {
    /// The file of the people who may approve, in OpenSSH's format of allowed signers.
    pub fn signers(&self) -> &FileRef {
        &self.signers
    }

    /// How many people have to approve, and for how long an approval holds.
    pub fn policy(&self) -> Policy {
        self.policy
    }
}

pub(super) fn check_approvals(approvals: &raw::Approvals, context: &mut Context<'_>) -> Option<Approvals> {
    let signers = context.file(&approvals.signers_file);
    let require = context.count(approvals.require.as_ref(), MAX_REQUIRED, DEFAULT_REQUIRED);
    let expire_days = optional(approvals.expire_days.as_ref(), |days| check_days(days, context));
    Some(Approvals { signers: signers?, policy: Policy { require: require?, expire_days: expire_days? } })
}

fn check_days(days: &Spanned<u64>, context: &mut Context<'_>) -> Option<NonZeroU32> {
    let in_range = u32::try_from(days.value).ok().filter(|days| *days <= MAX_DAYS).and_then(NonZeroU32::new);
    in_range.or_else(|| {
        let hint = format!("use 1 to {MAX_DAYS}, or leave `expire_days` out: approvals do not expire then");
        context.refuse(CONFIG_VALUE, &days.span, "this number of days is out of range", &hint)
    })
}

/// The signatures under one consumer's statement.
#[derive(Clone, Debug, Default)]
pub struct ApprovedBy {
    pub(super) files: Vec<FileRef>,
    pub(super) span: Range<usize>,
}

impl ApprovedBy {
    /// The signature files.
    pub fn files(&self) -> &[FileRef] {
        &self.files
    }

    /// The place in the configuration: the list, or the consumer's name if there is no list.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }
}

/// An empty list is well-formed: before the first signature, `glassine statement` reads the file. The approvals decide
/// later that nobody has signed. `demanded`: whether there is an `approvals` section.
pub(super) fn check_approved_by(
    list: Option<Recovered<Spanned<Vec<Text>>>>,
    name: &Text,
    demanded: bool,
    context: &mut Context<'_>,
) -> Option<ApprovedBy> {
    let Some(Recovered(list)) = list else {
        return Some(ApprovedBy { files: Vec::new(), span: name.span.clone() });
    };
    let list = list?;
    if !demanded {
        return context.refuse(
            CONFIG_VALUE,
            &list.span,
            "nobody verifies these signatures, because there is no `approvals` section",
            "add `approvals: { signers_file: reviewers, require: 2 }` to the configuration, or leave `approved_by` out",
        );
    }
    let files: Vec<_> = list.value.iter().map(|text| context.file(text)).collect();
    Some(ApprovedBy { files: files.into_iter().collect::<Option<_>>()?, span: list.span })
}
