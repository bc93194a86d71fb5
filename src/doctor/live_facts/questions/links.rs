//! The form of next links and delta links.

use super::{CONTACTS, Fact, Get, MAIL, MEMBERS, Question, Reply, USERS};
use crate::doctor::live_facts::fact::{Dollar, Form, Paging};

/// How many pages of a delta to read until its last one.
const ROUND: usize = 4;

/// Small pages, so that there is a next one.
const TWO: &[(&str, &str)] = &[("prefer", "odata.maxpagesize=2")];

/// The directory's links, and those of deltas.
const TOKEN: &[Fact] = &[Fact::link(Form::Path, Dollar::Plain, Paging::SkipToken)];
const DELTA_TOKEN: &[Fact] = &[Fact::link(Form::Path, Dollar::Plain, Paging::DeltaToken)];
/// Outlook's lists repeat the request with escaped option names, those below a folder in the key form.
const SKIP: &[Fact] = &[Fact::link(Form::Path, Dollar::Encoded, Paging::Skip)];
const KEY_SKIP: &[Fact] = &[Fact::link(Form::Key, Dollar::Encoded, Paging::Skip)];
/// Deltas of Outlook have links in the key form
/// (<https://learn.microsoft.com/graph/delta-query-messages>).
const KEY_TOKEN: &[Fact] = &[Fact::link(Form::Key, Dollar::Plain, Paging::SkipToken)];
const KEY_DELTA_TOKEN: &[Fact] = &[Fact::link(Form::Key, Dollar::Plain, Paging::DeltaToken)];

const fn next(
    name: &'static str,
    asks: &'static str,
    needs: Option<&'static str>,
    get: Get,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs, get, read: Reply::next_link, assumes }
}

const fn delta(
    name: &'static str,
    asks: &'static str,
    needs: Option<&'static str>,
    get: Get,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs, get, read: Reply::delta_link, assumes }
}

pub(super) const QUESTIONS: &[Question] = &[
    next(
        "next-users",
        "What is the next link of users?",
        USERS,
        Get::graph("/v1.0/users?$select=id&$top=2"),
        TOKEN,
    ),
    next(
        "next-groups",
        "What is the next link of groups?",
        MEMBERS,
        Get::graph("/v1.0/groups?$select=id&$top=2"),
        TOKEN,
    ),
    next(
        "next-members",
        "What is the next link of a group's members?",
        MEMBERS,
        Get::graph("/v1.0/groups/{group}/members?$select=id&$top=1"),
        TOKEN,
    ),
    next(
        "next-messages",
        "What is the next link of a mailbox's messages?",
        MAIL,
        Get::graph("/v1.0/users/{user}/messages?$select=id&$top=2"),
        SKIP,
    ),
    next(
        "next-folder-messages",
        "What is the next link of a folder's messages?",
        MAIL,
        Get::graph("/v1.0/users/{user}/mailFolders/inbox/messages?$select=id&$top=2"),
        KEY_SKIP,
    ),
    next(
        "next-folders",
        "What is the next link of mail folders?",
        MAIL,
        Get::graph("/v1.0/users/{user}/mailFolders?$select=id&$top=2"),
        SKIP,
    ),
    next(
        "next-contacts",
        "What is the next link of contacts?",
        CONTACTS,
        Get::graph("/v1.0/users/{user}/contacts?$select=id&$top=1"),
        SKIP,
    ),
    next(
        "delta-next-users",
        "What is the next link of a delta of users?",
        USERS,
        Get::graph("/v1.0/users/delta?$select=id").with(TWO),
        TOKEN,
    ),
    next(
        "delta-next-messages",
        "What is the next link of a delta of messages?",
        MAIL,
        Get::graph("/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead").with(TWO),
        KEY_TOKEN,
    ),
    delta(
        "delta-link-users",
        "What is the delta link of users?",
        USERS,
        Get::graph("/v1.0/users/delta?$select=id&$deltatoken=latest"),
        DELTA_TOKEN,
    ),
    delta(
        "delta-link-groups",
        "What is the delta link of groups?",
        MEMBERS,
        Get::graph("/v1.0/groups/delta?$select=id&$deltatoken=latest"),
        DELTA_TOKEN,
    ),
    delta(
        "delta-link-messages",
        "What is the delta link of messages?",
        MAIL,
        Get::graph("/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$filter=receivedDateTime%20ge%202099-01-01T00:00:00Z")
            .pages(ROUND),
        KEY_DELTA_TOKEN,
    ),
    delta(
        "delta-link-folders",
        "What is the delta link of mail folders?",
        MAIL,
        Get::graph("/v1.0/users/{user}/mailFolders/delta?$select=id").pages(ROUND),
        KEY_DELTA_TOKEN,
    ),
    delta(
        "delta-link-contacts",
        "What is the delta link of contacts?",
        CONTACTS,
        Get::graph("/v1.0/users/{user}/contacts/delta?$select=id").pages(ROUND),
        KEY_DELTA_TOKEN,
    ),
];
