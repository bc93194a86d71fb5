//! `$filter` by a truncated time: a consumer learns what the truncated time tells, and nothing more.

use super::*;

const RULES: &str = r#"
version: 1
connector: times
title: Times
purpose: When, by the hour.
permissions: [Mail.ReadBasic.All]
shapes:
  message:
    keep: { booleans: [$.isRead] }
    truncate_time:
      - { path: $.receivedDateTime, to: hour }
      - { path: $.sentDateTime, to: day }
endpoints:
  - name: list-messages
    get: /v1.0/users/{user}/messages
    params: { user: { token: id } }
    query:
      $filter: { receivedDateTime: [ge, lt], sentDateTime: [ge, lt] }
    response: { collection: message }
"#;

fn rules() -> Policy {
    policy_of("acme-analytics", RULES)
}

fn messages(filter: &str) -> String {
    format!("/v1.0/users/{}/messages?$filter={}", user(), filter.replace(' ', "%20").replace('+', "%2B"))
}

#[test]
fn a_time_of_the_grid_is_compared() {
    for filter in [
        "receivedDateTime ge 2026-01-31T13:00:00Z",
        "receivedDateTime lt 2026-01-31T13:00:00.000Z",
        "receivedDateTime ge 2026-01-31T13:30:00+05:30",
        "sentDateTime ge 2026-01-31T00:00:00Z and sentDateTime lt 2026-02-01T00:00:00Z",
        "not (sentDateTime ge 2026-01-31T01:00:00+01:00)",
    ] {
        let sent = get(&rules(), &messages(filter)).unwrap_or_else(|refusal| panic!("{filter}: {refusal}"));
        let target = Target::parse(&sent.upstream).unwrap();
        assert_eq!(target.option(&OptionName::Filter), Some(filter));
    }
}

#[test]
fn a_time_beside_the_grid_is_refused_and_the_refusal_names_the_grid() {
    for filter in [
        "receivedDateTime ge 2026-01-31T13:00:01Z",
        "receivedDateTime ge 2026-01-31T13:00:00.001Z",
        "receivedDateTime lt 2026-01-31T13:30:00Z",
        "receivedDateTime ge 2026-01-31T13:00:00+05:30",
        "receivedDateTime ge 2026-01-31",
        "receivedDateTime ge null",
        "receivedDateTime ge '2026-01-31T13:00:00Z'",
        "sentDateTime ge 2026-01-31T13:00:00Z",
        "isRead eq true or sentDateTime ge 2026-01-31T13:00:00Z",
        "receivedDateTime gt 2026-01-31T13:00:00Z",
        "receivedDateTime le 2026-01-31T13:00:00Z",
        "receivedDateTime eq 2026-01-31T13:00:00Z",
        "receivedDateTime ne 2026-01-31T13:00:00Z",
        "receivedDateTime in (2026-01-31T13:00:00Z)",
    ] {
        assert_eq!(refused(&rules(), &messages(filter)), (400, "optionValueNotAllowed"), "{filter}");
    }
    let text = get(&rules(), &messages("sentDateTime lt 2026-01-31T13:00:00Z")).unwrap_err().to_string();
    assert!(
        text.ends_with("It compares sentDateTime with whole days in UTC only, such as 2026-01-31T00:00:00Z."),
        "{text}"
    );
}

/// Graph's link repeats the filter that this proxy sent.
#[test]
fn graphs_own_link_may_hold_the_comparison() {
    let admitted = get(&rules(), &messages("receivedDateTime ge 2026-01-31T13:00:00Z")).unwrap();
    let link = format!("https://graph.microsoft.com{}&$skiptoken=x", admitted.upstream);
    assert!(admitted.links(&rules()).rewrite(&link, LinkKind::Next).is_ok());
}
