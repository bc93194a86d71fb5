//! Ten failures as an operator meets them: what the log, `/readyz?verbose`, the metrics and `glassine doctor` say. Each test reads
//! the lines in docs/OPERATIONS.md, "Incidents by symptom", so the document cannot say anything else.

mod document;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glassine::demo::tenant::Registration;
use glassine_core::pseudonym::KeyRing;
use http_body_util::Full;
use jiff::{Span, Timestamp};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use sha2::{Digest as _, Sha256};

use crate::cli::glassine;
use crate::doctor::{Clinic, text_about};
use crate::metrics::scrape;
use crate::service::{PAGE, USERS, stage, with_secret};
use crate::support::glassine::{Glassine, METADATA_ONLY, Setup, sample_tenant, send, write_private};
use crate::support::logs::Logs;
use crate::support::spawned::{Killed, Spawned};
use crate::support::upstream::{FakeUpstream, Script};
use document::{Incident, PLACES, headings};

const CERTIFICATE: &str = "A certificate has ended";
const SECRET: &str = "The client secret is wrong";
const CONSENT: &str = "The consent was revoked";
const CLOCK: &str = "The clock is wrong";
const DISK: &str = "The disk is full";
const KEYS: &str = "The keys are others than before";
const RULES: &str = "A rules file is broken";
const DNS: &str = "Names do not resolve";
const THROTTLED: &str = "Graph throttles everything";
const OLD_TOKEN: &str = "The token is older than a consent";

/// Long enough for two looks at the files and a token, on a busy machine. In steps of [`STEP`].
const STEPS: usize = 600;
const STEP: Duration = Duration::from_millis(50);

#[test]
fn every_incident_of_the_document_has_a_test() {
    assert_eq!(
        headings(),
        [CERTIFICATE, SECRET, CONSENT, CLOCK, DISK, KEYS, RULES, DNS, THROTTLED, OLD_TOKEN]
    );
}

/// A running proxy with an incident.
struct Scene<'a> {
    admin: SocketAddr,
    config: PathBuf,
    log: Box<dyn Fn() -> String + 'a>,
}

impl<'a> Scene<'a> {
    fn of(proxy: &Glassine, logs: &'a Logs) -> Self {
        Self { admin: proxy.admin, config: proxy.file("config.yaml"), log: Box::new(|| logs.text()) }
    }

    async fn admin_get(&self, path: &str) -> String {
        let request = http::Request::get(path).header("host", self.admin.to_string());
        send(self.admin, request.body(Full::default()).unwrap()).await.unwrap().text()
    }

    /// Waits until the log has this text.
    async fn says(&self, text: &str) {
        for _ in 0..STEPS {
            if (self.log)().contains(text) {
                return;
            }
            tokio::time::sleep(STEP).await;
        }
        panic!("{text:?} is not in\n{}", (self.log)());
    }

    /// Waits until all places say what the document shows.
    async fn is_as_documented(&self, heading: &str) {
        let incident = Incident::read(heading);
        let [log, readyz, metrics, doctor] = PLACES;
        let mut left = Vec::new();
        for _ in 0..STEPS {
            let said = [
                (log, (self.log)()),
                (readyz, self.admin_get("/readyz?verbose").await),
                (metrics, self.admin_get("/metrics").await),
            ];
            left = said
                .into_iter()
                .map(|(place, text)| (place, incident.missing_in(place, &text), text))
                .filter(|(_, missing, _)| !missing.is_empty())
                .collect();
            if left.is_empty() {
                break;
            }
            tokio::time::sleep(STEP).await;
        }
        for (place, missing, text) in &left {
            show(place, missing, text);
        }
        assert!(left.is_empty(), "{heading}: see above");
        let text = text_about(&self.config).await.everything();
        let missing = incident.missing_in(doctor, &text);
        assert!(missing.is_empty(), "{heading}: {missing:?} is not in\n{text}\nlog:\n{}", (self.log)());
    }
}

fn show(place: &str, missing: &[&str], text: &str) {
    println!("{place}: {missing:?} is not in\n{text}");
}

/// Fault: the listener's certificate has ended. Outcome: the proxy serves on; log, `/readyz?verbose` and `doctor` name file and day.
#[tokio::test]
async fn a_certificate_that_has_ended() {
    let logs = Logs::start();
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    setup.tls = true;
    setup.prepare = Box::new(|folder| {
        let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(2024, 1, 1);
        let key = KeyPair::generate().unwrap();
        write_private(folder.join("tls.crt"), parameters.self_signed(&key).unwrap().pem());
        write_private(folder.join("tls.key"), key.serialize_pem());
    });
    let proxy = setup.start().await;
    Scene::of(&proxy, &logs).is_as_documented(CERTIFICATE).await;
}

/// The neighbours of the test above: one that ends soon is a warning in the log only.
#[tokio::test]
async fn a_certificate_that_ends_soon_and_one_that_does_not() {
    for (days, told) in [(20, true), (40, false)] {
        let logs = Logs::start();
        let graph = FakeUpstream::always(Script::json(PAGE)).await;
        let mut setup = Setup::scripted(&graph);
        setup.tls = true;
        setup.prepare = Box::new(move |folder| {
            let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            parameters.not_after = date_time_ymd(1970, 1, 1) + in_days(days);
            let key = KeyPair::generate().unwrap();
            write_private(folder.join("tls.crt"), parameters.self_signed(&key).unwrap().pem());
            write_private(folder.join("tls.key"), key.serialize_pem());
        });
        let proxy = setup.start().await;
        let scene = Scene::of(&proxy, &logs);
        scene.says("glassine::service::checks: ready").await;
        assert_eq!(logs.text().contains("a certificate ends soon"), told, "{}", logs.text());
        assert!(!scene.admin_get("/readyz?verbose").await.contains("certificates"));
    }
}

/// So many days from now, since 1970.
fn in_days(days: u64) -> Duration {
    let now = u64::try_from(Timestamp::now().as_second()).unwrap();
    Duration::from_secs(now + days * 86_400)
}

/// Fault: the client secret is wrong. Outcome: log, `/readyz`, metrics and `doctor` say so, with Entra's number.
#[tokio::test]
async fn a_wrong_secret() {
    let logs = Logs::start();
    let (_tenant, proxy) = with_secret("another").await;
    Scene::of(&proxy, &logs).is_as_documented(SECRET).await;
}

/// Fault: the administrator revokes the consent. Outcome: `/readyz?verbose`, metrics and `doctor` name the permissions that the token lacks.
#[tokio::test]
async fn a_consent_that_was_revoked() {
    let logs = Logs::start();
    let clinic = Clinic::unconsented().await;
    assert_eq!(clinic.proxy.get(USERS).await.status, 403);
    Scene::of(&clinic.proxy, &logs).is_as_documented(CONSENT).await;
}

/// An Entra and a Graph whose clock is an hour behind.
async fn an_hour_behind() -> FakeUpstream {
    FakeUpstream::start(|request| {
        let then = Timestamp::now().checked_sub(Span::new().hours(1)).unwrap();
        let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let script = match request.path().ends_with("/oauth2/v2.0/token") {
            true => Script::json(r#"{"token_type":"Bearer","expires_in":3599,"access_token":"opaque"}"#),
            false => Script::json(PAGE),
        };
        script.header("date", &date)
    })
    .await
}

fn with_client_secret(setup: &mut Setup, authority: &str) {
    setup.files.push(("secret", "a-client-secret".to_owned()));
    setup.credential = format!(
        "authority: {authority}\n  tenant: contoso.com\n  client_id: 11111111-2222-3333-4444-555555555555\n  \
         credential: {{ client_secret_file: secret }}"
    );
}

/// Fault: the machine's clock is wrong by an hour. Outcome: the log, `/readyz?verbose` and `doctor` say by how much.
#[tokio::test]
async fn a_wrong_clock() {
    let logs = Logs::start();
    let graph = an_hour_behind().await;
    let mut setup = Setup::scripted(&graph);
    with_client_secret(&mut setup, &format!("http://{}", graph.address()));
    let proxy = setup.start().await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    Scene::of(&proxy, &logs).is_as_documented(CLOCK).await;
    for server in ["entra", "graph"] {
        let ahead = scrape(&proxy).await[&format!("glassine_clock_ahead_seconds{{server=\"{server}\"}}")];
        assert!((3_590.0..3_900.0).contains(&ahead), "{server}: {ahead}");
    }
}

/// The neighbour of the test above.
#[tokio::test]
async fn a_right_clock_is_not_told() {
    let (_tenant, proxy) = with_secret("TENANT'S").await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let seen = scrape(&proxy).await;
    for server in ["entra", "graph"] {
        let ahead = seen[&format!("glassine_clock_ahead_seconds{{server=\"{server}\"}}")];
        assert!(ahead.abs() < 60.0, "{server}: {ahead}");
    }
    let told = proxy.admin_get("/readyz?verbose").await.text();
    assert!(
        !told.contains("clock") && !told.contains("permissions of") && !told.contains("certificates"),
        "{told}"
    );
}

/// Files of at most 8 KiB, as on a full disk; the signal that a longer one causes is ignored.
fn small_files() -> Command {
    let mut command = Command::new("sh");
    let script = format!(
        "trap '' XFSZ; ulimit -f 16; exec '{}' serve --config \"$0\"",
        env!("CARGO_BIN_EXE_glassine")
    );
    command.args(["-c", &script]);
    command
}

/// The lines of a log, as they come.
fn follow(log: BufReader<ChildStderr>) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let sink = Arc::clone(&text);
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            *sink.lock().unwrap() += &(line + "\n");
        }
    });
    text
}

/// Fault: the disk of the audit log is full. Outcome: requests get 503; log, `/readyz`, metrics and `doctor` say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let (proxy, log) = Spawned::serve_by(&Setup::scripted(&graph), small_files()).await;
    let log = follow(log);
    let mut last = 200;
    for _ in 0..100 {
        last = proxy.get(USERS).await.status;
        if last == 503 {
            break;
        }
    }
    assert_eq!(last, 503);
    let scene = Scene {
        admin: proxy.admin,
        config: proxy.config(),
        log: Box::new(move || log.lock().unwrap().clone()),
    };
    scene.is_as_documented(DISK).await;
}

fn another_key_file() -> String {
    let master: [u8; 32] = Sha256::digest(b"another master key of the tests").into();
    KeyRing::render_new(&master, 'A', "2026-01-01T00:00:00Z").to_string()
}

const REPLACED: &str = "glassine_keys_replaced_timestamp_seconds";
const OTHER_KEYS: &str = "none of the keys is one of before";

/// Fault: the key file is another one. Outcome: old tokens get 404; the log warns, and each place shows the fingerprint.
#[tokio::test]
async fn other_keys() {
    let logs = Logs::start();
    let (_graph, proxy) = stage().await;
    let old = proxy.id("u1");
    let messages = format!("/v1.0/users/{old}/messages");
    assert_eq!(proxy.get(&messages).await.status, 200);
    assert_eq!(scrape(&proxy).await[REPLACED], 0.0);
    let right = proxy.read("keys.yaml");
    proxy.write("keys.yaml", &another_key_file());
    proxy.until(&messages, |response| response.status == 404).await;
    let scene = Scene::of(&proxy, &logs);
    scene.is_as_documented(KEYS).await;
    assert_warned_once(&proxy.read("audit.jsonl"), "reload");
    proxy.write("keys.yaml", &right);
    proxy.until(&messages, |response| response.status == 200).await;
    assert_eq!(scrape(&proxy).await[REPLACED], 0.0);
    assert!(!text_about(&scene.config).await.everything().contains("G0415"));
}

/// The audit log has an event of this kind that warns of other keys, and no other one.
#[track_caller]
fn assert_warned_once(audit: &str, event: &str) {
    let told: Vec<_> = audit.lines().filter(|line| line.contains("\"code\":\"G0415\"")).collect();
    assert!(told.len() == 1 && told[0].contains(&format!("\"event\":\"{event}\"")), "{told:?}");
}

/// The program itself on these files.
fn serving(folder: &Path, admin: SocketAddr) -> (Killed, Scene<'static>) {
    let config = folder.join("config.yaml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let mut served =
        Killed(command.args(["serve", "--config"]).arg(&config).stderr(Stdio::piped()).spawn().unwrap());
    let log = follow(BufReader::new(served.0.stderr.take().unwrap()));
    (served, Scene { admin, config, log: Box::new(move || log.lock().unwrap().clone()) })
}

/// Until now only a reload noticed it: a restart with other keys made other pseudonyms in silence.
/// Fault: the proxy starts with another key file than before. Outcome: log, metrics, audit log, `check` and `doctor` say so; a first start says nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_keys_at_a_start() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let (folder, _, admin) = Setup::scripted(&graph).write_all().await;
    let file = |name: &str| folder.path().join(name);
    let check = || glassine(&["check", "--config", file("config.yaml").to_str().unwrap()]);
    let right = std::fs::read_to_string(file("keys.yaml")).unwrap();
    for start in ["the first", "one with the same keys"] {
        assert!(!check().everything().contains("G0415"), "{start}: {:?}", check());
        let (_served, scene) = serving(folder.path(), admin);
        scene.says("checks: ready").await;
        assert!(scene.admin_get("/metrics").await.contains(&format!("\n{REPLACED} 0\n")), "{start}");
        assert!(!(scene.log)().contains(OTHER_KEYS), "{start}: {}", (scene.log)());
    }

    write_private(file("keys.yaml"), another_key_file());
    assert!(check().everything().contains(&format!("warning[G0415]: {OTHER_KEYS}")), "{:?}", check());
    let (served, scene) = serving(folder.path(), admin);
    scene.says("checks: ready").await;
    scene.is_as_documented(KEYS).await;
    assert_warned_once(&std::fs::read_to_string(file("audit.jsonl")).unwrap(), "start");
    drop(served);

    // It stays known after one more start, until the right keys are back.
    let (served, scene) = serving(folder.path(), admin);
    scene.says("checks: ready").await;
    assert!(scene.admin_get("/metrics").await.contains(&format!("\n{REPLACED} 1")));
    assert!(!(scene.log)().contains(OTHER_KEYS), "{}", (scene.log)());
    drop(served);
    write_private(file("keys.yaml"), right);
    let (_served, scene) = serving(folder.path(), admin);
    scene.says("checks: ready").await;
    assert!(scene.admin_get("/metrics").await.contains(&format!("\n{REPLACED} 0\n")));
    assert!((scene.log)().contains(OTHER_KEYS), "{}", (scene.log)());
}

/// Fault: a rules file becomes invalid. Outcome: the last good rules serve; log, `/readyz?verbose`, metrics and `doctor` say so.
#[tokio::test]
async fn broken_rules() {
    let logs = Logs::start();
    let (_graph, proxy) = stage().await;
    proxy.write("acme.yaml", &METADATA_ONLY.replace("shape: recipient", "shape: recipients"));
    Scene::of(&proxy, &logs).is_as_documented(RULES).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
}

/// Fault: the names of Graph and Entra do not resolve. Outcome: the proxy is not ready; log, metrics and `doctor` name DNS.
#[tokio::test]
async fn names_that_do_not_resolve() {
    let logs = Logs::start();
    let mut setup = Setup::in_front_of("https://graph.invalid");
    with_client_secret(&mut setup, "https://login.invalid");
    let proxy = setup.start().await;
    assert_eq!(proxy.get(USERS).await.status, 503);
    Scene::of(&proxy, &logs).is_as_documented(DNS).await;
}

/// Fault: Graph responds to everything with 429. Outcome: consumers get 429; log, metrics and `doctor` say so, and the proxy stays ready.
#[tokio::test]
async fn a_storm_of_429() {
    let logs = Logs::start();
    let graph = FakeUpstream::always(Script::status(429).header("retry-after", "30")).await;
    let proxy = Setup::scripted(&graph).start().await;
    for _ in 0..3 {
        assert_eq!(proxy.get(USERS).await.status, 429);
    }
    Scene::of(&proxy, &logs).is_as_documented(THROTTLED).await;
}

/// Fault: the proxy's token is from before a consent. Outcome: `/readyz?verbose`, metrics and `doctor` say so; a reload ends it.
#[tokio::test]
async fn a_token_older_than_a_consent() {
    let logs = Logs::start();
    let clinic = Clinic::unconsented().await;
    assert_eq!(clinic.proxy.get(USERS).await.status, 403);
    clinic.consent();
    let scene = Scene::of(&clinic.proxy, &logs);
    scene.is_as_documented(OLD_TOKEN).await;
    let config = clinic.proxy.read("config.yaml");
    clinic.proxy.write("config.yaml", &format!("{config}\n"));
    clinic.proxy.until(USERS, |response| response.status == 200).await;
    assert!(!scene.admin_get("/readyz?verbose").await.contains("permissions of"));
}

/// From `glassine init` to a proxy that serves: it starts without the secret, says so, and takes it when it comes.
/// Fault: the client secret has not been written yet. Outcome: the proxy starts, is not ready and says why; it is ready soon after the secret is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_init_waits_for_its_secret() {
    let (tenant, url) = sample_tenant().await;
    let application = tenant.entra().registration("Outlook Mail - Meta Data Only").unwrap();
    let client_id = application.client_id().to_owned();
    let grant = |it: &mut Registration| it.configured().to_vec().iter().for_each(|name| it.grant(name));
    tenant.entra().change(&client_id, grant).unwrap();
    let (around, listen, admin) = Setup::in_front_of(&url).write_all().await;
    let folder = around.path().join("proxy");
    let public = format!("https://{listen}");
    let args = [
        "--tenant",
        tenant.tenant_id(),
        "--client-id",
        &client_id,
        "--public-url",
        &public,
        "--data",
        "data",
    ];
    let domains = ["--tenant-domain", tenant.domain(), "--tenant-domain", tenant.initial_domain()];
    let ran = glassine(&[&["init", folder.to_str().unwrap()], &args[..], &domains].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let config = folder.join("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text =
        text.replace("0.0.0.0:8443", &listen.to_string()).replace("127.0.0.1:9901", &admin.to_string());
    write_private(&config, text.replace("cloud: worldwide", &format!("graph: {url}\n  authority: {url}")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let mut served =
        Killed(command.args(["serve", "--config"]).arg(&config).stderr(Stdio::piped()).spawn().unwrap());
    let log = follow(BufReader::new(served.0.stderr.take().unwrap()));
    let scene = Scene { admin, config, log: Box::new(move || log.lock().unwrap().clone()) };
    scene.says("not ready: no request can be served").await;
    let told = scene.admin_get("/readyz?verbose").await;
    assert!(told.contains("the secret is empty: write it into its file"), "{told}");
    write_private(folder.join("secrets/client-secret"), application.client_secret());
    scene.says("checks: ready").await;
    let doctor = text_about(&scene.config).await;
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(doctor.everything().contains("its certificate is self-signed"), "{doctor:?}");
}
