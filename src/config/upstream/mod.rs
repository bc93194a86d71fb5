//! The `upstream` section: Graph, Entra, and how to authenticate to them.

mod cloud;
mod credential;

pub(crate) use cloud::cloud_names;
pub(super) use credential::WrittenCredential;
pub use credential::{Proof, UpstreamCredential};

use self::cloud::check_places;
use self::credential::{Application, check_credential};
use super::FileRef;
use super::check::{Context, optional};
use super::raw::{self, Text};
use crate::config::codes::CONFIG_VALUE;
use crate::upstream::Timeouts;
use glassine_core::graph::{Origin, is_guid};
use glassine_core::yaml::Spanned;

/// No load balancer waits longer.
const MAX_SECONDS: u64 = 600;

/// The addresses of Graph and Entra, and how to reach them.
#[derive(Clone, Debug)]
pub struct Upstream {
    graph: Origin,
    authority: Origin,
    ca: Option<FileRef>,
    credential: UpstreamCredential,
    timeouts: Timeouts,
}

impl Upstream {
    /// Graph's origin.
    pub fn graph(&self) -> &Origin {
        &self.graph
    }

    /// Entra's origin.
    pub fn authority(&self) -> &Origin {
        &self.authority
    }

    /// The addresses of Graph and Entra that are not Microsoft's.
    pub fn foreign_hosts(&self) -> Vec<&str> {
        cloud::foreign(&self.graph, &self.authority)
    }

    /// The name of the cloud whose Graph this is; `another` if it is none of Microsoft's.
    pub(crate) fn cloud(&self) -> &'static str {
        cloud::name_of(&self.graph).unwrap_or("another")
    }

    /// Root certificates (PEM) to trust besides the system's.
    pub fn ca(&self) -> Option<&FileRef> {
        self.ca.as_ref()
    }

    /// The credential with which this proxy authenticates to Graph.
    pub fn credential(&self) -> &UpstreamCredential {
        &self.credential
    }

    /// How long to wait for Graph, Entra and issuers.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }
}

pub(super) fn check_upstream(
    upstream: Spanned<raw::Upstream>,
    context: &mut Context<'_>,
) -> Option<Upstream> {
    let Spanned { value: upstream, span } = upstream;
    let places = check_places(&upstream, &span, context);
    let ca = optional(upstream.ca_file.as_ref(), |text| context.file(text));
    let application = check_application(&upstream, context);
    let credential =
        upstream.credential.0.and_then(|credential| check_credential(&credential, application?, context));
    let timeouts = check_timeouts(upstream.timeouts.and_then(|it| it.0).as_ref(), context);
    let (graph, authority) = places?;
    Some(Upstream { graph, authority, ca: ca?, credential: credential?, timeouts: timeouts? })
}

/// Checks a consumer's own app registration. It is in the tenant of `upstream`.
pub(super) fn check_own_application(
    application: &raw::Application,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    let client_id = check_client_id(&application.client_id, context)?;
    let own = Application { tenant: context.tenant().map(str::to_owned), client_id: Some(client_id) };
    let credential = check_credential(&application.credential, own, context)?;
    if credential.client_id().is_some() {
        return Some(credential);
    }
    context.refuse(
        CONFIG_VALUE,
        &application.credential.span,
        "this is not an app registration's credential",
        "write client_secret_file, certificate_file or federated_token_file; other credentials belong in `upstream.credential`",
    )
}

fn check_application(upstream: &raw::Upstream, context: &mut Context<'_>) -> Option<Application> {
    let tenant = optional(upstream.tenant.as_ref(), |text| check_tenant(text, context));
    let client_id = optional(upstream.client_id.as_ref(), |text| check_client_id(text, context));
    let application = Application { tenant: tenant?, client_id: client_id? };
    context.set_tenant(application.tenant.clone());
    Some(application)
}

/// A tenant is a segment of the token endpoint's path. The multi-tenant aliases are refused, because application
/// permissions need one tenant.
fn check_tenant(text: &Text, context: &mut Context<'_>) -> Option<String> {
    tenant(&text.value)
        .or_else(|| context.refuse(CONFIG_VALUE, &text.span, "this is not a tenant", TENANT_HINT))
}

fn check_client_id(text: &Text, context: &mut Context<'_>) -> Option<Text> {
    match client_id(&text.value) {
        Some(value) => Some(Text { value, span: text.span.clone() }),
        None => context.refuse(CONFIG_VALUE, &text.span, "this is not a client id", CLIENT_ID_HINT),
    }
}

pub(crate) const TENANT_HINT: &str = "write its domain (contoso.onmicrosoft.com) or its directory id (a GUID), not `common` or `organizations`";

/// The domain or the directory id of a tenant, in lower case. `None` if the text is neither.
pub(crate) fn tenant(text: &str) -> Option<String> {
    let tenant = text.to_ascii_lowercase();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let is_name = tenant.starts_with(|c: char| c.is_ascii_alphanumeric()) && tenant.bytes().all(fits);
    (is_name && (tenant.contains('.') || is_guid(&tenant))).then_some(tenant)
}

pub(crate) const CLIENT_ID_HINT: &str = "copy the application (client) id of the app registration: a GUID";

/// The id of an app registration, in lower case. `None` if the text is none.
pub(crate) fn client_id(text: &str) -> Option<String> {
    let client_id = text.to_ascii_lowercase();
    is_guid(&client_id).then_some(client_id)
}

fn check_timeouts(timeouts: Option<&raw::Timeouts>, context: &mut Context<'_>) -> Option<Timeouts> {
    let usual = Timeouts::default();
    let written = |key: fn(&raw::Timeouts) -> Option<&Spanned<u64>>| timeouts.and_then(key);
    let connect = context.seconds(written(|it| it.connect_seconds.as_ref()), MAX_SECONDS, usual.connect);
    let head = context.seconds(written(|it| it.response_seconds.as_ref()), MAX_SECONDS, usual.head);
    let idle = context.seconds(written(|it| it.idle_seconds.as_ref()), MAX_SECONDS, usual.idle);
    Some(Timeouts { connect: connect?, head: head?, idle: idle?, ..usual })
}
