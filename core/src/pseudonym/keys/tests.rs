//! Key files: reading, writing, refusals and their messages.

use super::*;

const SECRET: &str = "SwYCnrYOVQ8rkgfjDgDv-cJmLRgS9IFW_7ZD3WPYxaE";

fn file(keys: &[(&str, &str, &str)]) -> String {
    let keys = keys.iter().map(|(id, created, secret)| {
        format!("  - id: '{id}'\n    created: '{created}'\n    secret: '{secret}'\n")
    });
    format!("version: 1\nkeys:\n{}", keys.collect::<String>())
}

fn good(id: &str) -> (&str, &'static str, &'static str) {
    (id, "2026-01-31T12:00:00Z", SECRET)
}

fn refusal(text: &str) -> String {
    KeyRing::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_rendered_file_parses_to_the_same_key() {
    let ring = KeyRing::parse(&file(&[good("A")])).unwrap();
    let again = KeyRing::parse(&KeyRing::render_new(&ring.newest.master, 'A', "2026-01-31T12:00:00Z"));
    assert_eq!(ring.fingerprint(), again.unwrap().fingerprint());
}

#[test]
fn rotation_puts_the_new_key_first_under_a_free_id() {
    let ring = KeyRing::parse(&file(&[good("A"), good("-")])).unwrap();
    let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap());
    let rotated = ring.render_rotated(&master, "2027-01-31T12:00:00Z").unwrap();
    let ids: String = KeyRing::parse(&rotated).unwrap().fingerprint().iter().map(|key| key.id).collect();
    assert_eq!(ids, "BA-");
}

#[test]
fn fingerprints_differ_by_key_and_hold_nothing_of_it() {
    let other = ("B", "2026-01-31T12:00:00Z", "n6Zb1uOBDvbGkM9e0y2nHAC3EzyUAxJ7i8Pq5CsLwtQ");
    let ring = KeyRing::parse(&file(&[good("A"), other])).unwrap();
    let prints: Vec<String> = ring.fingerprint().into_iter().map(|key| key.fingerprint).collect();
    assert_eq!(prints.iter().map(String::len).collect::<Vec<_>>(), [16, 16]);
    assert_ne!(prints[0], prints[1]);
}

/// Fault: a key file is malformed. Outcome: the error names the line and quotes no secret.
#[test]
fn refusals_name_the_line_and_not_the_secret() {
    let dup = file(&[good("A"), good("A")]);
    assert!(refusal(&dup).starts_with("key file, line 6: `id` is used"), "{}", refusal(&dup));
    for (id, created, secret, says) in [
        ("AB", "2026-01-31T12:00:00Z", SECRET, "line 3: `id` has to be"),
        ("", "2026-01-31T12:00:00Z", SECRET, "line 3: `id` has to be"),
        ("é", "2026-01-31T12:00:00Z", SECRET, "line 3: `id` has to be"),
        ("A", "yesterday", SECRET, "line 4: `created` has to be"),
        ("A", "2026-01-31T12:00:00Z", "SwYCnrYOVQ8rkgfjDgDv-cJmLRg", "line 5: `secret` has to be"),
        ("A", "2026-01-31T12:00:00Z", "SwYCnrYOVQ8rkgfjDgDv+cJmLRgS9IFW_7ZD3WPYxaE", "line 5: `secret` has"),
    ] {
        let text = refusal(&file(&[(id, created, secret)]));
        assert!(text.contains(says) && !text.contains("SwYC"), "{text}");
    }
    assert_eq!(refusal(&file(&[good("A")])), "");
}

#[test]
fn other_shapes_are_refused_by_line() {
    let fine = file(&[good("A")]);
    let extra = fine.replace("    created", "    note: hello\n    created");
    assert!(refusal(&extra).contains("expected `version: 1` and `keys:`"), "{}", refusal(&extra));
    assert!(refusal(&extra).starts_with("key file, line "), "{}", refusal(&extra));
    assert!(refusal(&fine.replace("version: 1", "version: 2")).contains("line 1: only `version: 1`"));
    assert!(refusal("version: 1\nkeys: []\n").contains("0 keys"));
    assert!(refusal("").contains("expected `version: 1`"));
}

#[test]
fn at_most_sixty_four_keys() {
    let ids: Vec<String> = URL_SAFE.as_str().chars().map(String::from).collect();
    let all: Vec<_> = ids.iter().map(|id| good(id)).collect();
    let full = KeyRing::parse(&file(&all)).unwrap();
    assert!(full.render_rotated(&[0; 32], "2027-01-31T12:00:00Z").is_none());
    assert!(KeyRing::parse(&file(&all[..63])).unwrap().render_rotated(&[0; 32], "").is_some());
}

/// Fault: a key was made by hand. Outcome: the key file is refused, because the key is not random.
#[test]
fn keys_that_are_not_random_are_refused() {
    let rendered = |master: [u8; 32]| KeyRing::render_new(&master, 'A', "2026-01-31T12:00:00Z");
    let counting = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let few = std::array::from_fn(|at| u8::try_from(at * 7 % 15).unwrap());
    let enough = std::array::from_fn(|at| u8::try_from(at * 7 % 16).unwrap());
    for weak in [[0; 32], [0xaa; 32], counting, few] {
        assert!(refusal(&rendered(weak)).contains("is not random"));
    }
    assert_eq!(refusal(&rendered(enough)), "");
}
