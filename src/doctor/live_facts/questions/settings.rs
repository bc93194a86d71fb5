//! Mailbox settings of every kind of mailbox, and properties that a cloud may lack.

use super::{CONTACTS, Fact, Get, Observed, Question, Reply, SETTINGS, status, tells};
use glassine_core::catalogue::time_zones;

const ALONE: Fact = Fact::Is("only what is selected");

/// Whether `$select=timeZone` keeps other settings away.
fn selected(reply: &Reply) -> Observed {
    let has_others = |reply: &Reply| reply.has("workingHours") || reply.has("automaticRepliesSetting");
    tells(reply, has_others, "more than is selected", "only what is selected")
}

/// Whether the time zone is one of the known names.
fn time_zone(reply: &Reply) -> Observed {
    let is_known = |reply: &Reply| reply.is_one_of("/timeZone", time_zones()).is_some();
    tells(reply, is_known, "a known name", "another text: a custom time zone?")
}

const fn of(
    name: &'static str,
    asks: &'static str,
    target: &'static str,
    read: fn(&Reply) -> Observed,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs: SETTINGS, get: Get::graph(target), read, assumes }
}

pub(super) const QUESTIONS: &[Question] = &[
    of(
        "settings-user",
        "Does $select on a user's mailboxSettings leave the others out?",
        "/v1.0/users/{user}/mailboxSettings?$select=timeZone",
        selected,
        &[ALONE],
    ),
    of(
        "settings-room",
        "Does $select on a room's mailboxSettings leave the others out?",
        "/v1.0/users/{room}/mailboxSettings?$select=timeZone",
        selected,
        &[ALONE],
    ),
    of(
        "settings-shared",
        "Does $select on a shared mailbox's mailboxSettings leave the others out?",
        "/v1.0/users/{shared}/mailboxSettings?$select=timeZone",
        selected,
        &[ALONE],
    ),
    of(
        "settings-guest",
        "What is the status of a guest's mailboxSettings?",
        "/v1.0/users/{guest}/mailboxSettings?$select=timeZone",
        status,
        &[Fact::refused(404, "MailboxNotEnabledForRESTAPI")],
    ),
    of(
        "settings-unlicensed",
        "What is the status of mailboxSettings of a member without an address?",
        "/v1.0/users/{unlicensed}/mailboxSettings?$select=timeZone",
        status,
        &[Fact::refused(404, "MailboxNotEnabledForRESTAPI")],
    ),
    of(
        "settings-property",
        "Is one setting a resource of its own?",
        "/v1.0/users/{user}/mailboxSettings/timeZone",
        status,
        &[Fact::OK],
    ),
    of(
        "settings-purpose",
        "Do mailboxSettings say what a room is?",
        "/v1.0/users/{room}/mailboxSettings?$select=userPurpose",
        |reply| {
            tells(reply, |it| it.is_one_of("/userPurpose", ["room"].into_iter()).is_some(), "room", "another")
        },
        &[Fact::Is("room")],
    ),
    of(
        "settings-time-zone",
        "Is the user's time zone a name that the proxy knows?",
        "/v1.0/users/{user}/mailboxSettings?$select=timeZone",
        time_zone,
        &[Fact::Is("a known name")],
    ),
    of(
        "settings-in-user",
        "Can $select of a user name mailboxSettings?",
        "/v1.0/users/{user}?$select=id,mailboxSettings",
        status,
        &[Fact::OK],
    ),
    Question {
        name: "contact-primary-address",
        asks: "Does v1.0 know primaryEmailAddress of a contact in this cloud?",
        needs: CONTACTS,
        get: Get::graph("/v1.0/users/{user}/contacts?$select=primaryEmailAddress&$top=1"),
        read: status,
        assumes: &[Fact::OK],
    },
    Question {
        name: "contact-primary-address-beta",
        asks: "Does beta know primaryEmailAddress of a contact in this cloud?",
        needs: CONTACTS,
        get: Get::graph("/beta/users/{user}/contacts?$select=primaryEmailAddress&$top=1"),
        read: status,
        assumes: &[Fact::OK],
    },
];
