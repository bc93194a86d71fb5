//! How requests ended, as a closed list: the stable codes of the audit log. Codes that call for the same measures are one
//! reason here, so that a consumer has tens of series and not a hundred; the audit log has the code itself.

use super::statuses;
use crate::audit::Record;

/// The code of the audit log for every error of Graph.
const UPSTREAM_STATUS: &str = "upstream_status";

/// What is in no list.
const OTHER: &str = "other";

/// A step of the connection pages was made, or refused.
const CONNECT: [&str; 2] = ["connect_done", "connect_refused"];

/// Reasons that an identified consumer's request can have, each with the codes that it stands for.
#[rustfmt::skip]
const OF_CONSUMERS: &[(&str, &[&str])] = &[
    ("allowed", &["allowed"]),
    ("undecided", &["undecided"]),
    ("response_broken", &["response_broken"]),
    ("endpointNotAllowed", &["endpointNotAllowed"]),
    ("itemNotFound", &["itemNotFound"]),
    ("resyncRequired", &["resyncRequired"]),
    ("optionNotAllowed", &["optionNotAllowed", "optionValueNotAllowed", "latestNotAllowed", "pathNameNotAllowed", "twoLinks"]),
    ("malformed_option", &["unexpectedToken", "invalidLiteral", "nestedLambda", "expressionTooDeep", "valueTooLong",
        "tooManyItems", "tooManyTerms", "unexpectedCharacter", "unterminatedString", "wildcard"]),
    ("malformed_target", &["arguments", "backslash", "cast", "controlCharacter", "dotSegment", "doubleEncoding",
        "duplicateOption", "edgeSpace", "emptyKey", "emptySegment", "fragment", "invalidEscape", "invalidRawByte",
        "invalidUtf8", "key", "notOriginForm", "optionName", "optionWithoutValue", "reservedCharacter", "targetTooLong",
        "tooManyOptions", "tooManySegments", "unknownDollarSegment", "unknownFunction", "unknownVersion"]),
    ("malformed_prefer", &["preferMalformed", "preferTooLong", "preferValue"]),
    ("malformed_batch", &["batch_too_large", "batch_timeout", "batchMalformed", "batchCount", "batchId", "batchDependsOn",
        "batchUrl", "batchVersion", "malformed_body"]),
    ("methodNotAllowed", &["methodNotAllowed", "request_body"]),
    ("batch_response_too_large", &["batch_response_too_large"]),
    ("failed_dependency", &["failed_dependency"]),
    ("too_many_requests", &["too_many_requests"]),
    ("mailbox_busy", &["mailbox_busy"]),
    ("application_busy", &["application_busy"]),
    ("address_not_allowed", &["address_not_allowed"]),
    ("graph_token", &["graph_token"]),
    ("no_access_token", &["no_access_token"]),
    ("audit_failing", &["audit_failing"]),
    ("upstream_failed", &["upstream_failed"]),
    ("upstream_malformed", &["upstream_malformed", "upstream_content_type", "upstream_content_encoding",
        "link_too_long"]),
];

/// Reasons of requests that nobody was identified for.
#[rustfmt::skip]
const OF_STRANGERS: &[(&str, &[&str])] = &[
    ("unauthenticated", &["unauthenticated", "ambiguous_credential"]),
    ("invalid_token", &["jwt_too_long", "jwt_form", "jwt_content", "jwt_critical", "jwt_type", "jwt_algorithm", "jwt_no_expiry",
        "jwt_issuer", "jwt_audience", "jwt_claim", "jwt_expired", "jwt_not_yet_valid", "jwt_unknown_key", "jwt_key",
        "jwt_signature", "jwt_no_keys"]),
    ("no_consumer_keys", &["no_consumer_keys"]),
    ("forwarded_for", &["forwarded_for"]),
    ("foreign_request", &["http_version", "target_form", "invalid_host", "two_hosts", "foreign_host"]),
];

/// The reason of a request that ended.
pub(super) fn of(record: &Record) -> &'static str {
    if record.reason == UPSTREAM_STATUS {
        return record.upstream_status.map_or(OTHER, statuses::of_graph);
    }
    let named = OF_CONSUMERS.iter().chain(OF_STRANGERS).find(|(_, codes)| codes.contains(&record.reason));
    named.map_or(OTHER, |(reason, _)| reason)
}

/// The reason of a step of the connection pages.
pub(super) fn of_step(is_done: bool) -> &'static str {
    let [done, refused] = CONNECT;
    if is_done { done } else { refused }
}

/// The reasons that an identified consumer's request can have.
pub(super) fn of_consumers() -> impl Iterator<Item = &'static str> {
    OF_CONSUMERS.iter().map(|(reason, _)| *reason).chain(statuses::all_of_graph()).chain(CONNECT)
}

/// All reasons.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    of_consumers().chain(OF_STRANGERS.iter().map(|(reason, _)| *reason)).chain([OTHER])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that a function `code` or `reason` gives.
    fn codes_of<'a>(text: &'a str, function: &str) -> Vec<&'a str> {
        let head = format!("fn {function}(");
        let bodies = text.split(&head).skip(1);
        let bodies = bodies.filter_map(|rest| rest.split("\n    }\n").next());
        let found = bodies.flat_map(|body| body.split("=> \"").skip(1));
        found.filter_map(|rest| rest.split('"').next()).collect()
    }

    /// The reasons in the table of problems: the third argument of each row.
    fn rows_of(text: &str) -> Vec<&str> {
        let rows = text.split("Row::refused(").skip(1).chain(text.split("Row::failed(").skip(1));
        rows.filter_map(|row| row.split(',').nth(2)?.trim().strip_prefix('"')?.strip_suffix('"')).collect()
    }

    #[test]
    fn every_code_of_the_sources_has_a_reason() {
        let problems = include_str!("../proxy/problem.rs");
        let mut codes = rows_of(problems);
        let rows = codes.len();
        codes.extend(codes_of(problems, "reason"));
        for source in [
            include_str!("../jwt/error.rs"),
            include_str!("../../core/src/admit/refusal.rs"),
            include_str!("../../core/src/graph/batch/mod.rs"),
            include_str!("../../core/src/graph/option_error.rs"),
            include_str!("../../core/src/graph/prefer.rs"),
            include_str!("../../core/src/graph/target_error.rs"),
        ] {
            let found = codes_of(source, "code");
            assert!(found.len() > 2, "{found:?}");
            codes.extend(found);
        }
        assert!(rows > 20 && codes.len() > 80, "{rows} {codes:?}");
        let listed: Vec<_> =
            OF_CONSUMERS.iter().chain(OF_STRANGERS).flat_map(|(_, codes)| *codes).copied().collect();
        let unlisted: Vec<_> = codes.into_iter().filter(|code| !listed.contains(code)).collect();
        assert_eq!(unlisted, Vec::<&str>::new());
    }

    #[test]
    fn every_reason_is_in_the_table_for_operators() {
        let page = include_str!("../../docs/OPERATIONS.md");
        let table = page.split("### Reasons").nth(1).and_then(|rest| rest.split("\n### ").next()).unwrap();
        let missing: Vec<_> = all().filter(|reason| !table.contains(&format!("`{reason}`"))).collect();
        assert_eq!(missing, [OTHER]);
    }

    #[test]
    fn each_code_and_each_reason_is_in_the_list_once() {
        let codes = OF_CONSUMERS.iter().chain(OF_STRANGERS).flat_map(|(_, codes)| *codes);
        let (mut codes, mut reasons): (Vec<_>, Vec<_>) = (codes.collect(), all().collect());
        let counts = (codes.len(), reasons.len());
        codes.sort_unstable();
        codes.dedup();
        reasons.sort_unstable();
        reasons.dedup();
        assert_eq!((codes.len(), reasons.len()), counts);
        assert!(of_consumers().count() < 50, "series of each consumer: {}", of_consumers().count());
    }
}
