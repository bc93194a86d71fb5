//! `glassine serve` that does not start: what it says, and in which form.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use serde_json::Value;

use super::check::configuration;
use super::{Ran, Scratch, run};

const SECRET: &str = "{ client_secret_file: secret }";

/// `serve` with this configuration, in this environment.
fn serve(config: &str, environment: &[(&str, &OsStr)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    command.args(["serve", "--config", config]).env_remove("GLASSINE_LOG").env_remove("GLASSINE_LOG_FORMAT");
    run(command.envs(environment.iter().copied()), "")
}

fn json() -> (&'static str, &'static OsStr) {
    ("GLASSINE_LOG_FORMAT", OsStr::new("json"))
}

fn edit(config: &str, old: &str, new: &str) {
    let text = fs::read_to_string(config).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(config, text.replace(old, new)).unwrap();
}

/// Every line of standard error as an event of the log.
fn events(ran: &Ran) -> Vec<Value> {
    let event = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    ran.stderr.lines().map(event).collect()
}

/// A configuration whose address is in use, so that the service is built but does not run.
fn with_a_taken_address(scratch: &Scratch, credential: &str) -> (String, TcpListener) {
    let config = configuration(scratch, credential);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    edit(&config, "listen: 127.0.0.1:0", &format!("listen: {}", taken.local_addr().unwrap()));
    (config, taken)
}

/// Fault: the folder of the audit log does not exist. Outcome: the start fails with the cause and what to do.
#[test]
fn a_missing_audit_folder_is_said_with_its_cause_and_what_to_do() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    edit(&config, "audit.jsonl", "nowhere/audit.jsonl");
    serve(&config, &[]).fails(
        2,
        &[
            "nowhere/audit.jsonl: the audit log cannot be opened for appending: No such file or directory",
            &format!("Create {}, writable by ", scratch.path("nowhere")),
        ],
    );
    edit(&config, "nowhere/audit.jsonl", "folder");
    fs::create_dir(scratch.path("folder")).unwrap();
    serve(&config, &[]).fails(2, &["folder: the audit log cannot be opened for appending: Is a directory"]);
}

/// Fault: the TLS certificate and key do not belong together. Outcome: the start fails with the cause.
#[test]
fn a_certificate_with_another_key_is_said_with_its_cause() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    let [own, other] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap());
    scratch.write("tls.crt", own.cert.pem());
    scratch.write("tls.key", other.signing_key.serialize_pem());
    let tls = "tls: { certificate_file: tls.crt, private_key_file: tls.key }\nlisten:";
    edit(&config, "listen:", tls);
    serve(&config, &[]).fails(
        2,
        &["tls.crt: the certificate cannot be used with the private key", "keys may not be consistent"],
    );
}

/// Fault: a private key file is malformed. Outcome: the start fails, and the error quotes nothing of the file.
#[test]
fn a_pem_file_is_never_quoted() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    scratch.write("tls.crt", identity.cert.pem());
    scratch.write("tls.key", "-----BEGIN hunter2\n");
    edit(&config, "listen:", "tls: { certificate_file: tls.crt, private_key_file: tls.key }\nlisten:");
    let ran = serve(&config, &[]);
    ran.fails(2, &["tls.key: the file cannot be read as PEM: a BEGIN line is malformed"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
}

/// Fault: an environment variable for the log is invalid. Outcome: the start fails and names the variable.
#[test]
fn a_level_or_form_of_the_log_that_there_is_not_is_bad_input() {
    let scratch = Scratch::new();
    let (config, _taken) = with_a_taken_address(&scratch, SECRET);
    for (name, value) in [
        ("GLASSINE_LOG", &b"debg"[..]),
        ("GLASSINE_LOG", b"info,hyper=trace"),
        ("GLASSINE_LOG", b"\xff"),
        ("GLASSINE_LOG_FORMAT", b"jsn"),
        ("GLASSINE_LOG_FORMAT", b"\xff"),
    ] {
        serve(&config, &[(name, OsStr::from_bytes(value))]).fails(2, &[name, "set it to"]);
    }
    for (name, value) in [
        ("GLASSINE_LOG", "debug"),
        ("GLASSINE_LOG", ""),
        ("GLASSINE_LOG_FORMAT", "text"),
        ("GLASSINE_LOG_FORMAT", ""),
    ] {
        serve(&config, &[(name, OsStr::new(value))]).fails(1, &["cannot listen on"]);
    }
}

/// Fault: `HTTPS_PROXY` or `NO_PROXY` is not text. Outcome: the start fails and names the variable.
#[test]
fn a_proxy_variable_that_is_not_text_is_not_left_aside() {
    let scratch = Scratch::new();
    let (config, _taken) = with_a_taken_address(&scratch, SECRET);
    for name in ["HTTPS_PROXY", "NO_PROXY"] {
        let proxy = ("HTTPS_PROXY", OsStr::new("http://proxy.example:3128"));
        serve(&config, &[proxy, (name, OsStr::from_bytes(b"\xff"))]).fails(2, &[name, "not UTF-8 text"]);
        serve(&config, &[proxy]).fails(1, &["cannot listen on"]);
    }
}

#[test]
fn in_a_log_of_json_every_line_before_the_start_is_an_event() {
    let scratch = Scratch::new();
    let (config, _taken) = with_a_taken_address(&scratch, "{ forward: true }");
    for level in ["info", "off"] {
        let seen = events(&serve(&config, &[json(), ("GLASSINE_LOG", OsStr::new(level))]));
        let [warning, error] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((&warning["level"], &warning["fields"]["code"]), (&"WARN".into(), &"G0406".into()));
        assert_eq!(error["level"], "ERROR");
        assert!(
            error["fields"]["message"].as_str().unwrap().starts_with("cannot listen on 127.0.0.1:"),
            "{error}"
        );
        assert!(error["timestamp"].as_str().unwrap().ends_with('Z'), "{error}");
    }

    edit(&config, "public_url: http://127.0.0.1:8080", "public_url: http://proxy.example");
    edit(&config, "keys: { file: keys.yaml }", "keys: {}");
    let seen = events(&serve(&config, &[json()]));
    let places: Vec<_> =
        seen.iter().map(|event| (&event["fields"]["line"], &event["fields"]["code"])).collect();
    assert_eq!(places, [(&2.into(), &"G0402".into()), (&7.into(), &"G0401".into())], "{seen:?}");
    assert!(
        seen.iter().all(|event| event["fields"]["file"] == config && event["level"] == "ERROR"),
        "{seen:?}"
    );

    fs::remove_file(&config).unwrap();
    let seen = events(&serve(&config, &[json()]));
    assert_eq!(seen[0]["fields"]["message"], format!("{config}: there is no such file"));
    serve(&config, &[]).fails(2, &[&format!("error: {config}: there is no such file")]);
}

/// What cannot be recorded does not serve.
/// Fault: the audit log is full at the start. Outcome: the start fails.
#[test]
fn a_start_that_cannot_be_recorded_is_refused() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    edit(&config, "audit: { file: audit.jsonl }", "audit: { stdout: true }");
    let serve = format!("exec {} serve --config {config} > /dev/full", env!("CARGO_BIN_EXE_glassine"));
    run(Command::new("sh").args(["-c", &serve]), "")
        .fails(1, &["the audit log cannot be written", "No space left", "let this program write"]);
}
