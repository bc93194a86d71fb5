//! Paths below users and groups, settings, folders and the organisation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Graph, ids};
use glassine::demo::tenant::Account;

#[tokio::test]
async fn a_cast_leaves_one_type_and_need_not_name_it() {
    let graph = Graph::start().await;
    // A security group has a department and a person in it.
    let group = graph.tenant.groups().last().unwrap().id();
    for relation in ["members", "transitiveMembers"] {
        let list = format!("/v1.0/groups/{group}/{relation}");
        let all = graph.walk(&format!("{list}?$select=id&$top=999")).await;
        let of_type = |name: &str| -> BTreeSet<String> {
            ids(&all.iter().filter(|it| it["@odata.type"] == name).cloned().collect::<Vec<_>>())
        };
        let (users, groups) = (of_type("#microsoft.graph.user"), of_type("#microsoft.graph.group"));
        assert!(!users.is_empty() && !groups.is_empty());
        for cast in ["microsoft.graph.user", "graph.user"] {
            let page = graph.get(&format!("{list}/{cast}?$select=id&$top=999")).await;
            let found = page["value"].as_array().unwrap();
            assert_eq!(ids(found), users, "{relation}/{cast}");
            assert!(found.iter().all(|user| user.get("@odata.type").is_none()));
            assert!(page["@odata.context"].as_str().unwrap().ends_with("$metadata#users(id)"));
        }
        let found =
            graph.get_eventually(&format!("{list}/microsoft.graph.group?$select=id&$count=true")).await;
        assert_eq!(ids(found["value"].as_array().unwrap()), groups, "{relation}");
    }
    let cast = format!("/v1.0/groups/{group}/transitiveMembers/microsoft.graph.group");
    graph.refuses(&cast, 400, "Request_UnsupportedQuery").await;
}

#[tokio::test]
async fn members_can_be_filtered_by_advanced_queries_only() {
    let graph = Graph::start().await;
    let list = format!("/v1.0/groups/{}/transitiveMembers", graph.tenant.groups()[0].id());
    let filter = "$filter=startswith(displayName,'A')&$top=999&$select=id,displayName";
    graph.refuses(&format!("{list}?{filter}"), 400, "Request_UnsupportedQuery").await;
    let found = graph.get_eventually(&format!("{list}?{filter}&$count=true")).await;
    let mut expected = graph.walk(&format!("{list}?$top=999&$select=id,displayName")).await;
    expected.retain(|member| member["displayName"].as_str().unwrap().starts_with('A'));
    assert!(!expected.is_empty());
    assert_eq!(found["value"], json!(expected));
    assert_eq!(found["@odata.count"], expected.len());
}

#[tokio::test]
async fn somebody_is_in_more_groups_than_directly() {
    let graph = Graph::start().await;
    let user = graph.staff().id();
    let groups = |relation: &str| format!("/v1.0/users/{user}/{relation}?$select=id,displayName");
    let direct = graph.walk(&groups("memberOf")).await;
    let all = graph.walk(&groups("transitiveMemberOf")).await;
    assert!(ids(&direct).is_subset(&ids(&all)) && direct.len() < all.len());
    assert!(all.iter().all(|group| group["@odata.type"] == "#microsoft.graph.group"));
    for relation in ["memberOf/microsoft.graph.group", "transitiveMemberOf/graph.group"] {
        let cast = graph.walk(&groups(relation)).await;
        assert_eq!(cast.len(), if relation.starts_with('m') { direct.len() } else { all.len() });
        assert!(cast.iter().all(|group| group.get("@odata.type").is_none()));
    }
    for group in &direct {
        let id = group["id"].as_str().unwrap();
        let members = graph.walk(&format!("/v1.0/groups/{id}/members?$select=id&$top=999")).await;
        assert!(ids(&members).contains(user));
    }
    graph.refuses("/v1.0/users/nobody/memberOf", 404, "Request_ResourceNotFound").await;
}

#[tokio::test]
async fn the_organisation() {
    let graph = Graph::start().await;
    let id = graph.tenant.tenant_id();
    let all = graph.get("/v1.0/organization").await;
    assert_eq!(all["value"].as_array().unwrap().len(), 1);
    assert_eq!(all["value"][0]["id"], id);
    let domains = all["value"][0]["verifiedDomains"].as_array().unwrap();
    assert!(
        domains.iter().any(|domain| domain["name"] == graph.tenant.domain() && domain["isDefault"] == true)
    );
    let one = graph.get(&format!("/v1.0/organization/{id}?$select=displayName")).await;
    assert_eq!(one["displayName"], "Tallgrass Paper");
    assert_eq!(one.as_object().unwrap().len(), 2, "the context, and what was selected");
    graph.refuses("/v1.0/organization/other", 404, "Request_ResourceNotFound").await;
}

#[tokio::test]
async fn settings_one_by_one_and_selected() {
    let graph = Graph::start().await;
    let of = |user: &str, rest: &str| format!("/v1.0/users/{user}/mailboxSettings{rest}");
    let user = graph.staff().id();
    let all = graph.get(&of(user, "")).await;
    let some = graph.get(&of(user, "?$select=timeZone,workingHours")).await;
    let names: Vec<&String> = some.as_object().unwrap().keys().collect();
    assert_eq!(names, ["@odata.context", "timeZone", "workingHours"]);
    let zone = graph.get(&of(user, "/timeZone")).await;
    assert_eq!(zone["value"], all["timeZone"]);
    assert!(zone["@odata.context"].as_str().unwrap().ends_with("/mailboxSettings/timeZone"));
    assert_eq!(graph.get(&of(user, "/workingHours")).await["startTime"], all["workingHours"]["startTime"]);
    for (account, purpose) in
        [(Account::Member, "user"), (Account::Shared, "shared"), (Account::Room, "room")]
    {
        let owner =
            graph.tenant.users().iter().find(|it| it.account() == account && it.has_mailbox()).unwrap();
        let response = graph.get(&of(owner.id(), "/userPurpose")).await;
        let members: Vec<(&String, &Value)> = response.as_object().unwrap().iter().collect();
        assert_eq!(members[1], (&"value".to_owned(), &json!(purpose)));
        assert_eq!(graph.get(&of(owner.id(), "?$select=userPurpose")).await["userPurpose"], purpose);
    }
    let mut rooms = graph.tenant.users().iter().filter(|it| it.account() == Account::Room);
    let last = rooms.next_back().unwrap().id();
    for rest in ["", "/userPurpose", "?$select=timeZone"] {
        graph.refuses(&of(last, rest), 403, "ErrorAccessDenied").await;
    }
    let mail = graph.get(&format!("/v1.0/users/{last}/messages")).await;
    assert!(!mail["value"].as_array().unwrap().is_empty(), "the mailbox itself is open");
    graph.refuses(&of(user, "/nothing"), 400, "BadRequest").await;
    graph.refuses(&of(user, "?$select=nothing"), 400, "BadRequest").await;
}

/// Sources are at `Hosting` in the tenant.
#[tokio::test]
async fn each_mailbox_that_is_not_there_has_its_error() {
    let graph = Graph::start().await;
    let mut found = BTreeSet::new();
    for user in graph.tenant.users().iter().filter(|user| !user.has_mailbox()) {
        let id = user.id();
        graph.get(&format!("/v1.0/users/{id}?$select=id,mail")).await;
        let error = graph.get_with(&format!("/v1.0/users/{id}/messages"), &[]).await;
        let code = error.json()["error"]["code"].as_str().unwrap().to_owned();
        graph.refuses(&format!("/v1.0/users/{id}?$select=id,mailboxSettings"), 404, &code).await;
        for rest in ["mailFolders", "mailboxSettings", "contacts", "mailFolders/inbox/messages/delta"] {
            graph.refuses(&format!("/v1.0/users/{id}/{rest}"), 404, &code).await;
        }
        found.insert((user.account() == Account::Guest, user.mail().is_some(), code));
    }
    let of = |guest, mail, code: &str| (guest, mail, code.to_owned());
    assert_eq!(
        found,
        BTreeSet::from([
            of(false, false, "MailboxNotEnabledForRESTAPI"),
            of(false, true, "MailboxNotEnabledForRESTAPI"),
            of(false, true, "ResourceNotFound"),
            of(true, true, "MailboxNotEnabledForRESTAPI"),
        ])
    );
}

#[tokio::test]
async fn some_people_have_made_their_own_time_zone() {
    let graph = Graph::start().await;
    let (mut own, mut named) = (0, 0);
    for user in graph.tenant.users().iter().filter(|user| user.has_mailbox()).take(60) {
        let settings = graph.get(&format!("/v1.0/users/{}/mailboxSettings", user.id())).await;
        let zone = &settings["workingHours"]["timeZone"];
        if settings["timeZone"] == "tzone://Microsoft/Custom" {
            own += 1;
            let kind = (&zone["@odata.type"], &zone["name"], zone["bias"].is_i64());
            let expected = (&json!("#microsoft.graph.customTimeZone"), &json!("Customized Time Zone"), true);
            assert_eq!(kind, expected);
        } else {
            named += 1;
            assert_eq!(zone, &json!({ "name": settings["timeZone"] }));
        }
    }
    assert!(own > 0 && named > 0, "{own} {named}");
}

#[tokio::test]
async fn folders_by_their_well_known_names() {
    let graph = Graph::start().await;
    let folders = format!("users/{}/mailFolders", graph.staff().id());
    for name in [
        "archive",
        "conflicts",
        "conversationhistory",
        "deleteditems",
        "drafts",
        "inbox",
        "junkemail",
        "localfailures",
        "msgfolderroot",
        "outbox",
        "recoverableitemsdeletions",
        "scheduled",
        "searchfolders",
        "sentitems",
        "serverfailures",
        "syncissues",
    ] {
        let folder = graph.get(&format!("/beta/{folders}/{name}")).await;
        assert_eq!(folder["wellKnownName"], name);
        let on_v1 = graph.get(&format!("/v1.0/{folders}/{}", folder["id"].as_str().unwrap())).await;
        assert!(on_v1.get("wellKnownName").is_none(), "{name}");
        graph.get(&format!("/v1.0/{folders}/{name}/messages?$top=1")).await;
    }
    graph.refuses(&format!("/v1.0/{folders}/inbox?$select=wellKnownName"), 400, "BadRequest").await;
    graph.refuses(&format!("/v1.0/{folders}/clutter"), 404, "ErrorItemNotFound").await;
}
