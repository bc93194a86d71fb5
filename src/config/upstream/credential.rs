//! The credential with which the proxy authenticates to Graph, as written and as checked: exactly one kind.

use std::ops::Range;

use serde::Deserialize;

use super::{check_client_id, optional};
use crate::config::check::Context;
use crate::config::codes::CONFIG_VALUE;
use crate::config::raw::Text;
use crate::config::{FileRef, Source};
use glassine_core::yaml::Spanned;

/// The credential as written. All kinds are optional keys: this gives better messages for wrong mixtures than an enum.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct WrittenCredential {
    access_token_file: Option<Text>,
    access_token_env: Option<Text>,
    client_secret_file: Option<Text>,
    client_secret_env: Option<Text>,
    certificate_file: Option<Text>,
    private_key_file: Option<Text>,
    federated_token_file: Option<Text>,
    managed_identity: Option<Spanned<WrittenIdentity>>,
    forward: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIdentity {
    client_id: Option<Text>,
}

/// How this proxy authenticates to Graph.
#[derive(Clone, Debug)]
pub enum UpstreamCredential {
    /// An access token that another program keeps fresh.
    AccessToken(Source),
    /// An app registration (RFC 6749, section 4.4).
    Application {
        /// The tenant's domain or id.
        tenant: String,
        /// The app registration's id.
        client_id: String,
        /// How the proxy authenticates as this application.
        proof: Proof,
    },
    /// Each consumer sends its own access token for Graph with its requests.
    Forward {
        /// The place of `forward` in the configuration.
        span: Range<usize>,
    },
    /// A managed identity, which Azure gives to the machine.
    ManagedIdentity {
        /// Which of the machine's identities. `None`: the system-assigned one, or the only one.
        client_id: Option<String>,
        /// The place of `managed_identity` in the configuration.
        span: Range<usize>,
    },
}

/// How an application authenticates to Entra.
#[derive(Clone, Debug)]
pub enum Proof {
    /// With an assertion, signed with the key of a registered certificate.
    Certificate {
        /// The certificate (PEM), the application's own first.
        certificate: FileRef,
        /// Its private key (PEM).
        private_key: FileRef,
    },
    /// With a token of an issuer that the app registration trusts.
    FederatedToken(FileRef),
    /// With a client secret.
    Secret(Source),
}

impl UpstreamCredential {
    /// The app registration's tenant, if this is the credential of one.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Application { tenant, .. } => Some(tenant),
            Self::AccessToken(_) | Self::Forward { .. } | Self::ManagedIdentity { .. } => None,
        }
    }

    /// The app registration's id, if this is the credential of one.
    pub fn client_id(&self) -> Option<&str> {
        match self {
            Self::Application { client_id, .. } => Some(client_id),
            Self::AccessToken(_) | Self::Forward { .. } | Self::ManagedIdentity { .. } => None,
        }
    }

    /// The kind of its secret, for messages, and the secret's source.
    pub(crate) fn secret(&self) -> Option<(&'static str, Source)> {
        match self {
            Self::AccessToken(source) => Some(("access token", source.clone())),
            Self::Application { proof, .. } => Some(proof.secret()),
            Self::Forward { .. } | Self::ManagedIdentity { .. } => None,
        }
    }

    /// The certificate that it authenticates with, if it does so with one.
    pub(crate) fn certificate(&self) -> Option<&FileRef> {
        match self {
            Self::Application { proof: Proof::Certificate { certificate, .. }, .. } => Some(certificate),
            Self::Application { .. }
            | Self::AccessToken(_)
            | Self::Forward { .. }
            | Self::ManagedIdentity { .. } => None,
        }
    }

    /// Whether this is a managed identity.
    pub(crate) fn is_managed_identity(&self) -> bool {
        matches!(self, Self::ManagedIdentity { .. })
    }
}

impl Proof {
    fn secret(&self) -> (&'static str, Source) {
        match self {
            Self::Certificate { private_key, .. } => {
                ("application's private key", Source::File(private_key.clone()))
            }
            Self::FederatedToken(file) => ("federated token", Source::File(file.clone())),
            Self::Secret(source) => ("client secret", source.clone()),
        }
    }
}

/// `tenant` and `client_id`, which only an app registration's credential needs.
pub(super) struct Application {
    pub(super) tenant: Option<String>,
    pub(super) client_id: Option<Text>,
}

/// A kind of credential, with its keys as written.
enum Written<'a> {
    AccessToken(Place<'a>),
    Certificate(Option<&'a Text>, Option<&'a Text>),
    FederatedToken(&'a Text),
    Forward(&'a Spanned<bool>),
    ManagedIdentity(&'a Spanned<WrittenIdentity>),
    Secret(Place<'a>),
}

/// The source of a secret, as written.
#[derive(Clone, Copy)]
enum Place<'a> {
    Environment(&'a Text),
    File(&'a Text),
}

pub(super) fn check_credential(
    credential: &Spanned<WrittenCredential>,
    application: Application,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    let span = &credential.span;
    let [written] = &kinds(&credential.value)[..] else {
        return context.refuse(
            CONFIG_VALUE,
            span,
            "exactly one credential is needed",
            "name one of client_secret_file, client_secret_env, certificate_file with private_key_file, \
             federated_token_file, managed_identity, access_token_file, access_token_env, forward",
        );
    };
    match written {
        Written::AccessToken(place) => place.check(context).map(UpstreamCredential::AccessToken),
        Written::Certificate(certificate, key) => {
            let proof = check_certificate(*certificate, *key, span, context);
            with_application(proof, application, span, context)
        }
        Written::FederatedToken(file) => {
            let proof = context.file(file).map(Proof::FederatedToken);
            with_application(proof, application, span, context)
        }
        Written::Forward(forward) => check_forward(forward, context),
        Written::ManagedIdentity(identity) => check_identity(identity, &application, context),
        Written::Secret(place) => {
            let proof = place.check(context).map(Proof::Secret);
            with_application(proof, application, span, context)
        }
    }
}

fn kinds(it: &WrittenCredential) -> Vec<Written<'_>> {
    fn file(text: &Option<Text>) -> Option<Place<'_>> {
        text.as_ref().map(Place::File)
    }
    fn environment(text: &Option<Text>) -> Option<Place<'_>> {
        text.as_ref().map(Place::Environment)
    }
    let (certificate, key) = (it.certificate_file.as_ref(), it.private_key_file.as_ref());
    let has_certificate = certificate.is_some() || key.is_some();
    let kinds = [
        file(&it.access_token_file).map(Written::AccessToken),
        environment(&it.access_token_env).map(Written::AccessToken),
        has_certificate.then_some(Written::Certificate(certificate, key)),
        it.federated_token_file.as_ref().map(Written::FederatedToken),
        it.forward.as_ref().map(Written::Forward),
        it.managed_identity.as_ref().map(Written::ManagedIdentity),
        file(&it.client_secret_file).map(Written::Secret),
        environment(&it.client_secret_env).map(Written::Secret),
    ];
    kinds.into_iter().flatten().collect()
}

impl Place<'_> {
    fn check(self, context: &mut Context<'_>) -> Option<Source> {
        match self {
            Self::File(text) => context.file(text).map(Source::File),
            Self::Environment(text) => context.environment(text),
        }
    }
}

fn check_certificate(
    certificate: Option<&Text>,
    key: Option<&Text>,
    span: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<Proof> {
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return context.refuse(
            CONFIG_VALUE,
            span,
            "a certificate and its private key are needed",
            "name both, `certificate_file` and `private_key_file`; they may be one file",
        );
    };
    let (certificate, private_key) = (context.file(certificate), context.file(key));
    Some(Proof::Certificate { certificate: certificate?, private_key: private_key? })
}

fn with_application(
    proof: Option<Proof>,
    application: Application,
    span: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    match (application.tenant, application.client_id) {
        (Some(tenant), Some(client_id)) => {
            Some(UpstreamCredential::Application { tenant, client_id: client_id.value, proof: proof? })
        }
        _ => context.refuse(
            CONFIG_VALUE,
            span,
            "the credential of an app registration needs a tenant and a client id",
            "add `tenant` and `client_id` to `upstream`",
        ),
    }
}

fn check_forward(forward: &Spanned<bool>, context: &mut Context<'_>) -> Option<UpstreamCredential> {
    if forward.value {
        return Some(UpstreamCredential::Forward { span: forward.span.clone() });
    }
    context.refuse(
        CONFIG_VALUE,
        &forward.span,
        "exactly one credential is needed",
        "write `forward: true`, or name a credential of the proxy and leave `forward` out",
    )
}

/// A managed identity has its own `client_id` key. `upstream.client_id` is for an app registration, so both together
/// are a mistake.
fn check_identity(
    identity: &Spanned<WrittenIdentity>,
    application: &Application,
    context: &mut Context<'_>,
) -> Option<UpstreamCredential> {
    if let Some(misplaced) = &application.client_id {
        return context.refuse(
            CONFIG_VALUE,
            &misplaced.span,
            "a managed identity is not an app registration",
            "leave `client_id` out, or write `managed_identity: { client_id: … }` for a user-assigned identity",
        );
    }
    let client_id = optional(identity.value.client_id.as_ref(), |text| check_client_id(text, context))?;
    let client_id = client_id.map(|it| it.value);
    Some(UpstreamCredential::ManagedIdentity { client_id, span: identity.span.clone() })
}
