//! The query options that the shipped rules do not use.

use super::*;

const RULES: &str = r#"
version: 1
connector: options
title: Options
purpose: Every policy of every option.
permissions: [User.Read.All, GroupMember.Read.All]
shapes:
  person:
    keep: { text: [$.userType], times: [$.createdDateTime] }
    pseudonymize: [{ path: $.id, as: id, reversible: true }, { path: $.mail, as: email }]
  group:
    keep: { text: [$.visibility] }
    pseudonymize: [{ path: $.id, as: id, reversible: true }]
endpoints:
  - name: list-groups
    get: /{api}/groups
    params: { api: { one_of: [v1.0] } }
    query:
      $select: kept
      $count: boolean
      $filter: { id: [eq, in], visibility: [in] }
      $orderby: { visibility: [desc] }
      $expand:
        members: { shape: person, select: kept, top: { integer: { min: 1, max: 20 } } }
        owners: { shape: person }
      since: { pattern: '\d{4}-\d\d' }
    response: { collection: group }
  - name: get-user
    get: /v1.0/users/{user}
    params: { user: { pattern: '[0-9a-f-]{36}', token: id } }
    query:
      $expand: { manager: { shape: person } }
    response: { entity: person }
  - name: users-delta
    get: /v1.0/users/delta
    prefer: { return: minimal }
    response: { delta: person }
"#;

fn rules() -> Policy {
    // `pattern` causes a warning, so these rules compile with a finding.
    policy_of("acme-analytics", RULES)
}

fn groups(options: &str) -> String {
    format!("/v1.0/groups?{}", options.replace(' ', "%20"))
}

/// The value that Graph gets for an option.
fn sent(options: &str, name: &str) -> Option<String> {
    let upstream = get(&rules(), &groups(options)).unwrap_or_else(|refusal| panic!("{options}: {refusal}"));
    let target = Target::parse(&upstream.upstream).unwrap();
    target.option(&OptionName::parse(name).unwrap()).map(str::to_owned)
}

#[test]
fn a_direction_that_is_not_named_is_refused() {
    assert_eq!(sent("orderby=VISIBILITY DESC", "$orderby").unwrap(), "visibility desc");
    let refusal = get(&rules(), &groups("$orderby=visibility")).unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (400, "optionValueNotAllowed"));
    assert!(refusal.to_string().contains("visibility (desc)"), "{refusal}");
}

#[test]
fn membership_opens_each_token() {
    let two = [user(), token("acme-analytics", Class::Id, FOLDER)];
    let list = format!("id in ('{}','{}')", two[0], two[1]);
    assert_eq!(sent(&format!("$filter={list}"), "$filter").unwrap(), format!("id in ('{USER}','{FOLDER}')"));
    assert_eq!(
        sent("$filter=visibility in ('Public', 'Private')", "$filter").unwrap(),
        "visibility in ('Public','Private')"
    );
    let foreign = format!("$filter=id in ('{}','{}')", two[0], token("other-consumer", Class::Id, USER));
    assert_eq!(get(&rules(), &groups(&foreign)).unwrap_err(), Refusal::NotFound);
    assert_eq!(refused(&rules(), &groups("$filter=visibility eq 'Public'")).0, 400);
    assert_eq!(refused(&rules(), &groups("$filter=displayName in ('secret')")).0, 400);
}

#[test]
fn a_pattern_matches_the_whole_value() {
    assert_eq!(sent("SINCE=2026-01", "since").unwrap(), "2026-01");
    for value in ["2026-011", "x2026-01", "2026-01%0A", "", "2026"] {
        assert_eq!(refused(&rules(), &groups(&format!("since={value}"))).0, 400, "{value}");
    }
    assert!(get(&rules(), &format!("/v1.0/users/{USER}")).is_ok());
    assert!(get(&rules(), &format!("/v1.0/users/{}", user())).is_ok());
    assert_eq!(refused(&rules(), "/v1.0/users/alice@contoso.com"), (404, "itemNotFound"));
}

#[test]
fn an_expansion_is_written_anew_with_what_can_survive() {
    for (asked, written) in [
        ("$expand=members", "members($select=createdDateTime,id,mail,userType)"),
        ("expand=MEMBERS(top=5)", "members($select=createdDateTime,id,mail,userType;$top=5)"),
        ("$expand=members($select=mail,displayName;$top=20)", "members($select=mail;$top=20)"),
        ("$expand=members($select=secret)", "members($select=id)"),
        (
            "$expand=owners,members($select=id)",
            "owners($select=createdDateTime,id,mail,userType),members($select=id)",
        ),
    ] {
        assert_eq!(sent(asked, "$expand").unwrap(), written, "{asked}");
    }
    // Graph returns expanded properties without `$select`. Those that are not expanded cannot be selected.
    assert_eq!(sent("$expand=members", "$select").unwrap(), "id,visibility");
    assert_eq!(sent("$select=members", "$select").unwrap(), "id");
}

#[test]
fn inside_an_expansion_the_same_policy_holds() {
    for (options, status) in [
        ("$expand=memberOf", 400),
        ("$expand=members,members", 400),
        ("$expand=members/microsoft.graph.user", 400),
        ("$expand=members/$ref", 400),
        ("$expand=members/$count", 400),
        ("$expand=*", 400),
        ("$expand=members($filter=mail eq 'secret')", 400),
        ("$expand=members($search=\"secret\")", 400),
        ("$expand=members($expand=manager)", 400),
        ("$expand=members($orderby=mail)", 400),
        ("$expand=members($count=true)", 400),
        ("$expand=members($levels=2)", 400),
        ("$expand=members($top=21)", 400),
        ("$expand=members($top=0)", 400),
        ("$expand=members($top=1;top=2)", 400),
        ("$expand=members($select=mail/secret)", 400),
        ("$expand=members($select)", 400),
        ("$expand=members()", 400),
        ("$expand=members($select=id", 400),
        ("$expand=owners($select=id)", 400),
    ] {
        assert_eq!(refused(&rules(), &groups(options)).0, status, "{options}");
    }
    let text = get(&rules(), &groups("$expand=members($filter=secret eq 1)")).unwrap_err().to_string();
    assert!(text.contains("`$filter` inside `$expand`"), "{text}");
}

#[test]
fn graphs_own_link_may_repeat_the_expansion_and_no_other() {
    let seal = |query: &str| {
        let link = format!("https://graph.microsoft.com/v1.0/groups?{query}&$skiptoken=x");
        get(&rules(), "/v1.0/groups").unwrap().links(&rules()).rewrite(&link, LinkKind::Next)
    };
    assert!(seal("$expand=members($select=id;$top=5)").is_ok());
    assert!(seal("$expand=members($select=displayName)").is_err());
    assert!(seal("$expand=memberOf").is_err());
}

#[test]
fn a_path_into_a_property_is_not_selected() {
    assert_eq!(sent("$select=visibility", "$select").unwrap(), "visibility");
    for options in ["$select=visibility/x", "$select=id,body/content"] {
        let refusal = get(&rules(), &groups(options)).unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (400, "optionValueNotAllowed"), "{options}");
        assert!(refusal.to_string().contains("`$select`"), "{refusal}");
    }
}

#[test]
fn counting_in_the_directory_is_eventual_and_mail_never_is() {
    let ask = |policy: &Policy, target: &str, eventual| {
        admit(&Request { method: "GET", target, prefer: None, eventual }, policy).unwrap().eventual
    };
    assert!(ask(&rules(), "/v1.0/groups?$count=true", false));
    assert!(ask(&rules(), "/v1.0/groups", true));
    assert!(!ask(&rules(), "/v1.0/groups?$count=false", false));
    assert!(ask(&other(), "/v1.0/users/$count", false));
    let messages = format!("/v1.0/users/{}/messages?$count=true", user());
    assert!(!ask(&mail(), &messages, true));
}

#[test]
fn minimal_responses_are_for_changes_that_the_rules_open() {
    let ask = |policy: &Policy, target: &str| {
        let prefer = Some("return=minimal");
        admit(&Request { method: "GET", target, prefer, eventual: false }, policy).unwrap().prefer
    };
    assert_eq!(ask(&rules(), "/v1.0/users/delta"), [Preference::ReturnMinimal]);
    assert_eq!(ask(&rules(), "/v1.0/groups"), []);
}
