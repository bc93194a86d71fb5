//! `$filter` with `$orderby` on messages, `$count`, and the spelling of options and paths.

use super::{Fact, Get, Observed, Question, Reply, of_mail, of_users, status, tells};

const INEFFICIENT: Fact = Fact::refused(400, "InefficientFilter");
const COUNTED: &str = "counted";
const NOT_COUNTED: &str = "not counted";
const READ: &str = "read";
const NOT_READ: &str = "not read";

fn counts(reply: &Reply) -> Observed {
    tells(reply, |reply| reply.has("@odata.count"), COUNTED, NOT_COUNTED)
}

/// Whether `$select=id` is read, however it is spelled: without it, objects have the other property.
fn selects(reply: &Reply, other: &str) -> Observed {
    tells(reply, |reply| !reply.some_have(other), READ, NOT_READ)
}

pub(super) const QUESTIONS: &[Question] = &[
    of_mail(
        "order-outside-filter",
        "May $orderby name a property that is not in $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=isRead%20eq%20false&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[INEFFICIENT],
    ),
    of_mail(
        "order-first-in-filter",
        "May $orderby name the first property of $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=receivedDateTime%20ge%202001-01-01T00:00:00Z%20and%20isRead%20eq%20false&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[Fact::OK],
    ),
    of_mail(
        "order-second-in-filter",
        "May $orderby name the second property of $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=isRead%20eq%20false%20and%20receivedDateTime%20ge%202001-01-01T00:00:00Z&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[INEFFICIENT],
    ),
    of_mail(
        "order-two-in-filter",
        "May $orderby name both properties of $filter in another order?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=receivedDateTime%20ge%202001-01-01T00:00:00Z%20and%20isRead%20eq%20false&$orderby=isRead,receivedDateTime",
        ),
        status,
        &[INEFFICIENT],
    ),
    of_mail(
        "count-messages",
        "Does $count=true of messages count without ConsistencyLevel?",
        Get::graph("/v1.0/users/{user}/messages?$select=id&$top=1&$count=true"),
        counts,
        &[Fact::Is(COUNTED)],
    ),
    of_mail(
        "top-messages",
        "May $top of messages be 1001?",
        Get::graph("/v1.0/users/{user}/mailFolders/drafts/messages?$select=id&$top=1001"),
        status,
        &[Fact::refused(400, "Request_UnsupportedQuery")],
    ),
    of_mail(
        "option-without-dollar-messages",
        "Does v1.0 read select without $ for messages?",
        Get::graph("/v1.0/users/{user}/messages?select=id&$top=1"),
        |reply| selects(reply, "receivedDateTime"),
        &[Fact::Is(READ)],
    ),
    of_users(
        "option-without-dollar-users",
        "Does v1.0 read select without $ for users?",
        Get::graph("/v1.0/users?select=id&$top=1"),
        |reply| selects(reply, "displayName"),
        &[Fact::Is(READ)],
    ),
    of_users(
        "option-case",
        "Does Graph read $SELECT?",
        Get::graph("/v1.0/users?$SELECT=id&$top=1"),
        |reply| selects(reply, "displayName"),
        &[Fact::Is(READ)],
    ),
    of_users(
        "option-unknown",
        "Does Graph refuse an option with $ that does not exist?",
        Get::graph("/v1.0/users?$select=id&$top=1&$glassine=1"),
        status,
        &[Fact::refused(400, "BadRequest")],
    ),
    of_users(
        "path-case",
        "Is /Users the same as /users?",
        Get::graph("/v1.0/Users?$select=id&$top=1"),
        status,
        &[Fact::OK],
    ),
    of_users(
        "path-key-form",
        "Is users('ID') a user?",
        Get::graph("/v1.0/users('{user}')?$select=id"),
        status,
        &[Fact::OK],
    ),
    of_mail(
        "path-key-form-mail",
        "Is mailFolders('inbox') the inbox?",
        Get::graph("/v1.0/users('{user}')/mailFolders('inbox')?$select=id"),
        status,
        &[Fact::OK],
    ),
];
