//! The faults that tests show. A test says so in a line of its comment: `/// Fault: …. Outcome: ….`

use std::fmt::Write as _;
use std::process::Command;

use crate::architecture::project_files;

/// The parts of the table, and the paths of the tests in each. The longest path that fits counts, so that the last part
/// has what no other one has.
const AREAS: [(&str, &[&str]); 14] = [
    (
        "Clients on the network",
        &[
            "tests/server/",
            "tests/strangers.rs",
            "tests/consumers.rs",
            "tests/framing.rs",
            "tests/http2.rs",
            "tests/canaries/hostile.rs",
            "src/server/",
        ],
    ),
    ("Limits of consumers", &["tests/limits.rs", "src/proxy/limits.rs", "src/proxy/queue.rs"]),
    (
        "Credentials of consumers",
        &[
            "tests/jwt.rs",
            "tests/signed_tokens.rs",
            "tests/client_certificates.rs",
            "tests/probes.rs",
            "src/jwt/",
        ],
    ),
    ("Graph's limits", &["tests/throttling.rs", "tests/upstream/throttled.rs", "src/upstream/gate/"]),
    ("Connections to Graph", &["tests/upstream/", "src/upstream/"]),
    (
        "Responses of Graph",
        &[
            "tests/faults.rs",
            "tests/statuses.rs",
            "tests/streams.rs",
            "tests/tls.rs",
            "tests/canaries/faults.rs",
            "tests/semantics/",
            "src/codec/",
            "core/src/sanitize/",
        ],
    ),
    ("Batches", &["tests/batch/"]),
    (
        "Access tokens for Graph",
        &["tests/upstream/token.rs", "tests/upstream/identity.rs", "tests/upstream/assertion.rs"],
    ),
    (
        "Audit log and logs",
        &["tests/audit/", "tests/cli/audit.rs", "tests/logs.rs", "src/audit/", "src/service/logs/"],
    ),
    ("Keys, links and replicas", &["tests/links.rs", "tests/replicas.rs", "core/src/pseudonym/"]),
    ("Start, reload and stop", &["tests/service.rs", "tests/readiness.rs", "tests/cli/", "src/service/"]),
    ("Connection pages", &["tests/connect/", "tests/tenant/entra/", "src/connect/"]),
    ("Diagnosis with `glassine doctor`", &["tests/doctor/"]),
    ("Elsewhere", &[""]),
];

/// One fault and how it ends, as the test `test` of the file `path` shows.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    path: String,
    test: String,
    fault: String,
    outcome: String,
}

/// The faults in the order of paths and lines, or every mistake.
pub(super) fn of_project() -> Result<Vec<Fault>, Vec<String>> {
    let mut files = project_files();
    files.sort();
    let sources = files.iter().filter(|(path, _)| {
        path.ends_with(".rs") && ["tests/", "src/", "core/src/"].iter().any(|it| path.starts_with(it))
    });
    let (mut faults, mut mistakes) = (Vec::new(), Vec::new());
    for (path, text) in sources {
        let (mut found, mut wrong) = of_file(path, text);
        faults.append(&mut found);
        mistakes.append(&mut wrong);
    }
    mistakes.extend(unlisted(&faults));
    if mistakes.is_empty() { Ok(faults) } else { Err(mistakes) }
}

fn of_file(path: &str, text: &str) -> (Vec<Fault>, Vec<String>) {
    let lines: Vec<_> = text.lines().collect();
    let (mut faults, mut mistakes) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let Some(said) = line.trim_start().strip_prefix("/// Fault: ") else { continue };
        match parted(said).and_then(|parts| Ok((parts, test_below(&lines[at..])?))) {
            Ok(((fault, outcome), name)) => {
                let test = format!("{}{name}", module(path, &lines[..at]));
                let [fault, outcome] = [fault, outcome].map(str::to_owned);
                faults.push(Fault { path: path.to_owned(), test, fault, outcome });
            }
            Err(why) => mistakes.push(format!("{path}:{}: {why}", at + 1)),
        }
    }
    (faults, mistakes)
}

/// `a. Outcome: b.`
fn parted(said: &str) -> Result<(&str, &str), String> {
    let parts = said.strip_suffix('.').and_then(|said| said.split_once(". Outcome: "));
    parts.ok_or_else(|| "expected `/// Fault: …. Outcome: ….` on one line".to_owned())
}

/// The name of the test that the comment in the first of these lines is of. It has to run.
fn test_below(lines: &[&str]) -> Result<String, String> {
    let below = lines.iter().map(|line| line.trim()).skip_while(|line| line.starts_with("///"));
    let mut is_test = false;
    for line in below {
        if line.starts_with("#[ignore") {
            return Err("a test that is ignored shows nothing".to_owned());
        }
        is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        if !line.starts_with('#') {
            let name = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next());
            return name
                .filter(|_| is_test)
                .map(str::to_owned)
                .ok_or_else(|| "only a test shows how a fault ends".to_owned());
        }
    }
    Err("the comment is above nothing".to_owned())
}

/// The module of a test with these lines above it, followed by `::`, as `cargo test` names it.
fn module(path: &str, above: &[&str]) -> String {
    let inside = ["core/src/", "src/", "tests/"].iter().find_map(|folder| path.strip_prefix(folder));
    let file = inside.unwrap_or(path).trim_end_matches(".rs").trim_end_matches("/mod");
    let enclosing = above.iter().rev().find(|line| line.ends_with('{') && !line.starts_with(' '));
    let own = enclosing.and_then(|line| line.strip_prefix("mod ")?.strip_suffix(" {"));
    let names = file.split('/').chain(own);
    names.map(|name| format!("{name}::")).collect()
}

/// The integration tests among these that this program does not have: their file is not compiled, or a condition leaves
/// them out.
fn unlisted(faults: &[Fault]) -> Vec<String> {
    let listed = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let integration = faults.iter().filter(|fault| fault.path.starts_with("tests/"));
    let missing = integration.filter(|it| !listed.lines().any(|line| line == format!("{}: test", it.test)));
    missing.map(|it| format!("{}: {} is not among the tests of this program", it.path, it.test)).collect()
}

fn area(path: &str) -> Option<usize> {
    let fits =
        AREAS.iter().enumerate().flat_map(|(at, (_, paths))| paths.iter().map(move |it| (it.len(), at, *it)));
    fits.filter(|(_, _, it)| path.starts_with(it)).max().map(|(_, at, _)| at)
}

pub(super) fn table(faults: &[Fault]) -> String {
    let mut text = format!("{} faults.\n", faults.len());
    for (at, (title, _)) in AREAS.iter().enumerate() {
        let mut rows = faults.iter().filter(|it| area(&it.path) == Some(at)).peekable();
        if rows.peek().is_some() {
            write!(text, "\n### {title}\n\n| fault | outcome | test |\n|---|---|---|\n").unwrap();
        }
        for Fault { fault, outcome, test, .. } in rows {
            writeln!(text, "| {fault} | {outcome} | `{test}` |").unwrap();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "/// Fault: the disk is full. Outcome: 503.\n";

    fn read(text: &str) -> (Vec<Fault>, Vec<String>) {
        of_file("src/a/b.rs", text)
    }

    #[test]
    fn a_fault_is_shown_by_a_test_that_runs() {
        for (above, name) in [
            ("#[test]\nfn t() {", "a::b::t"),
            ("#[tokio::test(start_paused = true)]\nasync fn t() {", "a::b::t"),
            ("/// More.\n#[cfg(unix)]\n#[test]\nfn t(x in 0..1) {", "a::b::t"),
        ] {
            let (faults, mistakes) = read(&format!("{SAID}{above}"));
            assert_eq!(mistakes, Vec::<String>::new());
            assert_eq!(faults[0].test, name);
            assert_eq!((&*faults[0].fault, &*faults[0].outcome), ("the disk is full", "503"));
        }
        let inside = read(&format!("mod tests {{\n    {SAID}    #[test]\n    fn t() {{"));
        assert_eq!(inside.0[0].test, "a::b::tests::t");
    }

    #[test]
    fn nothing_else_shows_a_fault() {
        for (text, why) in [
            (format!("{SAID}fn t() {{"), "only a test"),
            (format!("{SAID}#[expect(dead_code)]\nfn t() {{"), "only a test"),
            (format!("{SAID}#[test]\nstruct T;"), "only a test"),
            (format!("{SAID}#[test]\n#[ignore = \"slow\"]\nfn t() {{"), "ignored"),
            (SAID.to_owned(), "above nothing"),
            ("/// Fault: the disk is full\n#[test]\nfn t() {".to_owned(), "expected"),
            ("/// Fault: full. Outcome: 503\n#[test]\nfn t() {".to_owned(), "expected"),
        ] {
            let (faults, mistakes) = read(&text);
            assert!(faults.is_empty() && mistakes[0].contains(why), "{text}: {mistakes:?}");
        }
    }

    #[test]
    fn a_test_that_this_program_does_not_have_is_found() {
        let of = |test: &str| {
            let [path, test] = ["tests/faults.rs", test].map(str::to_owned);
            Fault { path, test, fault: String::new(), outcome: String::new() }
        };
        assert_eq!(unlisted(&[of("faults::silence_is_a_504")]), Vec::<String>::new());
        assert_eq!(unlisted(&[of("faults::silence_is_golden")]).len(), 1);
    }
}
