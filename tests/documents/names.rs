//! The commands, options and environment variables that the documents name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::DOCUMENTS;

fn help(command: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_glassine")).args(command).arg("--help").output().unwrap();
    assert!(ran.status.success(), "{command:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The subcommands that a help text lists.
fn subcommands(help: &str) -> BTreeSet<&str> {
    let Some((_, list)) = help.split_once("Commands:\n") else { return BTreeSet::new() };
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// The words after `glassine` in code: in blocks, and between backticks in prose.
fn calls(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let in_prose = text.split('`').skip(1).step_by(2);
    let in_blocks = text.lines().map(|line| line.trim_start().trim_start_matches("$ "));
    let called = in_prose.chain(in_blocks).filter_map(|code| code.strip_prefix("glassine "));
    called.map(|words| words.lines().next().unwrap_or_default().split_whitespace().collect())
}

/// Whether a word is a name in lower-case letters, which a value or `COMMAND` is not.
fn is_name(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[test]
fn every_command_and_option_that_a_document_names_exists() {
    let top = help(&[]);
    let known = subcommands(&top);
    let mut seen = BTreeSet::new();
    for (name, text) in DOCUMENTS {
        for words in calls(text).filter(|words| words.first().is_some_and(|word| is_name(word))) {
            assert!(known.contains(words[0]), "{name}: glassine {} does not exist", words[0]);
            let own = help(&words[..1]);
            let deeper = words.get(1).filter(|word| subcommands(&own).contains(*word));
            let is_group = !subcommands(&own).is_empty() && words.get(1).is_some_and(|word| is_name(word));
            assert!(!is_group || deeper.is_some(), "{name}: glassine {words:?} does not exist");
            let help = if deeper.is_some() { help(&words[..2]) } else { own };
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(*option), "{name}: glassine {words:?}: no option {option}");
            }
            seen.insert(words[0]);
        }
    }
    let missing: Vec<_> = known.iter().filter(|it| **it != "help" && !seen.contains(*it)).collect();
    assert!(missing.is_empty(), "no document names {missing:?}");
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let mut found = calls("Use `glassine overlook FILE`.\n\n```sh\nglassine check\n```\n");
    assert!(found.any(|words| words[0] == "overlook"));
    assert!(!subcommands(&help(&[])).contains("overlook"));
}

/// A heading as the anchor that GitHub makes of it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.collect::<String>().trim().to_lowercase().replace(' ', "-")
}

fn has_heading(document: &str, wanted: &str) -> bool {
    let headings = document.lines().filter(|line| line.starts_with('#'));
    headings.into_iter().any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

#[test]
fn every_link_between_documents_leads_to_a_file_and_a_heading() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for (name, text) in DOCUMENTS {
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let document = repository.join(name);
            let path = if file.is_empty() { document } else { document.with_file_name("").join(file) };
            assert!(path.exists(), "{name}: {link} leads to no file");
            let leads = heading.is_empty() || has_heading(&fs::read_to_string(path).unwrap(), heading);
            assert!(leads, "{name}: {link} leads to no heading");
            seen += 1;
        }
    }
    assert!(seen > 40, "only {seen} links were found");
}

/// Whether a line of `.gitignore` that begins with `/` covers a path: its first segment, with one `*` at most.
fn covers(line: &str, path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    let Some(pattern) = line.strip_prefix('/') else { return false };
    match pattern.split_once('*') {
        Some((begin, end)) => first.starts_with(begin) && first.ends_with(end),
        None => first == pattern,
    }
}

/// Whoever tries the commands in a clone must not commit a key, nor have it in an image.
#[test]
fn the_keys_that_the_commands_write_are_committed_nowhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [git, docker] =
        [".gitignore", ".dockerignore"].map(|name| fs::read_to_string(root.join(name)).unwrap());
    let made =
        DOCUMENTS.iter().flat_map(|(_, text)| calls(text)).filter(|words| words.first() == Some(&"keys"));
    let written: BTreeSet<_> = made
        .filter_map(|words| {
            words.iter().position(|word| *word == "--out").and_then(|at| words.get(at + 1).copied())
        })
        .filter(|file| file.ends_with(".yaml"))
        .collect();
    assert!(written.contains("keys.yaml") && written.contains("secrets/keys.yaml"), "{written:?}");
    for file in written {
        assert!(git.lines().any(|line| covers(line, file)), "{file} is not ignored");
        let taken = docker.lines().filter_map(|line| line.strip_prefix('!'));
        assert!(docker.starts_with("*\n") && taken.into_iter().all(|it| !file.starts_with(it)), "{file}");
    }
    assert!(!git.lines().any(|line| covers(line, "rules/cases/keys.yaml")), "the published test key stays");
}
