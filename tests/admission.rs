//! Properties of admission that hold for every target: all spellings of a resource have the same verdict, and the
//! request for Graph is admitted again as the same request.

use std::sync::Arc;

use glassine_core::admit::{Admitted, Keys, Policy, Refusal, Request, admit};
use glassine_core::graph::{Origin, Target};
use glassine_core::pseudonym::{Class, Outcome};
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::support::glassine::METADATA_ONLY;
use crate::support::sanitizing::{plan, pseudonyms};

/// A piece of a path, by the ways in which it can be spelled.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Name(&'static str),
    Key,
    Delta,
    Cast,
}

use Piece::{Cast, Delta, Key, Name};

/// A path and its options.
type Base = (&'static [Piece], &'static [(&'static str, &'static str)]);

/// Targets that the shipped rules open, and one of each kind that they do not.
const BASES: &[Base] = &[
    (&[Name("users")], &[("$top", "5"), ("$select", "id,mail")]),
    (&[Name("users"), Key], &[("$select", "userType")]),
    (&[Name("users"), Delta], &[]),
    (&[Name("groups"), Key, Name("members"), Cast], &[("$top", "7")]),
    (&[Name("users"), Key, Name("messages")], &[("$orderby", "receivedDateTime desc"), ("$count", "true")]),
    (&[Name("users"), Key, Name("messages"), Key], &[]),
    (&[Name("users"), Key, Name("mailFolders"), Key, Name("messages"), Delta], &[]),
    (&[Name("users"), Key, Name("mailFolders"), Name("inbox")], &[]),
    (&[Name("users"), Key, Name("mailFolders")], &[("includeHiddenFolders", "true")]),
    (&[Name("users"), Key, Name("messages")], &[("$search", "subject")]),
    (&[Name("users"), Key, Name("messages")], &[("$select", "body/content")]),
    (&[Name("users"), Key, Name("messages"), Key, Name("attachments")], &[]),
    (&[Name("me"), Name("messages")], &[]),
];

fn policy(keys: Arc<dyn Keys>) -> Policy {
    Policy::new(
        Arc::new(plan(METADATA_ONLY)),
        keys,
        Origin::parse("https://graph.microsoft.com").unwrap(),
        "https://proxy.example".into(),
    )
}

fn consumer() -> Policy {
    policy(Arc::new(pseudonyms()))
}

/// Keys that leave every text unchanged, so that the request for Graph can be admitted again.
struct Originals;

impl Keys for Originals {
    fn open(&self, _: Class, token: &str) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(token.to_owned()))
    }

    fn seal_link(&self, _: &str, _: &[u8]) -> String {
        String::new()
    }

    fn unseal_link(&self, _: &str, _: &str) -> Option<Zeroizing<Vec<u8>>> {
        None
    }
}

fn get(policy: &Policy, target: &str) -> Result<Admitted, Refusal> {
    admit(&Request { method: "GET", target, prefer: None, eventual: false }, policy)
}

fn token() -> String {
    let mut token = Vec::new();
    assert_eq!(pseudonyms().reversible(Class::Id, "AAMkAD+/o'x==", &mut token), Outcome::Written);
    String::from_utf8(token).unwrap()
}

/// Writes a target in one of its spellings. `choices` decide which; the last choice is followed by the first.
struct Speller<'c> {
    choices: std::iter::Cycle<std::slice::Iter<'c, u8>>,
}

impl Speller<'_> {
    fn choose(&mut self, among: u8) -> u8 {
        self.choices.next().unwrap() % among
    }

    fn case(&mut self, name: &str) -> String {
        let letter = |letter: char| match self.choose(3) {
            0 => letter.to_ascii_uppercase(),
            1 => letter.to_ascii_lowercase(),
            _ => letter,
        };
        name.chars().map(letter).collect()
    }

    fn encode(&mut self, text: &str, space: &str) -> String {
        let mut encoded = String::new();
        for byte in text.bytes() {
            match self.choose(8) {
                0 => encoded += &format!("%{byte:02X}"),
                1 => encoded += &format!("%{byte:02x}"),
                _ if byte == b' ' => encoded += space,
                _ => encoded.push(char::from(byte)),
            }
        }
        encoded
    }

    fn path(&mut self, pieces: &[Piece], token: &str) -> String {
        let mut path = "/v1.0".to_owned();
        for piece in pieces {
            let text = match piece {
                Name(name) => self.case(name),
                Key if self.choose(2) == 0 => {
                    path += &self.encode(&format!("('{token}')"), " ");
                    continue;
                }
                Key => token.to_owned(),
                Delta => {
                    let form = ["delta", "delta()", "microsoft.graph.delta", "graph.delta()"];
                    let form = form[usize::from(self.choose(4))];
                    self.case(form)
                }
                Cast => {
                    let form = ["microsoft.graph.user", "graph.user"][usize::from(self.choose(2))];
                    self.case(form)
                }
            };
            path += &format!("/{}", self.encode(&text, " "));
        }
        path + if self.choose(2) == 0 { "/" } else { "" }
    }

    fn query(&mut self, options: &[(&str, &str)]) -> String {
        let mut query = String::new();
        for (name, value) in options {
            let bare = if self.choose(2) == 0 { name.trim_start_matches('$') } else { name };
            let name = self.case(bare);
            let space = ["+", "%20"][usize::from(self.choose(2))];
            let (name, value) = (self.encode(&name, " "), self.encode(value, space));
            let first = ["?&", "?"][usize::from(self.choose(2))];
            let other = ["&&", "&"][usize::from(self.choose(2))];
            query += &format!("{}{name}={value}", if query.is_empty() { first } else { other });
        }
        match (self.choose(2), query.is_empty()) {
            (0, true) => "?".to_owned(),
            (0, false) => query + "&",
            _ => query,
        }
    }
}

fn plainly(base: usize, token: &str) -> String {
    let (pieces, options) = BASES[base];
    // 5 chooses the plain spelling everywhere.
    Speller { choices: [5].iter().cycle() }.path(pieces, token)
        + &Speller { choices: [5].iter().cycle() }.query(options)
}

fn spelled(base: usize, token: &str, choices: &[u8]) -> String {
    let (pieces, options) = BASES[base];
    let mut speller = Speller { choices: choices.iter().cycle() };
    speller.path(pieces, token) + &speller.query(options)
}

/// The decision, without the position that a syntax error names.
fn decided(response: Result<Admitted, Refusal>) -> Result<(String, String), (u16, &'static str)> {
    response
        .map(|admitted| (admitted.upstream, admitted.path))
        .map_err(|refusal| (refusal.status(), refusal.code()))
}

#[test]
fn most_of_the_bases_are_open() {
    let policy = consumer();
    let open: Vec<_> =
        (0..BASES.len()).filter(|base| get(&policy, &plainly(*base, &token())).is_ok()).collect();
    assert_eq!(open, (0..9).collect::<Vec<_>>());
}

#[test]
fn spellings_of_one_target_get_one_verdict() {
    let (policy, token) = (consumer(), token());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(base in 0..BASES.len(), choices in prop::collection::vec(any::<u8>(), 1..80))| {
        let spelled = spelled(base, &token, &choices);
        let plain = decided(get(&policy, &plainly(base, &token)));
        prop_assert_eq!(decided(get(&policy, &spelled)), plain, "{}", spelled);
    });
}

#[test]
fn the_canonical_form_is_admitted_as_the_spelling_is() {
    let (policy, token) = (consumer(), token());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(base in 0..BASES.len(), choices in prop::collection::vec(any::<u8>(), 1..80))| {
        let spelled = spelled(base, &token, &choices);
        let canonical = Target::parse(&spelled).unwrap().canonical();
        prop_assert_eq!(Target::parse(&canonical).unwrap().canonical(), &*canonical);
        prop_assert_eq!(decided(get(&policy, &canonical)), decided(get(&policy, &spelled)), "{}", spelled);
    });
}

#[test]
fn what_graph_is_asked_reads_back_as_itself() {
    let (policy, graph, token) = (consumer(), policy(Arc::new(Originals)), token());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(base in 0..9_usize, choices in prop::collection::vec(any::<u8>(), 1..80))| {
        let upstream = get(&policy, &spelled(base, &token, &choices)).unwrap().upstream;
        prop_assert_eq!(Target::parse(&upstream).unwrap().canonical(), &*upstream);
        prop_assert_eq!(get(&graph, &upstream).unwrap().upstream, upstream);
    });
}

#[test]
fn no_text_makes_admission_panic_or_leave_the_two_versions() {
    let (policy, token) = (consumer(), token());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let texts =
        prop_oneof![any::<String>(), "/(v1.0|beta)/(users|groups)[ -~]{0,40}", "[/?&=%$()' ;a-z0-9.]{0,60}"];
    let damaged = (0..BASES.len(), any::<prop::sample::Index>(), any::<String>());
    proptest!(config, |(method in "GET|HEAD|[A-Z]{0,5}", text in texts, (base, at, junk) in damaged)| {
        let mut damaged = plainly(base, &token);
        let at = at.index(damaged.len());
        damaged.replace_range(at..=at, &junk);
        for target in [&text, &damaged] {
            let request = Request { method: &method, target, prefer: Some(&text), eventual: true };
            if let Ok(admitted) = admit(&request, &policy) {
                let target = Target::parse(&admitted.upstream).unwrap();
                prop_assert_eq!(target.canonical(), admitted.upstream);
            }
        }
    });
}
