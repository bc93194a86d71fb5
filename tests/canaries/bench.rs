//! The proxy under test, a scripted upstream, and everything that could leave.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::logs;
use super::marker::{PLANTED, Registry};
use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};

pub(crate) struct Bench {
    pub(crate) proxy: Glassine,
    pub(crate) graph: FakeUpstream,
    pub(crate) registry: Registry,
    next: Arc<Mutex<Script>>,
    /// The leaks: the request, and the place of the marker.
    found: BTreeSet<String>,
}

impl Bench {
    pub(crate) async fn start(rules: &str) -> Self {
        logs::capture();
        let next = Arc::new(Mutex::new(Script::status(404)));
        let response = Arc::clone(&next);
        let graph = FakeUpstream::start(move |_| response.lock().unwrap().clone()).await;
        let mut setup = Setup::in_front_of(format!("http://{}", graph.address())).rules(rules);
        setup.consumers[0].more = "    limits: { concurrent: 64, requests_per_second: 100000 }\n".to_owned();
        let proxy = setup.start().await;
        Self { proxy, graph, registry: Registry::new(PLANTED), next, found: BTreeSet::new() }
    }

    /// Graph's origin in its links.
    pub(crate) fn graph_url(&self) -> String {
        format!("http://{}", self.graph.address())
    }

    /// What Graph responds to the next request.
    pub(crate) fn script(&mut self, script: Script) {
        *self.next.lock().unwrap() = script;
    }

    /// Sends these bytes, looks for leaks in every byte of the response, status line and framing included, and returns
    /// the response with its body in one piece.
    pub(crate) async fn raw(&mut self, what: &str, request: &[u8]) -> String {
        let response = self.proxy.raw(request).await;
        self.examine(what, response.as_bytes());
        let joined = without_chunks(&response);
        if joined != response {
            self.examine(what, joined.as_bytes());
        }
        joined
    }

    /// A GET of the consumer `acme`, as bytes.
    pub(crate) async fn get(&mut self, what: &str, target: &str) -> String {
        let request = self.request("GET", target, "");
        self.raw(what, &request).await
    }

    /// A request of the consumer `acme`, as bytes. `more` is further header lines, each with its CRLF.
    pub(crate) fn request(&self, method: &str, target: &str, more: &str) -> Vec<u8> {
        let (host, token) = (self.proxy.address, Consumer::token("acme"));
        let head = "Connection: close\r\nAuthorization: Bearer";
        format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{head} {token}\r\n{more}\r\n").into_bytes()
    }

    /// Looks for markers that must not leave.
    pub(crate) fn examine(&mut self, what: &str, bytes: &[u8]) {
        let leaks = self.registry.leaks(bytes);
        self.found.extend(leaks.into_iter().map(|place| format!("{what}: {place}")));
    }

    /// Stops the proxy and searches what it wrote about the requests: no marker at all may be there. Returns all leaks,
    /// now and before.
    pub(crate) async fn end(mut self) -> BTreeSet<String> {
        let metrics = self.proxy.admin_get("/metrics").await.everything();
        assert!(metrics.contains("glassine_requests"), "{metrics}");
        // Kept markers must not be there either: from here on, every marker is an old one.
        self.registry.begin();
        self.examine("metrics", metrics.as_bytes());
        let Self { proxy, registry, mut found, .. } = self;
        let folder = proxy.stop().await;
        let audit = std::fs::read(folder.path().join("audit.jsonl")).unwrap();
        let logs = logs::captured();
        assert!(!audit.is_empty() && !logs.is_empty());
        for (what, bytes) in [("audit", audit), ("logs", logs)] {
            found.extend(registry.leaks(&bytes).into_iter().map(|place| format!("{what}: {place}")));
        }
        found
    }
}

/// The response with its chunks joined: a marker may begin in one and end in the next. No JSON string has a line break.
fn without_chunks(response: &str) -> String {
    let Some((head, body)) = response.split_once("\r\n\r\n") else { return response.to_owned() };
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return response.to_owned();
    }
    let data: String = body.split("\r\n").skip(1).step_by(2).collect();
    format!("{head}\r\n\r\n{data}")
}
