//! `glassine explain`.

use serde_json::{Value, json};

use super::{EXAMPLE, MISTAKES, OTHER_RULES, RULES, Ran, Scratch, glassine, glassine_reading};

fn explain(request: &str) -> Ran {
    glassine(&["explain", "--rules", RULES, "--format", "json", request])
}

fn allowed(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let json = ran.json();
    assert_eq!((&json["decision"], &json["reason"]), (&json!("allow"), &Value::Null), "{json}");
    json
}

fn refused(ran: &Ran, status: u16, code: &str) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{ran:?}");
    let json = ran.json();
    assert_eq!((&json["decision"], &json["upstream"]), (&json!("refuse"), &Value::Null), "{json}");
    assert_eq!(
        (&json["reason"]["status"], &json["reason"]["code"]),
        (&json!(status), &json!(code)),
        "{json}"
    );
    assert!(!json["reason"]["message"].as_str().unwrap().is_empty());
    json
}

#[test]
fn tokens_and_placeholders_are_taken_for_valid() {
    for user in ["{user}", "%7Buser%7D", "p~Aabcdef"] {
        let json = allowed(&explain(&format!("GET /v1.0/users/{user}/messages?$top=5")));
        assert_eq!(json["endpoint"], "list-messages");
        let upstream = json["upstream"].as_str().unwrap();
        assert!(
            upstream.starts_with("/v1.0/users/{user}/messages?$top=5&$select=bccRecipients"),
            "{upstream}"
        );
        assert!(!upstream.contains("subject"), "{upstream}");
    }
}

#[test]
fn spellings_fold_into_the_canonical_one() {
    let json = allowed(&explain("/v1.0/Users('p~Aabc')/mailfolders/INBOX/messages/microsoft.graph.delta()"));
    assert_eq!(json["endpoint"], "folder-messages-delta");
    let upstream = json["upstream"].as_str().unwrap();
    assert!(
        upstream.starts_with("/v1.0/users/{user}/mailFolders/inbox/messages/delta()?$select="),
        "{upstream}"
    );
}

#[test]
fn preferences_are_shown_as_graph_gets_them() {
    let request = "/v1.0/users/{user}/mailFolders/inbox/messages/delta";
    let ran = glassine(&[
        "explain",
        "--rules",
        RULES,
        "--format",
        "json",
        "--prefer",
        "odata.maxpagesize=5000, outlook.body-content-type=text",
        request,
    ]);
    assert_eq!(allowed(&ran)["prefer"], json!(["IdType=\"ImmutableId\"", "odata.maxpagesize=1000"]));
    let told = glassine(&["explain", "--rules", RULES, "--prefer", "odata.maxpagesize=5000", request]);
    let one_line = "  prefer     IdType=\"ImmutableId\", odata.maxpagesize=1000\n";
    assert!(told.stdout.contains(one_line), "{told:?}");
    let ran = glassine(&[
        "explain",
        "--rules",
        RULES,
        "--format",
        "json",
        "--prefer",
        "odata.maxpagesize=x",
        request,
    ]);
    refused(&ran, 400, "preferValue");
}

#[test]
fn refusals_say_why() {
    for (request, status, code) in [
        ("POST /v1.0/users/{user}/messages", 405, "methodNotAllowed"),
        ("/v1.0/users/{user}/messages/{message}/attachments", 403, "endpointNotAllowed"),
        ("/v1.0/users/alice@contoso.com/messages", 404, "itemNotFound"),
        ("/v1.0/users/{user}/messages?$search=x", 400, "optionNotAllowed"),
        ("/v1.0/users/{user}/messages?$top=5000", 400, "optionValueNotAllowed"),
        ("/v1.0/users/{user}/messages?$filter=subject%20eq%20'x'", 400, "optionValueNotAllowed"),
        ("/v1.0/users/%zz/messages", 400, "invalidEscape"),
        ("/v1.0/users/../groups", 400, "dotSegment"),
        ("/v2.0/users", 400, "unknownVersion"),
    ] {
        refused(&explain(request), status, code);
    }
}

#[test]
fn malformed_targets_are_refused_with_the_byte() {
    let json = refused(&explain("GET /v1.0/users/a b/messages"), 400, "invalidRawByte");
    assert!(json["reason"]["message"].as_str().unwrap().contains("byte 13"), "{json}");
    assert!(json["canonical"].is_null());
}

#[test]
fn each_option_has_its_own_verdict() {
    let json = refused(&explain("/v1.0/users/{user}/messages?$top=5&$search=x"), 400, "optionNotAllowed");
    assert_eq!(json["endpoint"], "list-messages");
    let verdict = |index: usize| (&json["options"][index]["name"], &json["options"][index]["decision"]);
    assert_eq!(verdict(0), (&json!("$top"), &json!("allow")));
    assert_eq!(verdict(1), (&json!("$search"), &json!("refuse")));
    let text = glassine(&["explain", "--rules", RULES, "/v1.0/users/{user}/messages?$top=5&$search=x"]);
    assert_eq!(text.code, Some(1));
    assert!(text.stdout.starts_with("refuse: 400 optionNotAllowed"), "{text:?}");
    assert!(text.stdout.contains("$top: allow"), "{text:?}");
}

#[test]
fn the_example_of_the_design_works() {
    let request = "GET /beta/users/{user}/mailFolders/inbox/messages?$filter=receivedDateTime%20ge%202026-01-01T00:00:00Z";
    let text = glassine(&["explain", "--rules", EXAMPLE, request]).fine();
    assert!(text.starts_with("allow\n"), "{text}");
    assert!(text.contains("list-folder-messages"), "{text}");
    assert!(text.contains("note"), "{text}");
    let refused = glassine(&["explain", "--rules", EXAMPLE, "GET /beta/users/{user}/messages"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
}

#[test]
fn bad_input_is_2_and_names_the_place() {
    let scratch = Scratch::new();
    glassine(&["explain", "--rules", MISTAKES, "/v1.0/users"])
        .fails(2, &["G0002", "several-mistakes.yaml:1:10"]);
    glassine(&["explain", "--rules", &scratch.path("x"), "/v1.0/users"])
        .fails(2, &["/x: there is no such file"]);
    for request in ["", "GET", "users", "GET https://graph.microsoft.com/v1.0/users"] {
        explain(request).fails(2, &["REQUEST", "GET /v1.0/users"]);
    }
    let bad_keys =
        scratch.write("keys.yaml", "version: 1\nkeys:\n  - id: A\n    created: today\n    secret: hunter2\n");
    let ran =
        glassine(&["explain", "--rules", RULES, "--keys", &bad_keys, "--consumer", "acme", "/v1.0/users"]);
    ran.fails(2, &["keys.yaml", "line 4", "created"]);
    assert!(!ran.stderr.contains("hunter2"));
    glassine(&["explain", "--rules", RULES, "--keys", &bad_keys, "/v1.0/users"]).fails(2, &["--consumer"]);
}

#[test]
fn with_keys_only_this_consumers_tokens_open_and_are_not_shown() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let mint = |consumer: &str| {
        let args =
            ["pseudonym", "--keys", &keys, "--consumer", consumer, "--as", "id", "--reversible", "user-guid"];
        glassine(&args).fine().trim().to_owned()
    };
    let ask = |token: &str| {
        let request = format!("/v1.0/users/{token}");
        glassine(&[
            "explain",
            "--rules",
            RULES,
            "--keys",
            &keys,
            "--consumer",
            "acme",
            "--format",
            "json",
            &request,
        ])
    };
    let ran = ask(&mint("acme"));
    let upstream = allowed(&ran)["upstream"].clone();
    assert!(upstream.as_str().unwrap().starts_with("/v1.0/users/{user}?$select="), "{upstream}");
    assert!(!ran.stdout.contains("user-guid"), "{ran:?}");
    refused(&ask(&mint("other")), 404, "itemNotFound");
    refused(&ask("{user}"), 404, "itemNotFound");
}

#[test]
fn sealed_links_are_admitted_again_and_without_keys_taken_for_valid() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let page = r#"{"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users/user-guid/messages?$skip=10"}"#;
    let request = "/v1.0/users/user-guid/messages";
    let args = ["sanitize", "--rules", RULES, "--keys", &keys, "--consumer", "acme", "--request", request];
    let response: Value = serde_json::from_str(&glassine_reading(&args, page).fine()).unwrap();
    let link = response["@odata.nextLink"].as_str().unwrap().strip_prefix("https://localhost").unwrap();

    let ask = |rules: &str, consumer: &str| {
        glassine(&[
            "explain",
            "--rules",
            rules,
            "--keys",
            &keys,
            "--consumer",
            consumer,
            "--format",
            "json",
            link,
        ])
    };
    let ran = ask(RULES, "acme");
    assert_eq!(allowed(&ran)["upstream"], "/v1.0/users/{user}/messages?$skip={sealed}");
    assert!(!ran.stdout.contains("user-guid"), "{ran:?}");
    refused(&ask(RULES, "other"), 404, "itemNotFound");
    refused(&ask(OTHER_RULES, "acme"), 410, "resyncRequired");
    let presumed = glassine(&["explain", "--rules", RULES, "--format", "json", link]);
    let explanation = allowed(&presumed);
    assert!(
        explanation["note"].as_str().unwrap().contains("sealed links are taken for valid"),
        "{presumed:?}"
    );
    assert!(!explanation["upstream"].to_string().contains("$skip=10"), "{presumed:?}");
    let elsewhere = format!("/v1.0/me/messages?{}", link.split_once('?').unwrap().1);
    refused(
        &glassine(&["explain", "--rules", RULES, "--format", "json", &elsewhere]),
        403,
        "endpointNotAllowed",
    );
}

/// The text of the line of the shipped rules that an explanation names.
fn rule_line(json: &Value) -> String {
    assert_eq!(json["rule"]["file"], RULES);
    let line = usize::try_from(json["rule"]["line"].as_u64().unwrap()).unwrap();
    std::fs::read_to_string(RULES).unwrap().lines().nth(line - 1).unwrap().trim().to_owned()
}

#[test]
fn a_refusal_names_the_line_that_would_have_to_change() {
    for (request, line) in [
        ("/v1.0/users/{user}/messages?$top=5000", "$top: { integer: { min: 1, max: 1000 } }"),
        ("/v1.0/users/{user}/messages?$top=5&$orderby=subject", "$orderby: kept"),
        ("/v1.0/users/{user}/messages?filter=subject eq 'x'", "$filter:"),
        ("/v1.0/users/{user}/messages?$search=x", "get: /{api}/users/{user}/messages"),
        ("/v1.0/users/alice@contoso.com/messages", "user: { token: id }"),
        ("/v1.0/users/{user}/mailFolders/clutter", "folder: "),
    ] {
        let ran = explain(request);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(rule_line(&ran.json()).starts_with(line), "{request}: {}", rule_line(&ran.json()));
    }
    let json = allowed(&explain("/v1.0/users"));
    assert_eq!(rule_line(&json), "get: /{api}/users");
    let text = glassine(&["explain", "--rules", RULES, "/v1.0/users?$search=x"]).stdout;
    assert!(text.contains(&format!("rule       {RULES}:")), "{text}");
    assert!(refused(&explain("POST /v1.0/users"), 405, "methodNotAllowed")["rule"].is_null());
}

#[test]
fn a_refused_endpoint_is_explained_with_the_nearest_open_ones() {
    let json =
        refused(&explain("/v1.0/users/{user}/messages/{message}/attachments"), 403, "endpointNotAllowed");
    assert_eq!(json["nearest"][0], "/{api}/users/{user}/messages/{message} (get-message)");
    assert_eq!(json["rule"], Value::Null);
    assert_eq!(refused(&explain("/v1.0/chats"), 403, "endpointNotAllowed")["nearest"], json!([]));
}

#[test]
fn the_canonical_form_is_spelled_as_in_the_rules() {
    for (request, canonical) in [
        (
            "/v1.0/USERS('{user}')/MAILFOLDERS/Inbox/Messages/",
            "/v1.0/users/{user}/mailFolders/inbox/messages",
        ),
        ("/v1.0/Groups/{group}/members/graph.USER", "/v1.0/groups/{group}/members/microsoft.graph.user"),
        ("/v1.0/users/alice@contoso.com/MESSAGES", "/v1.0/users/alice%40contoso.com/messages"),
    ] {
        assert_eq!(explain(request).json()["canonical"], canonical);
    }
}

#[test]
fn a_batch_is_allowed_and_what_is_in_it_decided_later() {
    let json = allowed(&explain("POST /beta/%24batch"));
    assert_eq!((&json["endpoint"], &json["canonical"]), (&json!("$batch"), &json!("/beta/$batch")));
    assert_eq!(json["note"], "each request inside is admitted on its own");
    refused(&explain("GET /beta/$batch"), 403, "endpointNotAllowed");
}
