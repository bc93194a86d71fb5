//! `examples/pseudonyms.py`, which was written from docs/PSEUDONYMS.md alone, makes the tokens that this program makes.

use std::io::Write as _;
use std::process::{Command, Stdio};

use glassine_core::pseudonym::{
    AddressPolicy, DomainMode, KeyRing, Outcome, OwnDomain, PlusTags, Pseudonyms,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

const KEYS: &str = include_str!("../../rules/cases/keys.yaml");
const SECRET: &str = "I4kdyuVzCH8_7qc9R8GAph_o-fkkdZpNzEsXb62BhBI";
const OWN: [&str; 3] = ["contoso.com", "*.contoso.com", "contoso.onmicrosoft.com"];

/// How many values of each class.
const COUNT: usize = 800;

/// Characters beyond ASCII are older than any Python that is in use.
fn values(class: &str) -> BoxedStrategy<String> {
    match class {
        "email" => prop_oneof![
            "[ \"<>@:;,.+_/=()\\\\a-cA-CßΣσςİıſé\u{301}\u{345}\u{200b}\u{a0}-]{0,24}",
            "(SMTP:|mailto:|x500:|<|\")?[ \"<>a-c+0-9._/\\\\ÄßΣ]{0,12}@[ a-c.-]{0,8}>?",
            "(\"[a-c<>@\\\\\" ]{0,8}\" )?<[a-cA-C.+]{1,8}@(contoso|fabrikam)\\.(com|example)\\.?>",
            "[a-cA-C]{1,3}(\\+[a-c]{0,3}){0,2}(_[a-c]{1,3}(\\.com|\\.contoso\\.com|_x)?)?(#EXT#|#ext#)?@(contoso\\.com|a\\.b\\.contoso\\.com|contoso\\.onmicrosoft\\.com|evil\\.example)",
            "(X500:)?/[oO]=[A-Ca-cΣé]{1,8}/[cC][nN]=[a-c@<> ]{0,8}",
            "(IMCEAEX|imceaex)-_[oO]=[a-cA-C_+]{0,4}(\\+2[08fg])?(\\+E9)?[a-c_]{0,4}(\\+3[eE])?@x\\.example",
            "[a-c]{300,330}@x\\.example",
            "[a-cé]{1000,1040}",
        ]
        .boxed(),
        "thread" => prop_oneof![
            thread_ids(),
            "A[AQ]QkADAwMDM3ZmZlLWFhMTAtYzJmMS0wMDAwLTAwMDAwMDAwMDAwMAAQAPv[-/_+]vgQFBgcHBwcHCgAADQ8=?",
            "[A-D_+/-]{0,8}={0,2}",
        ]
        .boxed(),
        "ip" => prop_oneof![
            "[0-2]{1,3}\\.[0-9]{1,2}\\.0?[0-9]\\.[0-9]",
            "\\[?(::)?(ffff:)?[0-9a-f]{1,4}(:[0-9A-F]{1,4}){0,6}(::[0-9])?\\]?",
            " ?(::ffff:|::)192\\.0\\.2\\.[0-9]{1,3} ?",
        ]
        .boxed(),
        _ => prop_oneof![any::<String>(), "[a-c<>@.]{0,12}"].boxed(),
    }
}

/// Ids of the known layout, with and without runs, and some whose layout is broken.
fn thread_ids() -> BoxedStrategy<String> {
    (prop::collection::vec(0_u8..4, 16), any::<bool>(), 0_usize..60, 0_u8..40)
        .prop_map(|(guid, has_runs, at, change)| {
            let mut plain =
                [&[4, 36, 0], "00037ffe-aa10-c2f1-0000-000000000000".as_bytes(), &[0, 16, 0], &guid].concat();
            if let Some(octet) = plain.get_mut(at).filter(|_| change == 0) {
                *octet ^= 64;
            }
            let runs = |plain: &[u8]| {
                let run = |run: &[u8]| match run {
                    [one] => vec![*one],
                    run => vec![run[0], run[0], u8::try_from(run.len() - 2).unwrap()],
                };
                plain.chunk_by(|one, other| one == other).flat_map(run).collect::<Vec<_>>()
            };
            let octets = if has_runs { [vec![1], runs(&plain)].concat() } else { [vec![0], plain].concat() };
            let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, octets);
            text.chars()
                .map(|c| match c {
                    '/' => '-',
                    '+' => '_',
                    c => c,
                })
                .collect()
        })
        .boxed()
}

fn made(pseudonyms: &Pseudonyms, class: &str, value: &str) -> Value {
    let mut out = Vec::new();
    let make = match class {
        "email" => Pseudonyms::email,
        "id" => Pseudonyms::id,
        "thread" => Pseudonyms::thread,
        "message_id" => Pseudonyms::message_id,
        "text" => Pseudonyms::text,
        _ => Pseudonyms::ip,
    };
    match make(pseudonyms, value, &mut out) {
        Outcome::Written => String::from_utf8(out).unwrap().into(),
        Outcome::Empty | Outcome::NotUnderstood => Value::Null,
    }
}

/// What the reference makes of each request, in their order.
fn references(settings: &Value, requests: &[Value]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/pseudonyms.py");
    let mut command = Command::new("python3");
    command.args([script, &settings.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let made: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(made.len(), requests.len());
    made
}

#[test]
fn the_reference_in_python_makes_the_same_tokens() {
    let ring = KeyRing::parse(KEYS).unwrap();
    let (mut runner, mut tokens) = (TestRunner::deterministic(), 0);
    for (plus_tags, name) in
        [(PlusTags::Keep, "keep"), (PlusTags::StripOwn, "strip_own"), (PlusTags::Strip, "strip")]
    {
        let own = OWN.map(|domain| OwnDomain::parse(domain).unwrap()).into();
        let policy = AddressPolicy { domains: DomainMode::Drop, own, plus_tags };
        let pseudonyms = ring.pseudonyms("acme-analytics", &policy);
        let classes = ["email", "thread", "ip", "id", "message_id", "text"];
        let requests: Vec<_> = classes
            .iter()
            .flat_map(|class| std::iter::repeat_n(class, COUNT))
            .map(|class| json!({ "class": class, "value": values(class).new_tree(&mut runner).unwrap().current() }))
            .collect();
        let settings = json!({ "secret": SECRET, "key_id": "A", "domain": "acme-analytics", "own": OWN, "plus_tags": name });
        for (request, reference) in requests.iter().zip(references(&settings, &requests)) {
            let [class, value] = ["class", "value"].map(|part| request[part].as_str().unwrap());
            // The reference knows domains of ASCII only.
            if reference != "unsupported" {
                assert_eq!(made(&pseudonyms, class, value), reference, "{name} {request}");
                tokens += usize::from(reference.is_string());
            }
        }
    }
    assert!(tokens > 10_000, "only {tokens} values have a token");
}
