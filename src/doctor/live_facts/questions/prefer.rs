//! How Graph reads `Prefer` (RFC 7240 section 2: several lines mean the same as one with commas).

use super::{Fact, Get, MAIL, Observed, Question, Reply, Unclear};

const MESSAGES: &str = "/v1.0/users/{user}/messages?$select=id";
const IMMUTABLE: (&str, &str) = ("prefer", "IdType=\"ImmutableId\"");
const TWO: (&str, &str) = ("prefer", "odata.maxpagesize=2");

const READ: &str = "read";
const NOT_READ: &str = "not read";

/// Whether `odata.maxpagesize=2` is read: the user has three messages at least.
fn page_size(reply: &Reply) -> Observed {
    reply.if_ok(|reply| match reply.objects() {
        0 | 1 => Err(Unclear::TooFew),
        2 => Ok(Fact::Is(READ)),
        _ => Ok(Fact::Is(NOT_READ)),
    })
}

/// Which of both preferences `Preference-Applied` names.
fn applied(reply: &Reply) -> Observed {
    let names = |word| reply.header_has("preference-applied", word);
    reply.if_ok(|_| {
        Ok(Fact::Is(match (names("idtype"), names("odata.maxpagesize")) {
            (true, true) => "names both",
            (true, false) => "names IdType only",
            (false, true) => "names odata.maxpagesize only",
            (false, false) => "names neither",
        }))
    })
}

const fn messages(
    name: &'static str,
    asks: &'static str,
    lines: &'static [(&'static str, &'static str)],
    assumes: &'static [Fact],
) -> Question {
    Question { name, asks, needs: MAIL, get: Get::graph(MESSAGES).with(lines), read: page_size, assumes }
}

pub(super) const QUESTIONS: &[Question] = &[
    messages(
        "prefer-one-line",
        "Is the second preference of one Prefer line read?",
        &[("prefer", "IdType=\"ImmutableId\", odata.maxpagesize=2")],
        &[Fact::Is(READ)],
    ),
    messages(
        "prefer-first-line",
        "Is the first of two Prefer lines read?",
        &[TWO, IMMUTABLE],
        &[Fact::Is(READ)],
    ),
    messages(
        "prefer-second-line",
        "Is the second of two Prefer lines read?",
        &[IMMUTABLE, TWO],
        &[Fact::Is(NOT_READ)],
    ),
    Question {
        name: "preference-applied",
        asks: "Which preferences does Preference-Applied name?",
        needs: MAIL,
        get: Get::graph(MESSAGES).with(&[("prefer", "IdType=\"ImmutableId\", odata.maxpagesize=2")]),
        read: applied,
        assumes: &[Fact::Is("names IdType only")],
    },
];
