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
    assert_eq!(line, format!("{} {} {} first\n", key.id, key.created, key.fingerprint));
}

/// The ids of a file's keys, each with what it does.
fn standings(file: &str) -> Vec<String> {
    let lines = glassine(&["keys", "fingerprint", file]).fine();
    let words = lines.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| format!("{} {}", words[0], words[3])).collect()
}

#[test]
fn a_key_is_staged_promoted_and_retired_and_no_file_changes() {
    let scratch = Scratch::new();
    let file = scratch.keys();
    let [staged, promoted, retired, back] =
        ["staged", "promoted", "retired", "back"].map(|name| scratch.path(name));
    let before = fs::read_to_string(&file).unwrap();

    let written = glassine(&["keys", "stage", &file, "--out", &staged]).fine();
    assert_eq!(written, format!("{staged}: written\n"));
    assert_eq!(standings(&staged), ["A first", "B staged"]);
    glassine(&["keys", "promote", &staged, "--out", &promoted]).fine();
    assert_eq!(standings(&promoted), ["B first", "A superseded"]);
    glassine(&["keys", "promote", &promoted, "--id", "A", "--out", &back]).fine();
    assert_eq!(standings(&back), ["A first", "B superseded"]);

    let ran = glassine(&["keys", "retire", &promoted, "--older-than", "90d", "--out", &retired]);
    ran.fails(1, &[&promoted, "no key was superseded before 20", "nothing is written"]);
    assert!(!fs::exists(&retired).unwrap());
    let old = fs::read_to_string(&promoted).unwrap();
    let (head, rest) = old.split_once("superseded: \"").unwrap();
    let (_, rest) = rest.split_once('"').unwrap();
    fs::write(&promoted, format!("{head}superseded: \"2026-01-01T00:00:00Z\"{rest}")).unwrap();
    let ran = glassine(&["keys", "retire", &promoted, "--older-than", "2w", "--out", &retired]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), &*format!("{retired}: written\n")), "{ran:?}");
    assert_eq!(
        ran.stderr,
        "key A: dropped, superseded 2026-01-01T00:00:00Z; `p~` tokens that it made will receive 404, and its links 410 or 404\n"
    );
    assert_eq!(standings(&retired), ["B first"]);

    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    for file in [&staged, &promoted, &retired, &back] {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(file).unwrap().matches("# Whoever has this file").count(), 1);
    }
}

#[test]
fn a_change_that_is_none_is_refused_with_what_to_do() {
    let scratch = Scratch::new();
    let (file, staged, new) = (scratch.keys(), scratch.path("staged"), scratch.path("new"));
    glassine(&["keys", "promote", &file, "--out", &new]).fails(2, &[&file, "no key is staged", "keys stage"]);
    glassine(&["keys", "stage", &file, "--out", &staged]).fine();
    for command in ["stage", "rotate"] {
        glassine(&["keys", command, &staged, "--out", &new])
            .fails(2, &[&staged, "key `B` is staged already", "promote"]);
    }
    glassine(&["keys", "promote", &staged, "--id", "A", "--out", &new]).fails(2, &["`A` is the first"]);
    glassine(&["keys", "promote", &staged, "--id", "Z", "--out", &new]).fails(2, &["no key `Z`"]);
    for age in ["1mo", "1y", "0d", "-3d", "soon", "90"] {
        let age = format!("--older-than={age}");
        glassine(&["keys", "retire", &staged, &age, "--out", &new]).fails(2, &["6w, 90d or 36h"]);
    }
    glassine(&["keys", "retire", &staged, "--out", &new]).fails(2, &["--older-than"]);
    assert!(!fs::exists(&new).unwrap());
    glassine(&["keys", "promote", &staged, "--out", &file]).fails(2, &[&file, "exists"]);
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
