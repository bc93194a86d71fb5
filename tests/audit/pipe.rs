//! The real program: a pipe that nobody reads, a hangup, a kill, a stop.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use glassine::audit::Report;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::cli::glassine;
use crate::support::glassine::{Consumer, Setup, read_all};
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const OK: &str = "HTTP/1.1 200 ";
const PAGE: &str = r#"{"value":[{"id":"u1","accountEnabled":true}]}"#;

/// What `/readyz?verbose` says while the audit log fails.
const UNREADY: &str = "[-] audit: nothing is served without a record";

/// The program, as an operator runs it. Killed when dropped.
struct Program {
    child: Child,
    folder: tempfile::TempDir,
    public: SocketAddr,
    admin: SocketAddr,
}

impl Program {
    async fn start(graph: &FakeUpstream, audit: &str) -> Self {
        let (folder, public) = Setup::scripted(graph).write().await;
        let config = folder.path().join("config.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        let (_, rest) = text.split_once("admin: { listen: '").unwrap();
        let admin = rest.split('\'').next().unwrap().parse().unwrap();
        std::fs::write(&config, text.replace("audit: { file: audit.jsonl }", audit)).unwrap();
        let child = Self::spawn(folder.path());
        let mut program = Self { child, folder, public, admin };
        program.until_ready().await;
        program
    }

    fn spawn(folder: &Path) -> Child {
        Command::new(env!("CARGO_BIN_EXE_glassine"))
            .args(["serve", "--config"])
            .arg(folder.join("config.yaml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    async fn restart(&mut self) {
        self.child = Self::spawn(self.folder.path());
        self.until_ready().await;
    }

    async fn until_ready(&mut self) {
        for _ in 0..2_000 {
            // The admin listener is open before the service is ready.
            if TcpStream::connect(self.admin).await.is_ok() && self.admin("/readyz").await.starts_with(OK) {
                return;
            }
            assert_eq!(self.child.try_wait().unwrap(), None, "the program has ended");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the program is not ready");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    async fn ask(&self) -> String {
        self.begin().await.rest().await
    }

    async fn begin(&self) -> Asked {
        let mut stream = TcpStream::connect(self.public).await.unwrap();
        let head = format!(
            "GET {USERS} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.public,
            Consumer::token("acme")
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        Asked(stream)
    }

    async fn admin(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.admin).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    /// Waits until the program has ended by itself.
    fn ended(&mut self, within: Duration) -> Duration {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < within, "the program does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        began.elapsed()
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("audit.jsonl")).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A request that was sent.
struct Asked(TcpStream);

impl Asked {
    async fn rest(mut self) -> String {
        read_all(&mut self.0).await
    }
}

/// Requests until the pipe is full: then one waits for the bound, and is refused.
async fn fill(program: &Program) {
    for served in 0..2_000 {
        let began = Instant::now();
        let response = program.ask().await;
        if response.starts_with("HTTP/1.1 503 ") {
            assert!(response.contains("auditUnavailable"), "{response}");
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            assert!(served > 50, "the pipe holds 64 KiB");
            return;
        }
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    }
    panic!("the pipe is never full");
}

/// Fault: nobody reads the standard output that the audit log goes to. Outcome: requests get 503 within a bound.
/// Fault: the audit log cannot be written. Outcome: `/readyz` is 503 and `glassine health` exits 1, both with the reason; `/healthz` stays 200.
/// Fault: nobody reads the audit log's standard output and SIGTERM comes. Outcome: the program ends in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_that_nobody_reads_neither_hangs_the_program_nor_its_stop() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut program = Program::start(&graph, "audit: { stdout: true }").await;
    fill(&program).await;
    let asked = graph.requests().len();
    for _ in 0..5 {
        let began = Instant::now();
        assert!(program.admin("/healthz").await.starts_with(OK));
        let ready = program.admin("/readyz?verbose").await;
        assert!(ready.starts_with("HTTP/1.1 503 ") && ready.contains(UNREADY), "{ready}");
        let refused = program.ask().await;
        assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("auditUnavailable"), "{refused}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    assert_eq!(graph.requests().len(), asked, "Graph gets no request that cannot be recorded");
    let health = glassine(&["health", "--admin", &program.admin.to_string()]);
    health.fails(1, &["not ready: audit: nothing is served without a record"]);
    program.signal("TERM");
    program.ended(Duration::from_secs(15));
}

/// Fault: the reader of the audit log's standard output pauses. Outcome: service resumes, and each 200 has its record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_that_is_read_again_has_all_records() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut program = Program::start(&graph, "audit: { stdout: true }").await;
    fill(&program).await;
    // This one is refused at once, and counted.
    assert!(program.ask().await.starts_with("HTTP/1.1 503 "));
    let reading = read_in_background(program.child.stdout.take().unwrap());
    until("the log is read", || reading.lock().unwrap().len() > 50_000);
    let mut served = 0;
    for _ in 0..2_000 {
        if program.ask().await.starts_with("HTTP/1.1 200 ") {
            served += 1;
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(served, 1, "it serves again");
    program.until_ready().await;
    assert_eq!(glassine(&["health", "--admin", &program.admin.to_string()]).fine(), "ready\n");
    program.signal("TERM");
    program.ended(Duration::from_secs(15));
    until("the last record is read", || reading.lock().unwrap().ends_with(b"\n"));
    std::thread::sleep(Duration::from_millis(100));
    let bytes = reading.lock().unwrap().clone();
    verify(bytes.as_slice()).unwrap();
    let records = records_of(&bytes);
    let count = |event: &str| records.iter().filter(|it| it["event"] == event).count();
    assert_eq!((count("start"), count("stop"), count("resumed").min(1)), (1, 1, 1));
    let whole = records.iter().filter(|it| it["status"] == 200 && it["event"].is_null()).count();
    let corrected = count("corrected");
    assert!(whole - corrected + 1 >= graph.requests().len() - 10, "{whole} {corrected}");
}

fn read_in_background(stdout: ChildStdout) -> Arc<Mutex<Vec<u8>>> {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&bytes);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        while let Ok(chunk) = reader.fill_buf()
            && !chunk.is_empty()
        {
            let length = chunk.len();
            seen.lock().unwrap().extend_from_slice(chunk);
            reader.consume(length);
        }
        drop(reader.read(&mut []));
    });
    bytes
}

/// Fault: the proxy is killed while a response leaves, and starts again. Outcome: the log names the response that began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_response_leaves_its_opening_record() {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 9_000].join(",");
    let page = Script::json(format!(r#"{{"value":[{items}]}}"#));
    let graph = FakeUpstream::always(page.chunked(20_000).paced(Duration::from_millis(50))).await;
    let mut program = Program::start(&graph, "audit: { file: audit.jsonl }").await;
    let mut asked = program.begin().await;
    let mut first = vec![0; 4_096];
    assert!(asked.0.read(&mut first).await.unwrap() > 0);
    let opening = records_of(&program.log()).pop().unwrap();
    assert_eq!((&opening["event"], &opening["consumer"]), (&"begin".into(), &"acme".into()));
    assert!(opening["endpoint"].is_string() && opening["rules"].is_string(), "{opening}");
    program.signal("KILL");
    program.ended(Duration::from_secs(15));
    drop(asked);
    program.restart().await;
    until("it has started", || records_of(&program.log()).last().is_some_and(|it| it["event"] == "start"));
    let mut report = Report::default();
    let summary =
        glassine::audit::Verifier::default().read(program.log().as_slice(), |line| report.add(line)).unwrap();
    assert_eq!(summary.chains, 1);
    assert_eq!((report.events.never_closed, report.events.starts, report.still_open()), (1, 2, 0));
}

/// Fault: logrotate renames the audit log's file and sends SIGHUP. Outcome: the next records are in a new file, in one chain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hangup_after_a_rename_begins_a_new_file() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let program = Program::start(&graph, "audit: { file: audit.jsonl }").await;
    assert!(program.ask().await.starts_with("HTTP/1.1 200 "));
    let (path, old) =
        (program.folder.path().join("audit.jsonl"), program.folder.path().join("audit.jsonl.1"));
    std::fs::rename(&path, &old).unwrap();
    program.signal("HUP");
    until("the new file is there", || path.exists());
    assert!(program.ask().await.starts_with("HTTP/1.1 200 "));
    until("the reload is recorded", || {
        records_of(&program.log()).iter().any(|it| it["event"] == "reload")
            || old.metadata().unwrap().len() == 0
    });
    let mut verifier = glassine::audit::Verifier::default();
    let summary = verifier.read(std::fs::read(&old).unwrap().as_slice(), |_| ()).unwrap();
    assert_eq!(summary.chains, 1);
    let summary = verifier.read(program.log().as_slice(), |_| ()).unwrap();
    assert_eq!(summary.chains, 0, "the same chain goes on");
    assert_eq!(records_of(&program.log())[0]["event"], "continued");
}
