//! The consumers of the demo's proxy: one that works at once, and one for each connector, whose data source must be
//! connected first, as in a real tenant.

use std::net::SocketAddr;

use super::tenant::Tenant;

/// The consumer that works at once: its application was granted its permissions before the demo began.
pub(crate) const READY: &str = "demo";

/// The consumer with an analytics application, to which the connection pages return.
pub(crate) const RETURNING: &str = "people-analytics";

/// A consumer whose data source is not connected yet.
#[derive(Clone, Copy)]
pub(super) struct Connectable {
    pub(super) name: &'static str,
    /// The connector's rules.
    pub(super) rules: &'static str,
    /// The connector's app registration in the sample tenant, by its name.
    registration: &'static str,
}

/// One for each connector of `rules/`.
pub(super) const CONNECTABLE: [Connectable; 2] = [
    Connectable {
        name: RETURNING,
        rules: include_str!("../../rules/outlook-mail-metadata-only.yaml"),
        registration: "Outlook Mail - Meta Data Only",
    },
    Connectable {
        name: "mail-analytics",
        rules: include_str!("../../rules/outlook-mail.yaml"),
        registration: "Outlook Mail",
    },
];

impl Connectable {
    pub(super) fn rules_file(self) -> String {
        format!("{}.yaml", self.name)
    }

    pub(super) fn secret_file(self) -> String {
        format!("{}-secret", self.name)
    }

    /// The client secret of its app registration.
    pub(super) fn secret(self, tenant: &Tenant) -> String {
        let registration = tenant.entra().registration(self.registration);
        registration.map(|it| it.client_secret().to_owned()).unwrap_or_default()
    }

    /// Its entry in the configuration.
    pub(super) fn entry(self, tenant: &Tenant, bearer_sha256: &str, analytics: SocketAddr) -> String {
        let registration = tenant.entra().registration(self.registration);
        let client_id = registration.map(|it| it.client_id().to_owned()).unwrap_or_default();
        let (name, rules, secret) = (self.name, self.rules_file(), self.secret_file());
        let entry = format!(
            "  - name: {name}\n    rules: {rules}\n    credential: {{ bearer_sha256: [{bearer_sha256}] }}\n    \
             application: {{ client_id: {client_id}, credential: {{ client_secret_file: {secret} }} }}\n"
        );
        if name == RETURNING {
            format!("{entry}    return_url: http://{analytics}/connected\n")
        } else {
            entry
        }
    }
}

/// Adds the proxy's addresses to the redirect URIs of its app registrations, as an administrator does in Entra.
pub(crate) fn register(tenant: &Tenant, proxy: SocketAddr) {
    for registration in tenant.entra().registrations() {
        for page in ["signed-in", "consented"] {
            let uri = format!("http://{proxy}/connect/{page}");
            tenant.entra().change(registration.client_id(), |it| it.add_redirect_uri(&uri));
        }
    }
}
