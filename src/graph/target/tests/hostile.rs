//! Whole targets: hostile spellings of one path, and published cases.

use serde_json::Value;

use super::*;

/// Spellings of one path that general proxies forward although only `/v1.0/users/{id}/messages` was allowed: each
/// has one canonical form or is refused.
#[test]
fn hostile_spellings_of_one_path() {
    const REFUSED: &str = "";
    let matrix = [
        ("/v1.0/users/u1/messages", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages?$select=id", "/v1.0/users/u1/messages?$select=id"),
        ("/v1.0/users/u1/messages/", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages/x/../", REFUSED),
        ("/v1.0/users/u1/messages/%2e%2e/messages", REFUSED),
        ("/v1.0/users/u1/mailFolders/../messages", REFUSED),
        ("/v1.0/me/../users/u1/messages", REFUSED),
        ("/v1.0//users/u1/messages", REFUSED),
        ("//v1.0/users/u1/messages", REFUSED),
        ("/v1.0/users/u1%2Fmailboxsettings/messages", "/v1.0/users/u1%2Fmailboxsettings/messages"),
        ("/v1.0/users/u1%2F..%2F..%2Fme/messages", REFUSED),
        ("/v1.0/users/u1%252Fx/messages", REFUSED),
        ("/v1.0/users/..%2f/messages", REFUSED),
        ("/v1.0/users/%2e%2e/messages", REFUSED),
        ("/v1.0/users/../messages", REFUSED),
        ("/v1.0/users/..;/messages", REFUSED),
        ("/v1.0/users/..;a=b/messages", REFUSED),
        ("/v1.0/users/.;/messages", REFUSED),
        ("/V1.0/Users/u1/Messages", REFUSED),
        ("/v1.0/users/u1/messages;x=1", REFUSED),
        ("/v1.0/users/u1/%6dessages", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages%00", REFUSED),
        ("/v1.0/users/u1/messages%20", REFUSED),
        ("/v1.0/users/u1/messages#/../../me", REFUSED),
        ("/v1.0/users/u1/messages%23x", "/v1.0/users/u1/messages%23x"),
        ("/v1.0/users/u1/messages%3f$expand=attachments", REFUSED),
        ("/v1.0/users/u1\\..\\me/messages", REFUSED),
        ("/v1.0/users/u1%5c..%5cme/messages", REFUSED),
        ("/v1.0/users/u1/messages/m1/$value", "/v1.0/users/u1/messages/m1/$value"),
        ("/v1.0/users/u1/messages/m1/%24value", "/v1.0/users/u1/messages/m1/$value"),
        ("/v1.0/users('u1')/messages", "/v1.0/users('u1')/messages"),
        ("/v1.0/users/u1/messages()", REFUSED),
        ("/v1.0/users/x/y/messages", "/v1.0/users/x/y/messages"),
        ("http://graph.microsoft.com/v1.0/users/u1/messages", REFUSED),
        ("http://evil.example/v1.0/users/u1/messages", REFUSED),
        ("/v1.0/users/%c0%ae%c0%ae/messages", REFUSED),
        ("/v1.0/users/u1/messages?x=/../../me", "/v1.0/users/u1/messages?x=%2F..%2F..%2Fme"),
        ("/v1.0/users/u1%0d%0aX:y/messages", REFUSED),
        ("/v1.0/users/u1/messages\t", REFUSED),
        ("*", REFUSED),
    ];
    for (raw, expected) in matrix {
        let canonical = Target::parse(raw).map_or_else(|_| REFUSED.to_owned(), |target| target.canonical());
        assert_eq!(canonical, expected, "{raw}");
    }
}

/// Checks a published list of request targets, whose folder the environment variable `GRAPH_DATA` names. Which
/// segments are keys only a template knows, so `{id}` in the list stands for any key.
#[test]
fn published_path_cases() {
    let Some(document) = published("path-cases.json") else {
        return;
    };
    let allowed: Vec<_> = allowed_cases(&document).collect();
    assert!(!allowed.is_empty());
    for case in allowed {
        let (raw, canonical) = (case["raw"].as_str().unwrap(), case["canonical"].as_str().unwrap());
        assert_matches_case(&Target::parse(raw).unwrap_or_else(|error| panic!("{raw}: {error}")), canonical);
    }
}

/// Checks a published list of queries, beside the list of paths: what a rule may allow must be readable.
#[test]
fn published_query_cases() {
    let Some(document) = published("query-cases.json") else {
        return;
    };
    let allowed: Vec<_> = allowed_cases(&document).map(|case| case["query"].as_str().unwrap()).collect();
    assert!(!allowed.is_empty());
    for query in allowed {
        assert!(!options(&query.replace(' ', "%20")).is_empty(), "{query}");
    }
}

fn published(file: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("GRAPH_DATA") else {
        println!("skipped: GRAPH_DATA does not name the folder of {file}");
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn allowed_cases(document: &Value) -> impl Iterator<Item = &Value> {
    document["cases"].as_array().unwrap().iter().filter(|case| case["verdict"] == "allow")
}

fn assert_matches_case(target: &Target, canonical: &str) {
    let mut steps = canonical.strip_prefix('/').unwrap().split('/');
    assert_eq!(steps.next(), Some(target.version.as_str()));
    let steps: Vec<_> = steps.collect();
    assert_eq!(steps.len(), target.segments.len(), "{canonical}: {:?}", target.segments);
    for (step, segment) in steps.into_iter().zip(&target.segments) {
        match segment {
            Segment::Key(_) => assert_eq!(step, "{id}"),
            Segment::Plain(text) => assert!(step == "{id}" || step.eq_ignore_ascii_case(text), "{canonical}"),
            Segment::Cast(text) | Segment::Dollar(text) | Segment::Function(text) => assert_eq!(step, text),
        }
    }
}
