//! What `check --config` finds before an operator falls into it, and that the good form is silent.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::check::configuration;
use super::{Ran, Scratch, glassine, run};
use crate::support::able::is_able;
use crate::support::spawned::Killed;

const SECRET: &str = "{ client_secret_file: secret }";

fn edit(config: &str, old: &str, new: &str) {
    let text = fs::read_to_string(config).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(config, text.replace(old, new)).unwrap();
}

fn check(config: &str) -> Ran {
    glassine(&["check", "--config", config])
}

/// The check succeeds, with one warning of this code and these parts.
#[track_caller]
fn warns(config: &str, code: &str, parts: &[&str]) {
    let ran = check(config);
    assert_eq!((ran.code, ran.stderr.matches("warning[").count()), (Some(0), 1), "{ran:?}");
    for part in [&[format!("warning[{code}]").as_str()], parts].concat() {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    glassine(&["check", "--deny-warnings", "--config", config]).fails(1, &[code]);
}

#[test]
fn a_secret_that_every_account_can_read_is_told() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    check(&config).fine();
    for file in ["secret", "keys.yaml"] {
        let mode = |mode| fs::set_permissions(scratch.path(file), fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        warns(&config, "G0413", &[file, "every account of this machine can read this secret", "chmod o-r '"]);
        mode(0o640);
        check(&config).fine();
    }
}

/// A certificate that ends in so many days, for the host of the configuration's public URL.
fn with_certificate(scratch: &Scratch, days: i64) -> String {
    let config = configuration(scratch, SECRET);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let end = today.saturating_add(jiff::Span::new().days(days));
    let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let (month, day) = (u8::try_from(end.month()).unwrap(), u8::try_from(end.day()).unwrap());
    parameters.not_after = date_time_ymd(end.year().into(), month, day);
    let key = KeyPair::generate().unwrap();
    scratch.write("tls.crt", parameters.self_signed(&key).unwrap().pem());
    scratch.write("tls.key", key.serialize_pem());
    edit(&config, "listen:", "tls: { certificate_file: tls.crt, private_key_file: tls.key }\nlisten:");
    config
}

#[test]
fn a_certificate_that_ends_soon_is_told() {
    let scratch = Scratch::new();
    warns(&with_certificate(&scratch, 20), "G0409", &["tls.crt: the certificate ends on ", "renew"]);
    let scratch = Scratch::new();
    check(&with_certificate(&scratch, 40)).fine();
    let scratch = Scratch::new();
    let config = with_certificate(&scratch, -1);
    check(&config).fails(1, &["error[G0403]", "tls.crt: the certificate ended on "]);
    // Authorities end, too.
    let scratch = Scratch::new();
    let config = with_certificate(&scratch, 40);
    let other = Scratch::new();
    with_certificate(&other, 20);
    let ca = other.path("tls.crt");
    edit(&config, "tls.key }", &format!("tls.key, client_ca_file: {ca}, client_certificates: optional }}"));
    warns(&config, "G0409", &["tls.crt: the certificate ends on ", "authority"]);
}

/// `/proc` takes no new file, from root neither.
#[test]
fn a_folder_that_takes_no_audit_log_is_told() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    edit(&config, "file: audit.jsonl", "file: /proc/audit.jsonl");
    check(&config)
        .fails(1, &["G0403", "the audit log cannot be written", "no file can be made in its folder"]);
    edit(&config, "file: /proc/audit.jsonl", "file: audit.jsonl, rotate: { daily: true }");
    check(&config).fine();
    let left: Vec<_> = fs::read_dir(scratch.path("")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_clock_that_is_behind_the_keys_is_told() {
    let scratch = Scratch::new();
    let config = configuration(&scratch, SECRET);
    let keys = fs::read_to_string(scratch.path("keys.yaml")).unwrap();
    let year = jiff::Timestamp::now().to_string()[..4].to_owned();
    let next = (year.parse::<u32>().unwrap() + 1).to_string();
    scratch.write("keys.yaml", keys.replacen(&format!("{year}-"), &format!("{next}-"), 1));
    warns(&config, "G0414", &["key A was made at ", "the clock of this machine says ", "timedatectl"]);
}

/// A shell in which this process may mount: mount namespaces of Linux (`unshare`). `None` where a container forbids them.
fn namespace(script: &str) -> Option<Command> {
    let shell = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", script]);
        command
    };
    let may_mount = shell("true").status().is_ok_and(|status| status.success());
    is_able(may_mount, "mount namespaces (`unshare`)").then(|| shell(script))
}

/// Two folders: the configuration of a container, and the one outside of it, whose files are mounted.
struct Container {
    inside: Scratch,
    outside: Scratch,
}

impl Container {
    fn new() -> Self {
        let (inside, outside) = (Scratch::new(), Scratch::new());
        let config = configuration(&inside, SECRET);
        fs::copy(&config, outside.path("config.yaml")).unwrap();
        Self { inside, outside }
    }

    /// A mount of the file, or of the folder with all files.
    fn mount(&self, name: &str) -> String {
        format!("mount --bind '{}' '{}'\n", self.outside.path(name), self.inside.path(name))
    }

    /// A program with these arguments before the configuration, once `script` has run.
    fn run(&self, script: &str, program: &str) -> Option<Command> {
        let config = self.inside.path("config.yaml");
        namespace(&format!("{script}exec '{}' {program} --config '{config}'", env!("CARGO_BIN_EXE_glassine")))
    }

    /// As an editor does it.
    fn replace_outside(&self) {
        fs::copy(self.outside.path("config.yaml"), self.outside.path("new")).unwrap();
        fs::rename(self.outside.path("new"), self.outside.path("config.yaml")).unwrap();
    }
}

#[test]
fn a_file_that_is_mounted_alone_is_told() {
    let container = Container::new();
    let script = container.mount("config.yaml");
    let Some(mut command) = container.run(&script, "check") else { return };
    let ran = run(&mut command, "");
    assert_eq!((ran.code, ran.stderr.matches("warning[").count()), (Some(0), 1), "{ran:?}");
    for part in ["warning[G0410]", "config.yaml: the file is mounted alone", "mount the folder"] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    // A folder is mounted as it should be.
    let folder = format!("mount --bind '{0}' '{0}'\n", container.inside.path(""));
    run(&mut container.run(&folder, "check").unwrap(), "").fine();
    let replaced = format!("{script}mv '{0}.new' '{0}'\n", container.outside.path("config.yaml"));
    fs::copy(container.outside.path("config.yaml"), container.outside.path("config.yaml.new")).unwrap();
    let ran = run(&mut container.run(&replaced, "check").unwrap(), "");
    ran.fails(1, &["error[G0410]", "replaced outside of the container", "start the container anew"]);
    // The neighbour: a file of the mounted folder is replaced.
    let moved =
        format!("{folder}cp '{0}' '{0}.new'\nmv '{0}.new' '{0}'\n", container.inside.path("config.yaml"));
    run(&mut container.run(&moved, "check").unwrap(), "").fine();
}

/// It read the old file, and said that the files were reloaded.
/// Fault: a file that is mounted alone is replaced outside of the container. Outcome: the last good state stays in use, and the log names the file.
#[test]
fn a_reload_through_a_stale_mount_is_no_success() {
    let container = Container::new();
    let Some(mut command) = container.run(&container.mount("config.yaml"), "serve") else { return };
    let mut served = Killed(command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    let mut log = BufReader::new(served.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("the file is mounted alone")), "the start warns");
    assert!(log.any(|line| line.contains("listening for consumers")));
    container.replace_outside();
    let failed =
        log.find(|line| line.contains("reloaded") || line.contains("the last good state goes on running"));
    let failed = failed.unwrap();
    assert!(failed.contains("last good state"), "{failed}");
    assert!(
        log.any(|line| line.contains("replaced outside of the container")) || failed.contains("replaced")
    );
}

/// `deploy/config.yaml` with the files that it names. Its consumer's addresses are for examples, so nobody could connect.
#[test]
fn the_sample_configuration_warns_of_what_has_to_be_replaced_and_of_nothing_else() {
    let scratch = Scratch::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("deploy/config.yaml")).unwrap();
    for folder in ["tls", "secrets", "data"] {
        fs::create_dir(scratch.path(folder)).unwrap();
    }
    std::os::unix::fs::symlink(root.join("rules"), scratch.path("rules")).unwrap();
    glassine(&["keys", "new", "--out", &scratch.path("secrets/keys.yaml")]).fine();
    scratch.write("secrets/client-secret", "a-client-secret");
    let made = rcgen::generate_simple_self_signed(["graph-proxy.contoso.example".to_owned()]).unwrap();
    scratch.write("tls/tls.crt", made.cert.pem());
    scratch.write("tls/tls.key", made.signing_key.serialize_pem());
    let config = scratch.write("config.yaml", text.replace("/var/lib/glassine", "data"));
    warns(&config, "G0411", &["[203.0.113.0/24]", "nobody is admitted"]);
    edit(&config, "allow_from: [203.0.113.0/24] ", "allow_from: [10.0.0.0/8] ");
    check(&config).fine();
}
