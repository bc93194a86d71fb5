//! Checks `audit`: where records go, when they go to the disk, and when a file is full.

use super::check::{Context, optional};
use super::{Audit, AuditSink, raw};
use crate::audit::{Rotate, SyncMode};
use crate::config::codes::CONFIG_VALUE;
use glassine_core::yaml::Spanned;

/// The default size of a full file: half a gigabyte holds a million requests, and `verify` reads it in seconds.
const DEFAULT_MEGABYTES: u64 = 512;
/// A file of a terabyte is a mistake.
const MAX_MEGABYTES: u64 = 1_048_576;
/// How many old files are kept by default.
const DEFAULT_KEEP: u64 = 30;
/// Ten years of days.
const MAX_KEEP: u64 = 3_660;
/// Bytes of a megabyte, as tools that rotate logs count them.
const MEGABYTE: u64 = 1_048_576;

pub(super) fn check_audit(audit: &Spanned<raw::Audit>, context: &mut Context<'_>) -> Option<Audit> {
    let sink = check_sink(audit, context);
    let sync = check_sync(&audit.value, context);
    let rotate = audit.value.rotate.as_ref();
    let rotate = optional(rotate, |written| check_rotate(written.0.as_ref()?, sink.as_ref(), context));
    Some(Audit { sink: sink?, sync: sync?, rotate: rotate? })
}

fn check_sink(audit: &Spanned<raw::Audit>, context: &mut Context<'_>) -> Option<AuditSink> {
    let stdout = audit.value.stdout.as_ref().is_some_and(|it| it.value);
    match (&audit.value.file, stdout) {
        (Some(file), false) => context.file(file).map(AuditSink::File),
        (None, true) => Some(AuditSink::Stdout),
        (Some(_), true) | (None, false) => context.refuse(
            CONFIG_VALUE,
            &audit.span,
            "audit records go to exactly one place",
            "write `audit: { file: audit.jsonl }` or `audit: { stdout: true }`",
        ),
    }
}

fn check_sync(audit: &raw::Audit, context: &mut Context<'_>) -> Option<SyncMode> {
    let Some(sync) = &audit.sync else { return Some(SyncMode::default()) };
    let mode = match sync.value.as_str() {
        "none" => SyncMode::None,
        "each" => SyncMode::Each,
        "interval" => SyncMode::Interval,
        _ => {
            return context.refuse(
                CONFIG_VALUE,
                &sync.span,
                "this does not say when records go to the disk",
                "write `none`, `each` or `interval`",
            );
        }
    };
    if mode != SyncMode::None && audit.file.is_none() {
        return context.refuse(
            CONFIG_VALUE,
            &sync.span,
            "standard output cannot be synchronized",
            "remove `sync`, or write to a file",
        );
    }
    Some(mode)
}

fn check_rotate(
    rotate: &Spanned<raw::Rotate>,
    sink: Option<&AuditSink>,
    context: &mut Context<'_>,
) -> Option<Rotate> {
    if sink == Some(&AuditSink::Stdout) {
        return context.refuse(
            CONFIG_VALUE,
            &rotate.span,
            "standard output has no file to rotate",
            "remove `rotate`, or write to a file",
        );
    }
    let raw::Rotate { megabytes, keep, daily } = &rotate.value;
    let megabytes = context.bounded(megabytes.as_ref(), MAX_MEGABYTES, DEFAULT_MEGABYTES);
    let keep = context.bounded(keep.as_ref(), MAX_KEEP, DEFAULT_KEEP);
    Some(Rotate {
        bytes: megabytes?.saturating_mul(MEGABYTE),
        keep: usize::try_from(keep?).unwrap_or(usize::MAX),
        daily: daily.as_ref().is_some_and(|daily| daily.value),
    })
}
