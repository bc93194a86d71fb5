//! `audit verify` and `keys rotate`.

use super::*;
use glassine::audit::{AuditLog, Guard, MacKey, Options, Outcome};
use glassine_core::pseudonym::KeyRing;

fn log(folder: &TempDir) -> PathBuf {
    let file = folder.path().join("audit.jsonl");
    let log = std::sync::Arc::new(AuditLog::open(&file, Options::default()).unwrap());
    for _ in 0..3 {
        Guard::begin(std::sync::Arc::clone(&log), "id".to_owned(), "GET").finish(Outcome::Complete);
    }
    file
}

/// Fault: a line of the audit log is changed. Outcome: `audit verify` fails and names the line that shows it.
#[test]
fn a_log_is_whole_until_a_line_is_changed() {
    let folder = TempDir::new().unwrap();
    let file = log(&folder);
    let path = file.to_str().unwrap();
    assert!(glassine(&["audit", "verify", path]).fine().contains("3 lines, whole; head "));

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"GET\"", "\"PUT\"", 1)).unwrap();
    glassine(&["audit", "verify", path]).fails(1, &[path, "line 2", "prev"]);
}

/// A log in several files is one log if its chain goes on. A file with a chain of its own is marked: nothing proves what
/// was in between.
#[test]
fn a_log_in_several_files_is_verified_in_their_order() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let [first, second] = [log(&one), log(&other)].map(|file| file.to_str().unwrap().to_owned());
    let text = glassine(&["audit", "verify", &first, &second]).fine();
    let [whole, marked] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(whole.starts_with(&format!("{first}: 3 lines, whole; head ")), "{text}");
    assert!(marked.starts_with(&format!("{second}: 3 lines, new chains 1, whole; head ")), "{text}");

    let text = std::fs::read_to_string(&first).unwrap();
    let end_of_first_line = text.find('\n').unwrap() + 1;
    std::fs::write(&first, &text[..end_of_first_line]).unwrap();
    std::fs::write(&second, &text[end_of_first_line..]).unwrap();
    let text = glassine(&["audit", "verify", &first, &second]).fine();
    assert!(!text.contains("new chains"), "{text}");
    glassine(&["audit", "verify", &second]).fails(1, &[&second, "line 1", "seq"]);
}

/// The keyed chain, from the command line: the keys of the ring that sealed the log, and of others.
#[test]
fn the_keys_prove_what_the_plain_chain_does_not() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (old, ring, other) = (path("old.yaml"), path("keys.yaml"), path("other.yaml"));
    for keys in [&old, &other] {
        glassine(&["keys", "new", "--out", keys]).fine();
    }
    glassine(&["keys", "rotate", &old, "--out", &ring]).fine();
    let file = folder.path().join("audit.jsonl");
    for keys in [&old, &ring] {
        let read = KeyRing::parse(&std::fs::read_to_string(keys).unwrap()).unwrap();
        let (id, secret) = &read.audit_keys()[0];
        let options = Options { key: MacKey::new(*id, secret), ..Options::default() };
        let log = std::sync::Arc::new(AuditLog::open(&file, options).unwrap());
        Guard::begin(std::sync::Arc::clone(&log), "id".to_owned(), "GET").finish(Outcome::Complete);
    }
    let log = path("audit.jsonl");
    assert!(
        glassine(&["audit", "verify", &log])
            .fine()
            .ends_with("were not checked: name the key file with --keys\n")
    );
    let verified = glassine(&["audit", "verify", "--keys", &ring, &log]).fine();
    assert!(verified.ends_with("each line's MAC is good\n"), "{verified}");
    glassine(&["audit", "verify", "--keys", &old, &log]).fails(1, &[&log, "line 2", "not among these"]);
    glassine(&["audit", "verify", "--keys", &other, &log]).fails(1, &[&log, "line 1", "`mac`"]);
    glassine(&["audit", "report", "--keys", &other, &log]).fails(1, &["`mac`"]);
    glassine(&["audit", "verify", "--keys", &path("none"), &log]).fails(2, &["none"]);

    let head = verified.split("head ").nth(1).unwrap()[..64].to_owned();
    glassine(&["audit", "verify", "--from", &head, &log]).fine();
    let text = std::fs::read_to_string(&file).unwrap();
    let end_of_first_line = text.find('\n').unwrap() + 1;
    std::fs::write(&file, &text[..end_of_first_line]).unwrap();
    glassine(&["audit", "verify", &log]).fine();
    glassine(&["audit", "verify", "--from", &head, &log]).fails(1, &["no line has the given head"]);
    std::fs::write(&file, &text[end_of_first_line..]).unwrap();
    glassine(&["audit", "verify", "--from", &head, &log]).fine();
    glassine(&["audit", "verify", &log]).fails(1, &[&log, "line 1", "seq"]);
}

#[test]
fn a_log_that_cannot_be_read_is_bad_input() {
    glassine(&["audit", "verify", "/nonexistent/audit.jsonl"]).fails(2, &["/nonexistent/audit.jsonl"]);
}

#[test]
fn a_rotated_ring_makes_other_tokens_and_opens_the_old_ones() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (old, new) = (path("old.yaml"), path("new.yaml"));
    glassine(&["keys", "new", "--out", &old]).fine();
    glassine(&["keys", "rotate", &old, "--out", &new]).fine();
    let fingerprints = |file: &str| glassine(&["keys", "fingerprint", file]).fine();
    let kept = fingerprints(&old).replace(" first\n", " superseded ");
    let (_, after) = fingerprints(&new).split_once(" first\n").map(|(a, b)| (a.len(), b.to_owned())).unwrap();
    assert!(after.starts_with(&kept), "the old key is kept after the new one");
    glassine(&["keys", "rotate", &old, "--out", &new]).fails(2, &[&new, "exists"]);

    let id = ["--consumer", "acme", "--as", "id", "--reversible", "some-id"];
    let token = |keys: &str| glassine(&[&["pseudonym", "--keys", keys][..], &id[..]].concat()).fine();
    let opens = |token: &str, keys: &str| {
        let request = format!("GET /v1.0/users/{}", token.trim());
        glassine(&["explain", "--rules", RULES, "--keys", keys, "--consumer", "acme", &request]).code
            == Some(0)
    };
    assert_ne!(token(&old), token(&new));
    assert!(opens(&token(&old), &new) && opens(&token(&new), &new));
    assert!(!opens(&token(&new), &old), "the old ring does not have the new key");
}
