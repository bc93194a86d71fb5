//! What is accepted, and probably not meant: a warning each, and a neighbour without one.

use super::*;

/// The warnings about the full example with one part replaced, as code and text.
#[track_caller]
fn warned(old: &str, new: &str) -> Vec<(&'static str, String)> {
    let (text, config) = (with(old, new), accepts(old, new));
    let place = |it: &glassine_core::diagnostic::Diagnostic| {
        assert!(it.hint.is_some(), "{it:?}");
        (it.code.as_str(), text[it.span.clone().unwrap()].to_owned())
    };
    config.warnings().iter().map(place).collect()
}

/// The list of the full example.
const LIST: &str = "[203.0.113.0/24, 198.51.100.7, \"2001:db8::/32\", 192.168.7.0/24]";

#[test]
fn a_list_that_admits_the_internet_is_told() {
    for list in ["[0.0.0.0/0]", "[\"::/0\", 10.0.0.0/8]", "[0.0.0.0/1, 128.0.0.0/1]", "[10.0.0.1, 0.0.0.0/0]"]
    {
        assert_eq!(warned(LIST, list), [("G0411", "[".to_owned())], "{list}");
    }
    for list in ["[10.0.0.0/8]", "[0.0.0.0/1]", "[127.0.0.1, \"::1\"]", "[8.8.8.0/24, \"2a00::/12\"]"] {
        assert_eq!(warned(LIST, list), [], "{list}");
    }
}

#[test]
fn a_list_that_admits_nobody_is_told() {
    for list in ["[203.0.113.7]", "[224.0.0.1, \"ff02::/16\"]", "[0.0.0.0]", "[\"::\", 192.0.2.0/25]"] {
        assert_eq!(warned(LIST, list), [("G0411", "[".to_owned())], "{list}");
    }
    for list in ["[203.0.113.0/24, 10.0.0.1]", "[202.0.0.0/7]", "[\"2001::/16\"]"] {
        assert_eq!(warned(LIST, list), [], "{list}");
    }
}

#[test]
fn a_signed_token_that_needs_no_claim_is_told() {
    let bearer = format!("{{ bearer_sha256: [\"{HASH}\"] }}\n    allow_from: {LIST}");
    let jwt = |claims: &str| {
        let jwt = format!("issuer: \"https://i.example\", audience: a, jwks_file: keys.json{claims}");
        warned(&bearer, &format!("{{ jwt: {{ {jwt} }} }}"))
    };
    for claims in ["", ", claims: {}"] {
        assert_eq!(jwt(claims), [("G0411", "{".to_owned())], "{claims}");
    }
    assert_eq!(jwt(", claims: { azp: x }"), []);
}

#[test]
fn an_address_that_is_not_microsofts_is_told() {
    let own = |graph: &str, authority: &str| {
        let text = full().replace("https://graph.microsoft.com", graph);
        let text = text.replace("https://login.microsoftonline.com", authority);
        let config = Config::load("config.yaml", &text).unwrap();
        let found = config.warnings().iter();
        found.map(|it| (it.code.as_str(), text[it.span.clone().unwrap()].to_owned())).collect::<Vec<_>>()
    };
    let (graph, authority) = ("https://graph.microsoft.com", "https://login.microsoftonline.com");
    for (graph, authority, strangers) in [
        ("https://graph.microsoft.com.example", authority, &["https://graph.microsoft.com.example"][..]),
        (graph, "https://login.example", &["https://login.example"]),
        ("https://a.example", "https://b.example", &["https://a.example", "https://b.example"]),
        ("https://a.example", "https://a.example", &["https://a.example", "https://a.example"]),
    ] {
        let expected: Vec<_> = strangers.iter().map(|it| ("G0412", (*it).to_owned())).collect();
        assert_eq!(own(graph, authority), expected);
    }
    for (graph, authority) in [
        (graph, authority),
        ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("http://127.0.0.1:8081", "http://localhost:8081"),
    ] {
        assert_eq!(own(graph, authority), [], "{graph}");
    }
}
