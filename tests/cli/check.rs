//! `glassine check`.

use std::fs;
use std::path::Path;

use super::{EXAMPLE, MISTAKES, OTHER_RULES, RULES, Scratch, glassine};

#[test]
fn good_rules_are_summed_up_in_a_line_each() {
    let text = glassine(&["check", RULES, OTHER_RULES, EXAMPLE]).fine();
    assert_eq!(text.lines().count(), 3, "{text}");
    for (line, file) in text.lines().zip([RULES, OTHER_RULES, EXAMPLE]) {
        assert!(line.starts_with(&format!("{file}: ok, connector outlook-mail")), "{line}");
        assert!(line.contains("fingerprint "), "{line}");
    }
}

#[test]
fn every_mistake_is_reported_in_one_pass_with_its_place() {
    glassine(&["check", MISTAKES]).fails(
        1,
        &[
            "G0002",
            "several-mistakes.yaml:1:10",
            "G0101",
            "several-mistakes.yaml:8:41",
            "G0001",
            ":9:5",
            "G0111",
            ":11:32",
            "G0206",
            ":18:18",
            "errors 5",
            "help:",
        ],
    );
}

#[test]
fn one_bad_file_does_not_hide_a_good_one() {
    let ran = glassine(&["check", MISTAKES, RULES]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.starts_with(RULES), "{ran:?}");
    assert!(!ran.stdout.contains(MISTAKES), "{ran:?}");
}

#[test]
fn scripts_read_findings_as_json() {
    let ran = glassine(&["check", "--format", "json", MISTAKES, RULES]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let json = ran.json();
    let [bad, good] = json["files"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!((&bad["file"], &bad["ok"]), (&MISTAKES.into(), &false.into()));
    assert!(bad["fingerprint"].is_null());
    let codes: Vec<_> =
        bad["diagnostics"].as_array().unwrap().iter().map(|one| one["code"].clone()).collect();
    assert_eq!(codes, ["G0002", "G0101", "G0001", "G0111", "G0206"]);
    assert_eq!((&bad["diagnostics"][0]["line"], &bad["diagnostics"][0]["column"]), (&1.into(), &10.into()));
    assert_eq!((&good["file"], &good["ok"]), (&RULES.into(), &true.into()));
    assert_eq!(good["fingerprint"].as_str().unwrap().len(), 64);
    assert_eq!(good["diagnostics"], serde_json::json!([]));
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let scratch = Scratch::new();
    let rules = fs::read_to_string(EXAMPLE).unwrap();
    let raw = rules.replace("token: id }               #", "token: id, raw: true } #");
    assert_ne!(raw, rules);
    let file = scratch.write("raw.yaml", raw);
    let ran = glassine(&["check", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("warning[G0302]"), "{ran:?}");
    glassine(&["check", "--deny-warnings", &file]).fails(1, &["warning[G0302]", "warnings 1"]);
    glassine(&["check", "--deny-warnings", RULES]).fine();
    let json = glassine(&["check", "--deny-warnings", "--format", "json", &file]).json();
    assert_eq!(json["files"][0]["ok"], false);
}

#[test]
fn all_files_that_cannot_be_read_are_named() {
    let scratch = Scratch::new();
    let binary = scratch.write("binary.yaml", b"version: 1\n\xFF\xFE");
    let huge = scratch.write("huge.yaml", "#".repeat((4 << 20) + 1));
    let (missing, directory) = (scratch.path("missing.yaml"), scratch.path(""));
    glassine(&["check", RULES, &missing, &directory, &binary, &huge]).fails(
        2,
        &[
            &format!("{missing}: there is no such file"),
            &format!("{directory}: this is a directory"),
            &format!("{binary}: the file is not UTF-8 text: byte 11"),
            &format!("{huge}: the file has more than 4194304 bytes"),
        ],
    );
}

#[test]
fn an_empty_file_and_other_yaml_are_told_apart_from_rules() {
    let scratch = Scratch::new();
    for (name, text) in [("empty.yaml", ""), ("list.yaml", "- 1\n"), ("broken.yaml", "version: [1\n")] {
        let file = scratch.write(name, text);
        glassine(&["check", &file]).fails(1, &["G0001", name]);
    }
}

/// `UPDATE_SCHEMA=1 cargo test` writes it.
#[test]
fn the_committed_schema_is_up_to_date_and_the_shipped_rules_point_at_it() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/schema.json");
    let schema = glassine(&["check", "--schema"]).fine();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&committed, &schema).unwrap();
    }
    assert_eq!(fs::read_to_string(committed).unwrap(), schema);
    let parsed: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(parsed["additionalProperties"], false);
    for rules in [RULES, OTHER_RULES] {
        let text = fs::read_to_string(rules).unwrap();
        assert_eq!(text.lines().next(), Some("# yaml-language-server: $schema=schema.json"), "{rules}");
    }
}

/// A configuration with all files that it names, and this credential for Graph.
pub(super) fn configuration(scratch: &Scratch, credential: &str) -> String {
    glassine(&["keys", "new", "--out", &scratch.path("keys.yaml")]);
    scratch.write("secret", "a-client-secret");
    let text = format!(
        "listen: 127.0.0.1:0\npublic_url: http://127.0.0.1:8080\n\
         upstream:\n  tenant: contoso.com\n  client_id: 00000000-0000-0000-0000-000000000000\n  credential: {credential}\n\
         keys: {{ file: keys.yaml }}\naudit: {{ file: audit.jsonl }}\nconsumers:\n\
         - {{ name: acme, rules: {RULES}, credential: {{ bearer_sha256: [{}] }} }}\n",
        "0123456789abcdef".repeat(4)
    );
    scratch.write("config.yaml", &text)
}

#[test]
fn a_configuration_is_checked_with_all_that_it_names() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    let text = glassine(&["check", "--config", &file]).fine();
    let (consumer, fingerprint) = text.trim_end().rsplit_once(' ').unwrap();
    let connector = "outlook-mail-metadata-only";
    assert_eq!(consumer, format!("{file}: ok\nconsumer acme: connector {connector}, fingerprint"));
    let json = glassine(&["check", "--config", &file, "--format", "json"]).json();
    let [acme] = json["consumers"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!((&acme["name"], &acme["connector"]), (&"acme".into(), &connector.into()));
    let whole = acme["fingerprint"].as_str().unwrap();
    assert_eq!((whole.len(), &whole[..32]), (64, fingerprint));
    assert!(!Path::new(&scratch.path("audit.jsonl")).exists(), "nothing is opened for writing");
    fs::remove_file(scratch.path("secret")).unwrap();
    fs::write(scratch.path("keys.yaml"), "no keys").unwrap();
    glassine(&["check", "--config", &file]).fails(1, &["G0403", "secret", "keys.yaml"]);
    let json = glassine(&["check", "--config", &file, "--format", "json"]).json();
    assert_eq!((&json["files"][0]["file"], &json["files"][0]["ok"]), (&file.as_str().into(), &false.into()));
    assert_eq!(json["files"][0]["diagnostics"].as_array().unwrap().len(), 2, "{json}");
    assert!(json["consumers"].is_null(), "{json}");
}

#[test]
fn a_consumer_that_could_go_past_the_proxy_is_warned_about() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ forward: true }");
    let ran = glassine(&["check", "--config", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("warning[G0406]") && ran.stderr.contains("past this proxy"), "{ran:?}");
    glassine(&["check", "--deny-warnings", "--config", &file]).fails(1, &["warning[G0406]"]);
}

#[test]
fn a_configuration_and_rules_files_are_two_questions() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    glassine(&["check", "--config", &file, RULES]).fails(2, &["cannot be used with"]);
    glassine(&["check", "--config", &scratch.path("nowhere.yaml")]).fails(2, &["nowhere.yaml"]);
}

/// A rules file of 1.6 MB was too large for `check FILE` and not for `check --config`.
#[test]
fn a_long_rules_file_is_as_long_to_both_questions() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, "{ client_secret_file: secret }");
    let text = fs::read_to_string(&config).unwrap();
    let rules = fs::read_to_string(RULES).unwrap();
    for (bytes, fits) in [(1_600_000, true), (4_300_000, false)] {
        let long = format!("{rules}{}\n", format!("# {}\n", "x".repeat(97)).repeat(bytes / 100));
        let file = scratch.write("long.yaml", long);
        fs::write(&config, text.replace(RULES, &file)).unwrap();
        let (alone, named) = (glassine(&["check", &file]), glassine(&["check", "--config", &config]));
        if fits {
            assert_eq!((alone.code, named.code), (Some(0), Some(0)), "{alone:?} {named:?}");
        } else {
            alone.fails(2, &["long.yaml: the file has more than 4194304 bytes"]);
            named.fails(1, &["long.yaml: the file has more than 4194304 bytes"]);
        }
    }
}

/// `check` accepts a secret of the same length as the program does later, when it uses the secret.
#[test]
fn a_secret_that_would_be_too_long_in_use_is_too_long_at_once() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, "{ client_secret_file: secret }");
    for (bytes, fits) in [(32 * 1024, true), (32 * 1024 + 1, false)] {
        scratch.write("secret", "x".repeat(bytes));
        let ran = glassine(&["check", "--config", &config]);
        assert_eq!(ran.code, Some(if fits { 0 } else { 1 }), "{bytes}: {ran:?}");
    }
}

/// The parser of links refused such a host without a message.
#[test]
fn an_underscore_in_the_host_of_graph_is_fine() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    let text = fs::read_to_string(&file).unwrap();
    let with = |graph: &str| {
        let named = text.replace("upstream:\n", &format!("upstream:\n  graph: {graph}\n"));
        fs::write(&file, named).unwrap();
        glassine(&["check", "--config", &file])
    };
    let ran = with("https://my_graph.example");
    assert!(ran.code == Some(0) && ran.stdout.starts_with(&format!("{file}: ok\n")), "{ran:?}");
    with("https://-graph.example")
        .fails(1, &["G0401", "config.yaml:4:10", "neither a name nor an IP address", "help:"]);
}

/// Editors write a byte order mark in front of a text.
#[test]
fn what_an_editor_puts_before_and_behind_a_secret_is_no_part_of_it() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    let keys = fs::read_to_string(scratch.path("keys.yaml")).unwrap();
    scratch.write("secret", "\u{feff}a-client-secret\r\n");
    scratch.write("keys.yaml", format!("\u{feff}{keys}"));
    glassine(&["check", "--config", &file]).fine();
    glassine(&["keys", "fingerprint", &scratch.path("keys.yaml")]).fine();
    for (secret, says) in [
        (&b"a\xef\xbb\xbfb"[..], "characters other than visible ASCII"),
        (b"two words", "characters other than visible ASCII"),
        (b"caf\xc3\xa9", "characters other than visible ASCII"),
        (b"\xff\xfea\0b\0", "UTF-16 text; save it as UTF-8"),
    ] {
        scratch.write("secret", secret);
        glassine(&["check", "--config", &file]).fails(1, &["G0403", "config.yaml:6:", says]);
    }
    // The file that waits for its secret is no error.
    for empty in [&b""[..], b"\xef\xbb\xbf\r\n"] {
        scratch.write("secret", empty);
        let ran = glassine(&["check", "--config", &file]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for part in ["warning[G0403]", "config.yaml:6:", "secret is empty", "the client secret's Value"] {
            assert!(ran.stderr.contains(part), "{part}: {ran:?}");
        }
    }
    scratch.write("keys.yaml", "");
    glassine(&["check", "--config", &file]).fails(1, &["error[G0403]", "keys.yaml is empty"]);
}

/// Before, an empty `HTTPS_PROXY` hid the other variables.
#[test]
fn an_empty_variable_names_no_proxy_and_hides_none() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    let with = |variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_glassine"));
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        super::run(command.args(["check", "--config", &file]).envs(variables.iter().copied()), "")
    };
    let unusable = "names a kind of proxy that is not supported";
    for variables in [
        &[("HTTPS_PROXY", ""), ("https_proxy", "socks5://proxy.example")][..],
        &[("https_proxy", ""), ("ALL_PROXY", "socks5://proxy.example")],
        &[("HTTPS_PROXY", ""), ("ALL_PROXY", ""), ("all_proxy", "socks5://proxy.example")],
    ] {
        with(variables).fails(1, &[unusable]);
    }
    for variables in [
        &[("HTTPS_PROXY", ""), ("https_proxy", "")][..],
        &[("HTTPS_PROXY", "http://proxy.example:3128"), ("https_proxy", "socks5://proxy.example")],
    ] {
        with(variables).fine();
    }
    with(&[("HTTPS_PROXY", "http://user:pa#ss@proxy.example:3128")]).fails(1, &["`#`", "%23"]);
}

#[test]
fn an_audit_log_that_could_not_be_written_is_found_before_the_start() {
    let scratch = Scratch::new();
    let file = configuration(&scratch, "{ client_secret_file: secret }");
    let text = fs::read_to_string(&file).unwrap();
    let with = |audit: &str| {
        fs::write(&file, text.replace("file: audit.jsonl", &format!("file: {audit}"))).unwrap();
        glassine(&["check", "--config", &file])
    };
    with("no/such/folder/audit.jsonl").fails(
        1,
        &["G0403", "config.yaml:", "audit.jsonl: the audit log cannot be written", "No such file", "create "],
    );
    with("secret/audit.jsonl").fails(1, &["a file"]);
    fs::create_dir(scratch.path("folder")).unwrap();
    with("folder").fails(1, &["directory"]);
    with("folder/audit.jsonl").fine();
    assert!(!fs::exists(scratch.path("folder/audit.jsonl")).unwrap());
    scratch.write("folder/audit.jsonl", "");
    with("folder/audit.jsonl").fine();
    assert_eq!(fs::read_to_string(scratch.path("folder/audit.jsonl")).unwrap(), "");
}

/// A self-signed certificate for `proxy.example`, valid between these years, and its key.
fn certificate(scratch: &Scratch, name: &str, years: (i32, i32)) {
    let mut params = rcgen::CertificateParams::new(vec!["proxy.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    scratch.write(&format!("{name}.crt"), params.self_signed(&key).unwrap().pem());
    scratch.write(&format!("{name}.key"), key.serialize_pem());
}

#[test]
fn certificates_are_checked_for_today_and_for_their_place() {
    let scratch = Scratch::new();
    for (name, years) in [("good", (2020, 2120)), ("ended", (2020, 2021)), ("early", (2110, 2120))] {
        certificate(&scratch, name, years);
    }
    let both =
        ["good", "ended"].map(|name| fs::read_to_string(scratch.path(&format!("{name}.crt"))).unwrap());
    scratch.write("both.crt", both.concat());
    let with = |certificate: &str, key: &str, more: &str, host: &str| {
        let tls =
            format!("tls: {{ certificate_file: {certificate}.crt, private_key_file: {key}.key{more} }}\n");
        let file = configuration(&scratch, "{ client_secret_file: secret }");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replace("public_url: http://127.0.0.1:8080", &format!("public_url: https://{host}"));
        fs::write(&file, format!("{text}{tls}")).unwrap();
        glassine(&["check", "--config", &file])
    };
    with("good", "good", "", "proxy.example").fine();
    with("ended", "ended", "", "proxy.example")
        .fails(1, &["G0403", "ended.crt", "ended on 2021-01-01", "renew"]);
    with("early", "early", "", "proxy.example").fails(1, &["G0403", "not valid before 2110-01-01", "clock"]);
    with("good", "ended", "", "proxy.example").fails(1, &["G0403", "good.crt", "ended.key"]);
    let other = with("good", "good", "", "other.example");
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.stderr.contains("warning[G0409]") && other.stderr.contains("does not name other.example"));
    with("good", "good", ", client_ca_file: ended.crt", "proxy.example").fails(1, &["ended.crt", "ended on"]);
    let left = with("good", "good", ", client_ca_file: both.crt", "proxy.example");
    assert_eq!(left.code, Some(0), "{left:?}");
    assert!(
        left.stderr.contains("warning[G0409]") && left.stderr.contains("of 2 certificates, 1"),
        "{left:?}"
    );
}
