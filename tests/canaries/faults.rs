//! What else an upstream can respond with: errors, header fields, redirects, other media types, broken documents.
//! Needs no schema: a few properties stand for all.

use std::collections::BTreeSet;

use super::bench::Bench;
use super::endpoints::{CONNECTORS, Endpoint, Form};
use super::fill::{Filler, Filling};
use super::marker::Registry;
use super::schema::Schema;
use crate::support::glassine::METADATA_ONLY;
use crate::support::upstream::Script;

/// Every kind of status except informational ones, which a client does not show.
const STATUSES: [u16; 28] = [
    201, 202, 204, 206, 207, 301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415,
    418, 422, 423, 429, 500, 503, 509,
];

fn messages() -> Endpoint {
    let mut endpoints = CONNECTORS[0].endpoints().into_iter();
    endpoints.find(|it| it.type_name == "message" && it.form == Form::Collection).unwrap()
}

/// Header fields with markers, including those that may leave.
fn header_fields(registry: &mut Registry) -> Vec<(String, String)> {
    const NAMES: [&str; 26] = [
        "request-id",
        "client-request-id",
        "date",
        "odata-version",
        "preference-applied",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "retry-after",
        "etag",
        "last-modified",
        "location",
        "content-location",
        "link",
        "set-cookie",
        "server",
        "via",
        "warning",
        "www-authenticate",
        "x-ms-ags-diagnostic",
        "x-ms-throttle-information",
        "x-ms-resource-unit",
        "content-disposition",
        "content-language",
        "deprecation",
        "x-anything-else",
    ];
    let mut field = |name: &str| {
        let marker = registry.text(&format!("header {name}"), false);
        let value = match name {
            "location" | "link" => format!("https://graph.microsoft.com/v1.0/users/{marker}"),
            "set-cookie" => format!("session={marker}; Path=/"),
            // As long as a date and a GUID, and with their characters.
            "date" | "retry-after" => format!("Sun, {marker} 8:49:37 GMT"),
            "request-id" => marker.repeat(3),
            _ => marker,
        };
        (name.to_owned(), value)
    };
    NAMES.iter().map(|name| field(name)).collect()
}

fn with_fields(script: Script, fields: &[(String, String)]) -> Script {
    fields.iter().fold(script, |script, (name, value)| script.header(name, value))
}

/// An error in Graph's shape with markers in every place.
fn error_body(registry: &mut Registry, code: &str) -> String {
    let mut m = |place: &str| registry.text(&format!("error {place}"), false);
    format!(
        r#"{{"error":{{"code":"{code}","message":"{} was not found","target":"{}","{}":"{}","details":[{{"code":"{}",
        "message":"{}"}}],"innerError":{{"date":"{}","request-id":"{}","client-request-id":"{}","message":"{}",
        "innererror":{{"stacktrace":"{}"}}}}}},"@error.{}":"{}"}}"#,
        m("message"),
        m("target"),
        m("name"),
        m("value"),
        m("details.code"),
        m("details.message"),
        m("date"),
        m("request-id"),
        m("client-request-id"),
        m("innerError.message"),
        m("stacktrace"),
        m("annotation"),
        m("value")
    )
}

/// Fault: Graph's errors carry personal data in every field and header. Outcome: none of it leaves, and none is logged.
#[tokio::test]
async fn an_error_of_graph_says_its_status_and_a_plain_code_at_most() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    let target = messages().target("v1.0", &bench.proxy);
    for status in STATUSES {
        bench.registry.begin();
        let fields = header_fields(&mut bench.registry);
        let secret = bench.registry.text("error code with a space", false);
        let bodies = [
            ("application/json", error_body(&mut bench.registry, "ErrorItemNotFound")),
            ("application/json; charset=utf-8", error_body(&mut bench.registry, &format!("no {secret}"))),
            ("application/json", format!(r#"{{"error":{{"code":"{secret}@contoso.com""#)),
            ("application/json", format!(r#"{{"error":"{secret}","error_description":"{secret}"}}"#)),
            ("text/html", format!("<html><title>{secret}</title><p>{secret}</p></html>")),
            ("text/plain", secret.clone()),
            ("application/xml", format!("<m:error><m:code>{secret}</m:code></m:error>")),
        ];
        for (media_type, body) in bodies {
            let body = if matches!(status, 204 | 304) { String::new() } else { body };
            let script = with_fields(Script::status(status), &fields).header("Content-Type", media_type);
            bench.script(script.body(&body));
            let response = bench.get(&format!("{status} {media_type}"), &target).await;
            assert!(!response.starts_with("HTTP/1.1 2") && !response.starts_with("HTTP/1.1 3"), "{response}");
            let is_graphs = media_type == "application/json" && response.contains("ErrorItemNotFound");
            assert!(
                is_graphs || response.contains(r#""code":"upstream"#),
                "{status} {media_type}: {response}"
            );
        }
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// Fault: Graph sends personal data in reason phrases, header fields, trailers or chunk extensions. Outcome: none of it leaves.
#[tokio::test]
async fn reason_phrases_header_fields_and_trailers_stay_inside() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    let target = messages().target("v1.0", &bench.proxy);
    for status in [200, 404, 429, 503] {
        bench.registry.begin();
        let fields: String = header_fields(&mut bench.registry)
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let [reason, trailer, chunk] =
            ["reason", "trailer", "chunk"].map(|it| bench.registry.text(it, false));
        let body = r#"{"value":[{"isRead":true}]}"#;
        bench.script(Script::raw(format!(
            "HTTP/1.1 {status} {reason}\r\n{fields}Content-Type: application/json\r\nTrailer: X-Secret\r\n\
             Transfer-Encoding: chunked\r\n\r\n{:x};ext={chunk}\r\n{body}\r\n0\r\nX-Secret: {trailer}\r\n\
             Retry-After: {trailer}\r\n\r\n",
            body.len()
        )));
        let response = bench.get(&format!("raw {status}"), &target).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert_eq!(status == 200, response.contains(r#""isRead":true"#), "{response}");
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// Fault: Graph sends another document than JSON in UTF-8. Outcome: the consumer gets 502, and no byte of the document leaves or is logged.
#[tokio::test]
async fn what_is_not_a_json_document_in_utf_8_is_refused_without_a_word_of_it() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    let target = messages().target("v1.0", &bench.proxy);
    bench.registry.begin();
    let m = bench.registry.text("a foreign document", false);
    let page = format!(r#"{{"value":[{{"isRead":true,"subject":"{m}"}}]}}"#);
    let utf16: Vec<u8> = page.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let typed =
        |media_type: &str, body: &[u8]| Script::status(200).header("Content-Type", media_type).body(body);
    let json = |body: String| Script::json(body);
    let nested = format!("{{\"value\":[{}\"{m}\"", "[".repeat(10_000));
    for (what, script) in [
        ("html", typed("text/html", format!("<html>{m}</html>").as_bytes())),
        ("text", typed("text/plain", m.as_bytes())),
        ("mime", typed("message/rfc822", format!("Subject: {m}\r\n\r\n{m}").as_bytes())),
        ("utf-16", typed("application/json; charset=utf-16", &utf16)),
        ("utf-16, not said", typed("application/json", &utf16)),
        ("latin 1", typed("application/json; charset=iso-8859-1", page.as_bytes())),
        ("no type", Script::status(200).body(&page)),
        ("another json", typed("application/problem+json", page.as_bytes())),
        ("brotli", json(page.clone()).header("Content-Encoding", "br")),
        ("a lie about gzip", json(page.clone()).header("Content-Encoding", "gzip")),
        ("gzip twice", Script::gzip(&page).header("Content-Encoding", "gzip")),
        ("a string", json(format!("\"{m}\""))),
        ("an array", json(format!("[\"{m}\"]"))),
        ("no page", json(format!(r#"{{"subject":"{m}"}}"#))),
        ("an error", json(format!(r#"{{"error":{{"code":"{m}","message":"{m}"}}}}"#))),
        ("not json", json(format!("{{\"value\":[{m}]}}"))),
        ("two documents", json(format!("{page}{page}"))),
        ("something after it", json(format!("{page} {m}"))),
        ("too deep", json(nested)),
        ("a comment", json(format!("{{\"value\":[/*{m}*/]}}"))),
        ("an unknown escape", json(format!(r#"{{"value":[],"{m}":"\q"}}"#))),
        ("a control character", json(format!("{{\"value\":[],\"a\":\"{m}\u{1}\"}}"))),
    ] {
        bench.script(script);
        let response = bench.get(what, &target).await;
        assert!(response.starts_with("HTTP/1.1 502 "), "{what}: {response}");
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// Fault: a document has a property twice in two spellings, or a foreign link. Outcome: the consumer gets 502, and no byte of the second value leaves.
#[tokio::test]
async fn duplicates_and_foreign_links_are_refused_in_any_spelling() {
    let mut bench = Bench::start(METADATA_ONLY).await;
    let target = messages().target("v1.0", &bench.proxy);
    bench.registry.begin();
    let m = bench.registry.text("a second reading", false);
    let (graph, path) = (bench.graph_url(), messages().upstream("v1.0"));
    for refused in [
        format!(r#"{{"value":[{{"from":{{}},"fr\u006fm":{{"emailAddress":{{"address":"{m}"}}}}}}]}}"#),
        format!(r#"{{"value":[{{"flag":{{"flagStatus":"{m}","flagSt\u0061tus":"{m}"}}}}]}}"#),
        format!(r#"{{"value":[],"v\u0061lue":["{m}"]}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"https://{m}.example/v1.0/users"}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"{graph}.{m}.example{path}?$skiptoken=1"}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"{graph}/v1.0/users/{m}"}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"{graph}{path}?$filter=subject eq '{m}'"}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"{graph}{path}?$select=subject,{m}"}}"#),
        format!(r#"{{"value":[],"@odata.nextLink":"{m}"}}"#),
    ] {
        bench.script(Script::json(&refused));
        let response = bench.get(&refused, &target).await;
        assert!(response.starts_with("HTTP/1.1 502 "), "{refused}: {response}");
    }
    for passed in [
        format!(r#"{{"value":[{{"isRead":false,"subject":"{m}","subj\u0065ct":"{m}","SUBJECT":"{m}"}}]}}"#),
        format!(
            r#"{{"value":[{{"isRead":false,"IsRead":"{m}","importance ":"{m}","\u0000importance":"{m}"}}]}}"#
        ),
        format!(
            r#"{{"value":[{{"isRead":false}},"{m}",["{m}"],{{"value":[{{"importance":"{m}"}}]}}],"Value":["{m}"]}}"#
        ),
    ] {
        bench.script(Script::json(&passed));
        let response = bench.get(&passed, &target).await;
        assert!(
            response.starts_with("HTTP/1.1 200 ") && response.contains("\"isRead\":false"),
            "{passed}: {response}"
        );
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}

/// A page that is cut off anywhere: the proxy responds with an error status, or breaks off after the first part.
/// Fault: Graph breaks off anywhere within a page. Outcome: no hidden value leaves, and the response does not look whole.
#[tokio::test]
async fn a_page_that_breaks_off_leaks_nothing_and_does_not_look_whole() {
    let schema = Schema::load("v1.0");
    let mut bench = Bench::start(METADATA_ONLY).await;
    let endpoint = messages();
    let target = endpoint.target("v1.0", &bench.proxy);
    // With long values, the held-back first part has gone out when the page breaks off.
    for (filling, cuts) in [(Filling::Text, 16), (Filling::Long, 3), (Filling::Escaped, 8)] {
        bench.registry.begin();
        let link = bench.graph_url() + &endpoint.upstream("v1.0");
        let registry = &mut bench.registry;
        let body =
            Filler { schema: &schema, registry, endpoint: &endpoint, filling, link, proper: BTreeSet::new() }
                .bodies()
                .remove(0);
        for at in (0..cuts).map(|part| body.len() * part / cuts) {
            bench.script(Script::json(&body).close_after(at));
            let response = bench.get(&format!("{filling:?} cut at {at}"), &target).await;
            let is_whole = response.starts_with("HTTP/1.1 200 ") && response.ends_with('}');
            assert!(!is_whole, "{filling:?} cut at {at}: {response}");
        }
        // Long values compress so well that they are refused as a bomb.
        if filling == Filling::Long {
            continue;
        }
        bench.script(Script::gzip(&body));
        let response = bench.get("in gzip", &target).await;
        assert_eq!(bench.registry.missing(response.as_bytes()), BTreeSet::new());
    }
    assert_eq!(bench.end().await, BTreeSet::new());
}
