//! `glassine doctor` as an operator runs it: the built program, in front of the sample tenant and of scripted servers.
//!
//! | file | what |
//! |---|---|
//! | `tenant` | set-ups with the sample tenant's Entra: healthy, over-privileged, unconsented, mailboxes |
//! | `broken` | what is wrong with credentials, servers, clocks and the public URL |
//! | `live` | `--live-facts`: its questions, and what its report holds |
//! | `files` | what is wrong with files: modes, certificates, rules |
//! | `usage` | the command line |

mod broken;
mod files;
mod live;
mod tenant;
mod usage;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use glassine::demo::tenant::{Registration, Tenant};
use serde_json::Value;

use crate::cli::{Ran, glassine};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup, sample_tenant};
use crate::support::upstream::FakeUpstream;

/// The app registration that has exactly what the metadata-only rules need, once somebody consents.
const APPLICATION: &str = "Outlook Mail - Meta Data Only";

/// A run's findings, read as scripts read them.
struct Findings {
    ran: Ran,
    all: Value,
}

/// Runs the doctor while this thread serves its requests.
async fn run(args: &[&str]) -> Ran {
    let args: Vec<_> = std::iter::once("doctor").chain(args.iter().copied()).map(str::to_owned).collect();
    let running =
        tokio::task::spawn_blocking(move || glassine(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    running.await.unwrap()
}

async fn text_of(proxy: &Glassine) -> Ran {
    text_about(&proxy.file("config.yaml")).await
}

/// The doctor's findings about a configuration, as people read them.
pub(crate) async fn text_about(config: &Path) -> Ran {
    run(&["--config", config.to_str().unwrap()]).await
}

async fn examine(proxy: &Glassine) -> Findings {
    examine_with(proxy, &[]).await
}

async fn examine_with(proxy: &Glassine, more: &[&str]) -> Findings {
    let file = proxy.file("config.yaml");
    let ran = run(&[&["--config", file.to_str().unwrap(), "--format", "json"], more].concat()).await;
    Findings { all: ran.json(), ran }
}

impl Findings {
    fn checks(&self) -> impl Iterator<Item = &Value> {
        self.all["checks"].as_array().unwrap().iter()
    }

    fn of(&self, section: &'static str) -> impl Iterator<Item = &Value> {
        self.checks().filter(move |it| it["section"] == section)
    }

    /// The only check of this name in a section.
    fn get(&self, section: &'static str, check: &str) -> &Value {
        let found: Vec<_> = self.of(section).filter(|it| it["check"] == check).collect();
        let [found] = found[..] else { panic!("{section} {check}: {found:?} in {:#}", self.all) };
        found
    }

    /// Asserts the outcome of a check, and that its message and advice have these parts.
    fn expect(&self, section: &'static str, check: &str, outcome: &str, parts: &[&str]) {
        let found = self.get(section, check);
        let text = format!("{}\n{}", text(&found["message"]), text(&found["advice"]));
        assert_eq!(found["outcome"], outcome, "{found:#}");
        parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in {text}"));
        let is_bad = matches!(outcome, "warn" | "fail");
        assert_eq!(found["advice"].is_string(), is_bad, "only bad outcomes have advice: {found:#}");
    }

    /// The checks with a warning or a failure, as `section check`.
    fn bad(&self) -> Vec<String> {
        let bad = self.checks().filter(|it| it["outcome"] == "warn" || it["outcome"] == "fail");
        bad.map(|it| format!("{} {}", text(&it["section"]), text(&it["check"]))).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A proxy in front of a sample tenant, with its own application.
pub(crate) struct Clinic {
    tenant: Arc<Tenant>,
    pub(crate) proxy: Glassine,
    client_id: String,
}

impl Clinic {
    /// Everything that the rules need is granted, and nothing else.
    async fn consented() -> Self {
        Self::with(|setup| setup).await
    }

    pub(crate) async fn unconsented() -> Self {
        Self::new(|_| {}, |setup| setup).await
    }

    /// As [`Self::consented`], with another configuration.
    async fn with(change: impl FnOnce(Setup) -> Setup) -> Self {
        let grant = |it: &mut Registration| {
            it.configured().to_vec().iter().for_each(|permission| it.grant(permission));
        };
        Self::new(grant, change).await
    }

    /// The running proxy may have a token from its start, so `grant` comes before it.
    async fn new(grant: impl FnOnce(&mut Registration), change: impl FnOnce(Setup) -> Setup) -> Self {
        Self::of(sample_tenant().await, grant, change).await
    }

    /// As [`Self::new`], in front of this tenant.
    async fn of(
        (tenant, url): (Arc<Tenant>, String),
        grant: impl FnOnce(&mut Registration),
        change: impl FnOnce(Setup) -> Setup,
    ) -> Self {
        let registered = tenant.entra().registration(APPLICATION).unwrap();
        tenant.entra().change(registered.client_id(), grant).unwrap();
        let application = tenant.entra().registration(APPLICATION).unwrap();
        let client_id = application.client_id().to_owned();
        let mut setup = Setup::in_front_of(&url);
        setup.domain = own_domains(&tenant);
        setup.credential = credential(&url, tenant.tenant_id(), &client_id);
        setup.files = vec![("secret", application.client_secret().to_owned())];
        let proxy = sealed(change(setup), &["secret"]).start().await;
        Self { tenant, proxy, client_id }
    }

    /// As an administrator: grants what the application asks for.
    pub(crate) fn consent(&self) {
        self.change(|it| it.configured().to_vec().iter().for_each(|permission| it.grant(permission)));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Registration) -> T) {
        self.tenant.entra().change(&self.client_id, change).unwrap();
    }
}

/// All of the tenant's domains.
fn own_domains(tenant: &Tenant) -> String {
    format!("{}, {}", tenant.domain(), tenant.initial_domain())
}

fn credential(authority: &str, tenant: &str, client_id: &str) -> String {
    format!(
        "authority: {authority}\n  tenant: {tenant}\n  client_id: {client_id}\n  credential: {{ client_secret_file: secret }}"
    )
}

/// A proxy in front of a scripted server, with a token that is not a JWT.
async fn scripted(upstream: &FakeUpstream) -> Glassine {
    sealed(Setup::scripted(upstream), &["graph-token"]).start().await
}

/// Makes the files with secrets unreadable for other accounts. Before the start: a running proxy would take it for a change, reload,
/// and get another token.
fn sealed(mut setup: Setup, more: &'static [&'static str]) -> Setup {
    let prepare = setup.prepare;
    setup.prepare = Box::new(move |folder| {
        prepare(folder);
        let private = Permissions::from_mode(0o600);
        for name in ["keys.yaml"].iter().chain(more) {
            std::fs::set_permissions(folder.join(name), private.clone()).unwrap();
        }
    });
    setup
}

fn set_mode(proxy: &Glassine, name: &str, mode: u32) {
    std::fs::set_permissions(proxy.file(name), Permissions::from_mode(mode)).unwrap();
}
