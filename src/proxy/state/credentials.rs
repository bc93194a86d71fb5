//! How the proxy gets tokens for Graph: from the configuration's words to a source of tokens.

use std::ops::Range;
use std::sync::Arc;

use super::Builder;
use crate::config::files::{read_secret, read_text};
use crate::config::{self, FileRef, Proof, Source, UpstreamCredential};
use crate::upstream::{
    self, CertificateFiles, CertificateKey, Credential, IdentityService, Network, Origin, RenewalTimes,
    SecretSource, TokenSettings, TokenSource,
};
use glassine_core::diagnostic::Diagnostic;

impl Builder<'_> {
    /// The tokens of each consumer's application; `Some(None)` where it brings its own. Who shares an application, shares its tokens.
    pub(super) fn applications(
        &mut self,
        network: Option<&Network>,
        graph: Option<&Origin>,
    ) -> Vec<Option<Option<Arc<TokenSource>>>> {
        let config = self.config;
        let shared = self.application(config.upstream().credential(), network, graph);
        let own = |consumer: &config::Consumer| match consumer.application() {
            Some(credential) => self.application(credential, network, graph),
            None => shared.clone(),
        };
        config.consumers().iter().map(own).collect()
    }

    fn application(
        &mut self,
        credential: &UpstreamCredential,
        network: Option<&Network>,
        graph: Option<&Origin>,
    ) -> Option<Option<Arc<TokenSource>>> {
        let Some(credential) = self.credential(credential)? else { return Some(None) };
        if let Some((_, tokens)) = self.sources.iter().find(|(known, _)| *known == credential) {
            return Some(Some(Arc::clone(tokens)));
        }
        let settings = TokenSettings {
            credential: credential.clone(),
            graph: graph?.clone(),
            network: network?.clone(),
            pace: RenewalTimes::default(),
        };
        let tokens = Arc::new(self.built(TokenSource::new(settings))?);
        self.sources.push((credential, Arc::clone(&tokens)));
        Some(Some(tokens))
    }

    /// `Some(None)` where the proxy has none of its own.
    fn credential(&mut self, credential: &UpstreamCredential) -> Option<Option<Credential>> {
        Some(Some(match credential {
            UpstreamCredential::Forward { span } => {
                self.report(bypass(span));
                return Some(None);
            }
            UpstreamCredential::AccessToken(source) => match self.secret(source)? {
                SecretSource::File(path) => Credential::AccessTokenFile(path),
                SecretSource::Env(name) => Credential::AccessTokenEnv(name),
            },
            UpstreamCredential::Application { tenant, client_id, proof } => Credential::Application {
                authority: self.origin(self.config.upstream().authority())?,
                tenant: tenant.clone(),
                client_id: client_id.clone(),
                proof: self.proof(proof)?,
            },
            UpstreamCredential::ManagedIdentity { client_id, span } => {
                let found = IdentityService::from_env();
                let service = found
                    .map_err(|error| {
                        self.report(Diagnostic::error(
                            config::codes::CONFIG_VALUE,
                            span.clone(),
                            error.to_string(),
                        ))
                    })
                    .ok()?;
                Credential::ManagedIdentity { service, client_id: client_id.clone() }
            }
        }))
    }

    fn proof(&mut self, proof: &Proof) -> Option<upstream::Proof> {
        Some(match proof {
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

    fn check_certificate(&mut self, certificate: &FileRef, private_key: &FileRef) -> Option<()> {
        let text = read_text(certificate.path()).map_err(|error| self.report(certificate.unusable(&error)));
        let key = read_secret(&Source::File(private_key.clone()))
            .map_err(|error| self.report(private_key.unusable(&error)));
        let parsed = CertificateKey::parse(text.ok()?.as_bytes(), key.ok()?.as_bytes());
        parsed.map(drop).map_err(|error| self.report(certificate.unusable(&error))).ok()
    }

    /// Secrets are read when they are used; that one is there is checked at once.
    fn secret(&mut self, source: &Source) -> Option<SecretSource> {
        read_secret(source).map_err(|error| self.report(source.unusable(&error))).ok()?;
        Some(match source {
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
