//! docs/REVIEWS.md: its scripts, run on a repository of rules.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::{blocks, document};
use crate::support::glassine::METADATA_ONLY;

/// A repository with the shipped rules in its only commit, and the page's two scripts.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(TempDir::new().unwrap());
        let [gate, hook] = blocks(document("docs/REVIEWS.md"), "sh")[..] else {
            panic!("the page has two scripts")
        };
        fs::create_dir(repository.path().join("rules")).unwrap();
        fs::write(repository.path().join("rules-gate.sh"), gate).unwrap();
        repository.rules(METADATA_ONLY);
        for args in
            [&["init", "--quiet"][..], &["add", "--all"], &["commit", "--quiet", "--message", "Rules"]]
        {
            assert!(repository.git(args).status.success(), "{args:?}");
        }
        fs::write(repository.path().join(".git/hooks/pre-commit"), hook).unwrap();
        let made = Command::new("chmod")
            .args(["+x", ".git/hooks/pre-commit"])
            .current_dir(repository.path())
            .status();
        assert!(made.unwrap().success());
        repository
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn rules(&self, text: &str) {
        fs::write(self.path().join("rules/mail.yaml"), text).unwrap();
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        let built = Path::new(env!("CARGO_BIN_EXE_glassine")).parent().unwrap();
        let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(program);
        command.args(args).current_dir(self.path()).env("PATH", path);
        // A hook that runs the tests sets these for its own repository.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        command.output().unwrap()
    }

    fn git(&self, args: &[&str]) -> Output {
        let who = ["-c", "user.name=Reviewer", "-c", "user.email=reviewer@contoso.example"];
        self.run("git", &[&who, args].concat())
    }

    fn gate(&self) -> (Option<i32>, String) {
        let ran = self.run("sh", &["rules-gate.sh", "HEAD"]);
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    }
}

#[test]
fn the_gate_stops_what_lets_more_out_and_nothing_else() {
    let repository = Repository::new();
    assert_eq!(repository.gate().0, Some(0));
    repository.rules(&METADATA_ONLY.replace("      booleans: [$.accountEnabled]\n", ""));
    let (code, said) = repository.gate();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("narrower  $.accountEnabled"), "{said}");
    repository
        .rules(&METADATA_ONLY.replace("[low, normal, high]", "[low, normal, high, unknownFutureValue]"));
    let (code, said) = repository.gate();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("wider     $.importance"), "{said}");
}

#[test]
fn the_hook_stops_a_commit_that_lets_more_out() {
    let repository = Repository::new();
    repository.rules(&METADATA_ONLY.replace("max: 999 }", "max: 9999 }"));
    assert!(!repository.git(&["commit", "--quiet", "--all", "--message", "Wider"]).status.success());
    repository.rules(&METADATA_ONLY.replace("max: 999 }", "max: 99 }"));
    assert!(repository.git(&["commit", "--quiet", "--all", "--message", "Narrower"]).status.success());
}
