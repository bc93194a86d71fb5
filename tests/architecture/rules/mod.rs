//! The rules. Each returns the violations in one file, with the file's path.

use super::sources::Source;

/// The modules of both packages, and the modules that each may use. A module that is not listed is a violation, and so
/// is a use that is not listed. `core::` is the package that decides what leaves.
const MAY_USE: [(&str, &[&str]); 34] = [
    (
        "core::admit",
        &["core::graph", "core::hex", "core::pseudonym", "core::rules", "core::sanitize", "core::statement"],
    ),
    ("core::catalogue", &["core::graph"]),
    ("core::diagnostic", &[]),
    ("core::grants", &["core::catalogue", "core::graph", "core::rules"]),
    ("core::graph", &["core::hex"]),
    ("core::hex", &[]),
    ("core::interface", &["core::catalogue", "core::graph", "core::pseudonym", "core::rules"]),
    ("core::pseudonym", &["core::hex"]),
    (
        "core::rules",
        &["core::catalogue", "core::diagnostic", "core::graph", "core::hex", "core::pseudonym", "core::yaml"],
    ),
    (
        "core::sanitize",
        &["core::catalogue", "core::graph", "core::hex", "core::interface", "core::pseudonym", "core::rules"],
    ),
    (
        "core::statement",
        &[
            "core::catalogue",
            "core::diagnostic",
            "core::graph",
            "core::hex",
            "core::pseudonym",
            "core::rules",
            "core::sanitize",
        ],
    ),
    ("core::yaml", &["core::diagnostic"]),
    ("aadsts", &[]),
    ("approvals", &["core::statement"]),
    ("audit", &["core::diagnostic", "core::hex", "core::statement", "file_system", "rate_limiter"]),
    ("cli", EVERYTHING),
    ("codec", &[]),
    (
        "config",
        &[
            "approvals",
            "audit",
            "core::catalogue",
            "core::diagnostic",
            "core::graph",
            "core::hex",
            "core::pseudonym",
            "core::rules",
            "core::statement",
            "core::yaml",
            "jwt",
            "upstream",
        ],
    ),
    ("connect", EVERYTHING),
    ("demo", &["core::graph", "core::hex", "core::pseudonym", "jwt", "upstream", "web"]),
    ("doctor", EVERYTHING),
    ("file_system", &[]),
    ("jws", &[]),
    ("jwt", &["core::graph", "rate_limiter", "upstream"]),
    ("lib", &["cli"]),
    ("main", &["cli"]),
    ("metrics", &["audit"]),
    ("proxy", EVERYTHING),
    ("rate_limiter", &[]),
    ("server", &["audit", "config", "core::diagnostic", "metrics"]),
    ("service", EVERYTHING),
    ("trace", &["core::graph", "core::hex", "metrics", "upstream"]),
    // Never `core::sanitize`: the two sides of the proxy meet in one body adapter, in `proxy`.
    ("upstream", &["aadsts", "core::graph", "core::hex", "jws", "metrics"]),
    ("web", &["core::graph"]),
];

/// For the modules that put the others together.
const EVERYTHING: &[&str] = &["*"];

pub(crate) fn foreign_modules(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{}: the module is not in the list", source.path)];
    };
    let mut used: Vec<_> =
        used_names(&source.code).iter().filter_map(|name| used_module(source, name)).collect();
    used.sort();
    used.dedup();
    found(source, used.iter().filter(|used| **used != module && !may_use(allowed, used)))
}

fn may_use(allowed: &[&str], used: &str) -> bool {
    allowed == EVERYTHING || allowed.contains(&used)
}

/// The module that a name leads to, if it is one of the project's.
fn used_module(source: &Source, name: &str) -> Option<String> {
    let mut steps = name.trim_start_matches("::").split("::");
    let is_core = match steps.next()? {
        "crate" => source.is_core(),
        "glassine_core" => true,
        _ => return None,
    };
    let module =
        steps.next().filter(|it| it.starts_with(|c: char| c.is_ascii_lowercase()) && *it != "codes")?;
    Some(if is_core { format!("core::{module}") } else { module.to_owned() })
}

/// What may be a field of a log event: counts, names from the operator's files, ids that this program made, the id of an
/// identified consumer's trace (32 hexadecimal digits), and errors, whose texts hold no data by the rule of `problem.rs`.
const FIELDS: [&str; 26] = [
    "before",
    "code",
    "connections",
    "consumer",
    "endpoint",
    "error",
    "file",
    "finding",
    "fingerprint",
    "hint",
    "key_id",
    "kind",
    "kind_target",
    "left_out",
    "line",
    "listen",
    "reason",
    "records",
    "request_id",
    "retry_after",
    "skipped",
    "status",
    "trace_id",
    "url",
    "used",
    "version",
];

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

/// Events with placeholders in their text, as in `"asked {target}"`: they log values that are not fields.
pub(crate) fn texts_with_holes(source: &Source) -> Vec<String> {
    let events = source
        .text
        .split("tracing::")
        .skip(1)
        .filter(|rest| rest.split_once('(').is_some_and(|(name, _)| name.ends_with('!')));
    let calls = events.filter_map(|rest| rest.split(");").next()?.split("),").next());
    found(source, calls.filter(|call| call.contains('{')))
}

/// The arguments of an event that are neither a listed field nor, at the end, a text without placeholders.
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

/// Nothing prints: the command line writes through its own writer, and everything else logs or is silent.
pub(crate) fn prints(source: &Source) -> Vec<String> {
    const PRINTS: [&str; 5] = ["println!", "eprintln!", "print!", "eprint!", "dbg!"];
    found(source, PRINTS.iter().filter(|it| source.code.contains(**it)))
}

/// Only one file may have markup that is not escaped, so that a reviewer can see all of it.
pub(crate) fn unescaped_markup(source: &Source) -> Vec<String> {
    let is_there = source.path != "src/web/page.rs" && source.code.contains("PreEscaped");
    found(source, is_there.then_some("PreEscaped").iter())
}

/// Names of a developer's machine or of a package registry. They are split, so that this file has none.
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
    // In Graph's paths, `root` is the top folder of a drive.
    let text = text.replace("}/root/", "}/").replace("drive/root/", "drive/");
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

fn one_line(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn found(source: &Source, what: impl Iterator<Item = impl std::fmt::Display>) -> Vec<String> {
    what.map(|it| format!("{}: {it}", source.path)).collect()
}

#[cfg(test)]
mod tests;
