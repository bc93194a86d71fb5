//! What a token opens.

use std::sync::Arc;

use glassine::demo::tenant::Tenant;

use super::{Graph, TenantResponse};

const EVERYTHING: &str = "Sample application";
const BASIC: &str = "Outlook Mail - Meta Data Only";

impl Graph {
    async fn with(&self, token: &str, target: &str) -> TenantResponse {
        self.get_with(target, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Status and error code.
    async fn opens(&self, token: &str, target: &str) -> (u16, String) {
        let response = self.with(token, target).await;
        let code = serde_json::from_slice(&response.body)
            .ok()
            .map(|it: serde_json::Value| it["error"]["code"].clone());
        (response.status.as_u16(), code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default())
    }

    /// A token with these roles alone.
    async fn token_with(&self, roles: &[&str]) -> String {
        self.change(BASIC, |it| {
            let granted: Vec<_> = it.granted().map(str::to_owned).collect();
            granted.iter().for_each(|role| it.revoke(role));
            roles.iter().for_each(|role| it.grant(role));
        });
        self.token_of(BASIC).await
    }

    fn mailbox(&self) -> String {
        format!("/v1.0/users/{}", self.staff().id())
    }
}

fn fine() -> (u16, String) {
    (200, String::new())
}

fn denied(code: &str) -> (u16, String) {
    (403, code.to_owned())
}

#[tokio::test]
async fn a_token_is_good_until_it_ends() {
    let graph = Graph::of(Arc::new(Tenant::new(7).require_token())).await;
    let token = graph.token_of(EVERYTHING).await;
    assert_eq!(graph.opens(&token, "/v1.0/users?$top=1").await, fine());
    assert_eq!(graph.opens(graph.tenant.access_token(), "/v1.0/users?$top=1").await, fine());
    graph.tenant.entra().advance_clock(3600);
    let ended = graph.with(&token, "/v1.0/users?$top=1").await;
    assert_eq!(
        (ended.status.as_u16(), &ended.json()["error"]["code"]),
        (401, &"InvalidAuthenticationToken".into())
    );
    assert_eq!(ended.json()["error"]["message"], "Lifetime validation failed, the token is expired.");
    assert!(ended.header("www-authenticate").starts_with("Bearer realm=\"\", authorization_uri="));
    assert_eq!(graph.opens(&graph.token_of(EVERYTHING).await, "/v1.0/users?$top=1").await, fine());
}

#[tokio::test]
async fn only_tokens_that_were_issued_here_are_good() {
    let unknown = (401, "InvalidAuthenticationToken".to_owned());
    let strict = Graph::of(Arc::new(Tenant::new(7).require_token())).await;
    let open = Graph::own().await;
    let token = open.token_of(EVERYTHING).await;
    for graph in [&strict, &open] {
        // The sample tenant compares the whole token with those that it issued, the signature included.
        let forged = format!("{token}A");
        assert_eq!(graph.opens(&forged, "/v1.0/users").await, unknown);
    }
    assert_eq!(strict.opens(&token, "/v1.0/users").await, unknown);
    assert_eq!(strict.opens("a-word", "/v1.0/users").await, unknown);
    strict.refuses("/v1.0/users", 401, "InvalidAuthenticationToken").await;
    // Where no token is required, a request passes without one, and with a text that cannot be one.
    assert_eq!(open.opens("a-word", "/v1.0/users").await, fine());
    assert_eq!(open.get_with("/v1.0/users", &[]).await.status.as_u16(), 200);
}

#[tokio::test]
async fn roles_decide_what_opens() {
    let graph = Graph::own().await;
    let mailbox = graph.mailbox();
    let group = format!("/v1.0/groups/{}/members", graph.tenant.groups()[0].id());
    for (role, target, code) in [
        ("User.Read.All", "/v1.0/users".to_owned(), "Authorization_RequestDenied"),
        ("User.Read.All", "/v1.0/users/delta".to_owned(), "Authorization_RequestDenied"),
        ("User.Read.All", "/v1.0/organization".to_owned(), "Authorization_RequestDenied"),
        ("GroupMember.Read.All", group, "Authorization_RequestDenied"),
        ("Mail.ReadBasic.All", format!("{mailbox}/messages"), "ErrorAccessDenied"),
        ("Mail.ReadBasic.All", format!("{mailbox}/mailFolders/inbox/messages/delta"), "ErrorAccessDenied"),
        ("MailboxSettings.Read", format!("{mailbox}/mailboxSettings"), "ErrorAccessDenied"),
        ("Contacts.Read", format!("{mailbox}/contacts"), "ErrorAccessDenied"),
    ] {
        let others = [
            "User.Read.All",
            "GroupMember.Read.All",
            "Mail.ReadBasic.All",
            "MailboxSettings.Read",
            "Contacts.Read",
        ];
        let others: Vec<_> = others.into_iter().filter(|other| *other != role).collect();
        assert_eq!(graph.opens(&graph.token_with(&[role]).await, &target).await, fine(), "{target}");
        assert_eq!(graph.opens(&graph.token_with(&others).await, &target).await, denied(code), "{target}");
    }
}

#[tokio::test]
async fn either_role_opens_the_groups_of_a_user() {
    let graph = Graph::own().await;
    let target = format!("{}/transitiveMemberOf", graph.mailbox());
    for role in ["User.Read.All", "GroupMember.Read.All"] {
        assert_eq!(graph.opens(&graph.token_with(&[role]).await, &target).await, fine(), "{role}");
    }
    let other = graph.token_with(&["Mail.ReadBasic.All"]).await;
    assert_eq!(graph.opens(&other, &target).await, denied("Authorization_RequestDenied"));
}

/// <https://github.com/microsoftgraph/microsoft-graph-docs/issues/12552> and the note at
/// <https://learn.microsoft.com/graph/api/group-list-members#permissions>: no error, and nobody.
#[tokio::test]
async fn members_of_a_hidden_group_need_a_permission_of_their_own() {
    let graph = Graph::own().await;
    let hidden =
        graph.tenant.groups().iter().find(|group| group.has_hidden_members()).unwrap().id().to_owned();
    let members = format!("/v1.0/groups/{hidden}/members");
    let member = graph.get(&members).await["value"][0]["id"].as_str().unwrap().to_owned();
    for (roles, seen) in [
        (&["GroupMember.Read.All", "User.Read.All", "Directory.Read.All"][..], false),
        (&["GroupMember.Read.All", "User.Read.All", "Member.Read.Hidden"], true),
    ] {
        let token = graph.token_with(roles).await;
        let list = async |target: &str| {
            let response = graph.with(&token, target).await;
            assert_eq!(response.status.as_u16(), 200, "{target}");
            response.json()["value"].as_array().unwrap().clone()
        };
        assert_eq!(!list(&members).await.is_empty(), seen, "{roles:?}");
        assert_eq!(!list(&format!("/v1.0/groups/{hidden}/transitiveMembers")).await.is_empty(), seen);
        for relation in ["memberOf", "transitiveMemberOf"] {
            let groups = list(&format!("/v1.0/users/{member}/{relation}")).await;
            assert!(!groups.is_empty(), "the other groups are there");
            assert_eq!(groups.iter().any(|group| group["id"] == hidden.as_str()), seen, "{relation}");
        }
        let changes = list(&format!("/v1.0/groups/delta?$filter=id%20eq%20'{hidden}'")).await;
        assert_eq!(
            (changes[0].get("members@delta").is_some(), &changes[0]["id"]),
            (seen, &hidden.as_str().into())
        );
        let all = list("/v1.0/groups").await;
        assert!(
            all.iter().any(|group| group["visibility"] == "HiddenMembership"),
            "the group itself is listed"
        );
    }
}

#[tokio::test]
async fn broader_roles_open_as_much() {
    let graph = Graph::own().await;
    let token = graph.token_with(&["Directory.Read.All", "Mail.ReadWrite"]).await;
    for target in ["/v1.0/users", "/v1.0/groups", &format!("{}/messages", graph.mailbox())] {
        assert_eq!(graph.opens(&token, target).await, fine(), "{target}");
    }
}

/// Exchange says 401 and another code to a token without any permission, and the directory says what it always says.
#[tokio::test]
async fn a_token_without_any_permission_is_unauthorized_in_mailboxes() {
    let graph = Graph::own().await;
    let (mailbox, none) = (graph.mailbox(), graph.token_with(&[]).await);
    for target in ["messages", "mailboxSettings", "contacts"] {
        let said = graph.opens(&none, &format!("{mailbox}/{target}")).await;
        assert_eq!(said, (401, "NoPermissionsInAccessToken".to_owned()), "{target}");
    }
    assert_eq!(graph.opens(&none, "/v1.0/users").await, denied("Authorization_RequestDenied"));
}

#[tokio::test]
async fn settings_of_users_need_a_permission_of_their_own() {
    let graph = Graph::own().await;
    let target = format!("{}?$select=mailboxSettings", graph.mailbox());
    let without = graph.token_with(&["User.Read.All"]).await;
    assert_eq!(graph.opens(&without, &target).await, denied("ErrorAccessDenied"));
    let with = graph.token_with(&["User.Read.All", "MailboxSettings.Read"]).await;
    assert_eq!(graph.opens(&with, &target).await, fine());
}

#[tokio::test]
async fn basic_mail_has_no_content_and_says_nothing_of_it() {
    let graph = Graph::own().await;
    let basic = graph.token_with(&["Mail.ReadBasic.All"]).await;
    let full = graph.token_of(EVERYTHING).await;
    let messages = format!("{}/messages", graph.mailbox());
    for (token, content) in [(&basic, false), (&full, true)] {
        let selected = format!("{messages}?$top=1&$select=subject,body,bodyPreview,uniqueBody");
        let message = graph.with(token, &selected).await.json()["value"][0].clone();
        assert!(message["subject"].is_string());
        for name in ["body", "bodyPreview", "uniqueBody"] {
            assert_eq!(message.get(name).is_some(), content, "{name}");
        }
    }
    let id = graph.tenant.message_ids(graph.staff(), "inbox").remove(0);
    for asked in [
        format!("{messages}?$search=\"salary\""),
        format!("{messages}?$filter=contains(body/content,'salary')"),
        format!("{messages}?$expand=attachments"),
        format!("{messages}?$expand=singleValueExtendedProperties($filter=id%20eq%20'String%200x1000')"),
        format!("{messages}/{id}/attachments"),
        format!("{messages}/{id}/$value"),
    ] {
        let asked = asked.replace(' ', "%20").replace('"', "%22");
        assert_eq!(graph.opens(&basic, &asked).await, denied("ErrorAccessDenied"), "{asked}");
        assert_eq!(graph.opens(&full, &asked).await.0, 200, "{asked}");
    }
}

#[tokio::test]
async fn a_policy_keeps_mailboxes_from_an_application_and_from_no_other() {
    let graph = Graph::own().await;
    let token = graph.token_of(EVERYTHING).await;
    let mut staff = graph.tenant.users().iter().filter(|user| user.has_mailbox());
    let (within, without) = (staff.next().unwrap().id(), staff.next().unwrap().id());
    let messages = |user: &str| format!("/v1.0/users/{user}/messages?$top=1");
    assert_eq!(graph.opens(&token, &messages(without)).await, fine());
    graph.change(EVERYTHING, |it| it.restrict_mailboxes(Some(&[within])));
    let kept = graph.with(&token, &messages(without)).await;
    assert_eq!((kept.status.as_u16(), &kept.json()["error"]["code"]), (403, &"ErrorAccessDenied".into()));
    assert!(kept.json()["error"]["message"].as_str().unwrap().starts_with("Access to OData is disabled"));
    assert_eq!(graph.opens(&token, &messages(within)).await, fine());
    assert_eq!(graph.opens(&token, &format!("/v1.0/users/{without}")).await, fine());
    let other = graph.token_with(&["Mail.Read"]).await;
    assert_eq!(graph.opens(&other, &messages(without)).await, fine());
    graph.change(EVERYTHING, |it| it.restrict_mailboxes(None));
    assert_eq!(graph.opens(&token, &messages(without)).await, fine());
}
