//! `glassine sanitize`.

use serde_json::{Value, json};

use super::{MISTAKES, RULES, Ran, Scratch, glassine_reading};

const PAGE: &str = r#"{"@odata.context":"x","value":[{"id":"AAMk","subject":"secret plan","isRead":true,
    "from":{"emailAddress":{"name":"Alice","address":"alice@contoso.com"}}}],
    "@odata.nextLink":"https://graph.microsoft.com/v1.0/users/alice@contoso.com/messages?$skip=10"}"#;

const REQUEST: &str = "GET /v1.0/users/alice@contoso.com/messages";

struct Setup {
    _scratch: Scratch,
    keys: String,
}

impl Setup {
    fn new() -> Self {
        let scratch = Scratch::new();
        let keys = scratch.keys();
        Self { _scratch: scratch, keys }
    }

    fn run(&self, request: &str, more: &[&str], document: &str) -> Ran {
        let args = ["sanitize", "--rules", RULES, "--keys", &self.keys, "--request", request];
        glassine_reading(&[&args, more].concat(), document)
    }
}

#[test]
fn what_the_rules_name_leaves_and_nothing_else() {
    let ran = Setup::new().run(REQUEST, &["--tenant-domain", "contoso.com", "--stats"], PAGE);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stderr, "kept 1, transformed 3, dropped as not understood 0, dropped as too long 0\n");
    let message = &ran.json()["value"][0];
    assert_eq!(message["isRead"], true);
    assert!(message["id"].as_str().unwrap().starts_with("p~"), "{message}");
    let address = message["from"]["emailAddress"]["address"].as_str().unwrap();
    assert!(address.starts_with("t~") && address.ends_with("@contoso.com"), "{address}");
    for secret in ["secret", "Alice", "alice", "AAMk", "context"] {
        assert!(!ran.stdout.contains(secret), "{secret}: {ran:?}");
    }
}

#[test]
fn links_lead_to_the_public_url_with_a_token_for_the_key() {
    let more = ["--public-url", "https://proxy.contoso.com/graph/"];
    let response: Value = serde_json::from_str(&Setup::new().run(REQUEST, &more, PAGE).fine()).unwrap();
    let link = response["@odata.nextLink"].as_str().unwrap();
    assert!(link.starts_with("https://proxy.contoso.com/graph/v1.0/users/p~A"), "{link}");
    assert!(link.contains("/messages?$skiptoken=A"), "{link}");
}

#[test]
fn a_link_to_another_host_is_refused() {
    let setup = Setup::new();
    setup.run(REQUEST, &["--graph", "https://graph.microsoft.us"], PAGE).fails(2, &["link", "byte"]);
    let us = PAGE.replace("graph.microsoft.com", "graph.microsoft.us");
    setup.run(REQUEST, &["--graph", "https://graph.microsoft.us"], &us).fine();
}

#[test]
fn a_page_larger_than_any_buffer_is_whole() {
    let setup = Setup::new();
    let message = json!({"id": "AAMk", "isRead": false, "body": {"content": "x".repeat(2000)}});
    let page = json!({"value": vec![message; 500]}).to_string();
    let response: Value = serde_json::from_str(&setup.run(REQUEST, &[], &page).fine()).unwrap();
    assert_eq!(response["value"].as_array().unwrap().len(), 500);
}

#[test]
fn a_refused_request_is_1_with_the_reason() {
    let setup = Setup::new();
    setup.run("/v1.0/users/u/events", &[], PAGE).fails(1, &["403", "endpointNotAllowed"]);
    setup.run("POST /v1.0/users/u/messages", &[], PAGE).fails(1, &["405"]);
    setup.run("/v1.0/users/u/messages?$search=x", &[], PAGE).fails(1, &["$search", "list-messages"]);
    setup.run("/v1.0/users/%2e%2e/messages", &[], PAGE).fails(1, &["dot segments", "byte 12"]);
}

#[test]
fn a_bad_document_is_2_with_its_byte_and_nothing_is_written() {
    let setup = Setup::new();
    for (document, problem, position) in [
        ("", "not complete", "byte 0"),
        (r#"{"value":[{"isRead":true},"#, "not complete", "byte 26"),
        (r#"{"value":[{"isRead":true,}]}"#, "expected a key", "byte 25"),
        ("<html>", "expected a value", "byte 0"),
        (r#"{"value":[]} x"#, "after the end", "byte 13"),
        (r#"{"value":[{"id":"a","id":"b"}]}"#, "comes twice", "byte 23"),
        (r#"{"value":[{"id":"a","\u0069d":"b"}]}"#, "comes twice", "byte 28"),
        ("[]", "not an object", "byte 0"),
        (r#"{"other":{}}"#, "`value`", "byte 12"),
        (r#"{"error":{}}"#, "an error", "byte 7"),
    ] {
        setup.run(REQUEST, &[], document).fails(2, &["standard input", problem, position]);
    }
    let secret = setup.run(REQUEST, &[], r#"{"value":[{"subject":"secret plan" oops"#);
    secret.fails(2, &["byte 35"]);
    assert!(!secret.stderr.contains("secret"));
}

#[test]
fn bad_input_is_2_and_names_the_place() {
    let setup = Setup::new();
    let run = |rules: &str, keys: &str, request: &str| {
        glassine_reading(&["sanitize", "--rules", rules, "--keys", keys, "--request", request], PAGE)
    };
    run(MISTAKES, &setup.keys, REQUEST).fails(2, &["G0002", "several-mistakes.yaml:1:10"]);
    run(RULES, RULES, REQUEST).fails(2, &[RULES, "key file"]);
    run(RULES, "missing.yaml", REQUEST).fails(2, &["missing.yaml: there is no such file"]);
    run(RULES, &setup.keys, "users").fails(2, &["--request"]);
    setup.run(REQUEST, &["--public-url", "proxy.contoso.com"], PAGE).fails(2, &["--public-url"]);
    setup.run(REQUEST, &["--graph", "https://graph.microsoft.com/v1.0"], PAGE).fails(2, &["--graph"]);
}
