//! What a delta may be asked, and what is in a round.

use super::{Fact, Get, MAIL, Observed, Question, Reply, USERS, Unclear, question, status, tells};

/// How many pages of users to look at for repeated objects.
const PAGES: usize = 4;

/// Users come in pages of at most this many objects.
const USERS_PAGE: usize = 200;

const REMOVED: &str = "yes";
const NOT_REMOVED: &str = "no";
const ONCE: &str = "each once";
const TWICE: &str = "some twice";

fn page_of_users(reply: &Reply) -> Observed {
    reply.if_ok(|reply| match reply.objects() {
        count if count > USERS_PAGE => Ok(Fact::Is("more than 200 objects")),
        _ if reply.has("@odata.nextLink") => Ok(Fact::Is("at most 200 objects")),
        _ => Err(Unclear::TooFew),
    })
}

const fn of_status(
    needs: Option<&'static str>,
    name: &'static str,
    asks: &'static str,
    target: &'static str,
    assumes: &'static [Fact],
) -> Question {
    question(needs, name, asks, Get::graph(target), status, assumes)
}

/// Mail.ReadBasic.All does not allow `$search` (<https://learn.microsoft.com/graph/permissions-reference>).
const NO_SEARCH: Fact = Fact::refused(403, "ErrorAccessDenied");
const BAD_QUERY: Fact = Fact::refused(400, "ErrorInvalidUrlQuery");

pub(super) const QUESTIONS: &[Question] = &[
    of_status(
        USERS,
        "delta-parentheses",
        "Is delta() with parentheses a delta of users?",
        "/v1.0/users/delta()?$select=id&$deltatoken=latest",
        &[Fact::OK],
    ),
    of_status(
        USERS,
        "delta-qualified",
        "Is microsoft.graph.delta a delta of users?",
        "/v1.0/users/microsoft.graph.delta?$select=id&$deltatoken=latest",
        &[Fact::OK],
    ),
    of_status(
        USERS,
        "delta-top",
        "May a delta of users have $top?",
        "/v1.0/users/delta?$select=id&$top=2",
        &[Fact::OK],
    ),
    Question {
        name: "delta-users-page",
        asks: "How many objects has a page of a delta of users?",
        needs: USERS,
        get: Get::graph("/v1.0/users/delta?$select=id"),
        read: page_of_users,
        assumes: &[Fact::Is("at most 200 objects")],
    },
    Question {
        name: "delta-users-repeated",
        asks: "Do users come twice in one round of a delta?",
        needs: USERS,
        get: Get::graph("/v1.0/users/delta?$select=id,displayName").pages(PAGES),
        read: |reply| tells(reply, Reply::repeats_an_id, TWICE, ONCE),
        assumes: &[Fact::Is(TWICE)],
    },
    Question {
        name: "delta-users-removed",
        asks: "Are removed users in the first round of a delta?",
        needs: USERS,
        get: Get::graph("/v1.0/users/delta?$select=id").pages(PAGES),
        read: |reply| tells(reply, |reply| reply.some_have("@removed"), REMOVED, NOT_REMOVED),
        assumes: &[Fact::Is(REMOVED)],
    },
    of_status(
        USERS,
        "delta-users-bad-token",
        "What is the status of a delta token of users that is none?",
        "/v1.0/users/delta?$deltatoken=AAAA",
        &[Fact::refused(400, "syncStateNotFound")],
    ),
    of_status(
        USERS,
        "bad-page-token",
        "What is the status of a $skiptoken of users that is none?",
        "/v1.0/users?$select=id&$skiptoken=AAAA",
        &[Fact::refused(400, "Directory_ExpiredPageToken")],
    ),
    of_status(
        MAIL,
        "delta-mail-bad-token",
        "What is the status of a delta token of messages that is none?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$deltatoken=AAAA",
        &[Fact::refused(410, "SyncStateNotFound")],
    ),
    of_status(
        MAIL,
        "delta-mail-parentheses",
        "Is delta() with parentheses a delta of messages?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta()?$select=isRead",
        &[Fact::OK],
    ),
    of_status(
        MAIL,
        "delta-of-mailbox",
        "Is there a delta of all messages of a mailbox?",
        "/v1.0/users/{user}/messages/delta?$select=isRead",
        &[BAD_QUERY, Fact::refused(400, "BadRequest")],
    ),
    of_status(
        MAIL,
        "delta-mail-latest",
        "May a delta of messages begin with $deltatoken=latest?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$deltatoken=latest",
        &[Fact::refused(410, "SyncStateNotFound")],
    ),
    of_status(
        MAIL,
        "delta-mail-asc",
        "May a delta of messages have $orderby=receivedDateTime asc?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$orderby=receivedDateTime%20asc",
        &[BAD_QUERY],
    ),
    of_status(
        MAIL,
        "delta-mail-desc",
        "May a delta of messages have $orderby=receivedDateTime desc?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$orderby=receivedDateTime%20desc",
        &[Fact::OK],
    ),
    of_status(
        MAIL,
        "delta-mail-ge",
        "May a delta of messages have $filter=receivedDateTime ge?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$filter=receivedDateTime%20ge%202099-01-01T00:00:00Z",
        &[Fact::OK],
    ),
    of_status(
        MAIL,
        "delta-mail-gt",
        "May a delta of messages have $filter=receivedDateTime gt?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$filter=receivedDateTime%20gt%202099-01-01T00:00:00Z",
        &[Fact::OK],
    ),
    of_status(
        MAIL,
        "delta-mail-lt",
        "May a delta of messages have $filter=receivedDateTime lt?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$filter=receivedDateTime%20lt%202001-01-01T00:00:00Z",
        &[BAD_QUERY],
    ),
    of_status(
        MAIL,
        "delta-mail-search",
        "May a delta of messages have $search?",
        "/v1.0/users/{user}/mailFolders/inbox/messages/delta?$select=isRead&$search=%22glassine%22",
        &[BAD_QUERY, NO_SEARCH],
    ),
    of_status(
        MAIL,
        "delta-folders-filter",
        "May a delta of mail folders have $filter?",
        "/v1.0/users/{user}/mailFolders/delta?$select=id&$filter=totalItemCount%20gt%200",
        &[BAD_QUERY],
    ),
];
