//! The proxy in front of the sample tenant, with a connector's own application: a data source is connected as an
//! administrator does it, and then read.

use serde_json::{Value, json};

use super::browser::{Browser, sent, text};
use super::{Graph, TenantResponse};
use crate::support::entra::form;
use crate::support::glassine::{Glassine, ProxyResponse as Page, Setup};

pub(super) const NAME: &str = "Outlook Mail - Meta Data Only";

/// A proxy whose only consumer's rules are those of the application.
pub(super) async fn connectable() -> (Graph, Glassine) {
    connectable_in(1).await
}

/// The same, with this patience in seconds.
pub(super) async fn connectable_in(patience: u8) -> (Graph, Glassine) {
    let graph = Graph::own().await;
    let application = graph.application(NAME);
    let mut setup = Setup::in_front_of(graph.base());
    setup.domain = graph.tenant.domain().to_owned();
    setup.files = vec![("secret", application.client_secret().to_owned())];
    setup.credential = format!(
        "authority: {}\n  tenant: {}\n  client_id: {}\n  credential: {{ client_secret_file: secret }}",
        graph.base(),
        graph.tenant.tenant_id(),
        application.client_id()
    );
    setup.more = format!("connect: {{ file: connections.json, wait_seconds: {patience} }}\n");
    let proxy = setup.start().await;
    for page in ["signed-in", "consented"] {
        graph.change(NAME, |it| it.add_redirect_uri(&format!("{}/connect/{page}", proxy.url())));
    }
    // From here on the proxy has a token, so the one that it gets at its start comes into no test's way.
    assert_eq!(proxy.get("/v1.0/users?$top=1").await.status, 403);
    (graph, proxy)
}

/// A person who has both in one browser.
pub(super) struct Visitor<'a> {
    proxy: &'a Glassine,
    entra: Browser<'a>,
    cookie: String,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(graph: &'a Graph, proxy: &'a Glassine) -> Self {
        Self { proxy, entra: Browser::new(graph), cookie: String::new() }
    }

    /// From the button to Entra's sign-in page.
    async fn begin(&mut self) -> TenantResponse {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let response = self.proxy.send_body("POST", "/connect/acme", &headers, String::new()).await;
        self.follow(&response).await
    }

    /// From the chosen account to the next page: Entra's permission page, or a page of the proxy.
    pub(super) async fn sign_in(&mut self, person: usize) -> Result<TenantResponse, Page> {
        let page = self.begin().await;
        let response = self.entra.choose(&page, person).await;
        let page = self.back(&response).await;
        if page.status == 303 { Ok(self.follow(&page).await) } else { Err(page) }
    }

    /// Presses a button on Entra's page, and is redirected back.
    pub(super) async fn decide(&mut self, page: &TenantResponse, decision: &str) -> Page {
        let response = self.entra.press(page, "decision", decision).await;
        self.back(&response).await
    }

    /// Follows Entra to the proxy.
    async fn back(&mut self, response: &TenantResponse) -> Page {
        let (place, _) = sent(response);
        assert!(place.starts_with(&self.proxy.url()), "{place}");
        let target = response.header("location").strip_prefix(&self.proxy.url()).unwrap();
        self.proxy.send("GET", target, &[("cookie", &self.cookie)]).await
    }

    /// Follows the proxy to Entra.
    async fn follow(&mut self, response: &Page) -> TenantResponse {
        assert_eq!(response.status, 303, "{}", response.text());
        if let Some(cookie) = response.headers.get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        let place = response.headers["location"].to_str().unwrap();
        let (path, parameters) = place.split_once('?').unwrap();
        let path = path.split_once(self.entra.tenant_id()).unwrap().1;
        let parameters = form(parameters);
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.entra.open(path, &parameters).await
    }
}

pub(super) fn shows(page: &Page, code: &str) {
    assert!(page.text().contains(&format!("Code: <code>{code}<")), "{code}: {}", page.text());
}

pub(super) fn state(proxy: &Glassine) -> Value {
    let noted: Value = serde_json::from_str(&proxy.read("connections.json")).unwrap();
    noted["connections"]["acme"]["state"].clone()
}

#[tokio::test]
async fn an_administrator_connects_the_data_source_and_it_opens() {
    let (graph, proxy) = connectable().await;
    assert_eq!(proxy.get("/v1.0/users?$top=1").await.status, 403);
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.sign_in(0).await.unwrap();
    assert!(text(&page).contains("Permissions requested"), "{}", text(&page));
    let outcome = visitor.decide(&page, "accept").await;
    shows(&outcome, "connected");
    assert_eq!(state(&proxy), json!("connected"));
    assert_eq!(proxy.get("/v1.0/users?$top=1").await.status, 200);
    for person in graph.tenant.entra().people() {
        assert!(
            !outcome.everything().contains(person.name())
                && !outcome.everything().contains(person.object_id())
        );
    }
}

#[tokio::test]
async fn a_declined_consent_is_reported_and_can_be_given_later() {
    let (graph, proxy) = connectable().await;
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.sign_in(0).await.unwrap();
    shows(&visitor.decide(&page, "cancel").await, "consent_declined");
    let page = visitor.sign_in(0).await.unwrap();
    shows(&visitor.decide(&page, "accept").await, "connected");
}

#[tokio::test]
async fn a_declined_sign_in_is_reported() {
    let (graph, proxy) = connectable().await;
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.begin().await;
    shows(&visitor.decide(&page, "cancel").await, "sign_in_declined");
}

#[tokio::test]
async fn an_ordinary_user_learns_who_can_connect() {
    let (graph, proxy) = connectable().await;
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.sign_in(1).await.unwrap();
    assert!(text(&page).contains("Need admin approval"), "{}", text(&page));
    shows(&visitor.decide(&page, "cancel").await, "not_administrator");
}

#[tokio::test]
async fn an_account_of_another_directory_connects_nothing() {
    let (graph, proxy) = connectable().await;
    let page = Visitor::new(&graph, &proxy).sign_in(2).await.err().unwrap();
    assert_eq!(page.status, 403);
    shows(&page, "wrong_tenant");
    assert!(graph.application(NAME).granted().next().is_none());
}

#[tokio::test]
async fn more_permissions_than_the_rules_need_are_reported() {
    let (graph, proxy) = connectable().await;
    graph.change(NAME, |it| it.grant("Mail.ReadWrite"));
    let mut visitor = Visitor::new(&graph, &proxy);
    let page = visitor.sign_in(0).await.unwrap();
    shows(&visitor.decide(&page, "accept").await, "over_privileged");
    assert_eq!(state(&proxy), json!("over_privileged"));
}
