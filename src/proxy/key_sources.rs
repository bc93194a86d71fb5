//! The signing keys of the issuers of consumers' tokens. Consumers that name the same file or URL share one source.

use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use tokio::task::JoinSet;

use crate::config::FileRef;
use crate::config::files::{FileError, read_text};
use crate::jwt::{FetchTimes, KeySet, KeySetError, KeySource};
use crate::upstream::{ConnectorError, DocumentClient, Network};
use glassine_core::graph::Url;

/// All sources of one state.
#[derive(Default)]
pub(super) struct KeySources {
    files: Vec<(PathBuf, Arc<KeySource>)>,
    urls: Vec<Remote>,
    /// The sources of the state before a reload. Their keys are reused, since an issuer may be down during the reload.
    earlier: Vec<Remote>,
}

#[derive(Clone)]
struct Remote {
    url: Url,
    roots: Vec<CertificateDer<'static>>,
    source: Arc<KeySource>,
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyFileError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    KeySet(#[from] KeySetError),
}

impl KeySources {
    pub(super) fn after(earlier: Option<&Self>) -> Self {
        Self { earlier: earlier.map(|it| it.urls.clone()).unwrap_or_default(), ..Self::default() }
    }

    /// The keys in a file, read once.
    pub(super) fn file(&mut self, file: &FileRef) -> Result<Arc<KeySource>, KeyFileError> {
        if let Some((_, source)) = self.files.iter().find(|(path, _)| path == file.path()) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(KeySource::fixed(KeySet::parse(read_text(file.path())?.as_bytes())?));
        self.files.push((file.path().to_owned(), Arc::clone(&source)));
        Ok(source)
    }

    /// The keys at a URL.
    pub(super) fn url(&mut self, url: &Url, network: &Network) -> Result<Arc<KeySource>, ConnectorError> {
        let mut known = self.urls.iter().chain(&self.earlier);
        let remote = match known.find(|it| it.url == *url && it.roots == network.extra_roots) {
            Some(remote) => remote.clone(),
            None => {
                let client = DocumentClient::new(url.clone(), network)?;
                let source = Arc::new(KeySource::remote(client, FetchTimes::default()));
                Remote { url: url.clone(), roots: network.extra_roots.clone(), source }
            }
        };
        let source = Arc::clone(&remote.source);
        self.urls.push(remote);
        Ok(source)
    }

    /// Ends the build. Drops the earlier sources that no consumer uses any more.
    pub(super) fn complete(self) -> Self {
        Self { earlier: Vec::new(), ..self }
    }

    pub(super) async fn warm(&self) {
        let mut fetching = JoinSet::new();
        for Remote { source, .. } in &self.urls {
            let source = Arc::clone(source);
            fetching.spawn(async move { source.warm().await });
        }
        fetching.join_all().await;
    }
}
