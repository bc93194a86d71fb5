//! The `upstream` section: Graph, Entra, and how to authenticate to them.

use std::ops::Range;
use std::time::Duration;

use super::check::{Context, optional};
use super::raw::{self, Text};
use super::{BaseUrl, FileRef, Source};
use crate::graph::is_guid;
use crate::rules::codes::{CONFIG_UNSUPPORTED, CONFIG_VALUE};
use crate::rules::yaml::Spanned;

/// Graph's global service (<https://learn.microsoft.com/graph/deployments>); national clouds have others.
pub(super) const DEFAULT_GRAPH: &str = "https://graph.microsoft.com";

/// Entra's global service (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
pub(super) const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Connecting takes milliseconds where it works; a SYN that is lost twice takes about 3 s.
pub(super) const DEFAULT_CONNECT: Duration = Duration::from_secs(10);

/// Until Graph's status line: large `$filter`s on large mailboxes take tens of seconds.
pub(super) const DEFAULT_RESPONSE: Duration = Duration::from_secs(100);

/// Between two pieces of an answer: Graph sends without pauses once it has begun.
pub(super) const DEFAULT_IDLE: Duration = Duration::from_secs(30);

/// Nothing waits longer: load balancers between would have given up.
const MAX_SECONDS: u64 = 600;

/// Where Graph and Entra are.
#[derive(Clone, Debug)]
pub struct Upstream {
    graph: BaseUrl,
    authority: BaseUrl,
    ca: Option<FileRef>,
    credential: UpstreamCredential,
    timeouts: Timeouts,
}

impl UpstreamCredential {
    /// The tenant of that app registration.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::AccessToken(_) | Self::Forward { .. } => None,
            Self::ClientSecret { tenant, .. } => Some(tenant),
        }
    }

    /// The app registration that this is the credential of, if there is one.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::AccessToken(_) | Self::Forward { .. } => None,
            Self::ClientSecret { client_id, .. } => Some(client_id),
        }
    }
}

impl Upstream {
    /// Graph's origin; no path.
    pub fn graph(&self) -> &BaseUrl {
        &self.graph
    }

    /// Entra's origin; no path.
    pub fn authority(&self) -> &BaseUrl {
        &self.authority
    }

    /// Root certificates (PEM) to trust beside the system's.
    pub fn ca(&self) -> Option<&FileRef> {
        self.ca.as_ref()
    }

    /// How this proxy authenticates to Graph.
    pub fn credential(&self) -> &UpstreamCredential {
        &self.credential
    }

    /// How long to wait for Graph.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }
}

/// How this proxy authenticates to Graph.
#[derive(Clone, Debug)]
pub enum UpstreamCredential {
    /// An access token that something else keeps fresh.
    AccessToken(Source),
    /// Each consumer's own, which it sends with its requests.
    Forward {
        /// Where the configuration says so.
        span: Range<usize>,
    },
    /// The client credentials grant with a secret (RFC 6749, section 4.4).
    ClientSecret {
        /// The tenant's domain or id.
        tenant: String,
        /// The app registration's id.
        client_id: String,
        /// Where the secret is.
        secret: Source,
    },
}

/// How long to wait for Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, with its TLS handshake.
    pub connect: Duration,
    /// For the head of an answer.
    pub response: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
}

pub(super) fn check_upstream(
    upstream: Spanned<raw::Upstream>,
    context: &mut Context<'_>,
) -> Option<Upstream> {
    let Spanned { value: upstream, span } = upstream;
    let graph = check_origin(upstream.graph.as_ref(), DEFAULT_GRAPH, &span, context);
    let authority = check_origin(upstream.authority.as_ref(), DEFAULT_AUTHORITY, &span, context);
    let ca = optional(upstream.ca_file.as_ref(), |text| context.file(text));
    let application = check_application(&upstream, context);
    let credential =
        upstream.credential.0.and_then(|credential| check_credential(&credential, application?, context));
    let timeouts = check_timeouts(upstream.timeouts.and_then(|it| it.0).as_ref(), context);
    Some(Upstream {
        graph: graph?,
        authority: authority?,
        ca: ca?,
        credential: credential?,
        timeouts: timeouts?,
    })
}

/// An app registration of a consumer's own, in the tenant of `upstream`.
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
        "write `client_secret_file`; tokens from elsewhere and forwarded ones belong into `upstream.credential`",
    )
}

fn check_origin(
    written: Option<&Text>,
    default: &str,
    section: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<BaseUrl> {
    let default = || Text { value: default.to_owned(), span: section.clone() };
    BaseUrl::check_origin(&written.cloned().unwrap_or_else(default), context)
}

/// `tenant` and `client_id`, which only some credentials need.
struct Application {
    tenant: Option<String>,
    client_id: Option<String>,
}

fn check_application(upstream: &raw::Upstream, context: &mut Context<'_>) -> Option<Application> {
    let tenant = optional(upstream.tenant.as_ref(), |text| check_tenant(text, context));
    let client_id = optional(upstream.client_id.as_ref(), |text| check_client_id(text, context));
    let application = Application { tenant: tenant?, client_id: client_id? };
    context.set_tenant(application.tenant.clone());
    Some(application)
}

/// A tenant is a segment of the token endpoint's path. The multi-tenant aliases have no application permissions.
fn check_tenant(text: &Text, context: &mut Context<'_>) -> Option<String> {
    let tenant = text.value.to_ascii_lowercase();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let is_name = tenant.starts_with(|c: char| c.is_ascii_alphanumeric()) && tenant.bytes().all(fits);
    if !is_name || !(tenant.contains('.') || is_guid(&tenant)) {
        return context.refuse(
            CONFIG_VALUE,
            &text.span,
            "this is not a tenant",
            "write its domain (contoso.onmicrosoft.com) or its directory id (a GUID), not `common` or `organizations`",
        );
    }
    Some(tenant)
}

fn check_client_id(text: &Text, context: &mut Context<'_>) -> Option<String> {
    let client_id = text.value.to_ascii_lowercase();
    if is_guid(&client_id) {
        return Some(client_id);
    }
    context.refuse(
        CONFIG_VALUE,
        &text.span,
        "this is not a client id",
        "copy the application (client) id of the app registration: a GUID",
    )
}

fn check_credential(
    credential: &Spanned<raw::UpstreamCredential>,
    application: Application,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    let written = &credential.value;
    if let Some(span) = unsupported(written) {
        return context.refuse(
            CONFIG_UNSUPPORTED,
            span,
            "this kind of credential is not in this version",
            "use `client_secret_file`, or `access_token_file` with a token that something else keeps fresh",
        );
    }
    if let Some(forward) = &written.forward {
        return check_forward(forward, written, &credential.span, context);
    }
    let sources = [
        (Kind::AccessToken, Place::File, &written.access_token_file),
        (Kind::AccessToken, Place::Environment, &written.access_token_env),
        (Kind::ClientSecret, Place::File, &written.client_secret_file),
        (Kind::ClientSecret, Place::Environment, &written.client_secret_env),
    ];
    let mut chosen =
        sources.into_iter().filter_map(|(kind, place, text)| text.as_ref().map(|text| (kind, place, text)));
    let (Some((kind, place, text)), None) = (chosen.next(), chosen.next()) else {
        return context.refuse(
            CONFIG_VALUE,
            &credential.span,
            "exactly one credential is needed",
            "name one of client_secret_file, client_secret_env, access_token_file, access_token_env",
        );
    };
    let source = match place {
        Place::File => context.file(text).map(Source::File)?,
        Place::Environment => context.environment(text)?,
    };
    build_credential(kind, source, application, &credential.span, context)
}

fn check_forward(
    forward: &Spanned<bool>,
    written: &raw::UpstreamCredential,
    span: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    let others = [
        &written.access_token_file,
        &written.access_token_env,
        &written.client_secret_file,
        &written.client_secret_env,
    ];
    if forward.value && others.into_iter().all(Option::is_none) {
        return Some(UpstreamCredential::Forward { span: forward.span.clone() });
    }
    context.refuse(
        CONFIG_VALUE,
        span,
        "exactly one credential is needed",
        "write `forward: true` alone, or name a credential of the proxy's own and leave `forward` out",
    )
}

#[derive(Clone, Copy)]
enum Kind {
    AccessToken,
    ClientSecret,
}

#[derive(Clone, Copy)]
enum Place {
    File,
    Environment,
}

/// The place of a key that stands for a kind that this version does not have.
fn unsupported(written: &raw::UpstreamCredential) -> Option<&Range<usize>> {
    let texts = [&written.certificate_file, &written.private_key_file, &written.federated_token_file];
    texts
        .into_iter()
        .find_map(|text| text.as_ref().map(|it| &it.span))
        .or(written.managed_identity.as_ref().map(|it| &it.span))
}

fn build_credential(
    kind: Kind,
    source: Source,
    application: Application,
    span: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    match (kind, application.tenant, application.client_id) {
        (Kind::AccessToken, _, _) => Some(UpstreamCredential::AccessToken(source)),
        (Kind::ClientSecret, Some(tenant), Some(client_id)) => {
            Some(UpstreamCredential::ClientSecret { tenant, client_id, secret: source })
        }
        (Kind::ClientSecret, _, _) => context.refuse(
            CONFIG_VALUE,
            span,
            "a client secret needs a tenant and a client id",
            "add `tenant` and `client_id` to `upstream`",
        ),
    }
}

fn check_timeouts(timeouts: Option<&raw::Timeouts>, context: &mut Context<'_>) -> Option<Timeouts> {
    let written = |key: fn(&raw::Timeouts) -> Option<&Spanned<u64>>| timeouts.and_then(key);
    let connect = context.seconds(written(|it| it.connect_seconds.as_ref()), MAX_SECONDS, DEFAULT_CONNECT);
    let response = context.seconds(written(|it| it.response_seconds.as_ref()), MAX_SECONDS, DEFAULT_RESPONSE);
    let idle = context.seconds(written(|it| it.idle_seconds.as_ref()), MAX_SECONDS, DEFAULT_IDLE);
    Some(Timeouts { connect: connect?, response: response?, idle: idle? })
}
