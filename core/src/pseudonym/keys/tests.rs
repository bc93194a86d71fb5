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
    let ring = KeyRing::parse(&file(&[good("A"), ("-", "2025-01-31T12:00:00Z", SECRET)])).unwrap();
    let master = std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap());
    let rotated = ring.rotated(&master, time("2027-01-31T12:00:00Z")).unwrap().render();
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
    let mut all: Vec<_> = ids.iter().map(|id| (id.as_str(), "2025-01-31T12:00:00Z", SECRET)).collect();
    all[0] = good("A");
    let full = KeyRing::parse(&file(&all)).unwrap();
    let now = time("2027-01-31T12:00:00Z");
    assert_eq!(full.staged(&[0; 32], now).err(), Some(RingError::Full));
    assert!(KeyRing::parse(&file(&all[..63])).unwrap().staged(&[0; 32], now).is_ok());
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

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn master(seed: u8) -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap().wrapping_mul(31).wrapping_add(seed))
}

/// The ids of a ring in order, each with what it does: `f`irst, `s`taged, `o`ld.
fn shape(ring: &KeyRing) -> String {
    let letter = |standing| match standing {
        Standing::First => 'f',
        Standing::Staged => 's',
        Standing::Superseded(_) => 'o',
    };
    let keys = ring.fingerprint().into_iter().map(|key| format!("{}{}", key.id, letter(key.standing)));
    keys.collect::<Vec<_>>().join(" ")
}

fn read_again(ring: &KeyRing) -> KeyRing {
    KeyRing::parse(&ring.render()).unwrap()
}

/// The rings from the first key to the third, as files: stage, promote, stage, promote.
fn rings() -> Vec<KeyRing> {
    let mut rings =
        vec![KeyRing::parse(&KeyRing::render_new(&master(1), 'A', "2026-01-01T00:00:00Z")).unwrap()];
    for (seed, staged, promoted) in [
        (2, "2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z"),
        (3, "2026-06-01T00:00:00Z", "2026-06-08T00:00:00Z"),
    ] {
        let ring = read_again(&rings.last().unwrap().staged(&master(seed), time(staged)).unwrap());
        let promoted = read_again(&ring.promoted(None, time(promoted)).unwrap());
        rings.extend([ring, promoted]);
    }
    rings
}

#[test]
fn a_key_is_staged_then_first_then_superseded() {
    let shapes: Vec<_> = rings().iter().map(shape).collect();
    assert_eq!(shapes, ["Af", "Af Bs", "Bf Ao", "Bf Cs Ao", "Cf Bo Ao"]);
    let last = &rings()[4];
    let standings: Vec<_> = last.fingerprint().iter().map(|key| key.standing.to_string()).collect();
    assert_eq!(
        standings,
        ["first", "superseded 2026-06-08T00:00:00Z", "superseded 2026-03-08T00:00:00Z"],
        "when it was promoted, not when it was staged"
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    let rings = rings();
    let now = time("2027-01-01T00:00:00Z");
    assert_eq!(rings[1].staged(&master(9), now).err(), Some(RingError::Staged('B')));
    assert_eq!(rings[0].promoted(None, now).err(), Some(RingError::NothingStaged));
    assert_eq!(rings[2].promoted(None, now).err(), Some(RingError::NothingStaged));
    assert_eq!(rings[2].promoted(Some('B'), now).err(), Some(RingError::First('B')));
    assert_eq!(rings[2].promoted(Some('x'), now).err(), Some(RingError::Unknown('x')));
    let back = read_again(&rings[2].promoted(Some('A'), now).unwrap());
    assert_eq!(back.fingerprint()[1].standing, Standing::Superseded(now), "a way back");
    assert_eq!(shape(&read_again(&back.promoted(Some('B'), now).unwrap())), "Bf Ao");
    assert_eq!(shape(&read_again(&rings[3].promoted(Some('A'), now).unwrap())), "Af Bo Cs");
}

#[test]
fn keys_retire_by_the_time_since_they_were_superseded() {
    let ring = &rings()[4];
    let retired = |before: &str| {
        let (left, retired) = ring.retired(time(before));
        (shape(&read_again(&left)), retired.iter().map(|key| key.id).collect::<String>())
    };
    assert_eq!(retired("2026-03-07T23:59:59Z"), ("Cf Bo Ao".into(), String::new()));
    assert_eq!(retired("2026-03-08T00:00:00Z"), ("Cf Bo".into(), "A".into()));
    // B was made on the first of March, and made tokens until June.
    assert_eq!(retired("2026-06-07T23:59:59Z"), ("Cf Bo".into(), "A".into()));
    assert_eq!(retired("2026-06-08T00:00:00Z"), ("Cf".into(), "BA".into()));
    assert_eq!(retired("2099-01-01T00:00:00Z"), ("Cf".into(), "BA".into()), "never the first");
    let (left, _) = rings()[3].retired(time("2099-01-01T00:00:00Z"));
    assert_eq!(shape(&left), "Bf Cs", "nor a staged one");
}

/// Files of earlier releases do not say when a key was superseded.
#[test]
fn without_a_note_a_key_was_superseded_when_its_successor_was_made() {
    let second = "Tm90IHJhbmRvbSBidXQgZW5vdWdoIG9mIGl0IGhlcmU";
    let old = file(&[
        ("C", "2026-05-01T00:00:00Z", SECRET),
        ("B", "2026-03-01T00:00:00Z", second),
        ("A", "2026-01-01T00:00:00Z", SECRET),
    ]);
    let ring = KeyRing::parse(&old).unwrap();
    let standings: Vec<_> = ring.fingerprint().iter().map(|key| key.standing.to_string()).collect();
    assert_eq!(standings, ["first", "superseded 2026-05-01T00:00:00Z", "superseded 2026-03-01T00:00:00Z"]);
    let marked = old.replace("    secret", "    superseded: 'never'\n    secret");
    assert!(refusal(&marked).contains("line 5: `superseded` has to be"), "{}", refusal(&marked));
    let marked = old.replace("    secret", "    superseded: '2026-09-01T00:00:00Z'\n    secret");
    assert_eq!(shape(&KeyRing::parse(&marked).unwrap()), "Cf Bo Ao", "of the first key it means nothing");
}
