//! The command line as scripts and people meet it: the built program, its exit codes, and which stream says what.

mod audit;
mod cases;
mod check;
mod connector;
mod demo;
mod diff;
mod explain;
mod health;
mod init;
mod keys;
mod pseudonym;
mod review;
mod sanitize;
mod signals;
mod start;
mod token;
mod traps;
mod usage;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::glassine::write_private;

/// The shipped rules that most tests use.
pub(crate) const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/outlook-mail-metadata-only.yaml");

/// The shipped rules of the connector with the broader permission.
const OTHER_RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/outlook-mail.yaml");

/// The example of the design.
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/design-example.yaml");

/// Rules with one mistake of each of several kinds.
const MISTAKES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/several-mistakes.yaml");

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Standard output of a run that succeeded and wrote nothing to standard error.
    pub(crate) fn fine(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self.stdout
    }

    /// Everything that was written.
    pub(crate) fn everything(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that standard output is empty, and that the error contains all of `parts`.
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} missing: {self:?}");
        }
    }
}

pub(crate) fn glassine(args: &[&str]) -> Ran {
    glassine_reading(args, "")
}

fn glassine_reading(args: &[&str], input: &str) -> Ran {
    run(Command::new(env!("CARGO_BIN_EXE_glassine")).args(args), input)
}

fn run(command: &mut Command, input: &str) -> Ran {
    run_with(command, input.as_bytes())
}

/// Output that is not UTF-8 has replacement characters.
fn run_with(command: &mut Command, input: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A run that fails early reads nothing. One that writes as it reads is read meanwhile.
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let writer = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A directory for one test.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// Writes a file that only its owner can read, as a secret should be.
    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        write_private(&path, contents);
        path
    }

    /// A fresh key file.
    fn keys(&self) -> String {
        let path = self.path("keys.yaml");
        glassine(&["keys", "new", "--out", &path]).fine();
        path
    }
}
