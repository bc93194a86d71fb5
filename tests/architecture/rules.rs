//! The rules. Each gives the violations in one file, with the file's path.

use super::sources::Source;

/// The modules that decide what leaves: bytes, keys and limits come in as arguments.
const PURE: [&str; 6] = ["rules", "graph", "grants", "admit", "sanitize", "pseudonym"];

/// What a pure module may not name. `std::net`'s addresses are values; its sockets are not.
const IMPURE: [&str; 22] = [
    "hyper",
    "hyper_util",
    "hyper_rustls",
    "tokio",
    "tracing",
    "http",
    "http_body",
    "http_body_util",
    "rustls",
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "rand",
    "getrandom",
    "tower_service",
];

/// The only names of `std::net` that are values.
const ADDRESSES: [&str; 3] = ["IpAddr", "Ipv4Addr", "Ipv6Addr"];

pub(crate) fn impure_names(source: &Source) -> Vec<String> {
    if !PURE.contains(&source.module()) {
        return Vec::new();
    }
    let names = used_names(&source.code);
    let impure = |name: &str| IMPURE.iter().any(|it| is_under(name, it)) || is_socket(name);
    found(source, names.iter().filter(|name| impure(name)))
}

fn is_socket(name: &str) -> bool {
    let rest = name.strip_prefix("std::net").or_else(|| name.strip_prefix("core::net"));
    rest.is_some_and(|rest| !ADDRESSES.iter().any(|it| rest.strip_prefix("::") == Some(it)))
}

/// `crate::` modules that a module may not name. The two sides of the proxy meet in one body adapter in `proxy`.
const FOREIGN: [(&str, &[&str]); 7] = [
    (
        "sanitize",
        &["upstream", "proxy", "server", "audit", "config", "service", "codec", "cli", "demo", "admit"],
    ),
    (
        "pseudonym",
        &[
            "upstream", "proxy", "server", "audit", "config", "service", "codec", "cli", "demo", "admit",
            "graph",
        ],
    ),
    (
        "rules",
        &[
            "upstream", "proxy", "server", "audit", "config", "service", "codec", "cli", "demo", "admit",
            "sanitize",
        ],
    ),
    (
        "graph",
        &[
            "upstream", "proxy", "server", "audit", "config", "service", "codec", "cli", "demo", "admit",
            "sanitize", "rules",
        ],
    ),
    ("admit", &["upstream", "proxy", "server", "audit", "config", "service", "codec", "cli", "demo"]),
    ("upstream", &["sanitize", "proxy", "admit", "pseudonym", "rules", "server", "service", "cli", "jwt"]),
    (
        "jwt",
        &[
            "proxy",
            "server",
            "audit",
            "config",
            "service",
            "codec",
            "cli",
            "demo",
            "admit",
            "sanitize",
            "rules",
            "graph",
            "pseudonym",
        ],
    ),
];

pub(crate) fn foreign_modules(source: &Source) -> Vec<String> {
    let modules = FOREIGN.iter().filter(|(module, _)| *module == source.module()).flat_map(|(_, it)| *it);
    let foreign: Vec<_> = modules.map(|module| format!("crate::{module}")).collect();
    let names = used_names(&source.code);
    found(source, names.iter().filter(|name| foreign.iter().any(|it| is_under(name, it))))
}

/// Ways in which bytes from upstream could be looked at or let out past the sanitizer.
pub(crate) fn open_doors(source: &Source) -> Vec<String> {
    const TRAITS: [&str; 9] =
        ["Debug", "Display", "Deref", "DerefMut", "Serialize", "Clone", "AsRef", "Borrow", "Into"];
    let code = one_line(&source.code);
    let mut doors: Vec<String> = TRAITS
        .iter()
        .filter(|name| implements(&code, name, "Raw"))
        .map(|name| format!("impl {name} for Raw"))
        .collect();
    if source.module() == "sanitize" {
        doors.extend(derived(&code, "struct Raw<").into_iter().map(|it| format!("derive {it} for Raw")));
    } else if code.contains("assertion(") && code.contains("Clean") {
        doors.push("Clean::assertion".to_owned());
    }
    found(source, doors.iter())
}

/// `impl<…> …NAME<…>? for TYPE`.
fn implements(code: &str, name: &str, type_name: &str) -> bool {
    let heads = code.split("impl").skip(1).filter_map(|rest| rest.split(['{', ';']).next());
    heads.filter_map(|head| head.split_once(" for ")).any(|(left, right)| {
        let of = right.trim().trim_start_matches(['&', ' ']);
        words(left).any(|word| word == name) && words(of).any(|word| word == type_name)
    })
}

/// What is derived for the struct that begins with `head`.
fn derived(code: &str, head: &str) -> Vec<String> {
    let Some((before, _)) = code.split_once(head) else { return Vec::new() };
    // The attributes of an item come after the end of the item before it.
    let attributes = before.rsplit([';', '}']).next().unwrap_or_default();
    let lists = attributes.split("derive(").skip(1).filter_map(|rest| rest.split(')').next());
    lists.flat_map(words).map(str::to_owned).collect()
}

/// What may be a field of a log event: counts, names from the operator's files, ids that this program made, and
/// errors, whose texts hold no data by the rule of `problem.rs`.
const FIELDS: [&str; 10] =
    ["error", "request_id", "endpoint", "status", "reason", "used", "skipped", "connections", "file", "url"];

pub(crate) fn unlisted_fields(source: &Source) -> Vec<String> {
    const MACROS: [&str; 13] = [
        "trace!(",
        "debug!(",
        "info!(",
        "warn!(",
        "error!(",
        "event!(",
        "span!(",
        "trace_span!(",
        "debug_span!(",
        "info_span!(",
        "warn_span!(",
        "error_span!(",
        "#[instrument",
    ];
    let code = one_line(&source.code);
    let calls = MACROS.iter().flat_map(|name| {
        let starts = code.match_indices(name).map(|(at, _)| at);
        // `warn!(` is the end of other names too.
        let own = starts.filter(|at| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        own.map(|at| arguments(&code[at + name.len()..])).collect::<Vec<_>>()
    });
    let bad: Vec<_> = calls.flat_map(|call| unlisted(&call)).collect();
    found(source, bad.iter())
}

/// Events whose text has holes, as in `"asked {target}"`: those are fields that are not seen as such.
pub(crate) fn texts_with_holes(source: &Source) -> Vec<String> {
    let events = source
        .text
        .split("tracing::")
        .skip(1)
        .filter(|rest| rest.split_once('(').is_some_and(|(name, _)| name.ends_with('!')));
    let calls = events.filter_map(|rest| rest.split(");").next()?.split("),").next());
    found(source, calls.filter(|call| call.contains('{')))
}

/// The arguments of an event that are neither a listed field nor, at the end, a text without holes of its own.
fn unlisted(arguments: &[String]) -> Vec<String> {
    let is_listed = |argument: &&String| {
        let name = argument.split('=').next().unwrap_or_default().trim();
        FIELDS.contains(&name.trim_start_matches(['%', '?'])) || *argument == "\"\""
    };
    arguments.iter().filter(|argument| !is_listed(argument)).cloned().collect()
}

/// The text up to the closing parenthesis, split at its own commas.
fn arguments(rest: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0_usize, vec![String::new()]);
    for c in rest.chars() {
        match c {
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            '(' | '[' | '{' => depth += 1,
            _ => {}
        }
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The command line speaks through its own writer; everything else logs or is silent.
pub(crate) fn prints(source: &Source) -> Vec<String> {
    const PRINTS: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    found(source, PRINTS.iter().filter(|it| source.code.contains(**it)))
}

/// Names that belong to a machine that this was written on, or to a registry. Split, so that this file has none.
pub(crate) fn machine_names(path: &str, text: &str) -> Vec<String> {
    let names = [
        ["/wo", "rk/"],
        ["/tm", "p/"],
        ["/ro", "ot/"],
        ["/ho", "me/"],
        ["index.crates", ".io"],
        ["static.crates", ".io"],
        ["proxy.golang", ".org"],
        ["registry.npmjs", ".org"],
        ["files.pythonhosted", ".org"],
        ["wt-can", "ary"],
    ];
    let is_lock = path == "Cargo.lock";
    let there = names.map(|parts| parts.concat()).into_iter().filter(|name| !is_lock && text.contains(name));
    there.map(|name| format!("{path}: {name}")).collect()
}

/// Every path of names in the code, with the groups of `use` spelled out: `std::{env, fs}` is two.
fn used_names(code: &str) -> Vec<String> {
    let code = one_line(code);
    let uses = code.split("use ").skip(1).filter_map(|rest| rest.split(';').next());
    let mut names: Vec<String> = uses.flat_map(|tree| expanded("", tree)).collect();
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    names.extend(
        code.split(|c| !is_name(c)).filter(|it| it.contains("::") && !it.ends_with("::")).map(str::to_owned),
    );
    names
}

fn expanded(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    match tree.split_once('{') {
        None => {
            let name = tree.split(" as ").next().unwrap_or_default().trim();
            vec![format!("{prefix}{name}")]
        }
        Some((head, group)) => {
            let prefix = format!("{prefix}{}", head.trim());
            arguments(group).iter().flat_map(|part| expanded(&prefix, part)).collect()
        }
    }
}

fn is_under(name: &str, forbidden: &str) -> bool {
    let rest = name.trim_start_matches("::").strip_prefix(forbidden);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn one_line(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn found(source: &Source, what: impl Iterator<Item = impl std::fmt::Display>) -> Vec<String> {
    what.map(|it| format!("src/{}: {it}", source.path)).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
