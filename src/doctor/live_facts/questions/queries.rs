//! `$filter` with `$orderby` on messages, `$count`, and the spelling of options and paths.

use super::{Fact, Get, MAIL, Observed, Question, Reply, USERS, question, status, tells};

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
    question(
        MAIL,
        "order-outside-filter",
        "May $orderby name a property that is not in $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=isRead%20eq%20false&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[INEFFICIENT],
    ),
    question(
        MAIL,
        "order-first-in-filter",
        "May $orderby name the first property of $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=receivedDateTime%20ge%202001-01-01T00:00:00Z%20and%20isRead%20eq%20false&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[Fact::OK],
    ),
    question(
        MAIL,
        "order-second-in-filter",
        "May $orderby name the second property of $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=isRead%20eq%20false%20and%20receivedDateTime%20ge%202001-01-01T00:00:00Z&$orderby=receivedDateTime%20desc",
        ),
        status,
        &[INEFFICIENT],
    ),
    question(
        MAIL,
        "order-two-in-filter",
        "May $orderby name both properties of $filter in another order?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=receivedDateTime%20ge%202001-01-01T00:00:00Z%20and%20isRead%20eq%20false&$orderby=isRead,receivedDateTime",
        ),
        status,
        &[INEFFICIENT],
    ),
    // "List messages" says no. An example of "Use query parameters" does it (microsoft-graph-docs-contrib,
    // query-parameters-filter+orderby-example).
    question(
        MAIL,
        "order-beyond-filter",
        "May $orderby go on after all properties of $filter?",
        Get::graph(
            "/v1.0/users/{user}/messages?$select=id&$top=1&$filter=importance%20eq%20'normal'&$orderby=importance,receivedDateTime%20desc",
        ),
        status,
        &[INEFFICIENT],
    ),
    question(
        MAIL,
        "count-messages",
        "Does $count=true of messages count without ConsistencyLevel?",
        Get::graph("/v1.0/users/{user}/messages?$select=id&$top=1&$count=true"),
        counts,
        &[Fact::Is(COUNTED)],
    ),
    question(
        MAIL,
        "top-messages",
        "May $top of messages be 1001?",
        Get::graph("/v1.0/users/{user}/mailFolders/drafts/messages?$select=id&$top=1001"),
        status,
        &[Fact::refused(400, "Request_UnsupportedQuery")],
    ),
    question(
        MAIL,
        "option-without-dollar-messages",
        "Does v1.0 read select without $ for messages?",
        Get::graph("/v1.0/users/{user}/messages?select=id&$top=1"),
        |reply| selects(reply, "receivedDateTime"),
        &[Fact::Is(READ)],
    ),
    question(
        USERS,
        "option-without-dollar-users",
        "Does v1.0 read select without $ for users?",
        Get::graph("/v1.0/users?select=id&$top=1"),
        |reply| selects(reply, "displayName"),
        &[Fact::Is(READ)],
    ),
    question(
        USERS,
        "option-case",
        "Does Graph read $SELECT?",
        Get::graph("/v1.0/users?$SELECT=id&$top=1"),
        |reply| selects(reply, "displayName"),
        &[Fact::Is(READ)],
    ),
    question(
        USERS,
        "option-unknown",
        "Does Graph refuse an option with $ that does not exist?",
        Get::graph("/v1.0/users?$select=id&$top=1&$glassine=1"),
        status,
        &[Fact::refused(400, "BadRequest")],
    ),
    question(
        USERS,
        "path-case",
        "Is /Users the same as /users?",
        Get::graph("/v1.0/Users?$select=id&$top=1"),
        status,
        &[Fact::OK],
    ),
    question(
        USERS,
        "path-key-form",
        "Is users('ID') a user?",
        Get::graph("/v1.0/users('{user}')?$select=id"),
        status,
        &[Fact::OK],
    ),
    question(
        MAIL,
        "path-key-form-mail",
        "Is mailFolders('inbox') the inbox?",
        Get::graph("/v1.0/users('{user}')/mailFolders('inbox')?$select=id"),
        status,
        &[Fact::OK],
    ),
];
