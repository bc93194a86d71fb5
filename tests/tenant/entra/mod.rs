//! The sample tenant's Entra, met as an application and a browser meet it: each refusal beside what is accepted.
//!
//! | file | what |
//! |---|---|
//! | `discovery` | the OpenID configuration, and keys that roll over |
//! | `token` | client credentials with a secret, and what is in a token |
//! | `assertions` | certificates and other issuers' tokens instead of a secret |
//! | `browser` | a browser: cookies, and forms that it reads off pages |
//! | `sign_in` | signing in, and redeeming codes |
//! | `credentials` | the proxy with each kind of credential |
//! | `consent` | the permission page, for administrators and everybody else |
//! | `graph` | what a token opens |
//! | `habits` | what Entra does at times: late consents, opaque tokens, throttling |
//! | `late` | the proxy in front of that |
//! | `identities` | managed identities |
//! | `proxy` | the proxy in front of it all |

mod assertions;
mod browser;
mod consent;
mod credentials;
mod discovery;
mod graph;
mod habits;
mod identities;
mod late;
mod proxy;
mod sign_in;
mod token;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use glassine::demo::tenant::{Registration, Tenant};
use serde_json::Value;

use super::{Graph, TenantResponse};
use crate::support::entra::query;

const SCOPE: &str = "https://graph.microsoft.com/.default";

impl Graph {
    /// A new tenant, for tests that change it.
    async fn own() -> Graph {
        Graph::of(Arc::new(Tenant::new(7))).await
    }

    fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// An address of the tenant's Entra.
    fn entra(&self, path: &str) -> String {
        format!("/{}{path}", self.tenant.tenant_id())
    }

    fn application(&self, name: &str) -> Registration {
        self.tenant.entra().registration(name).unwrap()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Registration)) {
        self.tenant.entra().change(self.application(name).client_id(), change).unwrap();
    }

    /// Sends a form to the token endpoint. Returns the status and the document.
    async fn ask(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let response = self.post(&self.entra("/oauth2/v2.0/token"), &query(form), &[]).await;
        (response.status.as_u16(), response.json())
    }

    /// Checks that the token endpoint refuses.
    async fn denies(&self, form: &[(&str, &str)], status: u16, error: &str, code: u32) {
        let (answered, document) = self.ask(form).await;
        assert_eq!((answered, document["error"].as_str().unwrap()), (status, error), "{document}");
        assert_eq!(document["error_codes"], serde_json::json!([code]), "{document}");
        let description = document["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
        assert!(document["trace_id"].is_string() && document["correlation_id"].is_string(), "{document}");
    }

    /// An access token of the application, issued for its secret.
    async fn token_of(&self, name: &str) -> String {
        let application = self.application(name);
        let (status, document) = self.ask(&with_secret(&application)).await;
        assert_eq!(status, 200, "{document}");
        document["access_token"].as_str().unwrap().to_owned()
    }
}

/// A client credentials request with the application's secret.
fn with_secret(application: &Registration) -> [(&'static str, &str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", application.client_id()),
        ("scope", SCOPE),
        ("client_secret", application.client_secret()),
    ]
}

/// The same form with another value for one name; an empty value removes it.
fn but<'a>(form: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let kept = form.iter().copied().filter(|pair| pair.0 != name);
    kept.chain((!value.is_empty()).then_some((name, value))).collect()
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}
