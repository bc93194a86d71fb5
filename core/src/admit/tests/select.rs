//! What `$select` asks Graph for beyond plain names.

use super::*;

const RULES: &str = "
version: 1
connector: select
title: Select
purpose: Headers of messages, and properties of derived types.
permissions: [Mail.Read, GroupMember.Read.All]
shapes:
  meeting:
    keep:
      booleans: [$.isRead, $.responseRequested]
      one_of: [{ path: $.meetingMessageType, values: [meetingRequest, meetingAccepted] }]
    pseudonymize: [{ path: $.id, as: id }]
  member:
    pseudonymize: [{ path: $.mail, as: email }]
  attachment:
    pseudonymize: [{ path: $.contentId, as: text }]
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
  - name: list-meetings
    get: /{api}/users/{user}/mailFolders/inbox/messages
    params: { api: { one_of: [v1.0, beta] }, user: { raw: true } }
    query:
      $select: kept
      $filter: kept
      $orderby: kept
      $expand: { attachments: { shape: attachment } }
    response: { collection: meeting }
  - name: meetings-delta
    get: /v1.0/users/{user}/mailFolders/inbox/messages/delta
    params: { user: { raw: true } }
    response: { delta: meeting }
  - name: list-members
    get: /v1.0/groups/{group}/members
    params: { group: { raw: true } }
    query: { $select: kept }
    response: { collection: member }
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

const TYPE: &str = "microsoft.graph.eventMessage/meetingMessageType";
const ASKED: &str = "microsoft.graph.eventMessageRequest/responseRequested";

/// Graph refused every request for messages: `Could not find a property named 'meetingMessageType'`.
#[test]
fn a_property_of_a_derived_type_is_asked_for_with_its_type() {
    let all = format!("id,isRead,{TYPE},{ASKED}");
    for (target, names) in [
        ("/v1.0/users/u/mailFolders/inbox/messages", all.as_str()),
        ("/beta/users/u/mailFolders/inbox/messages", &all),
        ("/v1.0/users/u/mailFolders/inbox/messages/delta", &all),
        (
            "/v1.0/users/u/mailFolders/inbox/messages?$select=MeetingMessageType,isRead",
            &format!("isRead,{TYPE}"),
        ),
        (
            "/v1.0/users/u/mailFolders/inbox/messages?$select=microsoft.graph.eventMessage/meetingMessageType,subject",
            TYPE,
        ),
        ("/v1.0/users/u/mailFolders/inbox/messages?$select=microsoft.graph.eventMessage/subject", "id"),
        ("/v1.0/groups/g/members", "mail"),
        ("/v1.0/groups/g/members?$select=microsoft.graph.user/mail", "mail"),
    ] {
        let asked = upstream(&rules(), target).replace("%2F", "/");
        assert_eq!(asked.split_once("$select=").unwrap().1.split('&').next(), Some(names), "{target}");
    }
    let expanded = upstream(&rules(), "/v1.0/users/u/mailFolders/inbox/messages?$expand=attachments");
    let expanded = expanded.replace("%2F", "/").replace("%24", "$").replace("%28", "(").replace("%3D", "=");
    assert!(expanded.contains("attachments($select=microsoft.graph.fileAttachment/contentId"), "{expanded}");
}

#[test]
fn a_property_of_a_derived_type_is_not_compared() {
    let refused_options =
        ["$filter=meetingMessageType%20eq%20'meetingRequest'", "$orderby=responseRequested"];
    for option in refused_options {
        let target = format!("/v1.0/users/u/mailFolders/inbox/messages?{option}");
        assert_eq!(refused(&rules(), &target).0, 400, "{option}");
    }
    assert!(
        get(&rules(), "/v1.0/users/u/mailFolders/inbox/messages?$filter=isRead%20eq%20true&$orderby=isRead")
            .is_ok()
    );
    let listed = RULES.replacen("$filter: kept", "$filter: { meetingMessageType: [eq] }", 1);
    let report = crate::rules::compile("rules.yaml", &listed).report.render();
    assert!(report.contains("error[G0205]") && report.contains("of a derived type"), "{report}");
}

/// Graph's link repeats the `$select` of the request.
#[test]
fn a_link_may_select_properties_of_derived_types() {
    let policy = rules();
    let list = get(&policy, "/v1.0/users/u/mailFolders/inbox/messages").unwrap();
    let link = |select: &str| {
        let link = format!(
            "https://graph.microsoft.com/v1.0/users/u/mailFolders/inbox/messages?$select={select}&$skip=10"
        );
        list.links(&policy).rewrite(&link, LinkKind::Next)
    };
    let followed = link(&format!("id,{TYPE}")).unwrap();
    let target = followed.strip_prefix(&*policy.public_url).unwrap();
    assert!(get(&policy, target).unwrap().upstream.replace("%2F", "/").contains(TYPE));
    assert!(link("id,microsoft.graph.eventMessage/subject").is_err());
}
