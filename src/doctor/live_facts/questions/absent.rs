//! The errors for accounts, mailboxes and messages that are not there.

use super::{Fact, Get, MAIL, Question, USERS, status};

const fn of(
    name: &'static str,
    asks: &'static str,
    needs: Option<&'static str>,
    target: &'static str,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs, get: Get::graph(target), read: status, assumes }
}

const NO_MAILBOX: &[Fact] = &[Fact::refused(404, "MailboxNotEnabledForRESTAPI")];

pub(super) const QUESTIONS: &[Question] = &[
    of(
        "no-user",
        "What is the status of a user who does not exist?",
        USERS,
        "/v1.0/users/00000000-0000-0000-0000-000000000001?$select=id",
        &[Fact::refused(404, "Request_ResourceNotFound")],
    ),
    of(
        "no-user-mail",
        "What is the status of messages of a user who does not exist?",
        MAIL,
        "/v1.0/users/00000000-0000-0000-0000-000000000001/messages?$select=id&$top=1",
        &[Fact::refused(404, "ErrorInvalidUser")],
    ),
    of(
        "no-mailbox-guest",
        "What is the status of a guest's messages?",
        MAIL,
        "/v1.0/users/{guest}/messages?$select=id&$top=1",
        NO_MAILBOX,
    ),
    of(
        "no-mailbox-unlicensed",
        "What is the status of messages of a member without an address?",
        MAIL,
        "/v1.0/users/{unlicensed}/messages?$select=id&$top=1",
        NO_MAILBOX,
    ),
    of(
        "mailbox-of-room",
        "What is the status of a room's messages?",
        MAIL,
        "/v1.0/users/{room}/messages?$select=id&$top=1",
        &[Fact::OK],
    ),
    of(
        "mailbox-of-shared",
        "What is the status of a shared mailbox's messages?",
        MAIL,
        "/v1.0/users/{shared}/messages?$select=id&$top=1",
        &[Fact::OK],
    ),
    of(
        "no-message",
        "What is the status of a message id that is not one?",
        MAIL,
        "/v1.0/users/{user}/messages/AAAA?$select=id",
        &[Fact::refused(400, "ErrorInvalidIdMalformed")],
    ),
    of(
        "no-folder",
        "What is the status of a folder id that is not one?",
        MAIL,
        "/v1.0/users/{user}/mailFolders/nosuchfolder?$select=id",
        &[Fact::refused(400, "ErrorInvalidIdMalformed")],
    ),
    of(
        "no-property",
        "What is the status of $select with a property that does not exist?",
        MAIL,
        "/v1.0/users/{user}/messages?$select=glassine&$top=1",
        &[Fact::refused(400, "RequestBroker--ParseUri"), Fact::refused(400, "BadRequest")],
    ),
];
