//! A reviewer's walk: from a line that somebody adds to the rules, past every place that stops it, to the record of who let
//! it pass.

use serde_json::{Value, json};

use super::served::{approved_with, people, sign, until_verbose};
use crate::cli::{RULES, glassine};
use crate::support::glassine::METADATA_ONLY;

const PAGE: &str = r#"{"value":[{"id":"m1","isRead":true,"subject":"Alice Smith is ill"}]}"#;
const KEEP: &str = "      booleans:\n        - $.hasAttachments";

/// The shipped rules with one more entry that keeps text.
fn with_text(entry: &str) -> String {
    let rules = METADATA_ONLY.replace(KEEP, &format!("      text: [{entry}]\n{KEEP}"));
    assert_ne!(rules, METADATA_ONLY);
    rules
}

#[tokio::test]
async fn a_subject_leaves_only_once_everybody_who_has_to_agree_has_signed() {
    let people = people();
    let (_graph, proxy) = approved_with(&people, "", PAGE).await;
    let folder = proxy.file("config.yaml").parent().unwrap().to_owned();
    let draft = |text: &str| {
        let file = folder.join("draft.yaml");
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let messages = format!("/v1.0/users/{}/messages", proxy.id("u1"));
    let before = proxy.get(&messages).await.text();
    assert!(before.contains("isRead") && !before.contains("subject"), "{before}");

    // The line alone is refused.
    let plain = draft(&with_text("$.subject"));
    glassine(&["check", &plain]).fails(1, &["G0123", "`subject` holds what people write"]);

    // As an entry that a reviewer has agreed to, it is red in the review, and wider than what is served.
    let marked = with_text("{ path: $.subject, reviewed: true }");
    let file = draft(&marked);
    assert_eq!(glassine(&["check", &file]).code, Some(0));
    let review = glassine(&["review", "--format", "json", &file]).json();
    let findings = review.to_string();
    assert!(findings.contains("G0306") && findings.contains("subject"), "{findings}");
    let diff = glassine(&["diff", "--format", "json", RULES, &file]);
    assert_eq!(diff.code, Some(1));
    let wider = &diff.json()["differences"][0];
    assert_eq!(
        (&wider["verdict"], &wider["what"]),
        (&json!("wider"), &json!("$.subject: keep text now, nothing leaves before"))
    );
    assert_eq!(wider["witness"]["new"], json!(r#"{"value":[{"subject":"Alice Smith is ill"}]}"#));

    // The running proxy does not take it without signatures.
    proxy.write("acme.yaml", &marked);
    until_verbose(&proxy, |text| text.contains("0 of 2 people have approved")).await;
    assert_eq!(proxy.get(&messages).await.text(), before);
    sign(&folder, &people[..1]);
    until_verbose(&proxy, |text| text.contains("1 of 2 people have approved")).await;
    assert_eq!(proxy.get(&messages).await.text(), before);

    // With both it does, and the audit log tells who they were.
    sign(&folder, &people[1..]);
    let after = proxy.until(&messages, |response| response.text() != before).await.text();
    assert!(after.contains("Alice Smith is ill"), "{after}");
    let reload: Value = proxy.events().last().unwrap().clone();
    let acme = &reload["consumers"][0];
    assert_eq!(
        (&reload["event"], &acme["approved_by"]),
        (&json!("reload"), &json!(["alice", "bob"])),
        "{reload}"
    );
    assert_ne!(acme["before"], acme["rules"], "{reload}");
}
