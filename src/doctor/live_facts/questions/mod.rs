//! The questions, by topic. Each is about something that the sample tenant assumes, or that the proxy relies on.
//!
//! | file | what |
//! |---|---|
//! | `prefer` | how `Prefer` is read |
//! | `settings` | mailbox settings of every kind of mailbox, and properties that a cloud may lack |
//! | `links` | the form of next links and delta links |
//! | `deltas` | what a delta may be asked, and what is in a round |
//! | `queries` | `$filter` with `$orderby`, and the spelling of options and paths |
//! | `directory` | advanced queries, casts, members |
//! | `absent` | the errors for what is not there |
//! | `wire` | byte order marks, compression, versions of HTTP; Entra's documents |

mod absent;
mod deltas;
mod directory;
mod links;
mod prefer;
mod queries;
mod settings;
mod wire;

use super::fact::Fact;
use super::question::{Get, Observed, Question, Unclear};
use super::reply::Reply;

/// All questions, in the order of the report.
pub(super) const ALL: [(&str, &[Question]); 8] = [
    ("prefer", prefer::QUESTIONS),
    ("mailbox settings", settings::QUESTIONS),
    ("links", links::QUESTIONS),
    ("deltas", deltas::QUESTIONS),
    ("queries", queries::QUESTIONS),
    ("directory", directory::QUESTIONS),
    ("what is not there", absent::QUESTIONS),
    ("wire", wire::QUESTIONS),
];

const MAIL: Option<&str> = Some("Mail.ReadBasic.All");
const SETTINGS: Option<&str> = Some("MailboxSettings.Read");
const CONTACTS: Option<&str> = Some("Contacts.Read");
const USERS: Option<&str> = Some("User.Read.All");
const MEMBERS: Option<&str> = Some("GroupMember.Read.All");

/// `ConsistencyLevel: eventual`.
const EVENTUAL: &[(&str, &str)] = &[("consistencylevel", "eventual")];

const fn question(
    needs: Option<&'static str>,
    name: &'static str,
    asks: &'static str,
    get: Get,
    read: fn(&Reply) -> Observed,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs, get, read, assumes }
}

/// The status, with the code of an error.
fn status(reply: &Reply) -> Observed {
    Ok(reply.status())
}

/// `yes` or `no`, if the status is 200.
fn tells(reply: &Reply, holds: impl FnOnce(&Reply) -> bool, yes: &'static str, no: &'static str) -> Observed {
    reply.if_ok(|reply| Ok(Fact::Is(if holds(reply) { yes } else { no })))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> impl Iterator<Item = &'static Question> {
        ALL.iter().flat_map(|(_, questions)| questions.iter())
    }

    #[test]
    fn each_question_has_a_name_of_its_own_and_is_one() {
        let names: BTreeSet<_> = all().map(|question| question.name).collect();
        assert_eq!(names.len(), all().count());
        for Question { name, asks, get, .. } in all() {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(asks.ends_with('?'), "{name}: {asks}");
            assert!(get.target.starts_with('/') && !get.target.contains(' '), "{name}: {}", get.target);
        }
    }

    #[test]
    fn what_a_question_needs_is_a_permission_that_only_reads() {
        for Question { name, needs, get, .. } in all() {
            assert!(needs.is_none_or(|needed| !needed.contains("Write")), "{name}");
            assert_eq!(needs.is_some(), get.with_token, "{name}");
        }
    }
}
