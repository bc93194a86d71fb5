//! The clients of Graph and Entra against an upstream that misbehaves: each fault beside a neighbour that is fine.

use std::sync::Arc;
use std::time::Duration;

use glassine::upstream::{
    GraphClient, Network, RequestHeaders, RequestId, Secret, Settings, Timeouts, UpstreamBody, UpstreamError,
};
use http::Response;
use http_body_util::BodyExt;

use crate::support::upstream::FakeUpstream;

const PAGE: &str = r#"{"value":[{"id":"AAMk1"},{"id":"AAMk2"}]}"#;

/// Where nothing must happen: long enough for a loaded machine, short enough to wait for.
const SHORT: Duration = Duration::from_millis(300);

/// A pause that is well within [`SHORT`].
const PAUSE: Duration = Duration::from_millis(15);

const LONG: Duration = Duration::from_secs(20);

const PATIENT: Timeouts = Timeouts { connect: LONG, head: LONG, idle: LONG, total: LONG };

mod assertion;
mod connection;
mod granted;
mod graph;
mod http2;
mod identity;
mod kept;
mod proxies;
mod shape;
mod throttled;
mod time;
mod token;

fn settings(graph: &FakeUpstream, timeouts: Timeouts) -> Settings {
    Settings { graph: graph.origin(), network: network(graph, timeouts), max_body: 1 << 20 }
}

fn network(server: &FakeUpstream, timeouts: Timeouts) -> Network {
    Network { extra_roots: server.ca(), timeouts, ..Network::default() }
}

fn client(graph: &FakeUpstream, timeouts: Timeouts) -> GraphClient {
    GraphClient::new(settings(graph, timeouts)).unwrap()
}

fn headers() -> RequestHeaders {
    RequestHeaders::new(RequestId([7; 16]))
}

fn token() -> Secret {
    Secret::new("t0ken".into())
}

/// The head of a response, its body unread.
async fn response(graph: &FakeUpstream, timeouts: Timeouts) -> Result<Response<UpstreamBody>, UpstreamError> {
    client(graph, timeouts).get("/v1.0/users", &headers(), &token()).await
}

/// Status and body of a response, with time enough for it.
async fn get(graph: &FakeUpstream) -> Result<(u16, String), UpstreamError> {
    ask(&client(graph, PATIENT)).await
}

async fn ask(client: &GraphClient) -> Result<(u16, String), UpstreamError> {
    let response = client.get("/v1.0/users", &headers(), &token()).await?;
    Ok((response.status().as_u16(), text(response).await?))
}

/// This many requests at the same time; how many of them succeed.
async fn succeed(client: &Arc<GraphClient>, requests: usize) -> usize {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..requests {
        let client = Arc::clone(client);
        tasks.spawn(async move { ask(&client).await });
    }
    tasks.join_all().await.into_iter().filter(Result::is_ok).count()
}

async fn text(response: Response<UpstreamBody>) -> Result<String, UpstreamError> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.into()).unwrap())
}
