//! `glassine keys`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use glassine_core::pseudonym::KeyRing;

use super::{Scratch, glassine};

#[test]
fn a_new_key_file_is_one_and_no_two_are_alike() {
    let (one, other) = (glassine(&["keys", "new"]).fine(), glassine(&["keys", "new"]).fine());
    let fingerprint = |text: &str| KeyRing::parse(text).unwrap().fingerprint()[0].fingerprint.clone();
    assert_ne!(fingerprint(&one), fingerprint(&other));
}

#[test]
fn a_written_key_file_is_its_owners_and_is_never_overwritten() {
    let scratch = Scratch::new();
    let file = scratch.keys();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read_to_string(&file).unwrap();
    glassine(&["keys", "new", "--out", &file]).fails(2, &[&file, "exists"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    let nowhere = scratch.path("no/such/directory");
    glassine(&["keys", "new", "--out", &nowhere]).fails(2, &[&nowhere, "cannot be written"]);
}

#[test]
fn fingerprints_say_which_keys_a_file_has() {
    let scratch = Scratch::new();
    let file = scratch.keys();
    let ring = KeyRing::parse(&fs::read_to_string(&file).unwrap()).unwrap();
    let key = &ring.fingerprint()[0];
    let line = glassine(&["keys", "fingerprint", &file]).fine();
    assert_eq!(line, format!("{} {} {}\n", key.id, key.created, key.fingerprint));
}

#[test]
fn a_bad_key_file_is_named_with_the_line_and_not_quoted() {
    let scratch = Scratch::new();
    let bad =
        "version: 1\nkeys:\n  - id: \"A\"\n    created: \"2026-01-31T12:00:00Z\"\n    secret: \"hunter2\"\n";
    for (text, place) in
        [(bad, "line 5"), ("version: 9\nkeys: []\n", "line 1"), ("hunter2", "glassine keys new")]
    {
        let file = scratch.write("bad.yaml", text);
        let ran = glassine(&["keys", "fingerprint", &file]);
        ran.fails(2, &["bad.yaml: key file", place]);
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    }
}
