//! The bounds of the running service: its constants that are durations or numbers, with their comments as reasons.

use std::fmt::Write as _;

use regex::Regex;

use crate::architecture::{Source, rust_sources};

/// The parts of the table, and the folders or files whose constants are in each. In these, every duration and number is
/// a bound unless it is in [`NO_BOUNDS`].
const AREAS: [(&str, &[&str]); 8] = [
    ("The listener", &["src/server/"]),
    (
        "One consumer's requests",
        &[
            "src/proxy/",
            "src/codec/deflate/portion.rs",
            "src/codec/deflate/window.rs",
            "src/config/consumer/mod.rs",
            "src/config/mod.rs",
        ],
    ),
    ("Requests to Graph", &["src/upstream/", "src/codec/gzip_decoder/mod.rs"]),
    (
        "Documents and requests",
        &[
            "core/src/sanitize/tokenizer/limits.rs",
            "core/src/sanitize/matcher/mod.rs",
            "core/src/graph/target/mod.rs",
            "core/src/graph/url/mod.rs",
            "core/src/graph/option/mod.rs",
            "core/src/graph/prefer.rs",
            "core/src/graph/batch/mod.rs",
        ],
    ),
    ("Signed tokens of consumers", &["src/jwt/"]),
    ("Audit log and logs", &["src/audit/", "src/service/logs/"]),
    (
        "Configuration, keys, reload",
        &["src/config/check.rs", "src/config/files.rs", "src/service/", "core/src/pseudonym/keys/mod.rs"],
    ),
    ("Connection pages", &["src/connect/", "src/config/connect.rs", "src/web/"]),
];

/// Numbers that bound nothing: versions, modes of files, parts of formats, sizes of steps.
const NO_BOUNDS: [(&str, &[&str]); 12] = [
    ("src/audit/file.rs", &["FILE_MODE"]),
    ("src/audit/mac.rs", &["MAC_CHARS", "SUFFIX"]),
    ("src/audit/rotation.rs", &["SEQ_DIGITS"]),
    ("src/audit/writer.rs", &["WAITING", "TAKEN", "WITHDRAWN", "LEFT", "WRITTEN", "RETURNED"]),
    ("src/codec/gzip_decoder/mod.rs", &["WINDOW_BITS"]),
    ("src/codec/deflate/window.rs", &["BLOCK", "LAST_LOW"]),
    ("src/connect/browser.rs", &["LENGTH"]),
    ("src/connect/flow.rs", &["VERIFIER"]),
    ("src/connect/store.rs", &["VERSION"]),
    ("src/upstream/pool/http2.rs", &["UNSETTLED"]),
    ("src/upstream/probe.rs", &["ANY_LENGTH"]),
    ("core/src/pseudonym/keys/mod.rs", &["SECRET_LEN", "MIN_DISTINCT", "FINGERPRINT_LEN"]),
];

pub(super) struct Bound {
    area: usize,
    path: String,
    name: String,
    value: String,
    reason: String,
}

/// The bounds in the order of areas, paths and lines, or every mistake.
pub(super) fn of_project() -> Result<Vec<Bound>, Vec<String>> {
    let mut sources = rust_sources();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let mut bounds: Vec<_> = sources.iter().flat_map(of_file).collect();
    bounds.sort_by_key(|bound| bound.area);
    let without = bounds.iter().filter(|bound| bound.reason.is_empty());
    let mut mistakes: Vec<_> =
        without.map(|it| format!("{}: {} has no comment that gives its reason", it.path, it.name)).collect();
    for (_, paths) in AREAS {
        let missing = paths.iter().filter(|it| !bounds.iter().any(|bound| bound.path.starts_with(**it)));
        mistakes.extend(missing.map(|it| format!("{it} has no bounds, or does not exist")));
    }
    if mistakes.is_empty() { Ok(bounds) } else { Err(mistakes) }
}

fn of_file(source: &Source) -> Vec<Bound> {
    let Some(area) = area(&source.path) else { return Vec::new() };
    let text = source.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let constants = Regex::new(
        r"(?m)^((?:/// .*\n)*)(?:#\[.*\]\n)*(?:pub(?:\([a-z]+\))? )?const ([A-Z0-9_]+): (\(Duration, \w+\)|Duration|usize|[ui](?:8|16|32|64)|NonZero\w+)\s*=\s*([^;]+);",
    );
    let bound = |found: regex::Captures<'_>| Bound {
        area,
        path: source.path.clone(),
        name: found[2].to_owned(),
        value: value(&found[4]),
        reason: reason(&found[1]),
    };
    constants.unwrap().captures_iter(text).map(bound).filter(|it| !is_exempt(it)).collect()
}

/// The longest path that fits counts.
fn area(path: &str) -> Option<usize> {
    let paths =
        AREAS.iter().enumerate().flat_map(|(at, (_, paths))| paths.iter().map(move |it| (it.len(), at, *it)));
    paths.filter(|(_, _, it)| path.starts_with(it)).max().map(|(_, at, _)| at)
}

fn is_exempt(bound: &Bound) -> bool {
    NO_BOUNDS.iter().any(|(path, names)| *path == bound.path && names.contains(&&*bound.name))
}

/// A comment as one line, without the brackets of links.
fn reason(comment: &str) -> String {
    let lines: Vec<_> = comment.lines().filter_map(|line| line.strip_prefix("/// ")).collect();
    lines.join(" ").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// A value as people read it; an expression that is neither a duration nor a product of numbers as it is written.
fn value(expression: &str) -> String {
    let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    let expression =
        Regex::new(r"(\d)_(\d)").unwrap().replace_all(&expression, "$1$2").replace(".unwrap()", "");
    if let Some(pair) = expression.strip_prefix('(').and_then(|it| it.strip_suffix(')')?.split_once(", ")) {
        return format!("{}, {}", value(pair.0), value(pair.1));
    }
    let inside = |call: &str| expression.strip_prefix(call)?.strip_suffix(')').and_then(product);
    if let Some(seconds) = inside("Duration::from_secs(") {
        return if seconds >= 300 && seconds % 60 == 0 {
            format!("{} min", grouped(seconds / 60))
        } else {
            format!("{} s", grouped(seconds))
        };
    }
    if let Some(millis) = inside("Duration::from_millis(") {
        return format!("{} ms", grouped(millis));
    }
    let number = inside("NonZeroU32::new(").or_else(|| product(&expression));
    match number {
        Some(number) if expression.contains("1024 *") || expression.contains("* 1024") => bytes(number),
        Some(number) => grouped(number),
        None => format!("`{}`", expression.trim_start_matches("crate::")),
    }
}

fn product(expression: &str) -> Option<u64> {
    expression.split(" * ").map(|factor| factor.parse::<u64>().ok()).product()
}

/// `1024 * 1024` counts bytes.
fn bytes(number: u64) -> String {
    let (unit, size) = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .into_iter()
        .find(|(_, size)| number.is_multiple_of(*size))
        .unwrap_or(("B", 1));
    format!("{} {unit}", grouped(number / size))
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|it| String::from_utf8_lossy(it)).collect();
    groups.join(",")
}

pub(super) fn table(bounds: &[Bound]) -> String {
    let mut text = String::new();
    for (at, (title, _)) in AREAS.iter().enumerate() {
        write!(text, "\n### {title}\n\n| bound | default | reason |\n|---|---:|---|\n").unwrap();
        for Bound { path, name, value, reason, .. } in bounds.iter().filter(|it| it.area == at) {
            let file = path.rsplit_once("src/").map_or(&**path, |(_, file)| file);
            writeln!(text, "| [`{name}`](../{path}) in {file} | {value} | {reason} |").unwrap();
        }
    }
    text.trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        for (written, read) in [
            ("Duration::from_secs(10)", "10 s"),
            ("Duration::from_secs(15 * 60)", "15 min"),
            ("Duration::from_millis(100)", "100 ms"),
            ("NonZeroU32::new(1024).unwrap()", "1,024"),
            ("4 * 1024 * 1024", "4 MiB"),
            ("65_536", "65,536"),
            ("(Duration::from_secs(1), 20)", "1 s, 20"),
            ("8 * MAX_RESPONSE", "`8 * MAX_RESPONSE`"),
        ] {
            assert_eq!(value(written), read);
        }
    }

    #[test]
    fn every_number_of_a_listed_file_is_a_bound_and_has_its_reason() {
        let text = "/// Why.\npub(crate) const A: usize = 1;\n\nconst B: Duration =\n    Duration::from_secs(2);\n\
                    const C: &str = \"x\";\n\n#[cfg(test)]\nmod tests {\nconst D: usize = 4;\n}\n";
        let bounds = of_file(&Source::new("src/server/x.rs", text));
        let read: Vec<_> = bounds.iter().map(|it| (&*it.name, &*it.value, &*it.reason)).collect();
        assert_eq!(read, [("A", "1", "Why."), ("B", "2 s", "")]);
        assert!(of_file(&Source::new("src/cli/x.rs", text)).is_empty());
    }
}
