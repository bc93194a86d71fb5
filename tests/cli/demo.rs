//! `glassine demo` with faults between Graph and the proxy.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
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
        let address = self.address(server);
        let token = format!("Bearer {}", self.places["token"].as_str().unwrap());
        let request = http::Request::get(target).header("host", address).header("authorization", token);
        send(address.parse().unwrap(), request.body(Default::default()).unwrap()).await.unwrap()
    }

    /// A form for the sample tenant's Entra.
    async fn post(&self, target: &str, form: &str) -> ProxyResponse {
        let address = self.address("graph");
        let request = http::Request::post(target)
            .header("host", address)
            .header("content-type", "application/x-www-form-urlencoded");
        send(address.parse().unwrap(), request.body(form.to_owned().into()).unwrap()).await.unwrap()
    }

    fn address(&self, server: &str) -> &str {
        self.places[server].as_str().unwrap().strip_prefix("http://").unwrap()
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
    let users = demo.get("graph", "/v1.0/users?$top=2").await.json();
    let of = |place: usize, name: &str| users["value"][place][name].as_str().unwrap().to_owned();
    let (id, name) = (of(0, "id"), of(0, "userPrincipalName"));
    // One mailbox, whatever a request calls its owner.
    let [a, b, c, d, e] = [
        format!("/v1.0/users/{id}/messages?$top=1"),
        format!("/v1.0/users/{}/mailFolders", id.to_uppercase()),
        format!("/v1.0/users/{name}/messages?$top=1"),
        format!("/beta/users('{name}')/contacts"),
        format!("/v1.0/users('{id}')/mailboxSettings"),
    ];
    let other = format!("/v1.0/users/{}/messages?$top=1", of(1, "id"));
    let get = |target| demo.get("graph", target);
    let responses = tokio::join!(get(&a), get(&b), get(&c), get(&d), get(&e), get(&other));
    let (a, b, c, d, e, other) = responses;
    let mut statuses = [a, b, c, d, e].map(|response| response.status);
    statuses.sort_unstable();
    assert_eq!((statuses, other.status), ([200, 200, 200, 200, 429], 200));
}

#[tokio::test]
async fn the_sample_entra_throttles_and_issues_tokens_that_cannot_be_read() {
    let demo = Demo::start(&["--entra-throttled", "60", "--entra-opaque-tokens"]);
    // The proxy's own token request is the one that is refused.
    let waiting = demo.get("proxy", "/v1.0/users?$top=1").await;
    assert_eq!((waiting.status, waiting.code().as_str()), (503, "upstreamUnauthorized"));
    let folder = Path::new(demo.places["rules"].as_str().unwrap()).parent().unwrap();
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
    let config = read("config.yaml");
    let id_after = |mark: &str| config.split_once(mark).unwrap().1[..36].to_owned();
    let form = format!(
        "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default&client_id={}&client_secret={}",
        id_after("client_id: "),
        read("client-secret").trim(),
    );
    let issued = demo.post(&format!("/{}/oauth2/v2.0/token", id_after("tenant: ")), &form).await;
    assert_eq!(issued.status, 200, "{}", issued.text());
    let token = issued.json()["access_token"].as_str().unwrap().to_owned();
    assert!(!token.contains('.'), "{token}");
}
