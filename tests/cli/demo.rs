//! `glassine demo` with faults between Graph and the proxy.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::glassine::{ProxyResponse, send};

/// A running demo. It is stopped when dropped, and removes its files.
struct Demo {
    child: Child,
    places: Value,
}

impl Demo {
    fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
        command.args([
            "demo",
            "--format",
            "json",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]);
        command.args(["--graph-listen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, places: serde_json::from_str(&line).unwrap() }
    }

    /// A GET of one of the demo's servers.
    async fn get(&self, server: &str, target: &str) -> ProxyResponse {
        let address = self.places[server].as_str().unwrap().strip_prefix("http://").unwrap();
        let token = format!("Bearer {}", self.places["token"].as_str().unwrap());
        let request = http::Request::get(target).header("host", address).header("authorization", token);
        send(address.parse().unwrap(), request.body(Default::default()).unwrap()).await.unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let kill = format!("kill -TERM {}", self.child.id());
        drop(Command::new("sh").args(["-c", &kill]).status());
        drop(self.child.wait());
    }
}

#[tokio::test]
async fn every_tenth_request_to_graph_has_a_fault() {
    let demo = Demo::start(&["--graph-fault", "cut-json", "--graph-fault", "go-away"]);
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(demo.get("proxy", "/v1.0/users?$top=5").await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 502).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 19, "{statuses:?}");
}

#[tokio::test]
async fn a_mailbox_takes_four_requests_at_a_time() {
    let demo = Demo::start(&["--graph-latency", "700"]);
    let users = demo.get("graph", "/v1.0/users?$top=1").await.json();
    let messages = format!("/v1.0/users/{}/messages?$top=1", users["value"][0]["id"].as_str().unwrap());
    let responses = tokio::join!(
        demo.get("graph", &messages),
        demo.get("graph", &messages),
        demo.get("graph", &messages),
        demo.get("graph", &messages),
        demo.get("graph", &messages),
    );
    let (a, b, c, d, e) = responses;
    let mut statuses = [a, b, c, d, e].map(|response| response.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
}
