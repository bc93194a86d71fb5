//! Questions whose answers follow from what leaves: `$filter: kept`, `$orderby: kept`, counts, and changes from now on.

use super::*;

const RULES: &str = r#"
version: 1
connector: kept
title: Kept
purpose: Every form in which a value can leave.
permissions: [User.Read.All, GroupMember.Read.All, MailboxSettings.Read, Mail.ReadBasic.All]
shapes:
  group:
    keep:
      times: [$.createdDateTime]
      booleans: [$.mailEnabled]
      one_of: [{ path: "$.groupTypes[*]", values: [Unified] }, { path: $.visibility, values: [Public] }]
    truncate_time: [{ path: $.renewedDateTime, to: day }]
    pseudonymize: [{ path: $.id, as: id, reversible: true }, { path: $.mail, as: email }]
    domain: ["$.proxyAddresses[*]"]
    nested: [{ path: "$['members@delta'][*]", shape: member }]
  member:
    pseudonymize: [{ path: $.id, as: id, reversible: true }]
  settings:
    keep: { time_zones: [$.timeZone] }
endpoints:
  - name: list-groups
    get: /v1.0/groups
    query:
      $select: kept
      $count: boolean
      $filter: kept
      $orderby: kept
      $expand: { owners: { shape: member } }
    response: { collection: group }
  - name: listed-groups
    get: /beta/groups
    query: { $filter: { groupTypes: [eq], mail: [present] } }
    response: { collection: group }
  - name: groups-delta
    get: /v1.0/groups/delta
    query: { $select: kept }
    response: { delta: group }
  - name: messages-delta
    get: /v1.0/users/{user}/messages/delta
    params: { user: { token: id } }
    response: { delta: member }
  - name: get-folder
    get: /v1.0/users/{user}/mailFolders/{folder}
    params: { user: { token: id }, folder: { one_of: [inbox, outbox], token: id } }
    response: { entity: member }
  - name: get-time-zone
    get: /v1.0/users/{user}/mailboxSettings/timeZone
    params: { user: { token: id } }
    response: { property: settings }
"#;

fn rules() -> Policy {
    policy_of("acme-analytics", RULES)
}

/// The options that Graph gets for these options at a path.
fn sent(path: &str, options: &str, name: &str) -> Option<String> {
    let target = format!("{path}?{}", options.replace(' ', "%20"));
    let admitted = get(&rules(), &target).unwrap_or_else(|refusal| panic!("{target}: {refusal}"));
    let upstream = Target::parse(&admitted.upstream).unwrap();
    upstream.option(&OptionName::parse(name).unwrap()).map(str::to_owned)
}

fn filtered(filter: &str) -> String {
    sent("/v1.0/groups", &format!("$filter={filter}"), "$filter").unwrap()
}

fn refused_filter(filter: &str) -> (u16, &'static str) {
    refused(&rules(), &format!("/v1.0/groups?$filter={}", filter.replace(' ', "%20")))
}

#[test]
fn a_kept_value_is_compared_as_its_type_is() {
    for filter in [
        "mailEnabled eq true",
        "mailEnabled ne null",
        "createdDateTime gt 2026-01-01T00:00:00Z",
        "createdDateTime in (2026-01-01T00:00:00Z)",
        "visibility eq 'Public' or visibility eq null",
        "visibility in ('Public')",
        "not (visibility eq 'Public')",
        "renewedDateTime ge 2026-01-01T00:00:00Z",
    ] {
        assert_eq!(filtered(filter), filter);
    }
    for filter in [
        "mailEnabled gt true",
        "mailEnabled eq 'secret'",
        "createdDateTime ge null",
        "visibility eq 'secret'",
        "visibility gt 'Public'",
        "renewedDateTime ge 2026-01-01T00:00:01Z",
        "renewedDateTime eq 2026-01-01T00:00:00Z",
        "startswith(visibility,'secret')",
        "displayName eq 'secret'",
        "owners eq null",
    ] {
        assert_eq!(refused_filter(filter), (400, "optionValueNotAllowed"), "{filter}");
    }
}

#[test]
fn a_token_tells_whether_there_is_a_value_and_which_token_it_is() {
    assert_eq!(filtered("mail ne null and id ne null"), "mail ne null and id ne null");
    assert_eq!(filtered(&format!("id in ('{}')", user())), format!("id in ('{USER}')"));
    assert_eq!(refused_filter("mail eq 'secret@contoso.com'").0, 400);
    assert_eq!(refused_filter("mail in (null)").0, 400);
    assert_eq!(refused_filter("id gt 'secret'").0, 400);
    assert_eq!(get(&rules(), "/v1.0/groups?$filter=id%20eq%20'secret'").unwrap_err(), Refusal::NotFound);
}

#[test]
fn elements_that_leave_are_compared_by_any() {
    let unified = "groupTypes/any(x:x eq 'Unified')";
    assert_eq!(filtered("grouptypes/any(c:c+eq+'Unified')"), unified);
    assert_eq!(filtered("not groupTypes/any(c:c eq 'Unified')"), format!("not ({unified})"));
    assert_eq!(filtered("groupTypes/any(c:c in ('Unified'))"), "groupTypes/any(x:x in ('Unified'))");
    assert_eq!(sent("/beta/groups", &format!("$filter={unified}"), "$filter").unwrap(), unified);
    for filter in [
        "groupTypes eq 'Unified'",
        "groupTypes/any()",
        "groupTypes/any(c:c ne 'Unified')",
        "groupTypes/any(c:not (c eq 'Unified'))",
        "groupTypes/any(c:c eq 'secret')",
        "proxyAddresses/any(c:c ne null)",
        "proxyAddresses/any()",
        "visibility/any(c:c eq 'Public')",
        "owners/any(o:o/id eq 'secret')",
    ] {
        assert_eq!(refused_filter(filter), (400, "optionValueNotAllowed"), "{filter}");
    }
    let text = get(&rules(), "/beta/groups?$filter=mailEnabled%20eq%20true").unwrap_err().to_string();
    assert!(text.ends_with("It compares groupTypes/any (eq); mail (present)."), "{text}");
}

#[test]
fn a_list_is_sorted_by_what_leaves_whole() {
    let by = |order: &str| sent("/v1.0/groups", &format!("$orderby={order}"), "$orderby").unwrap();
    assert_eq!(by("createdDateTime desc,mailEnabled"), "createdDateTime desc,mailEnabled");
    for hidden in ["visibility", "renewedDateTime", "id", "mail", "groupTypes", "displayName"] {
        assert_eq!(
            refused(&rules(), &format!("/v1.0/groups?$orderby={hidden}")),
            (400, "optionValueNotAllowed"),
            "{hidden}"
        );
    }
}

#[test]
fn what_may_be_counted_has_a_count_of_its_own() {
    let admitted = get(&rules(), "/v1.0/groups/$count?$filter=mailEnabled%20eq%20true").unwrap();
    assert_eq!(admitted.endpoint.name, "list-groups-count");
    assert_eq!(admitted.upstream, "/v1.0/groups/$count?$filter=mailEnabled%20eq%20true");
    assert!(admitted.eventual, "Graph counts the directory in no other way");
    assert_eq!(refused(&rules(), "/v1.0/groups/$count?$top=1"), (400, "optionNotAllowed"));
    assert_eq!(
        refused(&rules(), "/beta/groups/$count"),
        (403, "endpointNotAllowed"),
        "nothing opens `$count`"
    );
    let named = get(&other(), "/v1.0/users/$count").unwrap();
    assert_eq!(named.endpoint.name, "count-users", "the file's own endpoint stands");
}

#[test]
fn the_changes_of_a_relationship_are_selected_by_its_name() {
    let select = |options: &str| sent("/v1.0/groups/delta", options, "$select").unwrap();
    let whole = upstream(&rules(), "/v1.0/groups/delta");
    assert!(whole.ends_with("mailEnabled,members,proxyAddresses,renewedDateTime,visibility"), "{whole}");
    assert_eq!(select("$select=displayName,members"), "members");
    assert_eq!(select("$select=displayName"), "id");
    assert!(!upstream(&rules(), "/v1.0/groups").contains("members"), "a list has no changes");
}

#[test]
fn changes_from_now_on_are_those_of_the_directory() {
    let latest = get(&rules(), "/v1.0/groups/delta?$deltaToken=latest&$select=mailEnabled").unwrap();
    assert_eq!(latest.upstream, "/v1.0/groups/delta()?$select=mailEnabled&$deltatoken=latest");
    let mail = format!("/v1.0/users/{}/messages/delta", user());
    assert!(get(&rules(), &mail).is_ok());
    assert_eq!(refused(&rules(), &format!("{mail}?$deltatoken=latest")), (403, "latestNotAllowed"));
    for target in ["/v1.0/groups?$deltatoken=latest", "/v1.0/groups/$count?$deltatoken=latest"] {
        assert_eq!(refused(&rules(), target), (403, "latestNotAllowed"), "{target}");
    }
    assert_eq!(refused(&rules(), "/v1.0/groups/delta?$skiptoken=latest").0, 410);
    assert_eq!(refused(&rules(), "/v1.0/groups/delta?$deltatoken=latest&$skiptoken=x").0, 400);
}

#[test]
fn a_response_can_be_one_property() {
    let path = format!("/v1.0/users/{}/mailboxSettings/timeZone", user());
    let admitted = get(&rules(), &path).unwrap();
    assert_eq!(admitted.upstream, format!("/v1.0/users/{USER}/mailboxSettings/timeZone"));
    assert_eq!(refused(&rules(), &format!("{path}?$select=timeZone")), (400, "optionNotAllowed"));
    assert_eq!(refused(&rules(), &path.replace("timeZone", "language")), (403, "endpointNotAllowed"));
}

#[test]
fn a_refusal_says_what_the_path_accepts() {
    let folder = |name: &str| format!("/v1.0/users/{}/mailFolders/{name}", user());
    assert!(get(&rules(), &folder("Outbox")).is_ok());
    assert_eq!(refused(&rules(), &folder("clutter")), (403, "pathNameNotAllowed"));
    let text = get(&rules(), &folder("clutter")).unwrap_err().to_string();
    assert!(text.contains("It accepts inbox, outbox, and tokens."), "{text}");
    // What could be an id is not told from another consumer's token.
    for id in [FOLDER, "AAMkADhAAATs28OAAA1", "p~A", "secret@contoso.com"] {
        assert_eq!(get(&rules(), &folder(id)).unwrap_err(), Refusal::NotFound, "{id}");
    }
    let me = get(&rules(), "/v1.0/me/messages").unwrap_err().to_string();
    assert!(me.starts_with("This proxy has no signed-in user"), "{me}");
    let report = "/v1.0/reports/getEmailActivityUserDetail(period='D30')";
    assert_eq!(refused(&rules(), report), (403, "endpointNotAllowed"));
}
