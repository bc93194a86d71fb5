//! Mailboxes of the sample tenant as a consumer finds them: links below folders, orders that Exchange refuses, mailboxes that are not
//! there, settings that nobody may read, and time zones that people made.

use std::collections::BTreeSet;
use std::sync::Arc;

use glassine::demo::tenant::{Account, Tenant, User};
use serde_json::{Value, json};

use crate::cli::{RULES, glassine};
use crate::support::glassine::{Glassine, OUTLOOK_MAIL, Setup, sample_tenant};

async fn stage() -> (Arc<Tenant>, Glassine) {
    let (tenant, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph).rules(OUTLOOK_MAIL);
    setup.domain = tenant.domain().to_owned();
    setup.consumers[0].more = "    limits: { requests_per_second: 100000 }\n".to_owned();
    (tenant, setup.start().await)
}

fn mailbox(tenant: &Tenant, proxy: &Glassine) -> String {
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    format!("/v1.0/users/{}", proxy.id(user.id()))
}

fn ids(objects: &[Value]) -> BTreeSet<&str> {
    objects.iter().map(|object| object["id"].as_str().unwrap()).collect()
}

/// Exchange's links there have keys in parentheses, `%24` in names, and a `$skip` that is more than the page.
#[tokio::test]
async fn links_below_folders_lead_through_every_page_once() {
    let (tenant, proxy) = stage().await;
    let user = mailbox(&tenant, &proxy);
    let (folders, _) = proxy.walk(&format!("{user}/mailFolders?$top=100")).await;
    let fullest = folders.iter().max_by_key(|folder| folder["totalItemCount"].as_u64()).unwrap();
    let (token, total) = (fullest["id"].as_str().unwrap(), fullest["totalItemCount"].as_u64().unwrap());
    let query = "$select=id,receivedDateTime&$top=20&$orderby=receivedDateTime desc&$filter=receivedDateTime ge 2000-01-01T00:00:00Z";
    let query = query.replace(' ', "%20");
    for folder in [token, "inbox"] {
        let (messages, pages) = proxy.walk(&format!("{user}/mailFolders/{folder}/messages?{query}")).await;
        assert!(pages > 2 && messages.len() > 40, "{folder}: {pages}");
        assert_eq!(ids(&messages).len(), messages.len(), "{folder}");
        assert!(folder == "inbox" || messages.len() as u64 == total, "{} of {total}", messages.len());
    }
    let children =
        format!("{user}/mailFolders('msgfolderroot')/childFolders?$top=3&includeHiddenFolders=true");
    let (children, pages) = proxy.walk(&children).await;
    assert!(pages > 2 && ids(&children).len() == children.len(), "{pages}");
}

/// Fault: Exchange refuses a combination of `$orderby` and `$filter` that the rules open. Outcome: the consumer gets 400 with its code and how to write it.
#[tokio::test]
async fn an_order_that_does_not_lead_the_filter_comes_back_with_advice() {
    let (tenant, proxy) = stage().await;
    let user = mailbox(&tenant, &proxy);
    let query = |filter: &str| format!("messages?$top=1&$orderby=receivedDateTime%20desc&$filter={filter}");
    let refused = query("isRead%20eq%20false");
    let taken = query("receivedDateTime%20ge%202026-01-01%20and%20isRead%20eq%20false");
    let response = proxy.get(&format!("{user}/{refused}")).await;
    assert_eq!(
        (response.status, response.code().as_str()),
        (400, "InefficientFilter"),
        "{}",
        response.text()
    );
    let message = response.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("each property of $orderby has to be in $filter too"), "{message}");
    assert_eq!(proxy.get(&format!("{user}/{taken}")).await.status, 200);

    let explained = |query: &str| {
        glassine(&["explain", "--rules", RULES, "--format", "json", &format!("/v1.0/users/{{user}}/{query}")])
            .json()
    };
    let known = json!({ "code": "InefficientFilter", "message": message, "status": 400 });
    let (explained, fine) = (explained(&refused), explained(&taken));
    assert_eq!(
        (&explained["decision"], &explained["graph"]),
        (&json!("allow"), &known),
        "the rules allow it"
    );
    assert_eq!((&fine["decision"], &fine["graph"]), (&json!("allow"), &Value::Null));
    let text = glassine(&["explain", "--rules", RULES, &format!("/v1.0/users/{{user}}/{refused}")]).fine();
    assert!(text.contains("  graph      can refuse it: 400 InefficientFilter: "), "{text}");
}

#[tokio::test]
async fn changes_of_messages_are_asked_as_graph_takes_them() {
    let (tenant, proxy) = stage().await;
    let delta = format!("{}/mailFolders/inbox/messages/delta", mailbox(&tenant, &proxy));
    let since = "$filter=receivedDateTime%20gt%202026-01-01";
    for refused in
        ["$orderby=receivedDateTime", "$orderby=receivedDateTime%20asc", "$orderby=sentDateTime%20desc"]
    {
        let response = proxy.get(&format!("{delta}?{since}&{refused}")).await;
        let shown = (response.status, response.code());
        assert_eq!(shown, (400, "optionValueNotAllowed".to_owned()), "{refused}");
        assert!(response.text().contains("It orders by receivedDateTime (desc)."), "{}", response.text());
    }
    assert_eq!(proxy.get(&format!("{delta}?{since}&$orderby=receivedDateTime%20desc")).await.status, 200);
    // The language opens comparisons, and Graph takes one.
    let twice = format!("{delta}?{since}%20and%20receivedDateTime%20ge%202026-01-02");
    let response = proxy.get(&twice).await;
    assert_eq!(
        (response.status, response.code().as_str()),
        (400, "ErrorInvalidUrlQuery"),
        "{}",
        response.text()
    );
    assert!(response.text().contains("one time"), "{}", response.text());
    let latest = proxy.get(&format!("{delta}?$deltatoken=latest")).await;
    assert_eq!((latest.status, latest.code().as_str()), (403, "latestNotAllowed"));
}

fn without_mailbox(tenant: &Tenant) -> impl Iterator<Item = &User> {
    tenant.users().iter().filter(|user| !user.has_mailbox())
}

/// Fault: an account of the directory has no mailbox. Outcome: the consumer gets 404 with Graph's code, and a text that says to go on.
#[tokio::test]
async fn a_mailbox_that_is_not_there_is_404_with_the_code_of_graph() {
    let (tenant, proxy) = stage().await;
    let mut codes = BTreeSet::new();
    for user in without_mailbox(&tenant) {
        let base = format!("/v1.0/users/{}", proxy.id(user.id()));
        assert_eq!(proxy.get(&base).await.status, 200, "the directory has the account");
        for rest in ["mailboxSettings", "messages?$top=1", "mailFolders/inbox/messages/delta"] {
            let response = proxy.get(&format!("{base}/{rest}")).await;
            assert_eq!(response.status, 404, "{}", response.text());
            assert!(response.text().contains("Go on with the next account."), "{}", response.text());
            codes.insert(response.code());
        }
    }
    let expected = ["MailboxNotEnabledForRESTAPI", "ResourceNotFound"];
    assert_eq!(codes, expected.map(str::to_owned).into());
    let user = mailbox(&tenant, &proxy);
    let other = tenant.users().iter().filter(|user| user.has_mailbox()).nth(1).unwrap();
    let message = proxy.id(&tenant.message_ids(other, "inbox")[0]);
    let missing = proxy.get(&format!("{user}/messages/{message}")).await;
    assert_eq!(
        (missing.status, missing.code().as_str()),
        (404, "ErrorItemNotFound"),
        "another mailbox's message"
    );
}

/// Fault: Exchange refuses the settings of one mailbox. Outcome: the consumer gets 403 with Graph's code for it, and the mailbox's mail.
#[tokio::test]
async fn settings_that_exchange_hides_are_403_and_the_mail_is_open() {
    let (tenant, proxy) = stage().await;
    let statuses = |rest: &'static str| {
        let (tenant, proxy) = (&tenant, &proxy);
        async move {
            let mut found = Vec::new();
            for room in tenant.users().iter().filter(|user| user.account() == Account::Room) {
                found.push(proxy.get(&format!("/v1.0/users/{}/{rest}", proxy.id(room.id()))).await);
            }
            found
        }
    };
    let settings = statuses("mailboxSettings").await;
    let (last, others) = settings.split_last().unwrap();
    assert_eq!((last.status, last.code().as_str()), (403, "ErrorAccessDenied"));
    assert!(others.iter().all(|room| room.status == 200 && room.json()["userPurpose"] == "room"));
    assert!(statuses("messages?$top=1").await.iter().all(|mail| mail.status == 200));
}

#[tokio::test]
async fn a_time_zone_that_somebody_made_leaves_by_its_offsets() {
    let (tenant, proxy) = stage().await;
    let mut own = 0;
    for user in tenant.users().iter().filter(|user| user.has_mailbox()).take(60) {
        let settings =
            proxy.get(&format!("/v1.0/users/{}/mailboxSettings", proxy.id(user.id()))).await.json();
        assert!(settings["timeZone"].is_string(), "{settings}");
        let zone = &settings["workingHours"]["timeZone"];
        if settings["timeZone"] == "tzone://Microsoft/Custom" {
            own += 1;
            let offset = |bias: Option<i64>, at: i64, month: i64| {
                let mut offset = json!({
                    "time": "02:00:00.0000000", "dayOccurrence": at, "dayOfWeek": "sunday", "month": month, "year": 0,
                });
                if let Some(bias) = bias {
                    offset["daylightBias"] = json!(bias);
                }
                offset
            };
            let expected = json!({
                "name": "Customized Time Zone", "bias": -200,
                "standardOffset": offset(None, 4, 5), "daylightOffset": offset(Some(100), 2, 10),
            });
            assert_eq!(zone, &expected);
        } else {
            assert_eq!(zone, &json!({ "name": settings["timeZone"] }), "{settings}");
        }
    }
    assert!(own > 0);
}
