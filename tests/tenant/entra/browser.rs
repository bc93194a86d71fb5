//! A browser in front of the sample tenant's Entra: it keeps the cookie, and sends the forms that it finds on pages.

use std::collections::HashMap;

use super::{Graph, TenantResponse, query};
use crate::support::entra::form;

/// One browser.
pub(super) struct Browser<'a> {
    graph: &'a Graph,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        Self { graph, cookie: None }
    }

    pub(super) async fn open(&mut self, path: &str, parameters: &[(&str, &str)]) -> TenantResponse {
        let target = format!("{}?{}", self.graph.entra(path), query(parameters));
        let response = self.graph.get_with(&target, &self.headers()).await;
        self.keep(response)
    }

    /// Presses a button of the page: sends its form with this name and value.
    pub(super) async fn press(&mut self, page: &TenantResponse, name: &str, value: &str) -> TenantResponse {
        let (_, form) = text(page).split_once("<form method=\"post\" action=\"").expect("a form");
        let (action, form) = form.split_once('"').unwrap();
        let (_, hidden) = form.split_once("name=\"ctx\" value=\"").unwrap();
        let context = hidden.split('"').next().unwrap();
        assert!(
            form.contains(&format!("name=\"{name}\" value=\"{value}\"")),
            "no such button: {name} {value}"
        );
        let sent = query(&[("ctx", context), (name, value)]);
        let response = self.graph.post(action, &sent, &self.headers()).await;
        self.keep(response)
    }

    /// Chooses the account of this place: an administrator, an ordinary user, a guest.
    pub(super) async fn choose(&mut self, page: &TenantResponse, person: usize) -> TenantResponse {
        let id = self.graph.tenant.entra().people()[person].id().to_owned();
        self.press(page, "account", &id).await
    }

    pub(super) fn tenant_id(&self) -> &'a str {
        self.graph.tenant.tenant_id()
    }

    pub(super) fn forget_session(&mut self) {
        self.cookie = None;
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.cookie.iter().map(|cookie| ("cookie", cookie.as_str())).collect()
    }

    fn keep(&mut self, response: TenantResponse) -> TenantResponse {
        if let Some(set) = response.headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax"), "{set}");
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        response
    }
}

pub(super) fn text(page: &TenantResponse) -> &str {
    std::str::from_utf8(&page.body).unwrap()
}

/// The URL that the browser is redirected to, and its parameters.
pub(super) fn sent(response: &TenantResponse) -> (String, HashMap<String, String>) {
    assert_eq!(response.status.as_u16(), 302, "{}", text(response));
    let (place, parameters) = response.header("location").split_once('?').unwrap();
    (place.to_owned(), form(parameters))
}

/// Checks that a page shows this number and does not redirect.
pub(super) fn stays(response: &TenantResponse, status: u16, code: u32) {
    assert_eq!(response.status.as_u16(), status, "{}", text(response));
    assert!(text(response).contains(&format!("AADSTS{code}: ")), "{code}: {}", text(response));
    assert!(!response.headers.contains_key("location"));
    assert!(response.header("content-type").starts_with("text/html"));
}
