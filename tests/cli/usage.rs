//! Exit codes and streams of bad usage, and readers that close the pipe.

use std::fs::File;
use std::io::pipe;
use std::process::Command;

use super::{RULES, glassine};

#[test]
fn bad_usage_is_2_and_help_is_0() {
    for (args, part) in [
        (&[][..], "Usage"),
        (&["chekc"], "check"),
        (&["check"], "FILE"),
        (&["explain", "GET /v1.0/users"], "--rules"),
        (&["token", "new", "--format", "xml"], "json"),
    ] {
        glassine(args).fails(2, &[part]);
    }
    assert!(glassine(&["--help"]).fine().contains("Exit codes"));
    assert!(glassine(&["--version"]).fine().starts_with("glassine "));
}

#[test]
fn no_command_turns_a_token_back() {
    let help = glassine(&["--help"]).fine().to_lowercase();
    for word in ["reveal", "decrypt", "unmask", "reidentify", "re-identify", "reverse a"] {
        assert!(!help.contains(word), "{word}");
    }
}

#[test]
fn a_closed_pipe_is_fine() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let output = command.args(["check", "--schema"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_not() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.args(["check", RULES]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be written"));
}
