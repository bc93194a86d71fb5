//! Builds the sources of access tokens for Graph from the configuration.

use std::ops::Range;
use std::sync::Arc;

use super::{Builder, Reported};
use crate::config::files::{FileError, read_secret, read_text};
use crate::config::{self, FileRef, Proof, Source, UpstreamCredential};
use crate::proxy::consumer::Application;
use crate::upstream::{
    self, CertificateFiles, CertificateKey, Credential, IdentityService, Network, RenewalTimes, Secret,
    SecretSource, TokenSettings, TokenSource,
};
use glassine_core::diagnostic::Diagnostic;

impl Builder<'_> {
    /// The application of each consumer. Consumers that share one share its tokens and its gate.
    pub(super) fn applications(
        &mut self,
        network: Result<&Network, &Reported>,
    ) -> Vec<Result<Application, Reported>> {
        let config = self.config;
        let shared = config.upstream().credential();
        let tokens_of_shared = self.tokens_of(shared, network);
        let own = |consumer: &config::Consumer| {
            let (credential, tokens) = match consumer.application() {
                Some(credential) => (credential, self.tokens_of(credential, network)),
                None => (shared, tokens_of_shared.clone()),
            };
            let gate = self.gates.of(credential, consumer.name(), self.earlier.map(|state| &state.gates));
            tokens.map(|tokens| Application { tokens, gate })
        };
        config.consumers().iter().map(own).collect()
    }

    /// The tokens of an application; `None` if consumers send their own.
    fn tokens_of(
        &mut self,
        credential: &UpstreamCredential,
        network: Result<&Network, &Reported>,
    ) -> Result<Option<Arc<TokenSource>>, Reported> {
        let credential = match credential {
            UpstreamCredential::Forward { span } => {
                self.findings.push(bypass(span));
                return Ok(None);
            }
            UpstreamCredential::AccessToken(source) => self.access_token(source),
            UpstreamCredential::Application { tenant, client_id, proof } => {
                self.application(tenant, client_id, proof)
            }
            UpstreamCredential::ManagedIdentity { client_id, span } => {
                self.managed_identity(client_id.as_deref(), span)
            }
        };
        self.source(credential?, network).map(Some)
    }

    /// The token source of an application. Reuses the source of another consumer with the same credential.
    fn source(
        &mut self,
        credential: Credential,
        network: Result<&Network, &Reported>,
    ) -> Result<Arc<TokenSource>, Reported> {
        if let Some((_, tokens)) = self.sources.iter().find(|(known, _)| *known == credential) {
            return Ok(Arc::clone(tokens));
        }
        let network = network.map_err(|reported| *reported)?;
        let tokens = match self.kept_source(&credential, network) {
            Some(tokens) => tokens,
            None => self.new_source(&credential, network)?,
        };
        self.sources.push((credential, Arc::clone(&tokens)));
        Ok(tokens)
    }

    /// The source that serves now, if a new one would ask the same server for the same token. Its token stays in use, so
    /// that a reload while Entra is down costs nothing.
    fn kept_source(&self, credential: &Credential, network: &Network) -> Option<Arc<TokenSource>> {
        let earlier = self.earlier?;
        let same = earlier.origin == *self.config.upstream().graph() && earlier.network.is_like(network);
        let (_, tokens) = earlier.sources.iter().find(|(known, _)| same && known == credential)?;
        Some(Arc::clone(tokens))
    }

    fn new_source(
        &mut self,
        credential: &Credential,
        network: &Network,
    ) -> Result<Arc<TokenSource>, Reported> {
        let settings = TokenSettings {
            credential: credential.clone(),
            graph: self.config.upstream().graph().clone(),
            network: network.clone(),
            pace: RenewalTimes::default(),
        };
        self.built(TokenSource::new(settings)).map(Arc::new)
    }

    fn access_token(&mut self, source: &Source) -> Result<Credential, Reported> {
        Ok(match self.secret(source)? {
            SecretSource::File(path) => Credential::AccessTokenFile(path),
            SecretSource::Env(name) => Credential::AccessTokenEnv(name),
        })
    }

    fn application(&mut self, tenant: &str, client_id: &str, proof: &Proof) -> Result<Credential, Reported> {
        Ok(Credential::Application {
            authority: self.config.upstream().authority().clone(),
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            proof: self.proof(proof)?,
        })
    }

    fn managed_identity(
        &mut self,
        client_id: Option<&str>,
        span: &Range<usize>,
    ) -> Result<Credential, Reported> {
        let service = self.used(IdentityService::from_env(), |why| {
            Diagnostic::error(config::codes::CONFIG_VALUE, span.clone(), why.to_string())
        })?;
        Ok(Credential::ManagedIdentity { service, client_id: client_id.map(str::to_owned) })
    }

    fn proof(&mut self, proof: &Proof) -> Result<upstream::Proof, Reported> {
        Ok(match proof {
            Proof::Certificate { certificate, private_key } => {
                self.check_certificate(certificate, private_key)?;
                upstream::Proof::Certificate(CertificateFiles {
                    certificate: certificate.path().to_owned(),
                    private_key: private_key.path().to_owned(),
                })
            }
            Proof::FederatedToken(file) => {
                upstream::Proof::FederatedToken(self.secret(&Source::File(file.clone()))?)
            }
            Proof::Secret(source) => upstream::Proof::Secret(self.client_secret(source)?),
        })
    }

    fn check_certificate(&mut self, certificate: &FileRef, private_key: &FileRef) -> Result<(), Reported> {
        let text = self.used(read_text(certificate.path()), |why| certificate.unusable(why));
        let key = self.used(read_secret(&Source::File(private_key.clone())), |why| private_key.unusable(why));
        let parsed = CertificateKey::parse(text?.as_bytes(), key?.as_bytes());
        self.used(parsed.map(drop), |why| certificate.unusable(why))
    }

    /// An empty file waits for its secret, as `glassine init` writes it. The proxy starts and says why it is not ready: if it
    /// ended, it would be started again and again, and nobody could see the reason at the admin listener.
    fn client_secret(&mut self, source: &Source) -> Result<SecretSource, Reported> {
        match (source, read_secret(source)) {
            (Source::File(file), Err(FileError::Empty { name })) => {
                self.findings.push(awaited(file, &name));
                Ok(SecretSource::File(file.path().to_owned()))
            }
            _ => self.secret(source),
        }
    }

    /// Checks now that the secret can be read and sent. The proxy reads it again at each use.
    fn secret(&mut self, source: &Source) -> Result<SecretSource, Reported> {
        let text = self.used(read_secret(source), |why| source.unusable(why))?;
        self.used(Secret::read(text.as_bytes()), |why| source.unusable(why))?;
        Ok(match source {
            Source::File(file) => SecretSource::File(file.path().to_owned()),
            Source::Environment { name, .. } => SecretSource::Env(name.clone()),
        })
    }
}

fn awaited(file: &FileRef, name: &str) -> Diagnostic {
    let message = format!("{name} is empty, so the proxy gets no token for Graph and is not ready");
    let hint = "write the client secret's Value into the file; a running proxy takes it within a minute, without a restart";
    Diagnostic::warning(config::codes::CONFIG_FILE, file.span().clone(), message).hint(hint)
}

/// Warns the reviewer about forwarded tokens.
fn bypass(span: &Range<usize>) -> Diagnostic {
    let message = "consumers bring their own tokens for Graph, with which they could ask it past this proxy";
    let hint = "let the proxy have the permissions and the consumers none, or see to it that they cannot reach Graph";
    Diagnostic::warning(config::codes::CONFIG_BYPASS, span.clone(), message).hint(hint)
}
