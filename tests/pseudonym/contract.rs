//! The tables of `docs/PSEUDONYMS.md` are read and compared with what the code does, so neither can drift.

use glassine_core::pseudonym::{AddressPolicy, Class, DomainMode, KeyRing, Outcome, OwnDomain, Pseudonyms};

const CONTRACT: &str = include_str!("../../docs/PSEUDONYMS.md");

/// The rows of the table below `heading`, header and ruler left out, each cell without its backticks.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = CONTRACT.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(cell).collect()).collect()
}

fn cell(cell: &str) -> String {
    cell.trim().trim_matches('`').to_owned()
}

fn text(json: &str) -> String {
    serde_json::from_str(json).expect(json)
}

/// The key file of the worked example with these keys, in this order.
fn ring(ids: &[&str]) -> KeyRing {
    let keys = table("Worked example");
    let entry = |id: &&str| {
        let key = keys.iter().find(|key| key[0] == *id).unwrap();
        format!("  - {{ id: {id}, created: 2026-01-01T00:00:00Z, secret: {} }}\n", key[1])
    };
    KeyRing::parse(&format!("version: 1\nkeys:\n{}", ids.iter().map(entry).collect::<String>())).unwrap()
}

fn pseudonyms(domains: DomainMode) -> Pseudonyms {
    let policy = AddressPolicy {
        domains,
        own: vec![OwnDomain::parse("Contoso.COM").unwrap()],
        ..AddressPolicy::default()
    };
    ring(&["A", "B"]).pseudonyms("acme-analytics", &policy)
}

fn made(pseudonyms: &Pseudonyms, operation: &str, input: &str) -> String {
    let mut out = Vec::new();
    let outcome = match operation {
        "email" => pseudonyms.email(input, &mut out),
        "email_list" => pseudonyms.email_list(input, &mut out),
        "domain" => pseudonyms.domain(input, &mut out),
        "id" => pseudonyms.id(input, &mut out),
        "thread" => pseudonyms.thread(input, &mut out),
        "message_id" => pseudonyms.message_id(input, &mut out),
        "text" => pseudonyms.text(input, &mut out),
        "ip" => pseudonyms.ip(input, &mut out),
        other => panic!("no operation {other}"),
    };
    assert_eq!(outcome, Outcome::Written, "{operation} {input}");
    String::from_utf8(out).unwrap()
}

fn class(name: &str) -> Class {
    Class::ALL.into_iter().find(|class| class.name() == name).unwrap()
}

#[test]
fn one_way_tokens_are_as_published() {
    let pseudonyms = pseudonyms(DomainMode::Drop);
    let rows = table("Test vectors: one-way tokens");
    assert!(rows.len() >= 52);
    for row in rows {
        assert_eq!(made(&pseudonyms, &row[0], &text(&row[1])), row[5], "{row:?}");
    }
}

#[test]
fn pseudonym_domains_are_hashed_as_they_are_written() {
    let rows = table("Test vectors: pseudonym domains");
    assert!(rows.len() >= 4);
    let of = |domain: &str| {
        let policy = AddressPolicy { domains: DomainMode::Drop, ..AddressPolicy::default() };
        made(&ring(&["A"]).pseudonyms(domain, &policy), "email", "alice.smith@contoso.com")
    };
    for row in &rows {
        assert_eq!(of(&row[0]), row[1], "{row:?}");
    }
    for other in ["Acme", " acme", "acme ", ""] {
        assert!(rows.iter().all(|row| row[1] != of(other)), "{other:?}");
    }
}

/// The key file of the page is a key file; so is one with padding, and nothing else is.
#[test]
fn the_key_file_is_as_published() {
    let file = CONTRACT.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let fingerprint = |file: &str| KeyRing::parse(file).map(|ring| ring.fingerprint()[0].fingerprint.clone());
    let secret = &table("Worked example")[0][1];
    assert_eq!(fingerprint(file).unwrap(), table("Worked example")[0][2]);
    assert!(fingerprint(&file.replace(secret, &format!("{secret}="))).is_ok());
    let hexadecimal = "238".repeat(22);
    for bad in
        [&secret[1..], &secret.replace('_', "/").replace('-', "+"), &format!("{secret}A"), &hexadecimal[..64]]
    {
        assert!(fingerprint(&file.replace(secret, bad)).is_err(), "{bad}");
    }
}

#[test]
fn tags_and_guests_at_own_domains_are_as_published() {
    let rows = table("Test vectors: own domains");
    assert!(rows.len() >= 16);
    for row in rows {
        let own = ["contoso.com", "*.contoso.com", "contoso.onmicrosoft.com"];
        let own = own.map(|domain| OwnDomain::parse(domain).unwrap()).into();
        let plus_tags = serde_json::from_value(row[0].as_str().into()).unwrap();
        let policy = AddressPolicy { domains: DomainMode::Drop, own, plus_tags };
        let made = made(&ring(&["A"]).pseudonyms("acme-analytics", &policy), "email", &text(&row[1]));
        assert_eq!(made, row[3], "{row:?}");
    }
}

#[test]
fn domains_and_lists_are_as_published() {
    let rows = table("Test vectors: domains and lists");
    assert!(rows.len() >= 10);
    for row in rows {
        let mode = serde_json::from_value(serde_json::Value::from(row[1].as_str())).unwrap();
        assert_eq!(made(&pseudonyms(mode), &row[0], &text(&row[2])), row[3], "{row:?}");
    }
}

#[test]
fn reversible_tokens_are_as_published() {
    let rows = table("Test vectors: reversible tokens");
    assert!(rows.len() >= 8);
    for row in rows {
        let key = [row[2].as_str()];
        let (mut out, policy) = (Vec::new(), AddressPolicy::default());
        let newest = ring(&key).pseudonyms("acme-analytics", &policy);
        assert_eq!(newest.reversible(class(&row[0]), &text(&row[1]), &mut out), Outcome::Written);
        assert_eq!(String::from_utf8(out).unwrap(), row[3], "{row:?}");
        let opened = pseudonyms(DomainMode::Keep).open(class(&row[0]), &row[3]);
        assert_eq!(opened.as_deref(), Some(&text(&row[1])), "{row:?}");
    }
}

#[test]
fn lengths_of_reversible_tokens_are_as_published() {
    let pseudonyms = pseudonyms(DomainMode::Keep);
    let length = |octets: &str| {
        let (value, mut out) = ("x".repeat(octets.parse().unwrap()), Vec::new());
        assert_eq!(pseudonyms.reversible(Class::Id, &value, &mut out), Outcome::Written);
        out.len().to_string()
    };
    let rows = table("What the length of a token tells");
    let (longer, bounded) = rows.split_last().unwrap();
    assert_eq!(bounded.len(), 5);
    for row in bounded {
        let (least, most) = row[1].split_once(" to ").unwrap();
        assert_eq!([length(least), length(most)], [row[0].as_str(), row[0].as_str()], "{row:?}");
    }
    assert_eq!(longer[0], format!("{} and more", length("256")));
    assert_eq!(length("511"), length("256"));
}

#[test]
fn fingerprints_are_as_published() {
    let published: Vec<String> = table("Worked example").iter().map(|key| key[2].clone()).collect();
    let printed: Vec<String> =
        ring(&["A", "B"]).fingerprint().into_iter().map(|key| key.fingerprint).collect();
    assert_eq!(printed, published);
}

#[test]
fn the_worked_example_ends_in_the_first_vector() {
    let first = &table("Test vectors: one-way tokens")[0][5];
    assert!(CONTRACT.contains(&format!("\ntoken   {first}\n")));
}

#[test]
fn a_value_that_is_not_understood_writes_nothing() {
    let pseudonyms = pseudonyms(DomainMode::Keep);
    let mut out = b"before".to_vec();
    for junk in
        ["Alice Smith", "/o=x/cn=a@b.example", "a@x.com, b@x.com", "contoso.com", "@", "@under_score.com"]
    {
        assert_eq!(pseudonyms.domain(junk, &mut out), Outcome::NotUnderstood, "{junk}");
        assert_eq!(pseudonyms.ip(junk, &mut out), Outcome::NotUnderstood, "{junk}");
    }
    for empty in ["", " \u{200b}"] {
        assert_eq!(pseudonyms.domain(empty, &mut out), Outcome::Empty);
        assert_eq!(pseudonyms.ip(empty, &mut out), Outcome::Empty);
        assert_eq!(pseudonyms.email(empty, &mut out), Outcome::Empty);
    }
    assert_eq!(pseudonyms.email_list(" , ;", &mut out), Outcome::Empty);
    for exact in [Pseudonyms::id, Pseudonyms::text, Pseudonyms::thread, Pseudonyms::message_id] {
        assert_eq!(exact(&pseudonyms, "", &mut out), Outcome::Empty);
    }
    assert_eq!(pseudonyms.reversible(Class::Id, "", &mut out), Outcome::Empty);
    assert_eq!(out, b"before");
}

#[test]
fn threads_do_not_mix_with_texts_that_look_like_their_guid() {
    let pseudonyms = pseudonyms(DomainMode::Drop);
    let long = "A".repeat(200);
    assert_ne!(made(&pseudonyms, "thread", &long), made(&pseudonyms, "text", &long));
    assert_ne!(made(&pseudonyms, "thread", "x"), made(&pseudonyms, "thread", "X"));
}
