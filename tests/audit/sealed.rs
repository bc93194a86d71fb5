//! The keyed chain, and proofs that start from a head that was noted.

use glassine::audit::{MacKey, Missing, Verifier, Why};

use super::*;

fn key(id: char, octet: u8) -> MacKey {
    MacKey::new(id, &[octet; 32]).unwrap()
}

fn sealed_by(key: Option<MacKey>) -> Options {
    Options { bounds: PATIENT, key, ..Options::default() }
}

/// A log of so many records, the first of them without a MAC.
fn log(unsealed: usize, sealed: usize) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.jsonl");
    for (key, count) in [(None, unsealed), (Some(key('A', 1)), sealed)] {
        let log = Arc::new(open_with(&path, sealed_by(key)));
        (0..count).for_each(|_| guard(&log).finish(Outcome::Complete));
    }
    std::fs::read(&path).unwrap()
}

fn check(log: &[u8], keys: Vec<MacKey>) -> Result<u64, String> {
    let mut verifier = Verifier::default().with_keys(keys);
    let summary = verifier.read(log, |_| ()).map_err(|broken| broken.to_string())?;
    verifier.complete().map_err(|missing| missing.to_string())?;
    Ok(summary.macs)
}

/// Links all lines anew, as somebody can who can write the file: without MACs, or with those that were there.
fn rewritten(log: &[u8], change: impl Fn(usize, String) -> String) -> Vec<u8> {
    let mut prev = "0".repeat(64);
    let text = String::from_utf8(log.to_vec()).unwrap();
    let lines = text.lines().enumerate().map(|(at, line)| {
        let (head, rest) = line.split_once("\"prev\":\"").unwrap();
        let line = change(at, format!("{head}\"prev\":\"{prev}{}", &rest[64..]));
        prev = Fingerprint::of(&line).full();
        line + "\n"
    });
    lines.collect::<String>().into_bytes()
}

/// Fault: somebody who can write the audit log changes a record and links the rest anew. Outcome: `verify --keys` finds it.
#[test]
fn a_log_that_was_written_anew_is_found_with_the_keys_and_not_without() {
    let whole = log(0, 4);
    assert_eq!(check(&whole, vec![key('A', 1)]), Ok(4));
    let changed = rewritten(&whole, |at, line| if at == 2 { line.replace("GET", "PUT") } else { line });
    assert_ne!(changed, whole);
    assert_eq!(verify(changed.as_slice()).unwrap().lines, 4, "the plain chain holds");
    let found = check(&changed, vec![key('A', 1)]).unwrap_err();
    assert!(found.starts_with("line 3: its `mac`"), "{found}");
    // Without the MACs.
    let stripped = rewritten(&whole, |at, line| {
        if at < 2 { line } else { format!("{}}}", &line[..line.rfind(",\"mac\"").unwrap()]) }
    });
    assert_eq!(verify(stripped.as_slice()).unwrap().lines, 4);
    let found = check(&stripped, vec![key('A', 1)]).unwrap_err();
    assert!(found.starts_with("line 3: it has no `mac`"), "{found}");
    let all_stripped = rewritten(&whole, |_, line| format!("{}}}", &line[..line.rfind(",\"mac\"").unwrap()]));
    assert_eq!(check(&all_stripped, vec![key('A', 1)]), Err(Missing::Macs.to_string()));
}

#[test]
fn a_mac_of_another_line_or_key_is_found() {
    let whole = log(0, 3);
    let text = String::from_utf8(whole.clone()).unwrap();
    let first_mac = &text.lines().next().unwrap()[text.lines().next().unwrap().rfind(",\"mac\"").unwrap()..];
    let stale = rewritten(&whole, |at, line| {
        if at == 1 { format!("{}{first_mac}", &line[..line.rfind(",\"mac\"").unwrap()]) } else { line }
    });
    assert!(check(&stale, vec![key('A', 1)]).unwrap_err().starts_with("line 2: its `mac`"));
    assert!(check(&whole, vec![key('A', 2)]).unwrap_err().starts_with("line 1: its `mac`"));
    assert!(check(&whole, vec![key('B', 1)]).unwrap_err().contains("not among these"));
}

/// A log of an earlier version goes on with MACs. The first of them proves what is before it.
#[test]
fn an_old_log_goes_on_with_macs_and_a_change_before_them_is_found() {
    let whole = log(2, 2);
    assert_eq!(verify(whole.as_slice()).unwrap().lines, 4);
    assert_eq!(check(&whole, vec![key('A', 1)]), Ok(2));
    let changed = rewritten(&whole, |at, line| if at == 0 { line.replace("GET", "PUT") } else { line });
    assert!(check(&changed, vec![key('A', 1)]).unwrap_err().starts_with("line 3: its `mac`"));
    assert_eq!(check(&log(2, 0), vec![key('A', 1)]), Err(Missing::Macs.to_string()));
}

/// A rotated key ring seals with its newest key. Both keys verify the log, also if they once had one id.
#[tokio::test]
async fn a_new_key_seals_what_follows() {
    let memory = Memory::default();
    let log = memory.log_with(sealed_by(Some(key('A', 1))));
    assert!(confirm(&log).await);
    log.set_key(Some(key('B', 2)));
    assert!(confirm(&log).await);
    let bytes = memory.bytes.lock().unwrap().clone();
    assert_eq!(check(&bytes, vec![key('B', 2), key('A', 1)]), Ok(2));
    assert!(check(&bytes, vec![key('B', 2)]).is_err());
    assert_eq!(check(&bytes, vec![key('A', 9), key('A', 1), key('B', 2)]), Ok(2));
}

/// Fault: the beginning or the end of the audit log is cut off. Outcome: a head that was noted before proves it.
#[test]
fn a_noted_head_has_to_be_in_the_log() {
    let whole = log(0, 4);
    let text = String::from_utf8(whole).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let head_of = |at: usize| Fingerprint::of(lines[at].trim_end()).full();
    let from = |head: String, bytes: &str| {
        let mut verifier = Verifier::default().from_head(head);
        verifier.read(bytes.as_bytes(), |_| ()).unwrap();
        verifier.complete()
    };
    assert_eq!(from(head_of(1), &text), Ok(()));
    assert_eq!(from(head_of(1), &lines[1..].concat()), Ok(()), "older files may be gone");
    assert_eq!(from(head_of(1), &lines[2..].concat()), Ok(()), "the line after it names it");
    assert_eq!(from(head_of(0), &lines[2..].concat()), Err(Missing::Head));
    assert_eq!(from(head_of(3), &lines[..3].concat()), Err(Missing::Head), "the end was cut off");
    let rest = lines[2..].concat();
    let without = Verifier::default().read(rest.as_bytes(), |_| ()).unwrap_err();
    assert!(matches!(without.why, Why::Sequence), "without a head, a log begins with its first line");
}
