//! What leaves of one header of a message.

use super::transform::{Outcome, pseudonym, quoted};
use crate::pseudonym::{self, Pseudonyms};
use crate::rules::plan::PseudonymKind;

/// The most message ids of one header. RFC 5322 has no limit; whoever writes more is no mail program.
const MAX_IDS: usize = 1000;

/// Words of `Precedence` (RFC 2076 3.9) that automatic mail has. `list` is not among them: people write to lists.
const AUTOMATIC: [&str; 3] = ["bulk", "junk", "auto_reply"];

/// Appends the JSON value that leaves in the place of a header's value.
pub(super) fn token(kind: PseudonymKind, value: &str, keys: &Pseudonyms, out: &mut Vec<u8>) -> Outcome {
    quoted(out, |out| match kind {
        PseudonymKind::MessageId => message_ids(value, keys, out),
        kind => pseudonym(kind, value, keys, out),
    })
}

/// One token for each message id, with spaces between, as `In-Reply-To` and `References` have them (RFC 5322 3.6.4). Each is
/// the token of the `internetMessageId` of that message.
fn message_ids(value: &str, keys: &Pseudonyms, out: &mut Vec<u8>) -> pseudonym::Outcome {
    if value.is_empty() {
        return pseudonym::Outcome::Empty;
    }
    let ids: Vec<_> = ids(value).take(MAX_IDS + 1).collect();
    if ids.is_empty() || ids.len() > MAX_IDS {
        return pseudonym::Outcome::NotUnderstood;
    }
    let mut outcome = pseudonym::Outcome::Empty;
    for id in ids {
        if outcome == pseudonym::Outcome::Written {
            out.push(b' ');
        }
        outcome = keys.message_id(id, out);
    }
    outcome
}

/// The message ids in a header's value, with their angle brackets. What else stands there (comments, and the phrases of RFC
/// 5322 4.5.4) is dropped.
fn ids(value: &str) -> impl Iterator<Item = &str> {
    value.match_indices('<').filter_map(|(start, _)| {
        let rest = value.get(start..)?;
        let id = rest.get(..=rest.find('>')?)?;
        let inner = id.get(1..id.len() - 1)?;
        let is_id = !inner.is_empty() && !inner.contains(|it: char| it == '<' || it.is_whitespace());
        is_id.then_some(id)
    })
}

/// Whether a header says what its flags are about. Most say it by being there. Three can say the opposite:
///
/// - `Auto-Submitted: no` (RFC 3834 5) is what a person sends;
/// - `X-Auto-Response-Suppress: None` ([MS-OXCMAIL], `PidTagAutoResponseSuppress`) suppresses nothing;
/// - `Precedence` has many words, of which [`AUTOMATIC`] are for automatic mail.
pub(super) fn sets(name: &str, value: &str) -> bool {
    let word =
        value.split([';', ',', '(', ' ', '\t', '\r', '\n']).find(|word| !word.is_empty()).unwrap_or_default();
    let is_word = |other: &str| word.eq_ignore_ascii_case(other);
    if name.eq_ignore_ascii_case("Auto-Submitted") {
        !word.is_empty() && !is_word("no")
    } else if name.eq_ignore_ascii_case("X-Auto-Response-Suppress") {
        !word.is_empty() && !is_word("None")
    } else if name.eq_ignore_ascii_case("Precedence") {
        AUTOMATIC.into_iter().any(is_word)
    } else {
        !value.trim().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_in_angle_brackets() {
        for (value, expected) in [
            ("<a@b>", &["<a@b>"][..]),
            ("<a@b> <c@d>\r\n\t<e@f>", &["<a@b>", "<c@d>", "<e@f>"]),
            ("<a@b><c@d>", &["<a@b>", "<c@d>"]),
            ("Your message of Monday <a@b> (about <lunch at noon>)", &["<a@b>"]),
            ("<a <b@c>", &["<b@c>"]),
            ("a@b", &[]),
            ("<>", &[]),
            ("<a@b", &[]),
            ("> <", &[]),
        ] {
            assert_eq!(ids(value).collect::<Vec<_>>(), expected, "{value}");
        }
    }

    #[test]
    fn a_header_sets_a_flag_unless_it_says_the_opposite() {
        for (name, value, expected) in [
            ("Auto-Submitted", "auto-replied", true),
            ("auto-submitted", " Auto-Generated; owner-email=\"a@b\"", true),
            ("Auto-Submitted", "no", false),
            ("Auto-Submitted", "No (a person)", false),
            ("Auto-Submitted", " ", false),
            ("X-Auto-Response-Suppress", "DR, OOF, AutoReply", true),
            ("X-Auto-Response-Suppress", "None", false),
            ("Precedence", "bulk", true),
            ("Precedence", "Auto_Reply", true),
            ("Precedence", "list", false),
            ("Precedence", "first-class", false),
            ("List-Id", "<sales.contoso.com>", true),
            ("List-Post", "NO", true),
            ("List-Id", "", false),
            ("List-Id", " \t", false),
        ] {
            assert_eq!(sets(name, value), expected, "{name}: {value}");
        }
    }
}
