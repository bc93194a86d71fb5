//! Advanced queries of the directory (<https://learn.microsoft.com/graph/aad-advanced-queries>), casts, members.

use super::{EVENTUAL, Fact, Get, MEMBERS, Observed, Question, Reply, USERS, question, status, tells};

const COUNTED: &str = "counted";
const NOT_COUNTED: &str = "not counted";
const UNSUPPORTED: Fact = Fact::refused(400, "Request_UnsupportedQuery");

fn counts(reply: &Reply) -> Observed {
    tells(reply, |reply| reply.has("@odata.count"), COUNTED, NOT_COUNTED)
}

/// What of members of a group with hidden membership is visible.
fn hidden(reply: &Reply) -> Observed {
    reply.if_ok(|reply| {
        Ok(Fact::Is(match (reply.objects(), reply.some_have("displayName")) {
            (0, _) => "no members",
            (_, true) => "members with properties",
            (_, false) => "members without properties",
        }))
    })
}

pub(super) const QUESTIONS: &[Question] = &[
    question(
        USERS,
        "count-plain",
        "Does $count=true of users count without ConsistencyLevel?",
        Get::graph("/v1.0/users?$select=id&$top=1&$count=true"),
        counts,
        &[Fact::Is(NOT_COUNTED)],
    ),
    question(
        USERS,
        "count-eventual",
        "Does $count=true of users count with ConsistencyLevel?",
        Get::graph("/v1.0/users?$select=id&$top=1&$count=true").with(EVENTUAL),
        counts,
        &[Fact::Is(COUNTED)],
    ),
    question(
        USERS,
        "raw-count-plain",
        "What is the status of /users/$count without ConsistencyLevel?",
        Get::graph("/v1.0/users/$count"),
        status,
        &[UNSUPPORTED, Fact::refused(400, "Request_BadRequest")],
    ),
    question(
        USERS,
        "raw-count-eventual",
        "What is the status of /users/$count with ConsistencyLevel?",
        Get::graph("/v1.0/users/$count").with(EVENTUAL),
        status,
        &[Fact::OK],
    ),
    question(
        USERS,
        "ends-with-plain",
        "May $filter of users have endsWith without ConsistencyLevel?",
        Get::graph("/v1.0/users?$select=id&$top=1&$filter=endsWith(mail,'.example')"),
        status,
        &[UNSUPPORTED],
    ),
    question(
        USERS,
        "order-with-filter-plain",
        "May users have $filter and $orderby without ConsistencyLevel?",
        Get::graph("/v1.0/users?$select=id&$top=1&$filter=accountEnabled%20eq%20true&$orderby=displayName"),
        status,
        &[UNSUPPORTED],
    ),
    question(
        USERS,
        "skip-users",
        "May users have $skip?",
        Get::graph("/v1.0/users?$select=id&$top=1&$skip=1"),
        status,
        &[Fact::refused(400, "Request_BadRequest")],
    ),
    question(
        USERS,
        "top-users",
        "May $top of users be 1000?",
        Get::graph("/v1.0/users?$select=id&$top=1000"),
        status,
        &[Fact::refused(400, "BadRequest"), Fact::refused(400, "Request_UnsupportedQuery")],
    ),
    question(
        MEMBERS,
        "members-type",
        "Do members without a cast have @odata.type?",
        Get::graph("/v1.0/groups/{group}/members?$select=id&$top=2"),
        |reply| tells(reply, |reply| reply.some_have("@odata.type"), "have it", "have none"),
        &[Fact::Is("have it")],
    ),
    question(
        MEMBERS,
        "members-cast",
        "May members be cast to users without ConsistencyLevel?",
        Get::graph("/v1.0/groups/{group}/members/microsoft.graph.user?$select=id&$top=2"),
        status,
        &[Fact::OK, UNSUPPORTED, Fact::refused(400, "Request_BadRequest")],
    ),
    question(
        MEMBERS,
        "members-cast-eventual",
        "May members be cast to users with ConsistencyLevel and $count?",
        Get::graph("/v1.0/groups/{group}/members/microsoft.graph.user?$select=id&$top=2&$count=true")
            .with(EVENTUAL),
        status,
        &[Fact::OK],
    ),
    question(
        MEMBERS,
        "transitive-members-cast-eventual",
        "May transitive members be cast to users with ConsistencyLevel and $count?",
        Get::graph(
            "/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$top=2&$count=true",
        )
        .with(EVENTUAL),
        status,
        &[Fact::OK],
    ),
    question(
        MEMBERS,
        "hidden-members",
        "What of a hidden membership is visible without Member.Read.Hidden?",
        Get::graph("/v1.0/groups/{hidden}/members?$select=id,displayName&$top=2"),
        hidden,
        &[Fact::Is("no members"), Fact::Is("members without properties")],
    ),
];
