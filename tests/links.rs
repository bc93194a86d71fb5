//! Links: a consumer follows the proxy's links to pages and changes of the sample tenant. Some changes end a link.

use std::collections::BTreeSet;
use std::sync::Arc;

use glassine::demo::tenant::Tenant;
use glassine_core::pseudonym::KeyRing;
use serde_json::{Value, json};

use crate::support::glassine::{Glassine, METADATA_ONLY, ProxyResponse, Setup, sample_tenant, serve_tenant};
use crate::support::upstream::{FakeUpstream, Script};
use crate::tenant::merged;

const PAGES_OF_FIVE: (&str, &str) = ("prefer", "odata.maxpagesize=5");

/// The tenant, its address, and a proxy in front of it.
async fn stage() -> (Arc<Tenant>, String, Glassine) {
    let (tenant, graph) = sample_tenant().await;
    let proxy = replica(&tenant, &graph).await;
    (tenant, graph, proxy)
}

/// Another proxy with the same keys and rules, at another address.
async fn replica(tenant: &Tenant, graph: &str) -> Glassine {
    let mut setup = Setup::in_front_of(graph);
    setup.domain = tenant.domain().to_owned();
    // These walks are faster than a consumer may be by default.
    setup.consumers[0].more = "    limits: { requests_per_second: 100000 }\n".to_owned();
    setup.start().await
}

fn mailbox(tenant: &Tenant, proxy: &Glassine) -> String {
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    format!("/v1.0/users/{}", proxy.id(user.id()))
}

async fn page(proxy: &Glassine, target: &str) -> Value {
    let response = proxy.get_as("acme", target, &[PAGES_OF_FIVE]).await;
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    response.json()
}

fn next(page: &Value) -> Option<&str> {
    page["@odata.nextLink"].as_str()
}

fn delta(page: &Value) -> &str {
    page["@odata.deltaLink"].as_str().unwrap_or_else(|| panic!("no deltaLink in {page}"))
}

/// The objects of a round, its deltaLink and the number of pages. Every link on the way leads to this proxy.
async fn round(proxy: &Glassine, first: &str) -> (Vec<Value>, String, usize) {
    let (mut objects, mut pages) = (Vec::new(), 1);
    let mut now = page(proxy, first).await;
    loop {
        objects.extend(now["value"].as_array().unwrap().clone());
        let Some(link) = next(&now) else { break };
        assert!(link.starts_with(&format!("{}/", proxy.url())), "{link}");
        now = page(proxy, link).await;
        pages += 1;
    }
    let link = delta(&now);
    assert!(link.starts_with(&format!("{}/", proxy.url())), "{link}");
    (objects, link.to_owned(), pages)
}

async fn assert_rounds(proxy: &Glassine, first: &str, kept: &str) {
    let (all, link, pages) = round(proxy, first).await;
    assert!(pages > 1 && merged(&all).values().all(|object| object.get(kept).is_some()), "{pages} pages");
    let ids: Vec<_> = all.iter().map(|object| object["id"].as_str().unwrap()).collect();
    let (changes, again, _) = round(proxy, &link).await;
    let (removed, changed): (Vec<_>, Vec<_>) =
        changes.iter().partition(|object| object.get("@removed").is_some());
    assert!(!removed.is_empty() && !changed.is_empty(), "{changes:?}");
    for object in removed {
        assert_eq!(object.as_object().unwrap().keys().collect::<Vec<_>>(), ["@removed", "id"]);
        assert!(matches!(object["@removed"]["reason"].as_str(), Some("deleted" | "changed")));
    }
    assert!(changes.iter().all(|object| ids.contains(&object["id"].as_str().unwrap())));
    // A link can be followed again, and the link after it leads on.
    assert_eq!(round(proxy, &link).await.0, changes);
    assert_ne!(round(proxy, &again).await.0, changes);
}

#[tokio::test]
async fn changes_of_messages_from_first_page_to_third_round() {
    let (tenant, _, proxy) = stage().await;
    let first = format!("{}/mailFolders/inbox/messages/delta", mailbox(&tenant, &proxy));
    assert_rounds(&proxy, &first, "receivedDateTime").await;
    let filtered =
        format!("{first}?$filter=receivedDateTime%20ge%202020-01-01T00:00:00Z&$select=receivedDateTime");
    assert_rounds(&proxy, &filtered, "receivedDateTime").await;
}

#[tokio::test]
async fn changes_of_users_from_first_page_to_third_round() {
    let (_, _, proxy) = stage().await;
    assert_rounds(&proxy, "/v1.0/users/delta", "userPrincipalName").await;
    assert_rounds(&proxy, "/beta/users/microsoft.graph.delta()", "userPrincipalName").await;
}

#[tokio::test]
async fn links_hold_nothing_readable() {
    let (tenant, graph, proxy) = stage().await;
    let first = format!("{}/mailFolders/inbox/messages/delta", mailbox(&tenant, &proxy));
    let text = page(&proxy, &first).await.to_string() + &page(&proxy, "/v1.0/users?$top=2").await.to_string();
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    for hidden in [graph.trim_start_matches("http://"), user.id(), "RFNwdAIAAQ", "@odata.context"] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let (a, b) = (page(&proxy, "/v1.0/users?$top=2").await, page(&proxy, "/v1.0/users?$top=3").await);
    assert_ne!(next(&a), next(&b));
}

/// The lengths of the nextLinks on the way through a list, and their number.
async fn lengths_of_links(proxy: &Glassine, first: &str) -> (BTreeSet<usize>, usize) {
    let (mut lengths, mut links) = (BTreeSet::new(), 0);
    let mut now = page(proxy, first).await;
    while let Some(link) = next(&now) {
        lengths.insert(link.len());
        links += 1;
        now = page(proxy, link).await;
    }
    (lengths, links)
}

/// Regression: Entra's links hold the name of the last user or group of a page, and each length of a name had its own
/// length of a sealed link.
#[tokio::test]
async fn the_length_of_a_link_does_not_tell_the_length_of_a_name() {
    let (tenant, _, proxy) = stage().await;
    let names: BTreeSet<_> = tenant.users().iter().map(|user| user.user_principal_name().len()).collect();
    assert!(names.len() >= 20, "{names:?}");
    let (lengths, links) = lengths_of_links(&proxy, "/v1.0/users?$top=1").await;
    assert_eq!((lengths.len(), links), (1, tenant.users().len() - 1), "{lengths:?}");
    for first in ["/v1.0/groups?$top=1", "/v1.0/users/delta", "/v1.0/groups/delta"] {
        let (lengths, links) = lengths_of_links(&proxy, first).await;
        assert!(lengths.len() == 1 && links > 6, "{first}: {links} links, {lengths:?}");
    }
}

/// A nextLink and a deltaLink of a proxy, without its address.
async fn links(tenant: &Tenant, proxy: &Glassine) -> [String; 2] {
    let users = page(proxy, "/v1.0/users?$top=5").await;
    let inbox = format!("{}/mailFolders/inbox/messages/delta", mailbox(tenant, proxy));
    let (_, delta, _) = round(proxy, &inbox).await;
    [next(&users).unwrap(), &delta].map(|link| link.strip_prefix(&proxy.url()).unwrap().to_owned())
}

/// Fault: the replica that made a link stops. Outcome: another replica, or the restarted one, serves the link with the same tokens.
#[tokio::test]
async fn links_outlive_the_proxy_that_made_them() {
    let (tenant, graph, proxy) = stage().await;
    let links = links(&tenant, &proxy).await;
    let before =
        [page(&proxy, &links[0]).await["value"].clone(), page(&proxy, &links[1]).await["value"].clone()];
    let other = replica(&tenant, &graph).await;
    assert_eq!(page(&other, &links[0]).await["value"], before[0], "another replica");
    drop(proxy.stop().await);
    let again = replica(&tenant, &graph).await;
    assert_eq!(page(&again, &links[0]).await["value"], before[0], "after a restart");
    assert_eq!(page(&again, &links[1]).await["value"], before[1], "after a restart");
}

/// Before, what came by an old link had tokens of the new key: a change had an id that the consumer had never seen.
/// Fault: the keys are rotated within a walk through pages or changes. Outcome: the walk goes on with the tokens of the key it began with.
#[tokio::test]
async fn a_walk_and_its_changes_keep_the_key_that_they_began_with() {
    let (_tenant, _, proxy) = stage().await;
    let key = |response: &ProxyResponse| response.headers["glassine-keys"].to_str().unwrap().to_owned();
    let first = proxy.get_as("acme", "/v1.0/users/delta", &[PAGES_OF_FIVE]).await;
    let known = key(&first);
    let (all, changes, _) = round(&proxy, "/v1.0/users/delta").await;
    let ids: BTreeSet<_> = all.iter().map(|object| object["id"].to_string()).collect();

    let ring = KeyRing::parse(&proxy.read("keys.yaml")).unwrap();
    let new: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * n % 251).unwrap());
    proxy.write("keys.yaml", &ring.rotated(&new, "2026-06-01T00:00:00Z".parse().unwrap()).unwrap().render());
    let rotated = proxy.until("/v1.0/users?$top=1", |page| key(page) != known).await;
    assert_eq!(rotated.status, 200);

    let page = proxy.get_as("acme", next(&first.json()).unwrap(), &[PAGES_OF_FIVE]).await;
    assert_eq!((page.status, key(&page)), (200, known.clone()), "a walk goes on under its key");
    let (changed, again, _) = round(&proxy, &changes).await;
    let removed = changed.iter().filter(|object| object.get("@removed").is_some());
    assert!(removed.clone().count() > 0);
    for object in removed {
        assert!(ids.contains(&object["id"].to_string()), "a consumer knows what is removed: {object}");
    }
    let later = proxy.get(&again).await;
    assert_eq!((later.status, key(&later)), (200, known), "so does each round after it");
}

/// Fault: the keys are rotated. Outcome: links and tokens of the old key work as long as the key is in the file.
/// Fault: a key is taken out of the file. Outcome: its links get 410 `resyncRequired`, and its tokens 404.
#[tokio::test]
async fn links_outlive_a_key_rotation() {
    let (tenant, _, proxy) = stage().await;
    let links = links(&tenant, &proxy).await;
    let old = page(&proxy, "/v1.0/users?$top=1").await["value"][0]["id"].clone();
    let ring = KeyRing::parse(&proxy.read("keys.yaml")).unwrap();
    let new: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * n % 251).unwrap());
    proxy.write("keys.yaml", &ring.rotated(&new, "2026-06-01T00:00:00Z".parse().unwrap()).unwrap().render());
    let rotated = proxy.until("/v1.0/users?$top=1", |page| page.json()["value"][0]["id"] != old).await;

    for link in &links {
        page(&proxy, link).await;
    }
    let user = |id: &Value| format!("/v1.0/users/{}", id.as_str().unwrap());
    let (by_old, by_new) =
        (proxy.get(&user(&old)).await, proxy.get(&user(&rotated.json()["value"][0]["id"])).await);
    assert_eq!(by_old.json(), by_new.json(), "tokens of both keys open");

    // Without its key, a link does not open.
    let alone = KeyRing::render_new(&new, 'N', "2026-06-01T00:00:00Z");
    proxy.write("keys.yaml", &alone);
    proxy.until(&user(&old), |response| response.status == 404).await;
    assert_refused(&proxy.get(&links[0]).await, 410, "resyncRequired");
}

/// Fault: the rules of an endpoint change. Outcome: its links get 410 `resyncRequired`, and links of other endpoints work.
#[tokio::test]
async fn links_die_when_the_rules_of_their_endpoint_change_and_no_sooner() {
    let (tenant, _, proxy) = stage().await;
    let links = links(&tenant, &proxy).await;
    assert_eq!(proxy.get(&links[0]).await.status, 200);
    proxy.write("acme.yaml", &METADATA_ONLY.replace("      booleans: [$.accountEnabled]\n", ""));
    let refused = proxy.until(&links[0], |response| response.status != 200).await;
    assert_refused(&refused, 410, "resyncRequired");
    assert_eq!(proxy.get(&links[1]).await.status, 200, "the rules of messages are as they were");
    proxy.write("acme.yaml", &METADATA_ONLY.replace("domains: keep_listed", "domains: pseudonymize"));
    let refused = proxy.until(&links[1], |response| response.status != 200).await;
    assert_refused(&refused, 410, "resyncRequired");
}

/// Regression: from 6,000 characters on, the page was a 502.
#[tokio::test]
async fn long_tokens_of_graph_come_back_by_links_of_the_proxy() {
    for characters in [6_000, 12_000, 16_384] {
        let (tenant, graph) = serve_tenant(Tenant::new(7).with_tokens_of(characters)).await;
        let proxy = replica(&tenant, &graph).await;
        let users = page(&proxy, "/v1.0/users?$top=5").await;
        let link = next(&users).unwrap();
        assert!((characters..characters + 2_000).contains(&link.len()), "{characters}: {}", link.len());
        assert_ne!(page(&proxy, link).await["value"], users["value"], "{characters}");
        let inbox = format!("{}/mailFolders/inbox/messages/delta", mailbox(&tenant, &proxy));
        assert_rounds(&proxy, &inbox, "receivedDateTime").await;
        assert_rounds(&proxy, "/v1.0/users/delta", "userPrincipalName").await;
        let (path, sealed) = link.split_once("?$skiptoken=").unwrap();
        let moved = format!("{}?$skiptoken={sealed}", path.replace("/v1.0/", "/beta/"));
        assert_refused(&proxy.get(&moved).await, 410, "resyncRequired");
    }
}

/// Links that were recorded: of a personal mailbox (oomol-lab/open-connector#372) with a token, of another with a number
/// (microsoft-graph-docs-contrib#7980).
#[tokio::test]
async fn recorded_links_of_mail_lead_on_whatever_they_go_on_at() {
    for (list, query, goes_on) in [
        ("messages", "%24select=id&%24top=2&%24skiptoken=RFRM9", "$skiptoken=RFRM9"),
        ("messages", "%24top=100&%24select=id&%24skip=23352&%24orderby=receivedDateTime+asc", "$skip=23352"),
        ("messages/delta", "%24skiptoken=RFRM9", "$skiptoken=RFRM9"),
    ] {
        let graph = FakeUpstream::start(move |request| {
            let host = request.header("host").unwrap();
            let link = format!("http://{host}/v1.0/users('u1')/mailFolders('AQMkAD=')/{list}?{query}");
            Script::json(json!({ "@odata.nextLink": link, "value": [] }).to_string())
        })
        .await;
        let proxy = Setup::scripted(&graph).start().await;
        let user = format!("/v1.0/users/{}", proxy.id("u1"));
        let first =
            page(&proxy, &format!("{user}/mailFolders/{}/{list}?$select=id", proxy.id("AQMkAD="))).await;
        page(&proxy, next(&first).unwrap()).await;
        let asked = graph.requests()[1].target.replace("%24", "$");
        assert!(asked.contains("AQMkAD") && asked.contains(goes_on), "{query}: {asked}");
    }
}

/// Regression: each preference had a `Prefer` line of its own, of which Graph may read the first one only.
#[tokio::test]
async fn the_page_size_reaches_graph_beside_the_form_of_ids() {
    let (tenant, _, proxy) = stage().await;
    let inbox = format!("{}/mailFolders/inbox/messages/delta", mailbox(&tenant, &proxy));
    let size = |response: ProxyResponse| response.json()["value"].as_array().unwrap().len();
    for (header, expected) in [("odata.maxpagesize=3", 3), ("maxpagesize=4, return=minimal", 4), ("x=1", 10)]
    {
        assert_eq!(size(proxy.get_as("acme", &inbox, &[("prefer", header)]).await), expected, "{header}");
    }
}

fn assert_refused(response: &ProxyResponse, status: u16, code: &str) {
    assert_eq!((response.status, response.code().as_str()), (status, code), "{}", response.text());
}

#[tokio::test]
async fn a_link_that_was_touched_is_not_found() {
    let (tenant, _, proxy) = stage().await;
    let [next, delta] = links(&tenant, &proxy).await;
    let (path, sealed) = next.split_once("?$skiptoken=").unwrap();
    let (inbox, changes) = delta.split_once("?$deltatoken=").unwrap();
    page(&proxy, &next).await;
    page(&proxy, &format!("{path}?skiptoken={sealed}")).await;
    for at in [0, 1, 5, sealed.len() / 2, sealed.len() - 2] {
        let mut touched = sealed.to_owned().into_bytes();
        touched[at] = if touched[at] == b'A' { b'B' } else { b'A' };
        let touched = String::from_utf8(touched).unwrap();
        assert_refused(&proxy.get(&format!("{path}?$skiptoken={touched}")).await, 410, "resyncRequired");
    }
    let other = tenant.users().iter().filter(|user| user.has_mailbox()).nth(1).unwrap();
    let other = format!("/v1.0/users/{}/mailFolders/inbox/messages/delta", proxy.id(other.id()));
    for moved in [
        format!("{path}?$skiptoken={}", sealed.split_at(sealed.len() - 4).0),
        format!("{path}?$skiptoken={sealed}AAAA"),
        format!("{path}?$skiptoken={sealed}{sealed}"),
        format!("{path}?$skiptoken=x"),
        format!("{path}?$skiptoken={}", proxy.id("u1")),
        format!("{path}?$deltatoken={sealed}"),
        format!("/beta/users?$skiptoken={sealed}"),
        format!("/v1.0/groups?$skiptoken={sealed}"),
        format!("{inbox}?$skiptoken={changes}"),
        format!("{inbox}?$deltatoken={sealed}"),
        format!("{other}?$deltatoken={changes}"),
        format!("{}?$deltatoken={changes}", inbox.replace("inbox", "archive")),
    ] {
        assert_refused(&proxy.get(&moved).await, 410, "resyncRequired");
    }
}

#[tokio::test]
async fn a_link_alone_says_what_is_asked() {
    let (tenant, _, proxy) = stage().await;
    for link in links(&tenant, &proxy).await {
        let alone = page(&proxy, &link).await;
        let beside = page(&proxy, &format!("{link}&$select=id")).await;
        assert_eq!(beside["value"], alone["value"], "the link's own options count");
        for more in ["$filter=subject%20eq%20'x'", "$expand=manager", "$search=x"] {
            assert_eq!(proxy.get(&format!("{link}&{more}")).await.status, 400, "{more}");
        }
        let twice = link.split_once('?').unwrap().1;
        assert_refused(&proxy.get(&format!("{link}&{twice}")).await, 400, "duplicateOption");
    }
}
