//! `glassine init`.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use glassine_core::hex;
use glassine_core::rules::compile;
use sha2::{Digest as _, Sha256};

use super::{RULES, Ran, Scratch, glassine, glassine_reading, run};
use crate::support::able::is_able;

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const ANSWERED: [&str; 4] = ["--tenant", "contoso.onmicrosoft.com", "--client-id", CLIENT];

fn init(folder: &str, more: &[&str]) -> Ran {
    glassine(&[&["init", folder], &ANSWERED[..], more].concat())
}

fn look(folder: &str, name: &str) -> Metadata {
    fs::metadata(Path::new(folder).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names of everything in a folder, hidden or not.
fn names(folder: &str) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_folder_is_made_that_check_accepts() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    let ran = init(&folder, &["--data", "data"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(names(&folder), ["config.yaml", "data", "rules", "secrets", "tls"].map(str::to_owned).into());
    assert_eq!(names(&scratch.path("")), ["glassine".to_owned()].into(), "no draft is left");
    for written in ["config.yaml", "secrets/keys.yaml", "secrets/client-secret", "tls/tls.crt", "tls/tls.key"]
    {
        assert!(ran.stderr.contains(&format!("  {written} ")), "{written}: {ran:?}");
        assert_eq!(look(&folder, written).mode() & 0o007, 0, "{written} is closed to other accounts");
    }
    let config = format!("{folder}/config.yaml");
    let checked = glassine(&["check", "--config", &config]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.stdout.contains("consumer analytics: connector outlook-mail-metadata-only"),
        "{checked:?}"
    );
    let warnings = checked.stderr.matches("warning[").count();
    assert!(warnings == 1 && checked.stderr.contains("client-secret is empty"), "{checked:?}");
    fs::write(format!("{folder}/secrets/client-secret"), "a-client-secret\n").unwrap();
    glassine(&["check", "--deny-warnings", "--config", &config]).fine();
    let rules = fs::read_to_string(format!("{folder}/rules/outlook-mail-metadata-only.yaml")).unwrap();
    assert_eq!(rules, fs::read_to_string(RULES).unwrap());
}

#[test]
fn the_next_steps_name_what_is_exactly_needed() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    let url = "https://graph-proxy.contoso.example";
    let ran = init(&folder, &["--public-url", url, "--consumer", "acme", "--data", "data"]);
    let plan = compile(RULES, &fs::read_to_string(RULES).unwrap()).plan.unwrap();
    let needed: Vec<_> = plan.permissions.iter().map(|it| it.any_of[0].as_str()).collect();
    let told = ran.stdout.lines().filter_map(|line| line.strip_prefix("     ")?.split_whitespace().next());
    assert_eq!(told.collect::<Vec<_>>(), needed);
    let consent =
        format!("https://login.microsoftonline.com/contoso.onmicrosoft.com/adminconsent?client_id={CLIENT}");
    for part in [&consent, "secrets/client-secret", "glassine doctor --config config.yaml", url, "--cacert"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:?}");
    }
    let token = ran.stdout.split_whitespace().find(|word| word.starts_with("glassine_")).unwrap();
    let config = fs::read_to_string(format!("{folder}/config.yaml")).unwrap();
    assert!(config.contains(&hex::lower(&Sha256::digest(token))) && !config.contains(token), "{config}");
    assert!(config.contains("name: acme\n") && config.contains(&format!("public_url: {url}\n")), "{config}");
    let certificate = fs::read(format!("{folder}/tls/tls.crt")).unwrap();
    let again = init(&scratch.path("other"), &["--data", "data"]);
    assert_ne!(certificate, fs::read(scratch.path("other/tls/tls.crt")).unwrap());
    assert!(!again.stdout.contains(token), "each has its own token");
}

#[test]
fn what_no_option_says_is_asked_until_the_answer_can_be_used() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    let answers = format!("contoso\ncontoso.onmicrosoft.com\nmine\n{CLIENT}\nhttp://p.example\n\n");
    let ran = glassine_reading(&["init", &folder, "--data", "data"], &answers);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for part in [
        "this is not a tenant: write its domain",
        "this is not a client id: copy",
        "plaintext",
        "[https://localhost:8443]",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {ran:?}");
    }
    let config = fs::read_to_string(format!("{folder}/config.yaml")).unwrap();
    for line in [
        "tenant: contoso.onmicrosoft.com",
        CLIENT,
        "public_url: https://localhost:8443\n",
        "[contoso.onmicrosoft.com]",
    ] {
        assert!(config.contains(line), "{line}: {config}");
    }
}

#[test]
fn nothing_is_written_without_all_answers() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    let ran = glassine_reading(&["init", &folder], "contoso.onmicrosoft.com\n");
    ran.fails(2, &["nobody has answered; give `--client-id`"]);
    glassine(&["init", &folder, "--tenant", "common"]).fails(2, &["this is not a tenant"]);
    init(&folder, &["--consumer", "Acme Inc"]).fails(2, &["this is not a name"]);
    init(&folder, &["--public-url", "http://p.example"]).fails(2, &["plaintext"]);
    init(&scratch.path("no/where"), &[]).fails(2, &["cannot be written: No such file", "nothing was made"]);
    init("..", &[]).fails(2, &["names no folder"]);
    assert!(names(&scratch.path("")).is_empty());
}

#[test]
fn files_are_never_overwritten() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    fs::create_dir(&folder).unwrap();
    assert_eq!(init(&folder, &["--data", "data"]).code, Some(0), "an empty folder has nothing to lose");
    let keys = fs::read(format!("{folder}/secrets/keys.yaml")).unwrap();
    init(&folder, &[]).fails(2, &["this exists and was not changed"]);
    init(&scratch.write("file", "text"), &[]).fails(2, &["this exists and was not changed"]);
    assert_eq!(fs::read(format!("{folder}/secrets/keys.yaml")).unwrap(), keys);
    assert_eq!(names(&scratch.path("")), ["file", "glassine"].map(str::to_owned).into());
}

/// Root in a container gives the files to whom the folder around them belongs to, and lets the image's group read them.
#[test]
fn the_image_can_read_what_root_has_made() {
    if !is_able(is_root(), "root, to give files away") {
        return;
    }
    let scratch = Scratch::new();
    std::os::unix::fs::chown(scratch.path(""), Some(1_234), Some(1_234)).unwrap();
    let folder = scratch.path("glassine");
    let ran = init(&folder, &["--data", "data"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let modes = [("", 0o2750), ("config.yaml", 0o640), ("secrets", 0o2750), ("secrets/client-secret", 0o640)];
    for (name, mode) in modes.into_iter().chain([("tls/tls.key", 0o640), ("rules", 0o2750), ("data", 0o2770)])
    {
        let seen = look(&folder, name);
        assert_eq!((seen.uid(), seen.gid(), seen.mode() & 0o7777), (1_234, 65_532, mode), "{name}");
    }
}

#[test]
fn without_root_only_the_own_account_can_read_the_files() {
    if !is_able(is_root(), "root, to give files away") {
        return;
    }
    let scratch = Scratch::new();
    let program = scratch.path("program");
    fs::copy(env!("CARGO_BIN_EXE_glassine"), &program).unwrap();
    fs::set_permissions(scratch.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let folder = scratch.path("glassine");
    let mut command = Command::new(program);
    command.args(["init", &folder, "--data", "/var/lib/glassine"]).args(ANSWERED).uid(65_533).gid(65_533);
    let ran = run(&mut command, "");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for (name, mode) in [("", 0o700), ("config.yaml", 0o600), ("secrets", 0o700), ("tls/tls.key", 0o600)] {
        let seen = look(&folder, name);
        assert_eq!((seen.uid(), seen.mode() & 0o7777), (65_533, mode), "{name}");
    }
    assert!(ran.stdout.contains("sudo chgrp -R 65532 ."), "{ran:?}");
}

/// The folder that is made has a compose file for those who have the image only, and the repository one that builds it.
#[test]
fn both_compose_files_say_the_same_and_mount_no_single_file() {
    let scratch = Scratch::new();
    let folder = scratch.path("glassine");
    let ran = init(&folder, &["--data", "/var/lib/glassine"]);
    assert!(ran.stdout.contains("docker compose -f compose.yaml up"), "{ran:?}");
    assert!(!Path::new(&folder).join("data").exists());
    let service = |text: String| text.split_once("services:\n").unwrap().1.to_owned();
    let made = service(fs::read_to_string(format!("{folder}/compose.yaml")).unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = service(fs::read_to_string(root.join("deploy/docker-compose.yaml")).unwrap());
    let as_made = shipped.replace("    build: { context: .. }\n", "").replace("- ./glassine:", "- .:");
    assert_eq!(as_made, made);
    assert!(made.contains(concat!("image: glassine:", env!("CARGO_PKG_VERSION"), "\n")), "{made}");
    let volumes: Vec<_> = made.lines().filter_map(|line| line.strip_prefix("      - ")).collect();
    assert_eq!(volumes, [".:/etc/glassine:ro", "audit:/var/lib/glassine"]);
    let audit = "file: \"/var/lib/glassine/audit.jsonl\"";
    assert!(fs::read_to_string(format!("{folder}/config.yaml")).unwrap().contains(audit));
    let wrapper = fs::read_to_string(root.join("deploy/init")).unwrap();
    assert!(wrapper.contains(concat!("glassine:", env!("CARGO_PKG_VERSION"))), "{wrapper}");
    assert_eq!(look(env!("CARGO_MANIFEST_DIR"), "deploy/init").mode() & 0o111, 0o111);
}
