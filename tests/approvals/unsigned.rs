//! The property: with `approvals`, no statement is served but the one that was signed.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glassine::approvals::{Judge, Policy, Signers};
use glassine::config::Config;
use glassine::proxy::ProxyState;
use glassine_core::rules::compile;
use glassine_core::statement::Statement;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ssh_key::SshSig;
use ssh_key::encoding::Encode as _;

use super::desk::Desk;
use super::reviewer::Reviewer;
use crate::support::glassine::METADATA_ONLY;

/// A change of a text file: a line goes, comes twice, or has one of its words replaced.
#[derive(Clone, Debug)]
enum Change {
    Drop(usize),
    Double(usize),
    Replace(usize, &'static str, &'static str),
}

/// Words that decide what leaves, and others in their place.
const WORDS: [(&str, &str); 12] = [
    ("keep", "redact"),
    ("email", "id"),
    ("id", "email"),
    ("true", "false"),
    ("1000", "999"),
    ("v1.0", "beta"),
    ("beta", "v1.0"),
    ("contoso.com", "contoso.org"),
    ("acme", "acme2"),
    ("Mail", "Mails"),
    ("$.", "$.x"),
    ("\n", "\n\n"),
];

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let word = prop::sample::select(WORDS.to_vec());
        prop_oneof![
            1 => any::<usize>().prop_map(Self::Drop),
            1 => any::<usize>().prop_map(Self::Double),
            4 => (any::<usize>(), word).prop_map(|(at, (old, new))| Self::Replace(at, old, new)),
        ]
    }

    /// Where words are replaced, `at` chooses among the places of the word.
    fn of(&self, text: &str) -> String {
        let lines: Vec<_> = text.lines().collect();
        let edited = |at: usize, copies| {
            let at = at % lines.len();
            [&lines[..at], &vec![lines[at]; copies][..], &lines[at + 1..]].concat().join("\n") + "\n"
        };
        match self {
            Self::Drop(at) => edited(*at, 0),
            Self::Double(at) => edited(*at, 2),
            Self::Replace(at, old, new) => {
                let places: Vec<_> = text.match_indices(old).map(|(place, _)| place).collect();
                let Some(place) = places.get(at % places.len().max(1)) else { return text.to_owned() };
                format!("{}{new}{}", &text[..*place], &text[place + old.len()..])
            }
        }
    }
}

/// The statement that a folder's files make, if they make one.
fn statement(file: &str, text: &str) -> Option<(Config, Statement)> {
    let config = Config::load(file, text).ok()?;
    let consumer = &config.consumers()[0];
    let rules = std::fs::read_to_string(consumer.rules().path()).ok()?;
    let statement = Statement::of_consumer(&config.setting(consumer), &compile("rules.yaml", &rules).plan?);
    Some((config, statement))
}

#[test]
fn only_what_was_signed_is_served() {
    let alice = Reviewer::new("alice");
    let desk = Desk::of_one(&alice);
    let signed = desk.statement();
    desk.write("acme.sig", &alice.sign(&signed));
    let (rules, config, file) = (desk.read("acme.yaml"), desk.read("config.yaml"), desk.path("config.yaml"));
    let (served, refused) = (Cell::new(0), Cell::new(0));
    let changes = (Change::any(), Change::any(), any::<bool>(), any::<bool>());
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let result = runner.run(&changes, |(of_rules, of_config, in_rules, in_config)| {
        let rules = if in_rules { of_rules.of(&rules) } else { rules.clone() };
        let config = if in_config { of_config.of(&config) } else { config.clone() };
        desk.write("acme.yaml", &rules);
        let Some((checked, statement)) = statement(&file, &config) else { return Ok(()) };
        // A change may take the section away, or name other files: that is an administrator's decision.
        prop_assume!(checked.approvals().is_some());
        match ProxyState::build(&file, &config, &checked) {
            Ok(_) => {
                prop_assert_eq!(statement.text(), &signed);
                served.set(served.get() + 1);
            }
            Err(error) => {
                let text: String = error.reports.iter().map(|report| report.render()).collect();
                let is_whole =
                    config.contains("approved_by: [acme.sig]") && config.contains("signers_file: reviewers");
                let is_told = text.contains("error[G0407]");
                prop_assert!(is_told == (statement.text() != signed) || !is_whole, "{text}");
                refused.set(refused.get() + 1);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    let (served, refused) = (served.get(), refused.get());
    assert!(served > 5 && refused > 5, "{served} {refused}");
}

/// A statement, and who decides about it.
struct Court {
    statement: Statement,
    judge: Judge,
}

impl Court {
    fn new(signers: &str) -> Self {
        let statement = Statement::of_rules(&compile("rules.yaml", METADATA_ONLY).plan.unwrap());
        let policy = Policy { require: 1.try_into().unwrap(), expire_days: None };
        let judge = Judge { signers: Signers::parse(signers).unwrap(), policy, now: Timestamp::now() };
        Self { statement, judge }
    }

    fn accepts(&self, wire: &[u8]) -> bool {
        let body = STANDARD.encode(wire);
        let lines: Vec<_> = body.as_bytes().chunks(70).map(|line| str::from_utf8(line).unwrap()).collect();
        let body = lines.join("\n");
        let text = format!("-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n");
        self.judge.approver(&text, &self.statement).is_ok()
    }
}

/// Every byte of the file is part of what is verified.
#[test]
fn no_damaged_signature_counts() {
    let alice = Reviewer::new("alice");
    let court = Court::new(&alice.line(""));
    let signature = SshSig::from_pem(alice.sign(court.statement.text())).unwrap();
    let wire = signature.encode_vec().unwrap();
    assert!(court.accepts(&wire));
    for at in 0..wire.len() {
        for bit in 0..8 {
            let mut damaged = wire.clone();
            damaged[at] ^= 1 << bit;
            assert!(!court.accepts(&damaged), "byte {at}, bit {bit}");
        }
        assert!(!court.accepts(&wire[..at]), "cut at {at}");
    }
    assert!(!court.accepts(&[wire.as_slice(), b"more"].concat()));
}

/// Whatever stands in the files, it is refused, and the program goes on.
#[test]
fn junk_is_no_signer_and_no_signature() {
    let court = Court::new(&Reviewer::new("alice").line(""));
    let options = "(namespaces=|valid-before=|cert-authority|\"|,|20270101Z| ){0,4}";
    let line = format!("(alice|\\*|,|#|\"| ){{0,4}}{options}(ssh-ed25519|AAAA| |=){{0,4}}");
    let junk = (prop::string::string_regex(&line).unwrap(), prop::collection::vec(any::<u8>(), 0..200));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(500));
    let result = runner.run(&junk, |(line, bytes)| {
        prop_assert!(Signers::parse(&line).is_err(), "{line}");
        prop_assert!(!court.accepts(&[b"SSHSIG\0\0\0\x01".as_slice(), &bytes].concat()), "{bytes:?}");
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}
