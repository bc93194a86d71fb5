//! A browser: its cookie, and the redirects that it follows.

use std::collections::HashMap;

use crate::support::entra::{FakeEntra, TENANT, form, query};
use crate::support::glassine::{Glassine, ProxyResponse};

/// Somebody in front of a browser.
pub(super) struct Visitor<'a> {
    pub(super) proxy: &'a Glassine,
    pub(super) entra: &'a FakeEntra,
    pub(super) cookie: Option<String>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(proxy: &'a Glassine, entra: &'a FakeEntra) -> Self {
        Self { proxy, entra, cookie: None }
    }

    pub(super) async fn get(&mut self, target: &str) -> ProxyResponse {
        self.send("GET", target, &[], "").await
    }

    /// Sends a request as a browser does, and keeps the cookie.
    pub(super) async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> ProxyResponse {
        let cookie = self.cookie.clone();
        let mut all: Vec<_> = cookie.iter().map(|cookie| ("cookie", cookie.as_str())).collect();
        all.extend_from_slice(headers);
        let response = self.proxy.send_body(method, target, &all, body.to_owned()).await;
        if let Some(set) = response.headers.get("set-cookie") {
            self.cookie = set.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        response
    }

    /// Presses the button.
    pub(super) async fn press(&mut self, consumer: &str, body: &str) -> ProxyResponse {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", &format!("/connect/{consumer}"), &headers, body).await
    }

    /// Presses the button. Returns the request to Entra.
    pub(super) async fn begin(&mut self, consumer: &str, body: &str) -> HashMap<String, String> {
        let response = self.press(consumer, body).await;
        assert_eq!(response.status, 303, "{}", response.text());
        let place = location(&response);
        let (page, asked) = place.split_once('?').unwrap();
        assert_eq!(page, format!("{}/{TENANT}/oauth2/v2.0/authorize", self.entra.base()));
        form(asked)
    }

    /// Signs in, up to the response of the callback.
    pub(super) async fn sign_in(&mut self, consumer: &str, body: &str) -> ProxyResponse {
        let asked = self.begin(consumer, body).await;
        let code = self.entra.sign_in(&asked);
        self.get(&signed_in(&code, &asked["state"])).await
    }

    /// Signs in. Returns the request to the consent page.
    pub(super) async fn reach_consent(&mut self, consumer: &str, body: &str) -> HashMap<String, String> {
        let response = self.sign_in(consumer, body).await;
        assert_eq!(response.status, 303, "{}", response.text());
        let place = location(&response);
        let (page, asked) = place.split_once('?').unwrap();
        assert_eq!(page, format!("{}/{TENANT}/v2.0/adminconsent", self.entra.base()));
        form(asked)
    }

    /// Goes through the whole flow and accepts. Returns the response of the last callback.
    pub(super) async fn connect(&mut self, consumer: &str, body: &str) -> ProxyResponse {
        let asked = self.reach_consent(consumer, body).await;
        self.get(&consented(&asked["state"])).await
    }
}

/// Entra's response to a sign-in.
pub(super) fn signed_in(code: &str, state: &str) -> String {
    let parameters = [("code", code), ("state", state), ("session_state", "0")];
    format!("/connect/signed-in?{}", query(&parameters))
}

/// Entra's response to a consent.
pub(super) fn consented(state: &str) -> String {
    consented_for(TENANT, state)
}

pub(super) fn consented_for(tenant: &str, state: &str) -> String {
    let parameters =
        [("admin_consent", "True"), ("tenant", tenant), ("state", state), ("scope", "x/.default")];
    format!("/connect/consented?{}", query(&parameters))
}

pub(super) fn location(response: &ProxyResponse) -> String {
    response.headers["location"].to_str().unwrap().to_owned()
}

/// The stable code on a page.
pub(super) fn code(response: &ProxyResponse) -> String {
    let text = response.text();
    let (_, rest) = text.split_once("Code: <code>").unwrap_or_else(|| panic!("no code: {text}"));
    rest.split('<').next().unwrap().to_owned()
}
