//! Executes what the `console` blocks show. `…` stands for any text. Line breaks do not matter, because README.md
//! breaks long lines.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use glassine::demo::tenant::Tenant;

use super::{blocks, document};
use crate::support::glassine::{Glassine, METADATA_ONLY, Setup, sample_tenant, write_private};

/// The address of the proxy in README.md.
const SHOWN: &str = "http://127.0.0.1:8080";

/// A command and what it prints.
#[derive(Debug)]
struct Example {
    command: &'static str,
    output: String,
}

/// The commands of all blocks, in order.
fn examples(name: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for line in blocks(document(name), "console").into_iter().flat_map(str::lines) {
        match line.trim_start().strip_prefix("$ ") {
            Some(command) => examples.push(Example { command, output: String::new() }),
            None => examples.last_mut().expect("a block begins with a command").output += line,
        }
    }
    examples
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Whether the pieces of `expected` between `…` are in `printed`, in order and with nothing around them.
fn matches(expected: &str, printed: &str) -> bool {
    let (expected, printed) = (without_space(expected), without_space(printed));
    let Some((first, others)) = expected.split_once('…') else { return expected == printed };
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let mut others: Vec<_> = others.split('…').collect();
    let last = others.pop().unwrap_or_default();
    for piece in others {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn an_ellipsis_is_anything_and_everything_else_is_itself() {
    for (expected, printed) in
        [("a\n b", "ab\n"), ("a…", "abc"), ("a…c…e", "abcde"), ("…", ""), ("a……b", "ab")]
    {
        assert!(matches(expected, printed), "{expected}");
    }
    for (expected, printed) in [("a", "ab"), ("a…c", "abcd"), ("a…c…b", "abc"), ("a…a", "a"), ("…x…", "abc")]
    {
        assert!(!matches(expected, printed), "{expected}");
    }
}

/// A proxy in front of the sample tenant, and a folder with what the documents' commands use.
struct Place {
    proxy: Glassine,
    tenant: Arc<Tenant>,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let (tenant, graph) = sample_tenant().await;
        let domain = format!("{}, {}", tenant.domain(), tenant.initial_domain());
        let setup = Setup { domain, ..Setup::in_front_of(graph) };
        let proxy = setup.start().await;
        let folder = tempfile::tempdir().unwrap();
        let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
        symlink(repository.join("rules"), folder.path().join("rules")).unwrap();
        symlink(env!("CARGO_BIN_EXE_glassine"), folder.path().join("glassine")).unwrap();
        Self { proxy, tenant, folder }
    }

    /// The output of a shell: standard output and standard error together.
    fn shell(&self, command: &str) -> String {
        let script = format!("PATH=$PWD:$PATH; {{ {command}\n}} 2>&1");
        let ran = Command::new("sh").args(["-c", &script]).current_dir(self.folder.path()).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    }

    /// A request by README.md's function `graph`, with `user` as `$USER`.
    async fn graph(&self, argument: &str, user: &str) -> String {
        let target = match argument.strip_prefix('"') {
            Some(quoted) => quoted.trim_end_matches('"').replace("$USER", user).replace("\\$", "$"),
            None => argument.trim_matches('\'').to_owned(),
        };
        self.proxy.get(&target).await.text().replace(&self.proxy.url(), SHOWN)
    }

    /// What the admin listener says, once it is as expected: a reload takes a few seconds.
    async fn admin(&self, target: &str, is_expected: impl Fn(&str) -> bool) -> String {
        let mut text = String::new();
        for _ in 0..160 {
            text = self.proxy.admin_get(target).await.text();
            if is_expected(&text) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        text
    }

    fn write(&self, name: &str, text: &str) {
        write_private(self.folder.path().join(name), text);
    }
}

#[tokio::test]
async fn the_commands_of_the_readme_print_what_it_shows() {
    let place = Place::new().await;
    let user = place.proxy.id(place.tenant.users()[0].id());
    let examples = examples("README.md");
    assert_eq!(examples.iter().filter(|it| it.command.starts_with("graph ")).count(), 5);
    assert_eq!(examples.len(), 9, "each is tried below");
    for Example { command, output } in examples {
        let printed = match command.strip_prefix("graph ") {
            Some(argument) => place.graph(argument, &user).await,
            None => place.shell(command),
        };
        assert!(matches(&output, &printed), "$ {command}\n{printed}\nis not\n{output}");
    }
}

/// Waits for the audit records of `requests`.
async fn audit_log(place: &Place, requests: usize) -> String {
    for _ in 0..requests {
        place.proxy.get("/v1.0/users?$top=1").await;
    }
    place.proxy.audited(requests).await;
    place.proxy.read("audit.jsonl")
}

/// The proxy's configuration, from another folder and with the documents' names of a consumer and a domain.
fn configuration(place: &Place) -> String {
    let files = ["acme.yaml", "keys.yaml", "graph-token"];
    let text = place.proxy.read("config.yaml").replace("name: acme\n", "name: acme-analytics\n");
    let text = text.replace(place.tenant.domain(), "contoso.com");
    files.iter().fold(text, |text, file| {
        text.replace(&format!(" {file}"), &format!(" {}", place.proxy.file(file).display()))
    })
}

/// All examples but the doctor's, which needs a deployment: see `tests/doctor`.
#[tokio::test]
async fn the_commands_of_the_reference_print_what_it_shows() {
    let place = Place::new().await;
    place.write("audit.jsonl", &audit_log(&place, 3).await);
    std::fs::create_dir(place.folder.path().join("secrets")).unwrap();
    place.write("secrets/keys.yaml", &place.proxy.read("keys.yaml"));
    place.write("config.yaml", &configuration(&place));
    let mut tried = 0;
    for Example { command, output } in examples("docs/COMMANDS.md") {
        match command.strip_prefix("cat ") {
            Some(file) => place.write(file, &output),
            None if command.starts_with("glassine doctor") => {}
            None => {
                let printed = place.shell(command);
                assert!(matches(&output, &printed), "$ {command}\n{printed}\nis not\n{output}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 12, "only {tried}");
    let mode = std::fs::metadata(place.folder.path().join("keys.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only the owner can read the file");
}

/// The rotation of docs/OPERATIONS.md, with the key file of the proxy that runs.
#[tokio::test]
async fn the_rotation_of_the_operations_page_prints_what_it_shows() {
    let place = Place::new().await;
    let folder = place.proxy.file("keys.yaml").parent().unwrap().to_owned();
    symlink(folder, place.folder.path().join("secrets")).unwrap();
    place.shell("rm secrets/keys.yaml; glassine keys new --out secrets/keys.yaml");
    let examples = examples("docs/OPERATIONS.md");
    assert_eq!(examples.len(), 7, "each is tried below");
    for Example { command, output } in examples {
        let printed =
            match command.strip_prefix("curl -s '127.0.0.1:9901").and_then(|it| it.strip_suffix('\'')) {
                Some(target) => place.admin(target, |text| matches(&output, text)).await,
                None => place.shell(command),
            };
        assert!(matches(&output, &printed), "$ {command}\n{printed}\nis not\n{output}");
    }
}

#[tokio::test]
async fn the_commands_of_the_descriptions_page_print_what_it_shows() {
    let place = Place::new().await;
    let examples = examples("docs/DESCRIPTIONS.md");
    assert_eq!(examples.len(), 3, "each is tried below");
    for Example { command, output } in examples {
        let printed = place.shell(command);
        assert!(matches(&output, &printed), "$ {command}\n{printed}\nis not\n{output}");
    }
}

/// The walk from a change to two signatures, with real keys.
#[tokio::test]
async fn the_walk_of_the_approvals_page_prints_what_it_shows() {
    let place = Place::new().await;
    let hash = "0123456789abcdef".repeat(4);
    place.write("rules.yaml", METADATA_ONLY);
    place.write("graph-token", "a-token");
    place.shell("glassine keys new --out keys.yaml");
    let config = "listen: 127.0.0.1:0\npublic_url: http://127.0.0.1:8080\n\
                  upstream: { credential: { access_token_file: graph-token } }\n\
                  keys: { file: keys.yaml }\naudit: { stdout: true }\n\
                  approvals: { signers_file: reviewers, require: 2 }\nconsumers:\n\
                  - name: acme-analytics\n  rules: rules.yaml\n  approved_by: [alice.sig, bob.sig]\n";
    place.write("config.yaml", &format!("{config}  credential: {{ bearer_sha256: [{hash}] }}\n"));
    let examples = examples("docs/APPROVALS.md");
    assert_eq!(examples.len(), 14, "each is tried below");
    for Example { command, output } in examples {
        let printed = place.shell(command);
        assert!(matches(&output, &printed), "$ {command}\n{printed}\nis not\n{output}");
    }
}

/// Whether docs/COMMANDS.md shows what the doctor printed in front of a healthy deployment, whose consumer is called `acme`.
pub(crate) fn shows_healthy(printed: &str) -> bool {
    let examples = examples("docs/COMMANDS.md");
    let doctor = examples.iter().find(|it| it.command.starts_with("glassine doctor")).expect("an example");
    matches(&doctor.output.replace("acme-analytics", "acme"), printed)
}

/// Whether docs/LIVE-CHECK.md shows the report of the sample tenant.
pub(crate) fn shows_live_facts(printed: &str) -> bool {
    let examples = examples("docs/LIVE-CHECK.md");
    let report = examples.iter().find(|it| it.command.contains("--live-facts")).expect("an example");
    matches(&report.output, printed)
}

/// The configuration of docs/LIVE-CHECK.md.
pub(crate) fn live_check_configuration() -> &'static str {
    blocks(document("docs/LIVE-CHECK.md"), "yaml").first().expect("a configuration")
}
