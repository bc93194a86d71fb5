//! Every way to read an audit log has the same outcome. With keys, a log that verifies has, from its first sealed line on,
//! only lines that the holder of the key wrote. A report counts whatever a log has.
//!
//! Who verifies a log has it from somebody who could write it.

use std::io::BufReader;

use glassine::audit::{BrokenAt, MacKey, Report, Summary, Verifier, verify};

/// A log of four lines, sealed with [`SECRET`].
const SEALED: &[u8] = include_bytes!("../seeds/audit/sealed");
const SECRET: [u8; 32] = [7; 32];

/// See the module. The input serves as a log, and as what stands before or after a sealed one.
pub fn audit(data: &[u8]) {
    reads_the_same_in_pieces(data);
    for log in [data, &[data, SEALED].concat(), &[SEALED, data].concat()] {
        has_only_the_holders_lines(log);
    }
    let mut report = Report::default();
    data.split(|byte| *byte == b'\n').for_each(|line| report.add(line));
}

fn reads_the_same_in_pieces(data: &[u8]) {
    let whole = verify(data);
    for capacity in [1, 7, 4096] {
        assert_same(&verify(BufReader::with_capacity(capacity, data)), &whole);
    }
    let Ok(whole) = whole else { return };
    let ends = data.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    for (head, tail) in ends.map(|at| data.split_at(at)) {
        let mut verifier = Verifier::default();
        let Ok(first) = verifier.read(head, |_| ()) else { continue };
        let second = verifier.read(tail, |_| ()).expect("the rest of a whole log is whole");
        assert_eq!(first.lines + second.lines, whole.lines);
        assert_eq!(second.head.or(first.head), whole.head);
    }
}

fn assert_same(cut: &Result<Summary, BrokenAt>, whole: &Result<Summary, BrokenAt>) {
    let told = |outcome: &Result<Summary, BrokenAt>| outcome.as_ref().map_err(ToString::to_string).cloned();
    assert_eq!(told(cut), told(whole));
}

fn has_only_the_holders_lines(log: &[u8]) {
    let key = MacKey::new('A', &SECRET).expect("a key");
    let mut verifier = Verifier::default().with_keys(vec![key]);
    let mut lines = Vec::new();
    let is_whole = verifier.read(log, |line| lines.push(line.to_vec())).is_ok();
    if !is_whole || verifier.complete().is_err() {
        return;
    }
    let sealed: Vec<_> = SEALED.split(|byte| *byte == b'\n').collect();
    let is_sealed = |line: &Vec<u8>| sealed.contains(&line.as_slice());
    let from_first = lines.iter().skip_while(|line| !is_sealed(line));
    assert!(from_first.clone().count() > 0 || lines.is_empty(), "a log without a sealed line is complete");
    assert!(from_first.into_iter().all(is_sealed), "{}", log.escape_ascii());
}
