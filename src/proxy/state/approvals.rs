//! Reads the signers file and the signatures. A consumer whose statement is not approved is not built, so nothing serves it.

use super::{Builder, Reported};
use crate::approvals::{Approval, Approver, Fault, Judge, LineFault, Shortage, Signers};
use crate::config::codes::{CONFIG_APPROVAL, CONFIG_FILE, CONFIG_SIGNERS};
use crate::config::files::{FileError, read_text};
use crate::config::{self, FileRef};
use glassine_core::diagnostic::{Causes, Diagnostic, Report, Severity};
use glassine_core::statement::Statement;

/// Why a signature file does not count.
#[derive(Debug, thiserror::Error)]
enum NoApproval {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Builder<'_> {
    /// Who decides about approvals. `None`: the configuration demands none.
    pub(super) fn judge(&mut self) -> Result<Option<Judge>, Reported> {
        let Some(approvals) = self.config.approvals() else {
            return Ok(None);
        };
        let file = approvals.signers();
        let text = self.used(read_text(file.path()), |why| file.unusable(why))?;
        let signers = Signers::parse(&text).map_err(|faults| self.refuse_signers(file, &text, faults))?;
        Ok(Some(Judge { signers, policy: approvals.policy(), now: self.now }))
    }

    fn refuse_signers(&mut self, file: &FileRef, text: &str, faults: Vec<LineFault>) -> Reported {
        let finding = |LineFault { span, message, advice }: LineFault| {
            Diagnostic::error(CONFIG_SIGNERS, span, message).hint(advice)
        };
        let findings = faults.into_iter().map(finding).collect();
        self.reports.push(Report::new(&file.path().display().to_string(), text, findings));
        Reported(())
    }

    /// Whether the statement is approved. `Ok(None)`: the configuration demands no approvals.
    pub(super) fn approval(
        &mut self,
        consumer: &config::Consumer,
        statement: &Statement,
        judge: Result<Option<&Judge>, &Reported>,
    ) -> Result<Option<Approval>, Reported> {
        let Some(judge) = judge.map_err(|reported| *reported)? else {
            return Ok(None);
        };
        let files = consumer.approved_by().files();
        let read = files.iter().map(|file| (file, approver(file, statement, judge)));
        let (counting, others): (Vec<_>, Vec<_>) = read.partition(|(_, result)| result.is_ok());
        let decision = judge.decide(counting.into_iter().filter_map(|(_, approver)| approver.ok()));
        // If enough others have signed, a signature that does not count is no obstacle.
        let severity = if decision.is_ok() { Severity::Warning } else { Severity::Error };
        for (file, result) in others {
            let finding = result.err().map(|why| self.not_counted(consumer, file, &why, severity));
            self.findings.extend(finding);
        }
        match decision {
            Ok(approval) => {
                self.findings.extend(self.ends_soon(consumer, &approval));
                Ok(Some(approval))
            }
            Err(shortage) => Err(self.report(self.not_approved(consumer, statement, &shortage))),
        }
    }

    fn not_counted(
        &self,
        consumer: &config::Consumer,
        file: &FileRef,
        why: &NoApproval,
        severity: Severity,
    ) -> Diagnostic {
        let message = format!("this signature does not count: {}", Causes(why));
        let (code, message, advice) = match why {
            NoApproval::File(_) => {
                (CONFIG_FILE, message, "put the signature there, or correct the path".to_owned())
            }
            NoApproval::Fault(fault) => (
                CONFIG_APPROVAL,
                format!("{}: {message}", file.path().display()),
                fault.advice(&self.print(consumer)),
            ),
        };
        Diagnostic { severity, ..Diagnostic::error(code, file.span().clone(), message).hint(advice) }
    }

    fn ends_soon(&self, consumer: &config::Consumer, approval: &Approval) -> Option<Diagnostic> {
        let end = approval.ends_soon(self.now)?;
        let message = format!(
            "the approvals of `{}` end at {end}: from then on the proxy does not start and does not reload",
            consumer.name()
        );
        let hint = format!(
            "let reviewers sign what `{}` prints, or renew their lines in the signers file",
            self.print(consumer)
        );
        let place = consumer.approved_by().span().clone();
        Some(Diagnostic::warning(CONFIG_APPROVAL, place, message).hint(hint))
    }

    fn not_approved(
        &self,
        consumer: &config::Consumer,
        statement: &Statement,
        shortage: &Shortage,
    ) -> Diagnostic {
        let message = format!(
            "what `{}` would get is not approved, fingerprint {}: {shortage}",
            consumer.name(),
            statement.fingerprint()
        );
        let hint = format!(
            "write the statement with `{} > statement.txt`; let each reviewer read it and sign it with \
             `ssh-keygen -Y sign -n glassine-rules -f KEY statement.txt`; name the .sig files in `approved_by`",
            self.print(consumer)
        );
        Diagnostic::error(CONFIG_APPROVAL, consumer.approved_by().span().clone(), message).hint(hint)
    }

    /// The command that prints the text to sign.
    fn print(&self, consumer: &config::Consumer) -> String {
        format!("glassine statement --config {} --consumer {}", self.file, consumer.name())
    }
}

fn approver(file: &FileRef, statement: &Statement, judge: &Judge) -> Result<Approver, NoApproval> {
    Ok(judge.approver(&read_text(file.path())?, statement)?)
}
