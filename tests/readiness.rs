//! `/readyz`: true only if a request could be served, and otherwise with the reason.

use std::time::Duration;

use glassine::demo::tenant::Tenant;
use glassine::service::Stop;

use crate::service::{PAGE, USERS, with_secret};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup, serve_tenant};
use crate::support::upstream::{FakeUpstream, Script};
use crate::support::waiting::until;

/// Waits until `/readyz` has this status. Returns what `?verbose` says then.
async fn until_ready_is(proxy: &Glassine, status: u16) -> String {
    for _ in 0..1_000 {
        let told = proxy.admin_get("/readyz?verbose").await;
        if told.status == status {
            assert_eq!(told.text().starts_with("ready\n"), status == 200, "{}", told.text());
            return told.text();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("/readyz never had the status {status}");
}

async fn metric(proxy: &Glassine, series: &str) -> Option<String> {
    let metrics = proxy.admin_get("/metrics").await.text();
    metrics.lines().find_map(|line| Some(line.strip_prefix(series)?.trim().to_owned()))
}

#[tokio::test]
async fn a_token_is_had_before_the_first_request() {
    let (tenant, proxy) = with_secret("TENANT'S\n").await;
    let told = until_ready_is(&proxy, 200).await;
    assert!(
        told.starts_with("ready\n[+] start ok\n[+] audit ok\n[+] files ok\n[+] token for acme ok\nkey T:"),
        "{told}"
    );
    assert_eq!(metric(&proxy, "glassine_ready").await.as_deref(), Some("1"));
    assert_eq!(metric(&proxy, "glassine_token_good{consumer=\"acme\"}").await.as_deref(), Some("1"));
    drop(tenant);
}

/// Fault: the client secret is wrong. Outcome: the proxy is not ready and says why; it becomes ready by itself soon after the secret is right.
#[tokio::test]
async fn a_wrong_secret_makes_unready_until_it_is_right() {
    let (tenant, proxy) = with_secret("another").await;
    let told = until_ready_is(&proxy, 503).await;
    let line = "[-] token for acme: Entra refused the credential: invalid_client (AADSTS7000215): the client secret is wrong";
    until(line, async || proxy.admin_get("/readyz?verbose").await.text().contains(line)).await;
    for hidden in ["another", tenant.client_id(), tenant.client_secret()] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }
    assert_eq!(proxy.admin_get("/healthz").await.status, 200, "a restart would not help");
    assert_eq!(metric(&proxy, "glassine_ready").await.as_deref(), Some("0"));
    assert_eq!(metric(&proxy, "glassine_token_good{consumer=\"acme\"}").await.as_deref(), Some("0"));
    proxy.write("secret", tenant.client_secret());
    until_ready_is(&proxy, 200).await;
    assert_eq!(proxy.get(USERS).await.status, 200);
}

/// Fault: one of two applications gets no token. Outcome: the proxy is ready for the consumers of the other, and names it.
#[tokio::test]
async fn one_application_without_a_token_makes_nothing_unready() {
    let tenant = Tenant::new(7);
    let token = tenant.access_token().to_owned();
    let (tenant, graph) = serve_tenant(tenant.require_bearer(token)).await;
    let mut other = Consumer::new("other", METADATA_ONLY);
    other.more = format!(
        "    application: {{ client_id: {}, credential: {{ client_secret_file: wrong }} }}\n",
        tenant.client_id()
    );
    let mut setup = Setup::in_front_of(&graph).consumer(other);
    setup.files = vec![("secret", tenant.client_secret().to_owned()), ("wrong", "wrong".to_owned())];
    setup.credential = format!(
        "authority: {graph}\n  tenant: {}\n  client_id: {}\n  credential: {{ client_secret_file: secret }}",
        tenant.tenant_id(),
        tenant.client_id()
    );
    let proxy = setup.start().await;
    let told = loop {
        let told = until_ready_is(&proxy, 200).await;
        if told.contains("AADSTS") {
            break told;
        }
    };
    assert!(told.contains("\n[+] token for acme ok\n"), "{told}");
    assert!(told.contains("\n[!] token for other: Entra refused the credential"), "{told}");
    assert_eq!(proxy.get_as("acme", USERS, &[]).await.status, 200);
    assert_eq!(proxy.get_as("other", USERS, &[]).await.status, 503);
    let good =
        async |name: &str| metric(&proxy, &format!("glassine_token_good{{consumer=\"{name}\"}}")).await;
    assert_eq!((good("acme").await.as_deref(), good("other").await.as_deref()), (Some("1"), Some("0")));
}

/// Consumers that bring their own tokens need none of the proxy's.
#[tokio::test]
async fn forwarded_tokens_are_not_checked() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    setup.credential = "credential: { forward: true }".to_owned();
    let told = until_ready_is(&setup.start().await, 200).await;
    assert!(told.starts_with("ready\n[+] start ok\n[+] audit ok\n[+] files ok\nkey T:"), "{told}");
}

/// Fault: SIGTERM comes while load balancers still send requests. Outcome: `/readyz` is 503, and requests are served until they have noticed.
#[tokio::test]
async fn a_lame_duck_serves_and_is_not_ready() {
    let (_graph, proxy) = lame_duck(60).await;
    until_ready_is(&proxy, 200).await;
    proxy.signal(Stop::Gently);
    let told = until_ready_is(&proxy, 503).await;
    assert!(told.contains("[-] stop: the proxy is stopping\n"), "{told}");
    for _ in 0..3 {
        let response = proxy.get(USERS).await;
        assert_eq!((response.status, response.headers["connection"].to_str().unwrap()), (200, "close"));
    }
    assert_eq!(proxy.admin_get("/healthz").await.status, 200);
    let address = proxy.address;
    // The second signal ends it.
    proxy.signal(Stop::Gently);
    proxy.ended().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_interrupt_makes_no_lame_duck() {
    let (_graph, proxy) = lame_duck(60).await;
    until_ready_is(&proxy, 200).await;
    proxy.signal(Stop::Now);
    proxy.ended().await;
}

#[tokio::test]
async fn a_lame_duck_ends_by_itself() {
    let (_graph, proxy) = lame_duck(1).await;
    until_ready_is(&proxy, 200).await;
    proxy.signal(Stop::Gently);
    proxy.ended().await;
}

async fn lame_duck(seconds: u32) -> (FakeUpstream, Glassine) {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut setup = Setup::scripted(&graph);
    setup.more = format!("limits: {{ lame_duck_seconds: {seconds} }}\n");
    (graph, setup.start().await)
}
