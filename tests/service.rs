//! A running service: files that change under it, an audit log that fails, a stop, a secret for Entra.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use glassine::audit::{AuditLog, Options};
use glassine::demo::tenant::Tenant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::glassine::{
    Consumer, Glassine, METADATA_ONLY, Setup, read_all, serve_audited_by, serve_tenant,
};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

pub(crate) const USERS: &str = "/v1.0/users";
pub(crate) const PAGE: &str = r#"{"value":[{"id":"u1","accountEnabled":true,"userType":"Member"}]}"#;

pub(crate) async fn stage() -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).start().await;
    (graph, proxy)
}

fn without(property: &str) -> String {
    let tight = METADATA_ONLY.replace(property, "");
    assert_ne!(tight, METADATA_ONLY);
    tight
}

async fn is_config_good(proxy: &Glassine) -> bool {
    let metrics = proxy.admin_get("/metrics").await.text();
    let good = metrics.lines().find_map(|line| line.strip_prefix("glassine_config_good "));
    good.unwrap_or_else(|| panic!("{metrics}")) == "1"
}

pub(super) async fn until_config_is(proxy: &Glassine, good: bool) {
    until("the metric of the configuration", async || is_config_good(proxy).await == good).await;
}

#[tokio::test]
async fn rules_that_change_tighten_what_leaves() {
    let (_graph, proxy) = stage().await;
    assert!(proxy.get(USERS).await.text().contains("accountEnabled"));
    proxy.write("acme.yaml", &without("      booleans: [$.accountEnabled]\n"));
    let tight = proxy.until(USERS, |response| !response.text().contains("accountEnabled")).await;
    assert_eq!(tight.text(), format!(r#"{{"value":[{{"id":"{}","userType":"Member"}}]}}"#, proxy.id("u1")));
}

async fn assert_survives(logs: &Logs, file: &str, bad: &str) {
    let (_graph, proxy) = stage().await;
    let (good, before) = (proxy.read(file), proxy.get(USERS).await.text());
    assert!(is_config_good(&proxy).await);
    proxy.write(file, bad);
    until_config_is(&proxy, false).await;
    assert_eq!(proxy.get(USERS).await.text(), before, "{file}: the last good state runs on");
    let log = logs.text();
    assert!(log.contains("ERROR") && log.contains("the last good state goes on running"), "{file}: {log}");
    assert!(log.contains(file), "{file} is not named: {log}");
    assert!(!log.contains("SECRET"), "{log}");
    proxy.write(file, &good);
    until_config_is(&proxy, true).await;
    assert_eq!(proxy.get(USERS).await.text(), before);
}

/// All cases at once, because each waits for two checks of the files.
/// Fault: the rules file becomes invalid. Outcome: the last good rules stay in use, and log and metric show the error.
/// Fault: the key file becomes invalid. Outcome: the last good keys stay in use, and the log quotes no secret.
/// Fault: the configuration becomes invalid. Outcome: the last good configuration stays in use.
#[tokio::test]
async fn bad_files_leave_the_last_good_state() {
    let rules = METADATA_ONLY.replace("shape: recipient", "shape: recipients");
    let logs = Logs::start();
    tokio::join!(
        assert_survives(&logs, "acme.yaml", &rules),
        assert_survives(
            &logs,
            "keys.yaml",
            "version: 1\nkeys: [{ id: A, created: SECRET, secret: SECRET }]\n"
        ),
        assert_survives(&logs, "config.yaml", "listen: 127.0.0.1:0\nnothing: else\n"),
    );
}

/// Fault: the configuration names a file that does not exist yet. Outcome: the last good state stays in use until the file comes.
#[tokio::test]
async fn a_missing_file_is_noticed_when_it_comes() {
    let (_graph, proxy) = stage().await;
    let config = proxy.read("config.yaml");
    proxy.write("config.yaml", &config.replace("rules: acme.yaml", "rules: moved.yaml"));
    until_config_is(&proxy, false).await;
    // Only the file that the bad configuration names changes now.
    proxy.write("moved.yaml", &without("      booleans: [$.accountEnabled]\n"));
    proxy.until(USERS, |response| !response.text().contains("accountEnabled")).await;
    assert!(is_config_good(&proxy).await);
}

/// Fault: a consumer is taken off the list. Outcome: its requests get 401, and other consumers are served.
#[tokio::test]
async fn a_consumer_that_is_taken_off_the_list_is_out() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).consumer(Consumer::new("other", METADATA_ONLY)).start().await;
    let config = proxy.read("config.yaml");
    assert_eq!(proxy.get(USERS).await.status, 200);
    let (head, list) = config.split_once("consumers:\n").unwrap();
    let other = list.split_once("  - name: other").unwrap().1;
    proxy.write("config.yaml", &format!("{head}consumers:\n  - name: other{other}"));
    proxy.until(USERS, |response| response.status == 401).await;
    assert_eq!(proxy.get_as("other", USERS, &[]).await.status, 200);
}

/// Sets the modification time of a file to that of another one.
fn touch_like(file: &Path, reference: &Path) {
    let touched = std::process::Command::new("touch").arg("-r").args([reference, file]).status().unwrap();
    assert!(touched.success());
}

/// A revoked token stayed valid: the new file was as long as the old one, and its modification time was set back.
/// Fault: a file changes without a change of its length and modification time. Outcome: the change takes effect.
#[tokio::test]
async fn an_equal_length_and_modification_time_do_not_hide_a_change() {
    let (_graph, proxy) = stage().await;
    assert_eq!(proxy.get(USERS).await.status, 200);
    let config = proxy.read("config.yaml");
    let (_, hash) = config.split_once("bearer_sha256: [").unwrap();
    let hash = &hash[..64];
    let revoked = config.replace(hash, &"a".repeat(64));
    assert_eq!(revoked.len(), config.len());
    std::fs::copy(proxy.file("config.yaml"), proxy.file("copy")).unwrap();
    touch_like(&proxy.file("copy"), &proxy.file("config.yaml"));

    proxy.write("config.yaml", &revoked);
    touch_like(&proxy.file("config.yaml"), &proxy.file("copy"));
    proxy.until(USERS, |response| response.status == 401).await;

    // And by a file that takes the other's place.
    touch_like(&proxy.file("copy"), &proxy.file("config.yaml"));
    std::fs::rename(proxy.file("copy"), proxy.file("config.yaml")).unwrap();
    proxy.until(USERS, |response| response.status == 200).await;
}

/// A signal is for the whole process, so this test runs in its own process.
/// Fault: the process gets SIGHUP. Outcome: the files are read again at once.
#[test]
fn a_hangup_reloads_at_once() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "service::a_process_of_its_own"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by a_hangup_reloads_at_once"]
async fn a_process_of_its_own() {
    let (_graph, proxy) = stage().await;
    assert!(proxy.get(USERS).await.text().contains("accountEnabled"));
    let began = Instant::now();
    proxy.write("acme.yaml", &without("      booleans: [$.accountEnabled]\n"));
    let hangup = format!("kill -HUP {}", std::process::id());
    assert!(std::process::Command::new("sh").args(["-c", &hangup]).status().unwrap().success());
    proxy.until(USERS, |response| !response.text().contains("accountEnabled")).await;
    assert!(began.elapsed() < Duration::from_millis(1_500), "files are checked every two seconds anyway");
}

/// A log that fails on demand, as on a full disk.
#[derive(Clone, Default)]
struct FullDisk {
    full: Arc<AtomicBool>,
    lines: Arc<Mutex<Vec<u8>>>,
}

impl Write for FullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.lines.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fault: the audit log cannot be written. Outcome: requests are refused with 503 before Graph is asked.
/// Fault: the audit log can be written again. Outcome: requests are served again without a restart.
#[tokio::test]
async fn nothing_is_served_while_the_audit_log_fails() {
    let (graph, files) = stage().await;
    let disk = FullDisk::default();
    let log = AuditLog::to_stream(Box::new(disk.clone()), Options::default()).unwrap();
    let address = serve_audited_by(&files.file("config.yaml"), log).await;
    let ask = async || {
        let token = Consumer::token("acme");
        let head = format!(
            "GET {USERS} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            files.address
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    };
    assert!(ask().await.starts_with("HTTP/1.1 200 "));
    disk.full.store(true, Ordering::SeqCst);
    // Nothing whole goes out before its record: this response shows the failure, and is refused.
    assert!(ask().await.starts_with("HTTP/1.1 503 "));
    let asked = graph.requests().len();
    for _ in 0..3 {
        let refused = ask().await;
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("auditUnavailable"), "{refused}");
        assert!(refused.contains("\r\nretry-after: 30\r\n"), "{refused}");
    }
    assert_eq!(graph.requests().len(), asked, "Graph gets no request");
    disk.full.store(false, Ordering::SeqCst);
    // The log tries again by itself.
    until("requests are served again", async || !ask().await.starts_with("HTTP/1.1 503 ")).await;
    let log = String::from_utf8(disk.lines.lock().unwrap().clone()).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused = lines[1]["refused"].as_u64().unwrap();
    assert!(refused >= 3, "{log}");
    assert_eq!((&lines[2]["status"], &lines[2]["reason"]), (&503.into(), &"audit_failing".into()), "{log}");
    assert_eq!(lines.iter().filter(|line| line["status"] == 200).count(), 2, "{log}");
}

#[tokio::test]
async fn a_stop_lets_an_response_end_and_its_record_be_written() {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 3_000].join(",");
    let page = Script::json(format!(r#"{{"value":[{items}]}}"#));
    let graph = FakeUpstream::always(page.chunked(10_000).paced(Duration::from_millis(50))).await;
    let proxy = Setup::scripted(&graph).start().await;
    let (address, token) = (proxy.address, Consumer::token("acme"));
    let mut consumer = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {USERS} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
    consumer.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 64];
    assert!(consumer.read(&mut first).await.unwrap() > 0);

    let ready = proxy.admin_get("/readyz").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, "ready\n"));
    let (folder, rest) = tokio::join!(proxy.stop(), read_all(&mut consumer));
    // The last byte leaves once the record is in the audit log.
    assert!(rest.ends_with("]\r\n1\r\n}\r\n0\r\n\r\n"), "cut: {}", rest.len());
    assert!(TcpStream::connect(address).await.is_err(), "no new ones");
    let audit = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert!(audit.contains(r#""outcome":"complete""#), "{audit}");
}

#[tokio::test]
async fn health_is_on_the_admin_listener_only() {
    let (_graph, proxy) = stage().await;
    proxy.get(&format!("{USERS}/{}", proxy.id("u1"))).await;
    proxy.get(&format!("{USERS}/alice@contoso.com")).await;
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/", 404),
        (USERS, 404),
        ("/metrics/..", 404),
    ] {
        assert_eq!(proxy.admin_get(path).await.status, status, "{path}");
        let public = proxy.send("GET", path, &[]).await;
        assert_eq!((public.status, public.code().as_str()), (401, "InvalidAuthenticationToken"), "{path}");
    }
    let metrics = proxy.admin_get("/metrics").await.text();
    assert!(
        metrics.contains(r#"status="200",endpoint="get-user"} 1"#)
            && metrics.contains("glassine_config_good 1"),
        "{metrics}"
    );
    for data in ["\"u1\"", "alice", "contoso", "p~", "bearer-of"] {
        assert!(!metrics.contains(data) && !proxy.read("audit.jsonl").contains(data), "{data}");
    }
}

pub(crate) async fn with_secret(secret: &str) -> (Arc<Tenant>, Glassine) {
    let tenant = Tenant::new(7);
    let token = tenant.access_token().to_owned();
    let (tenant, graph) = serve_tenant(tenant.require_bearer(token)).await;
    let mut setup = Setup::in_front_of(&graph);
    setup.domain = tenant.domain().to_owned();
    setup.files.push(("secret", secret.replace("TENANT'S", tenant.client_secret())));
    setup.credential = format!(
        "authority: {graph}\n  tenant: {}\n  client_id: {}\n  credential: {{ client_secret_file: secret }}",
        tenant.tenant_id(),
        tenant.client_id()
    );
    let proxy = setup.start().await;
    (tenant, proxy)
}

#[tokio::test]
async fn a_client_secret_opens_graph() {
    let (tenant, proxy) = with_secret("TENANT'S\n").await;
    for _ in 0..2 {
        let page = proxy.get("/v1.0/users?$top=999").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(page.json()["value"].as_array().unwrap().len(), tenant.users().len());
    }
}

/// Fault: the client secret is wrong. Outcome: consumers get 503 with `Retry-After`, and the log has Entra's error number.
#[tokio::test]
async fn a_wrong_client_secret_is_the_operators_trouble() {
    let logs = Logs::start();
    let (tenant, proxy) = with_secret("another").await;
    let response = proxy.get(USERS).await;
    assert_eq!((response.status, response.code().as_str()), (503, "upstreamUnauthorized"));
    assert_eq!(response.headers["retry-after"], "30");
    let record = proxy.audited(1).await.remove(0);
    assert_eq!(
        (&record["outcome"], &record["reason"]),
        (&"upstream_failed".into(), &"no_access_token".into())
    );
    assert!(logs.text().contains("7000215"), "{}", logs.text());
    for hidden in ["another", tenant.client_id(), "Tallgrass", "AADSTS"] {
        assert!(!response.everything().contains(hidden), "{hidden}");
    }
}
