//! One gate for each application that calls Graph. Exchange counts requests by application, whichever consumer they are for.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Source, UpstreamCredential};
use crate::upstream::{Gate, GateLimits};

/// The gates of all applications of a configuration.
#[derive(Default)]
pub(super) struct Gates(Vec<(Key, Arc<Gate>)>);

/// What tells applications apart. A new secret or certificate makes no other application.
#[derive(PartialEq)]
enum Key {
    /// An app registration or a managed identity, by its client id. `None`: the machine's only identity.
    Client(Option<String>),
    /// The application whose token is in this file.
    File(PathBuf),
    /// The application whose token is in this variable.
    Environment(String),
    /// Tokens that a consumer brings: of its own application.
    Consumer(String),
}

impl Gates {
    /// The gate of an application. It is the `earlier` one of this application, if there was one: requests that began before a
    /// reload are still at Graph.
    pub(super) fn of(
        &mut self,
        credential: &UpstreamCredential,
        consumer: &str,
        earlier: Option<&Self>,
    ) -> Arc<Gate> {
        let key = Key::of(credential, consumer);
        let known = self.find(&key).or_else(|| earlier?.find(&key));
        let gate = known.unwrap_or_else(|| Gate::new(GateLimits::default()));
        if self.find(&key).is_none() {
            self.0.push((key, Arc::clone(&gate)));
        }
        gate
    }

    fn find(&self, key: &Key) -> Option<Arc<Gate>> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, gate)| Arc::clone(gate))
    }
}

impl Key {
    fn of(credential: &UpstreamCredential, consumer: &str) -> Self {
        match credential {
            UpstreamCredential::AccessToken(Source::File(file)) => Self::File(file.path().to_owned()),
            UpstreamCredential::AccessToken(Source::Environment { name, .. }) => {
                Self::Environment(name.clone())
            }
            UpstreamCredential::Application { client_id, .. } => Self::Client(Some(client_id.to_lowercase())),
            UpstreamCredential::Forward { .. } => Self::Consumer(consumer.to_owned()),
            UpstreamCredential::ManagedIdentity { client_id, .. } => {
                Self::Client(client_id.as_ref().map(|id| id.to_lowercase()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(client_id: Option<&str>) -> UpstreamCredential {
        UpstreamCredential::ManagedIdentity { client_id: client_id.map(str::to_owned), span: 0..0 }
    }

    #[test]
    fn consumers_of_one_application_share_its_gate_also_after_a_reload() {
        let mut gates = Gates::default();
        let one = gates.of(&identity(Some("AAAA")), "one", None);
        assert!(Arc::ptr_eq(&one, &gates.of(&identity(Some("aaaa")), "two", None)));
        assert!(!Arc::ptr_eq(&one, &gates.of(&identity(Some("bbbb")), "one", None)));
        assert!(!Arc::ptr_eq(&one, &gates.of(&identity(None), "one", None)));
        let mut later = Gates::default();
        assert!(Arc::ptr_eq(&one, &later.of(&identity(Some("aaaa")), "one", Some(&gates))));
    }

    #[test]
    fn consumers_that_bring_their_own_tokens_have_gates_of_their_own() {
        let mut gates = Gates::default();
        let forward = UpstreamCredential::Forward { span: 0..0 };
        let one = gates.of(&forward, "one", None);
        assert!(Arc::ptr_eq(&one, &gates.of(&forward, "one", None)));
        assert!(!Arc::ptr_eq(&one, &gates.of(&forward, "two", None)));
    }
}
