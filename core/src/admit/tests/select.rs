//! What `$select` asks Graph for beyond plain names.

use super::*;

const RULES: &str = "
version: 1
connector: select
title: Select
purpose: Headers of messages.
permissions: [Mail.Read]
shapes:
  message:
    keep: { booleans: [$.isRead] }
    headers: [{ path: $.internetMessageHeaders, flags: { list: [List-Id] } }]
  headers:
    headers: [{ path: $.internetMessageHeaders, flags: { list: [List-Id] } }]
endpoints:
  - name: list-messages
    get: /v1.0/users/{user}/messages
    params: { user: { raw: true } }
    query: { $select: kept }
    response: { collection: message }
  - name: get-message
    get: /v1.0/users/{user}/messages/{message}
    params: { user: { raw: true }, message: { raw: true } }
    response: { entity: message }
  - name: get-headers
    get: /beta/users/{user}/messages/{message}
    params: { user: { raw: true }, message: { raw: true } }
    query: { $select: kept }
    response: { entity: headers }
";

fn rules() -> Policy {
    policy_of("acme-analytics", RULES)
}

/// Graph gives headers only to those who select them.
#[test]
fn headers_are_asked_for_only_if_the_consumer_selects_them() {
    for (target, names) in [
        ("/v1.0/users/u/messages", "isRead"),
        ("/v1.0/users/u/messages?$select=InternetMessageHeaders", "internetMessageHeaders"),
        ("/v1.0/users/u/messages?$select=isRead,internetMessageHeaders", "internetMessageHeaders,isRead"),
        ("/v1.0/users/u/messages/m", "internetMessageHeaders,isRead"),
        ("/beta/users/u/messages/m", "internetMessageHeaders"),
    ] {
        let asked = upstream(&rules(), target);
        assert_eq!(asked.split_once("$select=").unwrap().1, names, "{target}");
    }
}
