//! `glassine token`.

use sha2::{Digest, Sha256};

use super::glassine;

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn scripts_get_a_token_and_its_hash() {
    let json = glassine(&["token", "new", "--format", "json"]).json();
    let token = json["token"].as_str().unwrap();
    assert_eq!(token.strip_prefix("glassine_").unwrap().len(), 43);
    assert_eq!(json["bearer_sha256"], sha256(token));
    assert_eq!(json.as_object().unwrap().len(), 2);
    assert_ne!(glassine(&["token", "new", "--format", "json"]).json()["token"], json["token"]);
}

#[test]
fn people_are_told_where_each_goes() {
    let text = glassine(&["token", "new"]).fine();
    let token = text.lines().next().unwrap().split_whitespace().nth(1).unwrap();
    assert!(text.contains(&format!("bearer_sha256: [\"{}\"]", sha256(token))), "{text}");
}
