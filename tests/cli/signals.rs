//! Signals to the real program: during its start, and while clients send requests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::glassine;
use crate::support::glassine::{Consumer, METADATA_ONLY, Setup};
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

/// `glassine serve`; killed when dropped.
pub(super) struct Program(Child);

impl Program {
    pub(super) fn serve(config: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
        command.args(["serve", "--config"]).arg(config);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(super) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// The exit code; `None` if a signal ended the program.
    pub(super) async fn ended(&mut self) -> Option<i32> {
        for _ in 0..2_000 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the program does not end");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `glassine health`.
pub(super) fn health(admin: SocketAddr) -> super::Ran {
    glassine(&["health", "--admin", &admin.to_string()])
}

/// Waits until `health` says this.
pub(super) async fn until_health_says(admin: SocketAddr, said: &str) {
    until(said, async || health(admin).everything().contains(said)).await;
}

/// A configuration whose rules never come: a pipe that nobody writes to.
pub(super) async fn that_never_starts(setup: Setup) -> (tempfile::TempDir, PathBuf, SocketAddr) {
    let (folder, _, admin) = setup.write_all().await;
    let rules = folder.path().join("acme.yaml");
    std::fs::remove_file(&rules).unwrap();
    assert!(Command::new("mkfifo").arg(&rules).status().unwrap().success());
    let config = folder.path().join("config.yaml");
    (folder, config, admin)
}

pub(super) async fn graph() -> FakeUpstream {
    FakeUpstream::always(Script::json(crate::service::PAGE)).await
}

/// Fault: SIGHUP comes while the program starts. Outcome: the start goes on.
/// Fault: a file takes long to read at the start. Outcome: `/healthz` is 200 and `/readyz` 503 meanwhile.
/// Fault: SIGTERM comes while the program starts. Outcome: the program ends with exit code 0.
#[tokio::test(flavor = "multi_thread")]
async fn signals_during_the_start_are_handled() {
    let graph = graph().await;
    let (_folder, config, admin) = that_never_starts(Setup::scripted(&graph)).await;
    let mut program = Program::serve(&config);
    until_health_says(admin, "not ready: start: the proxy is starting").await;
    assert_eq!(health(admin).code, Some(1));
    for _ in 0..5 {
        program.signal("HUP");
    }
    let alive = fetch(admin, "/healthz").await;
    assert!(alive.starts_with("HTTP/1.1 200 ") && program.is_running(), "{alive}");
    program.signal("TERM");
    assert_eq!(program.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_during_the_start_ends_it() {
    let graph = graph().await;
    let (_folder, config, admin) = that_never_starts(Setup::scripted(&graph)).await;
    let mut program = Program::serve(&config);
    until_health_says(admin, "the proxy is starting").await;
    program.signal("INT");
    assert_eq!(program.ended().await, Some(0));
}

pub(super) async fn fetch(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// Fault: the client secret is wrong. Outcome: the program runs, and `glassine health` says which error Entra reported.
#[tokio::test(flavor = "multi_thread")]
async fn health_says_why_the_proxy_is_not_ready() {
    let entra = FakeUpstream::always(
        Script::status(401)
            .header("content-type", "application/json")
            .body(r#"{"error":"invalid_client","error_codes":[7000215]}"#),
    )
    .await;
    let mut setup = Setup::scripted(&entra);
    setup.credential = format!(
        "authority: http://{}\n  tenant: contoso.com\n  client_id: 00000000-0000-0000-0000-000000000000\n  credential: {{ client_secret_file: graph-token }}",
        entra.address()
    );
    let (folder, _, admin) = setup.write_all().await;
    let mut program = Program::serve(&folder.path().join("config.yaml"));
    until_health_says(
        admin,
        "not ready: token for acme: Entra refused the credential: invalid_client (AADSTS7000215)",
    )
    .await;
    assert_eq!(health(admin).code, Some(1));
    assert!(program.is_running());
}

/// What the clients of a program that stops saw.
#[derive(Default)]
struct Seen {
    responses: AtomicUsize,
    /// Requests that were sent and had no response, on a connection that had had one before.
    lost: AtomicUsize,
    /// The same on a new connection: the kernel resets one that it accepted between the program's last look and the close.
    reset: AtomicUsize,
    /// Requests with another status.
    wrong: AtomicUsize,
    is_stopped: AtomicBool,
}

/// Sends one request after the other, on kept connections, until no connection can be made.
async fn client(address: SocketAddr, seen: Arc<Seen>) {
    let token = Consumer::token("acme");
    let head =
        format!("GET /v1.0/users HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
    while let Ok(mut stream) = TcpStream::connect(address).await {
        let mut served = 0;
        loop {
            // A client that sees the end of its connection sends nothing on it.
            if stream.try_read(&mut [0; 1]).is_ok() || stream.write_all(head.as_bytes()).await.is_err() {
                break;
            }
            match response(&mut stream).await {
                Some(response) if response.starts_with("http/1.1 200 ") => {
                    served += 1;
                    seen.responses.fetch_add(1, Ordering::SeqCst);
                    if response.contains("\r\nconnection: close\r\n") {
                        break;
                    }
                }
                Some(_) => drop(seen.wrong.fetch_add(1, Ordering::SeqCst)),
                None => {
                    let count = if served > 0 { &seen.lost } else { &seen.reset };
                    count.fetch_add(1, Ordering::SeqCst);
                    break;
                }
            }
        }
    }
    assert!(
        seen.is_stopped.load(Ordering::SeqCst),
        "the program refuses connections before it was asked to stop"
    );
}

/// A whole response in lower case; `None` if the connection ends before.
async fn response(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse().ok()? {
                return Some(text);
            }
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

/// Fault: SIGTERM comes while 60 clients send requests on kept connections. Outcome: each request that was sent is answered.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_that_was_sent_before_a_stop_is_answered() {
    for lame_duck in [0, 1] {
        let graph = graph().await;
        let mut setup = Setup::scripted(&graph);
        setup.consumers = vec![Consumer::new("acme", METADATA_ONLY)];
        setup.consumers[0].more = "    limits: { concurrent: 100, requests_per_second: 100000 }\n".to_owned();
        setup.more = format!("limits: {{ lame_duck_seconds: {lame_duck} }}\n");
        let (folder, address, admin) = setup.write_all().await;
        let mut program = Program::serve(&folder.path().join("config.yaml"));
        until_health_says(admin, "ready").await;
        until("health is good", async || health(admin).code == Some(0)).await;
        let seen = Arc::new(Seen::default());
        let clients: Vec<_> = (0..60).map(|_| tokio::spawn(client(address, Arc::clone(&seen)))).collect();
        tokio::time::sleep(Duration::from_millis(500)).await;
        seen.is_stopped.store(true, Ordering::SeqCst);
        program.signal("TERM");
        for client in clients {
            client.await.unwrap();
        }
        assert_eq!(program.ended().await, Some(0));
        let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        assert_eq!((count(&seen.lost), count(&seen.wrong)), (0, 0), "{lame_duck}");
        assert!(
            count(&seen.reset) <= 1 && count(&seen.responses) >= 60,
            "{lame_duck}: {}",
            count(&seen.reset)
        );
    }
}
