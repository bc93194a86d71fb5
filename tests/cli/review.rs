//! `glassine review`: each red finding, beside a file or configuration without it.

use serde_json::Value;

use super::{MISTAKES, OTHER_RULES, RULES, Scratch, glassine};

/// Rules with nothing red.
const BASE: &str = "version: 1
connector: c
title: T
purpose: P.
permissions: [Mail.ReadBasic.All]
addresses: { domains: keep_listed }
shapes:
  message:
    keep: { booleans: [$.isRead] }
    pseudonymize:
      - { path: $.id, as: id, reversible: true }
      - { path: $.from.emailAddress.address, as: email }
endpoints:
  - name: list-messages
    get: /v1.0/users/{user}/messages
    params: { user: { token: id } }
    response: { collection: message }
";

/// A configuration with nothing red.
const CONFIG: &str = "listen: 127.0.0.1:0
public_url: http://127.0.0.1:8080
upstream:
  cloud: worldwide
  tenant: contoso.com
  client_id: 00000000-0000-0000-0000-000000000000
  credential: { client_secret_file: secret }
keys: { file: keys.yaml }
tenant_domains: [contoso.com]
audit: { file: audit.jsonl }
consumers:
  - name: acme
    rules: rules.yaml
    credential: { jwt: { issuer: i, audience: a, jwks_file: keys.json, claims: { azp: x } } }
  - name: globex
    rules: rules.yaml
    credential: { bearer_sha256: [0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef] }
";

/// The review of the base with this part of it replaced.
fn review_of(part: &str, other: &str) -> Value {
    assert!(BASE.contains(part), "{part}");
    let scratch = Scratch::new();
    let file = scratch.write("rules.yaml", BASE.replace(part, other));
    let json = glassine(&["review", "--format", "json", &file]).json();
    json["reviews"][0].clone()
}

/// The review under the configuration with this part of it replaced.
fn configured(part: &str, other: &str) -> Value {
    assert!(CONFIG.contains(part), "{part}");
    let scratch = Scratch::new();
    scratch.write("rules.yaml", BASE);
    let file = scratch.write("config.yaml", CONFIG.replace(part, other));
    let json = glassine(&["review", "--format", "json", "--config", &file]).json();
    assert_eq!(json["reviews"].as_array().unwrap().len(), 1, "consumers with the same rules share a review");
    json["reviews"][0].clone()
}

/// What is red: code, sentence, properties.
fn red(review: &Value) -> Vec<String> {
    let findings = review["findings"].as_array().unwrap().iter();
    let red = findings.filter(|finding| finding["level"] == "red");
    let text = |finding: &Value| {
        let (code, what) = (finding["code"].as_str().unwrap_or("-"), finding["what"].as_str().unwrap());
        let properties: Vec<_> =
            finding["properties"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        format!("{code} {what} [{}]", properties.join(", "))
    };
    red.map(text).collect()
}

#[test]
fn rules_with_nothing_to_look_at_have_no_finding() {
    let review = review_of("title: T", "title: T");
    assert_eq!(review["findings"], serde_json::json!([]));
    let shipped = glassine(&["review", "--format", "json", RULES, OTHER_RULES]).json();
    for review in shipped["reviews"].as_array().unwrap() {
        assert_eq!(review["findings"], serde_json::json!([]), "{}", review["file"]);
    }
}

#[test]
fn each_loosening_of_the_rules_is_red() {
    for (part, other, expected) in [
        (
            "booleans: [$.isRead]",
            "booleans: [$.isRead], text: [$.importance]",
            "G0306 this leaves as written, also if a person wrote it [importance of Messages]",
        ),
        (
            "booleans: [$.isRead]",
            "booleans: [$.isRead], text: [{ path: $.subject, reviewed: true }]",
            "G0306 this leaves as written, also if a person wrote it [subject of Messages]",
        ),
        (
            "    keep:",
            "    digest: [$.subject]\n    keep:",
            "G0309 `subject` holds what people write, and something that is computed from it leaves [subject of Messages]",
        ),
        (
            "    keep:",
            "    digest: [{ path: $.subject, reviewed: true }]\n    keep:",
            "G0309 `subject` holds what people write, and something that is computed from it leaves [subject of Messages]",
        ),
        (
            "    keep:",
            "    domain: [{ path: $.sender.emailAddress.address, reviewed: true }]\n    keep:",
            "G0309 `address` names a person, and something that is computed from it leaves [sender.emailAddress.address of Messages]",
        ),
        (
            "booleans: [$.isRead]",
            "booleans: [$.isRead], one_of: [{ path: $.subject, values: [Hello], reviewed: true }]",
            "G0123 `subject` holds what people write, and leaves otherwise than as a token [subject of Messages]",
        ),
        (
            "user: { token: id }",
            "user: { raw: true }",
            "G0302 `raw: true` lets the consumer test who is behind a token []",
        ),
        (
            "user: { token: id }",
            "user: { pattern: '[a-z]+' }",
            "G0302 `pattern` takes raw values: the consumer can test who is behind a token []",
        ),
        (
            "domains: keep_listed",
            "domains: keep",
            "G0307 the domain of every address leaves, also one that a stranger chose []",
        ),
    ] {
        assert_eq!(red(&review_of(part, other)), [expected], "{other}");
    }
    for (other, code) in [("[Mail.Read]", "G0303"), ("[Mail.ReadBasic.All, Files.Read.All]", "G0305")] {
        let red = red(&review_of("[Mail.ReadBasic.All]", other));
        assert!(red.len() == 1 && red[0].starts_with(code), "{red:?}");
    }
}

#[test]
fn a_blocklist_is_red_and_says_what_leaves() {
    let review = review_of("    keep:", "    unlisted: keep\n    redact: [$.body]\n    keep:");
    let red = red(&review);
    assert!(red.len() == 1 && red[0].starts_with("G0301") && red[0].contains("* of Messages"), "{red:?}");
    let content = review["stays"].as_array().unwrap().iter().find(|it| it["class"] == "content").unwrap();
    assert_eq!(content["dropped"], serde_json::json!([{ "title": "Messages", "properties": ["body"] }]));
}

#[test]
fn what_does_not_let_more_out_is_a_note() {
    let review = review_of("[$.isRead]", "[$.isRead, $.unheardOf]");
    assert_eq!(red(&review), [""; 0]);
    assert_eq!(
        (&review["findings"][0]["level"], &review["findings"][0]["code"]),
        (&"note".into(), &"G0119".into())
    );
}

#[test]
fn each_loosening_of_the_configuration_is_red() {
    assert_eq!(red(&configured("listen", "listen")), [""; 0]);
    for (part, other, expected) in [
        ("[contoso.com]", "[contoso.com, gmail.com]", "`gmail.com`: everybody can get a mailbox there"),
        ("[contoso.com]", "[outlook.com]", "`outlook.com`: everybody can get a mailbox there"),
        ("[contoso.com]", "[co.uk]", "`co.uk`: everybody can register a domain below it"),
        (
            "cloud: worldwide",
            "graph: https://graph.example",
            "go to `https://graph.example`, which is not Microsoft's",
        ),
        (
            "cloud: worldwide",
            "authority: https://login.example",
            "go to `https://login.example`, which is not Microsoft's",
        ),
        (", claims: { azp: x }", "", "every token of the issuer with this audience is accepted as `acme`"),
    ] {
        let red = red(&configured(part, other));
        assert!(red.len() == 1 && red[0].contains(expected), "{expected}: {red:?}");
    }
}

#[test]
fn consumers_that_can_join_their_data_are_red() {
    let shared = |domain: &str| format!("  - name: globex\n    pseudonym_domain: {domain}\n");
    assert_eq!(red(&configured("  - name: globex\n", &shared("other"))), [""; 0]);
    let red = red(&configured("  - name: globex\n", &shared("acme")));
    assert_eq!(
        red,
        [
            "- `acme` shares the pseudonym domain `acme` with `globex`: they can join their data []",
            "- `globex` shares the pseudonym domain `acme` with `acme`: they can join their data []",
        ]
    );
}

#[test]
fn consumers_with_tokens_of_their_own_are_red() {
    let red = red(&configured("{ client_secret_file: secret }", "{ forward: true }"));
    assert_eq!(red.len(), 2, "one for each consumer: {red:?}");
    assert!(red.iter().all(|it| it.contains("can use it to bypass the proxy")), "{red:?}");
}

#[test]
fn own_domains_matter_only_if_they_stay_readable() {
    let scratch = Scratch::new();
    scratch.write("rules.yaml", BASE.replace("keep_listed", "pseudonymize"));
    let file = scratch.write("config.yaml", CONFIG.replace("[contoso.com]", "[gmail.com]"));
    let json = glassine(&["review", "--format", "json", "--config", &file]).json();
    assert_eq!(red(&json["reviews"][0]), [""; 0]);
}

#[test]
fn a_configuration_says_who_gets_the_data_and_needs_no_keys() {
    let review = configured("  - name: acme\n", "  - name: acme\n    title: Acme Analytics\n");
    let [acme, globex] = &review["consumers"].as_array().unwrap()[..] else { panic!("{review}") };
    assert_eq!((&acme["name"], &acme["title"]), (&"acme".into(), &"Acme Analytics".into()));
    assert_eq!((&globex["name"], &globex["title"]), (&"globex".into(), &"globex".into()));
    assert_ne!(acme["fingerprint"], globex["fingerprint"]);
    assert_eq!(acme["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!(review["addresses"]["readable"], serde_json::json!(["contoso.com"]));
}

#[test]
fn a_property_has_its_form_an_example_its_class_and_its_line() {
    let review = review_of("title: T", "title: T");
    let rows = review["objects"][0]["rows"].as_array().unwrap();
    let row = |path: &str| rows.iter().find(|row| row["path"] == path).unwrap();
    let address = row("from.emailAddress.address");
    assert_eq!(
        address["forms"][0],
        serde_json::json!({ "kind": "one_way", "words": "the address as a pseudonym" })
    );
    assert_eq!(address["example"]["before"], "alice.smith@contoso.com");
    let after = address["example"]["after"].as_str().unwrap();
    assert!(after.starts_with("t~A") && after.ends_with("@contoso.com"), "{after}");
    assert_eq!(
        (&address["class"], &address["lines"]),
        (&"direct_identifier".into(), &serde_json::json!([12]))
    );
    assert_eq!(row("id")["forms"][0]["kind"], "opens_again");
    let read = row("isRead");
    assert_eq!(read["forms"][0], serde_json::json!({ "kind": "as_it_is", "words": "true or false" }));
    assert_eq!((&read["example"]["before"], &read["example"]["after"]), (&true.into(), &true.into()));
}

#[test]
fn every_format_shows_what_is_red() {
    let scratch = Scratch::new();
    let file = scratch.write("rules.yaml", BASE.replace("    keep:", "    unlisted: keep\n    keep:"));
    for (format, part) in [
        ("text", "RED G0301"),
        ("markdown", "**Red** G0301"),
        ("html", "<span class=\"badge bad\">Red</span>"),
        ("json", "\"level\": \"red\""),
    ] {
        let text = glassine(&["review", "--format", format, &file]).fine();
        assert!(text.contains(part), "{format}: {text}");
        assert!(!text.contains('\u{1b}'), "{format}: no colour, since nobody sees it");
        let good = glassine(&["review", "--format", format, RULES]).fine();
        assert!(!good.contains(part), "{format}");
    }
}

#[test]
fn titles_of_authors_are_texts() {
    let scratch = Scratch::new();
    let file = scratch.write("rules.yaml", BASE.replace("title: T", "title: <script>x</script> *b*"));
    let html = glassine(&["review", "--format", "html", &file]).fine();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    let markdown = glassine(&["review", "--format", "markdown", &file]).fine();
    assert!(markdown.contains("\\<script\\>") && markdown.contains("\\*b\\*"), "{markdown}");
}

#[test]
fn files_that_cannot_be_used_have_no_review() {
    glassine(&["review", MISTAKES]).fails(1, &["G0101", "G0206"]);
    glassine(&["review", RULES, MISTAKES]).fails(1, &["G0101"]);
    let scratch = Scratch::new();
    glassine(&["review", &scratch.path("nowhere.yaml")]).fails(2, &["there is no such file"]);
    let config = scratch.write("config.yaml", CONFIG.replace("[contoso.com]", "[contoso]"));
    glassine(&["review", "--config", &config]).fails(1, &["G0401", "config.yaml:9"]);
    let config = scratch.write("config.yaml", CONFIG);
    glassine(&["review", "--config", &config]).fails(2, &["rules.yaml: there is no such file"]);
    glassine(&["review"]).fails(2, &["FILE"]);
    glassine(&["review", "--config", &config, RULES]).fails(2, &["cannot be used with"]);
}
