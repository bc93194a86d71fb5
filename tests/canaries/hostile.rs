//! Requests of a consumer that wants more than it may have. Graph responds to each with a page full of markers. The
//! requests hold markers, too, because nothing of a request may be in logs, metrics and the audit log either.

use std::collections::BTreeSet;

use super::bench::Bench;
use super::endpoints::{CONNECTORS, FOLDER, MESSAGE, USER};
use crate::support::data;
use crate::support::glassine::METADATA_ONLY;
use crate::support::upstream::Script;

/// Query options that look at what is hidden; `{m}` is a marker.
const QUERIES: [&str; 26] = [
    "$search=\"{m}\"",
    "$filter=contains(subject,'{m}')",
    "$filter=startswith(from/emailAddress/address,'{m}')",
    "$filter=subject eq '{m}'",
    "$filter=receivedDateTime ge 2024-01-01T00:00:00Z and subject eq '{m}'",
    "$filter=from/emailAddress/address eq '{m}@contoso.com'",
    "$filter=id eq '{m}'",
    "$filter=toRecipients/any(r:r/emailAddress/address eq '{m}')",
    "$orderby=subject",
    "$orderby=from/emailAddress/address,{m}",
    "$expand=attachments",
    "$expand=singleValueExtendedProperties($filter=id eq '{m}')",
    "$select=subject,body,{m}",
    "$select=*",
    "$compute={m} as x",
    "$apply=groupby((subject))",
    "$format={m}",
    "$skiptoken={m}",
    "$deltatoken={m}",
    "$levels={m}",
    "select=subject&$select=body",
    "%24select=subject&$top=1",
    "$top={m}",
    "$count={m}",
    "{m}={m}",
    "$filter=subject eq @p&@p='{m}'",
];

/// Paths that no rule opens; `{u}`, `{f}` and `{i}` are good tokens of a user, a folder and a message.
const PATHS: [&str; 30] = [
    "/v1.0/me",
    "/v1.0/me/messages",
    "/v1.0/{m}",
    "/v2.0/users/{u}",
    "/v1.0/users/{m}",
    "/v1.0/users/{m}@contoso.com",
    "/v1.0/users/{raw}/messages",
    "/v1.0/users('{raw}')/messages",
    "/v1.0/users(userPrincipalName='{m}')",
    "/v1.0/users/{u}/messages/{raw_message}",
    "/v1.0/users/{u}/mailFolders/{raw_folder}/messages",
    "/v1.0/users/{u}/messages/{i}/$value",
    "/v1.0/users/{u}/messages/{i}/subject",
    "/v1.0/users/{u}/messages/{i}/body/$value",
    "/v1.0/users/{u}/messages/{i}/attachments",
    "/v1.0/users/{u}/messages/{i}/$count",
    "/v1.0/users/{u}/messages/{m}",
    "/v1.0/users/{u}/mailFolders/{m}",
    "/v1.0/users/{u}/contacts/{i}/extensions",
    "/v1.0/users/{u}/photo/$value",
    "/v1.0/users/{u}/manager",
    "/v1.0/users/{u}/calendar/events",
    "/v1.0/users/{u}/mailFolders/inbox/messageRules",
    "/v1.0/users/{u}/messages/../{m}",
    "/v1.0/users/{u}/%2e%2e/{m}",
    "/v1.0/users/{u}%2fmessages%2f{m}",
    "/v1.0//users/{u}/{m}",
    "/v1.0/$batch",
    "/v1.0/users/$metadata",
    "/beta/search/{m}",
];

/// Header lines that have an effect in other proxies.
const HEADERS: [&str; 14] = [
    "Cookie: {m}={m}",
    "X-Forwarded-For: {m}",
    "X-Forwarded-Host: {m}.example",
    "Forwarded: for={m};host={m}",
    "X-Original-URL: /v1.0/me/{m}",
    "X-HTTP-Method-Override: {m}",
    "Referer: https://{m}.example/",
    "User-Agent: {m}",
    "client-request-id: {m}",
    "ConsistencyLevel: {m}",
    "Prefer: outlook.body-content-type=\"{m}\"",
    "Prefer: IdType=\"{m}\", odata.maxpagesize={m}",
    "Prefer: {m}={m};{m}=\"{m}\"",
    "If-None-Match: \"{m}\"",
];

/// Is both a page and an object. Everything in it is hidden, whatever the endpoint is.
fn secrets(bench: &mut Bench) -> String {
    let mut m = |place: &str| bench.registry.text(place, false);
    let names = ["subject", "bodyPreview", "displayName", "webLink", "changeKey", "conversationIndex"];
    let hidden: String = names.iter().map(|name| format!("\"{name}\":\"{}\",", m(name))).collect();
    let object = format!("{{{hidden}\"id\":\"{}\",\"body\":{{\"content\":\"{}\"}}}}", m("id"), m("body"));
    let inner = object.trim_start_matches('{').trim_end_matches('}').to_owned() + "}";
    format!("{{\"value\":[{object}],{inner}}}")
}

fn fill(bench: &mut Bench, text: &str) -> String {
    let marker = bench.registry.text("the request", false);
    let [user, folder, message] = [USER, FOLDER, MESSAGE].map(|raw| bench.proxy.id(raw));
    let values = [
        ("{m}", marker.as_str()),
        ("{u}", &user),
        ("{f}", &folder),
        ("{i}", &message),
        ("{raw}", USER),
        ("{raw_folder}", FOLDER),
        ("{raw_message}", MESSAGE),
    ];
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn encoded(query: &str) -> String {
    query.replace(' ', "%20").replace('"', "%22")
}

async fn attack(bench: &mut Bench, what: &str, request: &[u8]) -> String {
    let body = secrets(bench);
    bench.script(Script::json(body));
    bench.raw(what, request).await
}

#[tokio::test]
async fn paths_that_no_rule_opens_are_not_asked() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    for path in PATHS {
        bench.registry.begin();
        let target = fill(&mut bench, path);
        for method in ["GET", "HEAD"] {
            let request = bench.request(method, &target, "");
            let response = attack(&mut bench, path, &request).await;
            assert!(response.starts_with("HTTP/1.1 4"), "{method} {path}: {response}");
        }
    }
    assert_eq!(bench.graph.requests().len(), 0, "{:?}", bench.graph.requests());
    assert_eq!(bench.end().await, BTreeSet::new());
}

#[tokio::test]
async fn options_that_look_at_what_is_hidden_change_nothing() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    for query in QUERIES {
        for endpoint in CONNECTORS[0].endpoints() {
            bench.registry.begin();
            let target = endpoint.target("v1.0", &bench.proxy);
            let target = format!("{target}?{}", encoded(&fill(&mut bench, query)));
            let request = bench.request("GET", &target, "");
            let response = attack(&mut bench, query, &request).await;
            let selects = query.contains("select=");
            assert!(selects || response.starts_with("HTTP/1.1 4"), "{query}: {response}");
        }
    }
    let asked = bench.graph.requests();
    let hidden = |target: &str| ["subject", "body", "7d0bad", "*"].iter().any(|name| target.contains(name));
    assert!(!asked.is_empty() && !asked.iter().any(|request| hidden(&request.target)));
    assert_eq!(bench.end().await, BTreeSet::new());
}

#[tokio::test]
async fn other_methods_bodies_and_header_fields_change_nothing() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    let good = fill(&mut bench, "/v1.0/users/{u}/messages");
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SECRET"] {
        bench.registry.begin();
        let request = bench.request(method, &good, "");
        let response = attack(&mut bench, method, &request).await;
        assert!(response.starts_with("HTTP/1.1 405 "), "{method}: {response}");
    }
    assert_eq!(bench.graph.requests().len(), 0);
    for line in HEADERS {
        bench.registry.begin();
        let line = fill(&mut bench, line) + "\r\n";
        let request = bench.request("GET", &good, &line);
        let response = attack(&mut bench, &line, &request).await;
        assert!(
            response.starts_with("HTTP/1.1 200 ") || response.starts_with("HTTP/1.1 400 "),
            "{line}: {response}"
        );
    }
    let asked = bench.graph.requests();
    let told = asked.iter().any(|request| format!("{request:?}").to_lowercase().contains("7d0bad"));
    assert!(!asked.is_empty() && !told, "{asked:?}");
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// The HTTP library below the proxy responds to malformed heads. It must not repeat them either.
/// Fault: a client sends malformed requests with personal data in them. Outcome: none of it is in responses, logs, metrics or the audit log.
#[tokio::test]
async fn malformed_requests_are_not_repeated() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    for request in [
        "{m} / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /{m} HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET http://{m}.example/v1.0/users HTTP/1.1\r\nHost: {m}.example\r\nConnection: close\r\n\r\n",
        "GET /v1.0/users HTTP/1.1\r\nHost: {m}\r\nConnection: close\r\nAuthorization: Bearer {m}\r\n\r\n",
        "GET /v1.0/{m} {m} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /v1.0/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{m} : {m}\r\n\r\n",
        "GET /v1.0/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {m}\r\n\r\n",
        "GET /v1.0/users HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: {m}\r\n\r\n",
        "GET /v1.0/users HTTP/9.{m}\r\n\r\n",
    ] {
        bench.registry.begin();
        let request = fill(&mut bench, request);
        attack(&mut bench, &request, request.as_bytes()).await;
    }
    assert_eq!(bench.graph.requests().len(), 0);
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// The targets and queries that were collected for this project, unchanged.
#[tokio::test]
async fn collected_targets_and_queries_leak_nothing() {
    let cases = |file: &str, name: &str| -> Vec<String> {
        let file = data::json(&data::graph().join(file));
        let cases = file["cases"].as_array().unwrap();
        cases.iter().map(|case| case[name].as_str().unwrap().to_owned()).collect()
    };
    let mut bench = Bench::start(METADATA_ONLY).await;
    let messages = fill(&mut bench, "/v1.0/users/{u}/messages");
    let queries = cases("query-cases.json", "query").into_iter();
    let queries = queries.map(|query| format!("{messages}?{}", encoded(&query)));
    let targets: Vec<_> = cases("path-cases.json", "raw").into_iter().chain(queries).collect();
    assert!(targets.len() > 80);
    for target in targets {
        bench.registry.begin();
        let request = bench.request("GET", &target, "");
        attack(&mut bench, &target, &request).await;
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}
