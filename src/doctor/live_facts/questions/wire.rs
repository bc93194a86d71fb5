//! Byte order marks, compression, versions of HTTP, and Entra's documents.

use super::{Fact, Get, Observed, Question, Reply, USERS, Unclear, question, status, tells};

const ONE: Get = Get::graph("/v1.0/users?$select=id&$top=1");
const NO_USER: &str = "/v1.0/users/00000000-0000-0000-0000-000000000001?$select=id";
const DISCOVERY: &str = "/{tenant}/v2.0/.well-known/openid-configuration?appid={client}";

const NO_MARK: &str = "none";
const MARK: &str = "the body begins with one";

fn mark(reply: &Reply) -> Observed {
    Ok(Fact::Is(if reply.has_byte_order_mark() { MARK } else { NO_MARK }))
}

/// The content coding of a response, of those that HTTP has names for.
fn coding(reply: &Reply) -> Observed {
    let known = ["gzip", "br", "zstd", "deflate"];
    let coding = known.into_iter().find(|coding| reply.header_has("content-encoding", coding));
    Ok(Fact::Is(match coding {
        Some(coding) => coding,
        None if reply.has_header("content-encoding") => "another coding",
        None => "none",
    }))
}

/// How the end of a body is told.
fn framing(reply: &Reply) -> Observed {
    Ok(Fact::Is(match (reply.is_http2(), reply.has_header("content-length")) {
        (true, false) => "HTTP/2, without Content-Length",
        (true, true) => "HTTP/2, with Content-Length",
        (false, false) => "HTTP/1.1, without Content-Length",
        (false, true) => "HTTP/1.1, with Content-Length",
    }))
}

const fn of_entra(
    name: &'static str,
    asks: &'static str,
    read: fn(&Reply) -> Observed,
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs: None, get: Get::entra(DISCOVERY), read, assumes }
}

pub(super) const QUESTIONS: &[Question] = &[
    question(
        USERS,
        "mark-page",
        "Does a page begin with a byte order mark?",
        ONE,
        mark,
        &[Fact::Is(NO_MARK)],
    ),
    question(
        USERS,
        "mark-error",
        "Does an error begin with a byte order mark?",
        Get::graph(NO_USER),
        mark,
        &[Fact::Is(NO_MARK)],
    ),
    question(
        USERS,
        "coding-gzip",
        "Which content coding has a response if gzip is accepted?",
        ONE.with(&[("accept-encoding", "gzip")]),
        coding,
        &[Fact::Is("gzip")],
    ),
    question(
        USERS,
        "coding-any",
        "Which content coding has a response if several are accepted?",
        ONE.with(&[("accept-encoding", "zstd, br, gzip, deflate")]),
        coding,
        &[Fact::Is("gzip")],
    ),
    question(
        USERS,
        "coding-unasked",
        "Which content coding has a response if none is accepted?",
        ONE,
        coding,
        &[Fact::Is("none")],
    ),
    question(USERS, "framing", "How is the end of a body told?", ONE, framing, &[]),
    question(
        USERS,
        "request-id",
        "Does a response have a request-id?",
        ONE,
        |reply| tells(reply, |reply| reply.has_header("request-id"), "yes", "no"),
        &[Fact::Is("yes")],
    ),
    Question {
        name: "no-token",
        asks: "What is the status of a request without a token?",
        needs: None,
        get: ONE.without_token(),
        read: status,
        assumes: &[Fact::refused(401, "InvalidAuthenticationToken")],
    },
    of_entra(
        "discovery-appid",
        "Has jwks_uri a query if Entra's discovery is asked with ?appid=?",
        |reply| {
            reply.if_ok(|reply| match reply.has_query("/jwks_uri") {
                Some(true) => Ok(Fact::Is("with a query")),
                Some(false) => Ok(Fact::Is("without a query")),
                None => Err(Unclear::Unreadable),
            })
        },
        &[Fact::Is("with a query")],
    ),
    of_entra(
        "discovery-mark",
        "Does Entra's discovery begin with a byte order mark?",
        mark,
        &[Fact::Is(NO_MARK)],
    ),
];
