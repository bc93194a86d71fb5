//! Disks that fill up at every byte of a record: nothing whole is answered whose record is not whole in the log, and the
//! log goes on when there is room again.

use glassine::config::Config;
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::*;
use crate::support::glassine::{Consumer, Setup, read_all, serve_audited_by};
use crate::support::upstream::{FakeUpstream, Script};

/// A stream with room for so many bytes.
#[derive(Clone, Default)]
struct Small {
    bytes: Arc<Mutex<Vec<u8>>>,
    room: Arc<AtomicUsize>,
}

impl Write for Small {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let room = self.room.load(Ordering::SeqCst).min(buf.len());
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.fetch_sub(room, Ordering::SeqCst);
        self.bytes.lock().unwrap().extend_from_slice(&buf[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One response: its record's id, and whether it left whole.
async fn respond(log: &Arc<AuditLog>, id: String) -> (String, bool) {
    let mut guard = Guard::begin(Arc::clone(log), id.clone(), "GET");
    if guard.reserve().await.is_err() {
        guard.finish(Outcome::Refused);
        return (id, false);
    }
    match guard.confirm(Outcome::Complete).await {
        Ok(()) => (id, true),
        Err(guard) => {
            guard.finish(Outcome::Refused);
            (id, false)
        }
    }
}

/// Fault: a stream takes only a part of a record, at every byte. Outcome: the response is refused, and a marker follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_fails_at_every_byte_of_a_record_has_a_record_of_all_that_left() {
    for room in 0..900 {
        let small = Small { room: Arc::new(AtomicUsize::new(room)), ..Small::default() };
        let options = Options { bounds: PATIENT, ..Options::default() };
        let log = Arc::new(AuditLog::to_stream(Box::new(small.clone()), options).unwrap());
        let mut told = Vec::new();
        for at in 0..3 {
            told.push(respond(&log, format!("before-{at}")).await);
        }
        small.room.store(usize::MAX, Ordering::SeqCst);
        until("the log works", || !log.is_failing());
        told.push(respond(&log, "after".to_owned()).await);
        let refused = log.state().unrecorded;
        // The end of a log tells what is not told yet.
        drop(log);
        let bytes = small.bytes.lock().unwrap().clone();
        verify(bytes.as_slice()).unwrap_or_else(|error| panic!("{room}: {error}"));
        let records = records_of(&bytes);
        let unrecorded: u64 = records.iter().filter_map(|it| it["refused"].as_u64()).sum();
        assert_eq!(unrecorded, refused, "{room}");
        let mut missing = 0;
        for (id, left) in &told {
            let own: Vec<_> = records.iter().filter(|it| it["request_id"] == **id).collect();
            assert!(own.len() <= 1, "{room}: {id} has two records");
            match (own.first(), left) {
                (Some(record), true) => assert_eq!(record["outcome"], "complete", "{room}: {id}"),
                (Some(record), false) => assert_eq!(record["outcome"], "refused", "{room}: {id}"),
                (None, true) => panic!("{room}: {id} left without a record"),
                (None, false) => missing += 1,
            }
        }
        assert_eq!(missing, unrecorded, "{room}");
        assert!(told[3].1, "{room}: the log goes on");
    }
}

/// A limit on the size of files is for the whole process, so this test runs in its own process. The signal that comes with it
/// is ignored: then a write beyond the limit fails as on a full disk.
///
/// Fault: the disk of the audit log fills up at every byte of a record. Outcome: every whole response has a whole record.
/// Fault: the disk of the audit log fills up while a response leaves. Outcome: the response is cut, or its record is whole.
#[test]
fn a_disk_that_fills_at_every_byte_of_a_record_has_a_record_of_all_that_left() {
    let child = std::process::Command::new("sh")
        .args(["-c", "trap '' 25; exec \"$0\" --exact --ignored audit::disk::a_process_with_a_small_disk"])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by a_disk_that_fills_at_every_byte_of_a_record_has_a_record_of_all_that_left"]
async fn a_process_with_a_small_disk() {
    let items = vec![r#"{"id":"u1","accountEnabled":true}"#; 4_000].join(",");
    let long =
        Script::json(format!(r#"{{"value":[{items}]}}"#)).chunked(20_000).paced(Duration::from_millis(1));
    let graph = FakeUpstream::start(move |request| match request.path() {
        "/v1.0/users" => Script::json(r#"{"value":[{"id":"u1","accountEnabled":true}]}"#),
        _ => long.clone(),
    })
    .await;
    let files = Setup::scripted(&graph).start().await;
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::serve(&files.file("config.yaml"), folder.path()).await;
    let users = format!("GET /v1.0/users HTTP/1.1\r\n{}", disk.fields());
    let groups = format!("GET /v1.0/groups HTTP/1.1\r\n{}", disk.fields());
    let body =
        r#"{"requests":[{"id":"1","method":"GET","url":"/users"},{"id":"2","method":"GET","url":"/users"}]}"#;
    let batch = format!(
        "POST /v1.0/$batch HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}{body}",
        body.len(),
        disk.fields()
    );
    // A record has about 480 bytes; a response in pieces two of them, a batch of two requests four.
    disk.fill("whole", &users, 0..560, 1).await;
    disk.fill("pieces", &groups, 0..1_000, 13).await;
    disk.fill("batch", &batch, 0..2_000, 13).await;
    disk.check_all();
}

/// A proxy whose audit log is on a disk that the test fills.
struct Disk {
    address: std::net::SocketAddr,
    host: String,
    path: std::path::PathBuf,
    /// The ids of all whole responses.
    whole: Mutex<Vec<String>>,
}

impl Disk {
    async fn serve(config: &Path, folder: &Path) -> Self {
        let path = folder.join("audit.jsonl");
        let address = serve_audited_by(config, open(&path)).await;
        let (name, text) = (config.display().to_string(), std::fs::read_to_string(config).unwrap());
        let checked = Config::load(&name, &text).unwrap();
        let host = checked.public_url().as_str().trim_start_matches("http://").to_owned();
        Self { address, host, path, whole: Mutex::new(Vec::new()) }
    }

    fn fields(&self) -> String {
        format!(
            "Host: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            self.host,
            Consumer::token("acme")
        )
    }

    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        read_all(&mut stream).await
    }

    fn log(&self) -> Vec<u8> {
        std::fs::read(&self.path).unwrap()
    }

    /// Sends the request with room for each of these many bytes.
    async fn fill(&self, name: &str, request: &str, rooms: std::ops::Range<u64>, step: usize) {
        let (mut served, mut refused) = (0, 0);
        for room in rooms.step_by(step) {
            limit(Some(std::fs::metadata(&self.path).unwrap().len() + room));
            let response = self.ask(request).await;
            if is_whole(&response) {
                served += 1;
                self.check(name, room, &response);
            } else {
                refused += 1;
            }
            limit(None);
            // It serves again, without a restart.
            until_served(self, request, name, room).await;
            verify(self.log().as_slice()).unwrap_or_else(|error| panic!("{name} {room}: {error}"));
        }
        assert!(served > 0 && refused > 10, "{name}: {served} whole, {refused} not");
    }

    /// The record of a whole response is whole in the log now, before anything else happens.
    fn check(&self, name: &str, room: u64, response: &str) {
        let id = id_of(response);
        let closing = records_of(&self.log()).into_iter().filter(|it| it["event"].is_null());
        let own: Vec<_> = closing.filter(|it| it["request_id"] == *id).collect();
        assert_eq!(own.len(), 1, "{name} {room}: {id}");
        assert_eq!(
            (&own[0]["outcome"], &own[0]["status"]),
            (&"complete".into(), &200.into()),
            "{name} {room}"
        );
        self.whole.lock().unwrap().push(id);
    }

    /// At the end, each id has one record.
    fn check_all(&self) {
        let records = records_of(&self.log());
        for id in self.whole.lock().unwrap().iter() {
            let own = records.iter().filter(|it| it["event"].is_null() && it["request_id"] == **id);
            assert_eq!(own.count(), 1, "{id}");
        }
    }
}

async fn until_served(disk: &Disk, request: &str, name: &str, room: u64) {
    for _ in 0..2_000 {
        if is_whole(&disk.ask(request).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{name} {room}: nothing is served although there is room");
}

/// Whether a 200 is whole, with all its requests if it is a batch.
fn is_whole(response: &str) -> bool {
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let is_ended =
        if head.contains("chunked") { body.ends_with("\r\n0\r\n\r\n") } else { body.ends_with('}') };
    head.starts_with("HTTP/1.1 200 ") && is_ended && !body.contains("\"status\":503")
}

fn id_of(response: &str) -> String {
    let (_, rest) = response.split_once("\r\nrequest-id: ").unwrap();
    rest.split("\r\n").next().unwrap().to_owned()
}

/// Files can have this many bytes.
fn limit(bytes: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}
