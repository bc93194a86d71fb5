//! How the proxy gets tokens for Graph: from the configuration's words to a source of tokens.

use std::ops::Range;
use std::sync::Arc;

use super::{Builder, Reported};
use crate::config::files::{read_secret, read_text};
use crate::config::{self, FileRef, Proof, Source, UpstreamCredential};
use crate::upstream::{
    self, CertificateFiles, CertificateKey, Credential, IdentityService, Network, RenewalTimes, SecretSource,
    TokenSettings, TokenSource,
};
use glassine_core::diagnostic::Diagnostic;

impl Builder<'_> {
    /// The tokens of each consumer's application; `Ok(None)` where it brings its own. Who shares an application, shares its tokens.
    pub(super) fn applications(
        &mut self,
        network: Result<&Network, &Reported>,
    ) -> Vec<Result<Option<Arc<TokenSource>>, Reported>> {
        let config = self.config;
        let shared = self.application(config.upstream().credential(), network);
        let own = |consumer: &config::Consumer| match consumer.application() {
            Some(credential) => self.application(credential, network),
            None => shared.clone(),
        };
        config.consumers().iter().map(own).collect()
    }

    fn application(
        &mut self,
        credential: &UpstreamCredential,
        network: Result<&Network, &Reported>,
    ) -> Result<Option<Arc<TokenSource>>, Reported> {
        let Some(credential) = self.credential(credential)? else { return Ok(None) };
        if let Some((_, tokens)) = self.sources.iter().find(|(known, _)| *known == credential) {
            return Ok(Some(Arc::clone(tokens)));
        }
        let settings = TokenSettings {
            credential: credential.clone(),
            graph: self.config.upstream().graph().clone(),
            network: network.map_err(|reported| *reported)?.clone(),
            pace: RenewalTimes::default(),
        };
        let tokens = Arc::new(self.built(TokenSource::new(settings))?);
        self.sources.push((credential, Arc::clone(&tokens)));
        Ok(Some(tokens))
    }

    /// `Ok(None)` where the proxy has none of its own.
    fn credential(&mut self, credential: &UpstreamCredential) -> Result<Option<Credential>, Reported> {
        Ok(Some(match credential {
            UpstreamCredential::Forward { span } => {
                self.findings.push(bypass(span));
                return Ok(None);
            }
            UpstreamCredential::AccessToken(source) => match self.secret(source)? {
                SecretSource::File(path) => Credential::AccessTokenFile(path),
                SecretSource::Env(name) => Credential::AccessTokenEnv(name),
            },
            UpstreamCredential::Application { tenant, client_id, proof } => Credential::Application {
                authority: self.config.upstream().authority().clone(),
                tenant: tenant.clone(),
                client_id: client_id.clone(),
                proof: self.proof(proof)?,
            },
            UpstreamCredential::ManagedIdentity { client_id, span } => {
                let service = self.used(IdentityService::from_env(), |why| {
                    Diagnostic::error(config::codes::CONFIG_VALUE, span.clone(), why.to_string())
                })?;
                Credential::ManagedIdentity { service, client_id: client_id.clone() }
            }
        }))
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
            Proof::Secret(source) => upstream::Proof::Secret(self.secret(source)?),
        })
    }

    fn check_certificate(&mut self, certificate: &FileRef, private_key: &FileRef) -> Result<(), Reported> {
        let text = self.used(read_text(certificate.path()), |why| certificate.unusable(why));
        let key = self.used(read_secret(&Source::File(private_key.clone())), |why| private_key.unusable(why));
        let parsed = CertificateKey::parse(text?.as_bytes(), key?.as_bytes());
        self.used(parsed.map(drop), |why| certificate.unusable(why))
    }

    /// Secrets are read when they are used; that one is there is checked at once.
    fn secret(&mut self, source: &Source) -> Result<SecretSource, Reported> {
        self.used(read_secret(source), |why| source.unusable(why))?;
        Ok(match source {
            Source::File(file) => SecretSource::File(file.path().to_owned()),
            Source::Environment { name, .. } => SecretSource::Env(name.clone()),
        })
    }
}

/// What a reviewer should know of forwarded tokens.
fn bypass(span: &Range<usize>) -> Diagnostic {
    let message = "consumers bring their own tokens for Graph, with which they could ask it past this proxy";
    let hint = "let the proxy have the permissions and the consumers none, or see to it that they cannot reach Graph";
    Diagnostic::warning(config::codes::CONFIG_BYPASS, span.clone(), message).hint(hint)
}
