//! The options of a line of the signers file. Each is honoured, or refused by its name.

use jiff::Timestamp;

use super::signers::Wrong;
use super::{Fault, NAMESPACE, pattern, time};

/// When, and for what, a key may sign.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// A pattern list. `None`: the key may sign for any namespace.
    namespaces: Option<String>,
    /// The first moment at which the key counts.
    valid_after: Option<Timestamp>,
    /// The last moment at which the key counts.
    pub(super) valid_before: Option<Timestamp>,
}

const KNOWN: &str = "use `namespaces`, `valid-after` and `valid-before`, with commas between them";
const QUOTES: &str = "write the value in double quotes, as in `namespaces=\"glassine-rules\"`";
const TIMES: &str = "write `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with a `Z` behind it for UTC";
const PERSONAL: &str =
    "list each reviewer's own key: a certificate authority could add reviewers that nobody sees here";

impl Options {
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let mut options = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let (value, after) = match after.strip_prefix('=') {
                Some(value) => quoted(name, value)?,
                None => ("", after),
            };
            options.set(name, value)?;
            rest = match after.strip_prefix(',') {
                Some("") => return Err(("the options end with a comma".to_owned(), KNOWN)),
                Some(next) => next,
                None if after.is_empty() => "",
                None => return Err((format!("no comma stands behind `{name}`"), KNOWN)),
            };
        }
        options.in_order()
    }

    /// Names are case-insensitive, as in OpenSSH.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Wrong> {
        let is_repeated = match name.to_ascii_lowercase().as_str() {
            "namespaces" => self.namespaces.replace(value.to_owned()).is_some(),
            "valid-after" => self.valid_after.replace(moment(name, value)?).is_some(),
            "valid-before" => self.valid_before.replace(moment(name, value)?).is_some(),
            "cert-authority" => return Err(("`cert-authority` is not accepted here".to_owned(), PERSONAL)),
            _ => return Err((format!("the option `{name}` is unknown"), KNOWN)),
        };
        if is_repeated { Err((format!("the option `{name}` comes twice"), KNOWN)) } else { Ok(()) }
    }

    fn in_order(self) -> Result<Self, Wrong> {
        match (self.valid_after, self.valid_before) {
            (Some(after), Some(before)) if before <= after => {
                Err(("`valid-before` is not later than `valid-after`".to_owned(), TIMES))
            }
            _ => Ok(self),
        }
    }

    /// Why the key of this person does not count now.
    pub(super) fn fault(&self, who: String, now: Timestamp) -> Option<Fault> {
        let is_for_approvals = self.namespaces.as_ref().is_none_or(|list| pattern::admits(list, NAMESPACE));
        let early = self.valid_after.filter(|after| now < *after);
        let late = self.valid_before.filter(|before| now > *before);
        match (early, late) {
            _ if !is_for_approvals => Some(Fault::NotForApprovals(who)),
            (Some(after), _) => Some(Fault::SignerNotYet(who, after)),
            (None, Some(before)) => Some(Fault::SignerExpired(who, before)),
            (None, None) => None,
        }
    }
}

fn moment(name: &str, value: &str) -> Result<Timestamp, Wrong> {
    time::parse(value).ok_or_else(|| (format!("`{name}` has no time as its value"), TIMES))
}

/// The value, and what follows it.
fn quoted<'t>(name: &str, text: &'t str) -> Result<(&'t str, &'t str), Wrong> {
    let value = text.strip_prefix('"').and_then(|inside| inside.split_once('"'));
    value.ok_or_else(|| (format!("the value of `{name}` is not in quotes"), QUOTES))
}
