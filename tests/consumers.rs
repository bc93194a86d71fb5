//! Consumers that try what they may not: credentials, addresses, and each other's tokens. Their limits are in `limits`.

use std::io::Read as _;

use flate2::read::GzDecoder;
use http::HeaderMap;
use sha2::{Digest as _, Sha256};

use crate::support::glassine::{Consumer, METADATA_ONLY, ProxyResponse, Setup, sample_tenant};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

const USERS: &str = "/v1.0/users";
const EMPTY: &str = r#"{"value":[]}"#;

/// The parts of a response that a consumer can see, without its ids, its time and what is left of its quota.
fn visible(response: &ProxyResponse) -> String {
    let mut text = response.everything();
    for name in ["request-id", "client-request-id", "date"] {
        if let Some(value) = response.headers.get(name) {
            text = text.replace(value.to_str().unwrap(), name);
        }
    }
    text =
        text.lines().filter(|line| !line.starts_with("ratelimit-")).map(|line| format!("{line}\n")).collect();
    match response.body.first() {
        Some(_) => {
            text.replace(response.json()["error"]["innerError"]["date"].as_str().unwrap_or("none"), "date")
        }
        None => text,
    }
}

#[tokio::test]
async fn every_bad_credential_gets_the_same_401() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let token = Consumer::token("acme");
    let digest: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
    let none = visible(&proxy.send("GET", USERS, &[]).await);
    assert!(
        none.starts_with("401\n") && none.contains("www-authenticate: Bearer realm=\"glassine\"\n"),
        "{none}"
    );
    assert!(none.contains("InvalidAuthenticationToken"), "{none}");
    let bearer = |token: &str| format!("Bearer {token}");
    // RFC 6750, section 3: the error is named if a token was sent, and nothing else is different.
    let wrong = none.replace("realm=\"glassine\"", "realm=\"glassine\", error=\"invalid_token\"");
    for value in
        [String::new(), "Bearer".to_owned(), "Bearer ".to_owned(), token.clone(), format!("Basic {token}")]
    {
        assert_eq!(visible(&proxy.send("GET", USERS, &[("authorization", &value)]).await), none, "{value}");
    }
    for value in [
        bearer("wrong"),
        bearer(&digest),
        bearer(&format!("{token}x")),
        bearer(token.strip_suffix('e').unwrap()),
        bearer(&token.to_uppercase()),
        bearer(&format!("{token}, Bearer {token}")),
        bearer(&format!("{token} {token}")),
        format!("Bearer  {token} x"),
    ] {
        assert_eq!(visible(&proxy.send("GET", USERS, &[("authorization", &value)]).await), wrong, "{value}");
    }
    let tab = format!("Bearer\t{token}");
    assert_eq!(visible(&proxy.send("GET", USERS, &[("authorization", &tab)]).await), none);
    let twice = [("authorization", bearer(&token)), ("authorization", bearer(&token))];
    let twice = twice.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(visible(&proxy.send("GET", USERS, &twice).await), none);
    // An unknown caller learns nothing about which endpoints exist.
    for (method, target) in [("GET", "/v1.0/me"), ("GET", "/nothing"), ("DELETE", USERS)] {
        assert_eq!(visible(&proxy.send(method, target, &[]).await), none, "{method} {target}");
    }
    let in_query = format!("{USERS}?access_token={token}");
    assert_eq!(visible(&proxy.send("GET", &in_query, &[]).await), none);
    assert_eq!(graph.requests().len(), 0);
    assert!(
        proxy
            .audit()
            .iter()
            .all(|record| record["reason"] == "unauthenticated" && record["consumer"].is_null())
    );

    for value in [bearer(&token), format!("bearer {token}"), format!("BEARER  {token}")] {
        assert_eq!(proxy.send("GET", USERS, &[("authorization", &value)]).await.status, 200, "{value}");
    }
}

/// Fault: somebody connects from an address that no consumer may use. Outcome: the connection is closed; a reload changes who may connect.
#[tokio::test]
async fn the_door_is_closed_to_addresses_that_no_consumer_has() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let mut setup = Setup::scripted(&graph);
    setup.consumers[0].more = "    allow_from: [10.0.0.0/8]\n".to_owned();
    let proxy = setup.start().await;
    let head = format!("GET {USERS} HTTP/1.1\r\nHost: {}\r\n\r\n", proxy.address);
    assert_eq!(proxy.raw(head.as_bytes()).await, "");
    let metrics = proxy.admin_get("/metrics").await.text();
    let closed = "glassine_connections_closed_total{listener=\"public\",reason=\"address_not_allowed\"} 1";
    assert!(metrics.contains(closed), "{metrics}");
    let config = proxy.read("config.yaml");
    proxy.write("config.yaml", &config.replace("[10.0.0.0/8]", "[10.0.0.0/8, 127.0.0.0/8]"));
    let last = head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    until("the reload", async || !proxy.raw(last.as_bytes()).await.is_empty()).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
}

#[tokio::test]
async fn a_consumer_asks_from_its_addresses_only() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let with = |name, networks: &str| {
        let more = format!("    allow_from: [{networks}]\n");
        Consumer { more, ..Consumer::new(name, METADATA_ONLY) }
    };
    let proxy = Setup::scripted(&graph)
        .consumer(with("here", "10.0.0.0/8, 127.0.0.1/32"))
        .consumer(with("elsewhere", "10.0.0.0/8, 127.0.0.2/32"))
        .start()
        .await;
    assert_eq!(proxy.get_as("here", USERS, &[]).await.status, 200);
    let lies = [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("x-real-ip", "10.0.0.1")];
    let response = proxy.get_as("elsewhere", USERS, &lies).await;
    assert_eq!((response.status, response.code().as_str()), (403, "addressNotAllowed"));
    assert_eq!(graph.requests().len(), 1);
}

/// Fault: a consumer's credential is used from another address than the consumer's. Outcome: 403, and the record and the log name the consumer.
#[tokio::test]
async fn a_credential_from_a_foreign_address_names_its_consumer() {
    let logs = Logs::start();
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let stolen = Consumer {
        more: "    allow_from: [10.0.0.0/8]\n".to_owned(),
        ..Consumer::new("stolen", METADATA_ONLY)
    };
    let proxy = Setup::scripted(&graph).consumer(stolen).start().await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    assert!(!logs.text().contains("credential"), "{}", logs.text());
    assert_eq!(proxy.get_as("stolen", USERS, &[]).await.status, 403);
    let records = proxy.audited(2).await;
    let [rules, stolen_rules] = [0, 1].map(|at| records[at]["rules"].as_str().unwrap().len());
    assert_eq!((rules, stolen_rules), (16, 16));
    assert_eq!(
        (&records[1]["consumer"], &records[1]["reason"]),
        (&"stolen".into(), &"address_not_allowed".into())
    );
    let log = logs.text();
    let line =
        log.lines().find(|line| line.contains("not the consumer's")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains(" WARN ") && line.contains("consumer=\"stolen\""), "{line}");

    // Nobody is named whose credential was not shown.
    assert_eq!(proxy.get_as("nobody", USERS, &[]).await.status, 401);
    assert_eq!(logs.text().matches("not the consumer's").count(), 1);
}

#[tokio::test]
async fn what_one_consumer_got_is_of_no_use_to_another() {
    let (tenant, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph).consumer(Consumer::new("other", METADATA_ONLY));
    setup.domain = tenant.domain().to_owned();
    let proxy = setup.start().await;
    let list = format!("{USERS}?$top=5");
    let (mine, theirs) = (proxy.get(&list).await.json(), proxy.get_as("other", &list, &[]).await.json());
    let texts = |page: &serde_json::Value| {
        page["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (mine_ids, theirs_ids) = (texts(&mine), texts(&theirs));
    assert!(mine_ids.iter().all(|id| !theirs_ids.contains(id)));
    assert_ne!(mine["value"][0]["mail"], theirs["value"][0]["mail"]);

    let as_other = async |target: String| proxy.get_as("other", &target, &[]).await;
    assert_eq!(as_other(format!("{USERS}/{}", theirs_ids[0])).await.status, 200);
    let user = &tenant.users()[0];
    let unknown = visible(&as_other(format!("{USERS}/nobody")).await);
    assert!(unknown.starts_with("404\n") && unknown.contains("itemNotFound"), "{unknown}");
    let mail = format!("alice@{}", tenant.domain());
    let flipped =
        format!("{}{}", shorter(&theirs_ids[0], 1), if theirs_ids[0].ends_with('A') { 'E' } else { 'A' });
    for (what, key) in [
        ("a consumer's token", mine_ids[0].as_str()),
        ("a damaged token", &flipped),
        ("a short token", shorter(&theirs_ids[0], 4)),
        ("an id that exists", user.id()),
        ("an id that does not", "00000000-0000-0000-0000-000000000000"),
        ("an address", &mail),
        ("an address token", theirs["value"][0]["mail"].as_str().unwrap()),
        ("me", "me"),
    ] {
        assert_eq!(visible(&as_other(format!("{USERS}/{key}")).await), unknown, "{what}");
        let below = as_other(format!("{USERS}/{key}/messages?$top=1")).await;
        assert_eq!(visible(&below), unknown, "{what}, its messages");
    }

    let next = mine["@odata.nextLink"].as_str().unwrap();
    let own = theirs["@odata.nextLink"].as_str().unwrap();
    assert_eq!(proxy.get_as("other", own, &[]).await.status, 200);
    let refused = visible(&proxy.get_as("other", next, &[]).await);
    assert!(refused.starts_with("410\n") && refused.contains("resyncRequired"), "{refused}");
    let forged = as_other(format!("{USERS}?$skiptoken=nothing")).await;
    assert_eq!(visible(&forged), refused);
}

#[tokio::test]
async fn consumers_that_share_a_pseudonym_domain_share_tokens() {
    let graph = FakeUpstream::always(Script::json(r#"{"id":"u1"}"#)).await;
    let shared =
        Consumer { more: "    pseudonym_domain: acme\n".to_owned(), ..Consumer::new("twin", METADATA_ONLY) };
    let proxy = Setup::scripted(&graph).consumer(shared).start().await;
    let target = format!("{USERS}/{}", proxy.id("u1"));
    assert_eq!(proxy.get_as("twin", &target, &[]).await.json(), proxy.get(&target).await.json());
}

fn shorter(token: &str, by: usize) -> &str {
    token.split_at(token.len() - by).0
}

fn names(headers: &HeaderMap) -> Vec<String> {
    let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let graph = FakeUpstream::always(Script::json(r#"{"value":[{"id":"u1"}]}"#)).await;
    let proxy = Setup::scripted(&graph).start().await;
    let bearer = format!("Bearer {}", Consumer::token("acme"));
    for (target, status) in [(USERS, 200), ("/v1.0/me", 403), ("/v1.0/users/nobody", 404)] {
        let get = proxy.get(target).await;
        let head = proxy.send("HEAD", target, &[("authorization", &bearer)]).await;
        assert_eq!((head.status, head.body.len()), (status, 0), "{target}");
        let expected: Vec<_> =
            names(&get.headers).into_iter().filter(|name| name != "content-length").collect();
        assert_eq!(names(&head.headers), expected, "{target}");
    }
    assert_eq!(graph.requests().iter().map(|it| it.method.as_str()).collect::<Vec<_>>(), ["GET", "GET"]);
    assert!(proxy.audited(6).await.iter().all(|record| record["outcome"] != "client_gone"));
}

#[tokio::test]
async fn a_response_is_compressed_if_the_consumer_accepts_it() {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 100].join(",");
    let graph = FakeUpstream::always(Script::json(format!(r#"{{"value":[{items}]}}"#))).await;
    let proxy = Setup::scripted(&graph).start().await;
    let plain = proxy.get(USERS).await.text();
    for (accepted, is_packed) in [
        ("gzip", true),
        ("GZip", true),
        ("deflate, gzip", true),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
        ("gzip ; q=0.001", true),
        ("gzip;q=0", false),
        ("gzip; q=0.000", false),
        ("gzip;Q=0", false),
        ("identity", false),
        ("br, zstd", false),
        ("xgzip", false),
        ("", false),
    ] {
        let response = proxy.get_as("acme", USERS, &[("accept-encoding", accepted)]).await;
        let packed = response.headers.get("content-encoding").map(|coding| coding.to_str().unwrap());
        assert_eq!(packed, is_packed.then_some("gzip"), "{accepted}");
        assert_eq!(response.headers["vary"], "accept-encoding");
        if is_packed {
            let mut text = String::new();
            GzDecoder::new(&response.body[..]).read_to_string(&mut text).unwrap();
            assert_eq!(text, plain, "{accepted}");
        } else {
            assert_eq!(response.text(), plain, "{accepted}");
        }
    }
    let small = proxy.get_as("acme", "/v1.0/me", &[("accept-encoding", "gzip")]).await;
    assert_eq!(small.headers.get("content-encoding"), None, "not worth it");
}

#[tokio::test]
async fn a_client_request_id_comes_back_if_it_is_a_guid() {
    let graph = FakeUpstream::always(Script::json(EMPTY)).await;
    let proxy = Setup::scripted(&graph).start().await;
    for (value, is_echoed) in [
        ("0f8fad5b-d9cb-469f-a165-70867728950e", true),
        ("0F8FAD5B-D9CB-469F-A165-70867728950E", true),
        ("------------------------------------", false),
        ("0f8fad5bd9cb469fa16570867728950e0f8f", false),
        ("0f8fad5b-d9cb-469f-a165-70867728950", false),
        ("{0f8fad5b-d9cb-469f-a165-70867728950}", false),
        ("alice@contoso.com", false),
    ] {
        for target in [USERS, "/v1.0/me"] {
            let response = proxy.get_as("acme", target, &[("client-request-id", value)]).await;
            let ours = response.headers["request-id"].clone();
            let expected = if is_echoed { value } else { ours.to_str().unwrap() };
            assert_eq!(response.headers["client-request-id"], expected, "{value}");
            assert_ne!(ours, value);
        }
    }
    let sent = graph.requests();
    assert_eq!(
        sent[0].header("client-request-id").unwrap(),
        proxy.audit()[0]["request_id"].as_str().unwrap()
    );
}

#[tokio::test]
async fn only_known_headers_leave() {
    const SENT: &[(&str, &str)] = &[
        ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("OData-Version", "4.0"),
        ("Preference-Applied", "IdType=ImmutableId, odata.track-changes, MARKER"),
        ("RateLimit-Remaining", "17"),
        ("request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("client-request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("x-ms-ags-diagnostic", "MARKER"),
        ("Location", "https://graph.microsoft.com/MARKER"),
        ("ETag", "W/\"MARKER\""),
        ("Set-Cookie", "MARKER=1"),
        ("Link", "<MARKER>"),
        ("WWW-Authenticate", "Bearer realm=MARKER"),
        ("Content-Language", "MARKER"),
        ("Content-Disposition", "attachment; filename=MARKER"),
        ("Strict-Transport-Security", "max-age=1"),
        ("Cache-Control", "private"),
        ("Server", "MARKER"),
        ("Connection", "X-MARKER"),
        ("X-MARKER", "1"),
    ];
    let ours = [
        "cache-control",
        "client-request-id",
        "content-length",
        "content-type",
        "glassine-keys",
        "glassine-rules",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "request-id",
        "vary",
    ];
    let passed = ["date", "odata-version", "preference-applied"];
    let mut expected = [ours.as_slice(), passed.as_slice()].concat();
    expected.sort_unstable();
    for script in
        [Script::json(EMPTY), Script::status(404).header("Content-Type", "application/json").body("{}")]
    {
        let script = SENT.iter().fold(script, |script, (name, value)| script.header(name, value));
        let graph = FakeUpstream::always(script).await;
        let proxy = Setup::scripted(&graph).start().await;
        let response = proxy.get(USERS).await;
        assert_eq!(names(&response.headers), expected, "{}", response.status);
        assert!(!response.everything().contains("MARKER"), "{}", response.everything());
        assert_eq!(response.headers["cache-control"], "no-store");
        assert_eq!(response.headers["preference-applied"], "IdType=\"ImmutableId\", odata.track-changes");
        assert_ne!(
            response.headers["request-id"], "0f8fad5b-d9cb-469f-a165-70867728950e",
            "one id in all places"
        );
        assert_eq!(response.headers["request-id"], proxy.audited(1).await[0]["request_id"].as_str().unwrap());
    }
}
