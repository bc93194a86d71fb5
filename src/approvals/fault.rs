//! Why a signature does not count, and what to do.

use jiff::Timestamp;
use jiff::civil::Date;

use glassine_core::statement::Fingerprint;

/// Why a signature does not count. People are named as in the signers file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file has no SSH signature.
    #[error("this is not an SSH signature ({0})")]
    Form(String),
    /// The signature was made for another purpose.
    #[error("the signature is for the namespace `{0}`, not for `glassine-rules`")]
    Namespace(String),
    /// The algorithm is weak or unknown.
    #[error("signatures of the algorithm `{0}` are not accepted")]
    Algorithm(String),
    /// Nobody in the signers file has the key.
    #[error("the signature is of the key {0}, which the signers file does not have")]
    UnknownKey(String),
    /// The signer's line excludes approvals.
    #[error("the signature is of {0}, whose `namespaces` in the signers file lack `glassine-rules`")]
    NotForApprovals(String),
    /// The signer's line is not valid yet.
    #[error("the signature is of {0}, whose key counts only from {1} on (`valid-after` in the signers file)")]
    SignerNotYet(String, Timestamp),
    /// The signer's line is no longer valid.
    #[error("the signature is of {0}, whose key counted until {1} (`valid-before` in the signers file)")]
    SignerExpired(String, Timestamp),
    /// A security key signed on its own.
    #[error("the signature is of {0}, whose security key was not touched")]
    Untouched(String),
    /// The signature is over another text, or damaged.
    #[error("the signature is over another text than the statement with the fingerprint {0}")]
    OtherText(Fingerprint),
    /// Approvals expire, and the text that was signed has no day.
    #[error("the signature of {0} is over the statement without a day, and `expire_days` needs the day")]
    NoDay(String),
    /// The approval is too old.
    #[error("the approval of {0} is of {1} and held for {2} days (`expire_days`)")]
    Expired(String, Date, u32),
}

impl Fault {
    /// What to do. `print`: the command that prints the text to sign.
    pub fn advice(&self, print: &str) -> String {
        let sign = format!(
            "{print} > statement.txt, then ssh-keygen -Y sign -n glassine-rules -f KEY statement.txt"
        );
        match self {
            Self::Form(_) => format!("name the .sig file that ssh-keygen wrote: {sign}"),
            Self::Namespace(_) => format!("sign again for approvals: {sign}"),
            Self::Algorithm(_) => format!("sign with an ed25519, ecdsa or security key, or with RSA of at least 2048 bits and SHA-2: {sign}"),
            Self::UnknownKey(_) => "let somebody sign whose key the signers file has, or add a line with the key of this reviewer".to_owned(),
            Self::NotForApprovals(_) => "add `glassine-rules` to the `namespaces` of the line, if this person may approve".to_owned(),
            Self::SignerNotYet(..) => "wait, or let somebody else sign; if the clock is wrong, set it".to_owned(),
            Self::SignerExpired(..) => "let somebody else sign, or renew this person's line in the signers file".to_owned(),
            Self::Untouched(_) => format!("touch the security key when it blinks, and use one that was made without `no-touch-required`: {sign}"),
            Self::OtherText(_) => format!("the rules or the configuration have changed since then, or the file is damaged. Review the statement and sign it: {sign}"),
            Self::NoDay(_) => format!("sign what this command prints; its last line is the day: {sign}"),
            Self::Expired(..) => format!("review the statement again and sign it: {sign}"),
        }
    }
}
