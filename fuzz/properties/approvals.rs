//! Nothing is an approval that the reviewer did not sign. Comments and empty lines in the signers file change nothing.
//!
//! Who writes the file of signatures, or the signers file, would otherwise decide what leaves.

use std::sync::LazyLock;

use glassine::approvals::{Judge, Policy, Signers};
use glassine_core::rules::compile;
use glassine_core::statement::Statement;
use jiff::Timestamp;

use super::text;

/// A key whose private part nobody has any more. It has signed one text, which is no statement.
const SIGNER: &str = "alice ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKz4l1JuKyJ33HiwEw8XkKtDHpos1rYE/F5rLmmCS4aH";

static STATEMENT: LazyLock<Statement> = LazyLock::new(|| {
    let rules = include_str!("../../rules/outlook-mail-metadata-only.yaml");
    Statement::of_rules(&compile("rules.yaml", rules).plan.expect("shipped rules compile"))
});

/// See the module. The input serves as a signature and as a signers file.
pub fn approvals(data: &[u8]) {
    let Some(written) = text(data) else { return };
    let signers = Signers::parse(SIGNER).expect("a signers file");
    assert!(judge(signers).approver(written, &STATEMENT).is_err(), "nobody has signed this statement");
    let lines = |text: &str| Signers::parse(text).map(drop).map_err(|faults| faults.len());
    let commented = format!("# who may approve\n\n{written}\n# end\n");
    if !written.contains('\r') {
        assert_eq!(lines(&commented), lines(written), "{written:?}");
    }
}

fn judge(signers: Signers) -> Judge {
    let policy = Policy { require: std::num::NonZeroU32::MIN, expire_days: None };
    Judge { signers, policy, now: Timestamp::UNIX_EPOCH }
}
