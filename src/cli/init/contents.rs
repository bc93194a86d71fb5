//! The texts of the files.

use std::fmt::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::certificate::{Pair, self_signed};
use super::folder::{Draft, InitError, Kind};
use super::{Answers, IMAGE_DATA};
use glassine_core::graph::{BaseUrl, is_guid};

pub(super) const CONFIG: &str = "config.yaml";
pub(super) const COMPOSE: &str = "compose.yaml";
pub(super) const SECRET: &str = "secrets/client-secret";

/// What the folder has, made of the answers.
pub(super) struct Contents {
    config: String,
    keys: Zeroizing<String>,
    pair: Pair,
    rules: (String, &'static str),
    /// The folder for the audit log, if it is in this one.
    data: Option<String>,
    /// Whether the image's places are used, so that its compose file fits.
    is_for_image: bool,
}

impl Contents {
    pub(super) fn new(
        answers: &Answers<'_>,
        token_sha256: &str,
        keys: Zeroizing<String>,
    ) -> Result<Self, InitError> {
        let shipped = answers.args.rules;
        let host =
            BaseUrl::parse(&answers.public_url).map(|url| url.origin().host().without_brackets().to_owned());
        let is_inside = answers.data.is_relative();
        Ok(Self {
            config: config(answers, token_sha256),
            keys,
            pair: self_signed(host.as_deref().unwrap_or("localhost"))?,
            rules: (format!("rules/{}.yaml", shipped.name()), shipped.text()),
            data: is_inside.then(|| answers.data.display().to_string()),
            is_for_image: answers.data == Path::new(IMAGE_DATA),
        })
    }

    pub(super) fn config(&self) -> &str {
        &self.config
    }

    /// What is about to be written.
    pub(super) fn announce(&self, folder: &Path) -> String {
        let mut text = format!("This writes {}:\n", folder.display());
        for (name, what) in self.names() {
            // Writing to a String does not fail.
            writeln!(text, "  {name:<40} {what}").ok();
        }
        text.push('\n');
        text
    }

    fn names(&self) -> Vec<(&str, &'static str)> {
        let mut names = vec![
            (CONFIG, "the configuration"),
            (self.rules.0.as_str(), "what may leave: read it, or let somebody sign it (docs/APPROVALS.md)"),
            ("secrets/keys.yaml", "the key of all pseudonyms: keep a backup"),
            (SECRET, "empty: the client secret comes here"),
            ("tls/tls.crt", "a certificate for a start, self-signed"),
            ("tls/tls.key", "its private key"),
        ];
        names.extend(self.is_for_image.then_some((COMPOSE, "for `docker compose`")));
        names.extend(self.data.as_deref().map(|data| (data, "the folder of the audit log")));
        names
    }

    pub(super) fn write(&self, draft: &mut Draft) -> Result<(), InitError> {
        for folder in ["rules", "secrets", "tls"] {
            draft.folder(folder, Kind::Folder)?;
        }
        if let Some(data) = &self.data {
            draft.folder(data, Kind::Data)?;
        }
        draft.file(CONFIG, self.config.as_bytes())?;
        draft.file(&self.rules.0, self.rules.1.as_bytes())?;
        draft.file("secrets/keys.yaml", self.keys.as_bytes())?;
        draft.file(SECRET, b"")?;
        draft.file("tls/tls.crt", self.pair.certificate.as_bytes())?;
        draft.file("tls/tls.key", self.pair.key.as_bytes())?;
        if self.is_for_image {
            draft.file(COMPOSE, include_bytes!("compose.yaml"))?;
        }
        Ok(())
    }
}

fn config(answers: &Answers<'_>, token_sha256: &str) -> String {
    let Answers { args, tenant, client_id, public_url, data } = answers;
    let (cloud, consumer, rules) = (&args.cloud, &args.consumer, args.rules.name());
    format!(
        "# Made by `glassine init`. Paths are relative to this file. docs/OPERATIONS.md shows every key.\n\
         \n\
         listen: 0.0.0.0:8443\n\
         public_url: {public_url}\n\
         tls: {{ certificate_file: tls/tls.crt, private_key_file: tls/tls.key }}\n\
         admin: {{ listen: 127.0.0.1:9901 }}\n\
         \n\
         upstream:\n  cloud: {cloud}\n  tenant: {tenant}\n  client_id: {client_id}\n  credential: {{ client_secret_file: {SECRET} }}\n\
         \n\
         keys: {{ file: secrets/keys.yaml }}\n\
         \n\
         # Your own domains, which stay readable after the @. `glassine doctor` says if one is missing.\n\
         tenant_domains: [{domains}]\n\
         \n\
         consumers:\n\
         \x20 - name: {consumer}\n\
         \x20   rules: rules/{rules}.yaml\n\
         \x20   credential: {{ bearer_sha256: [{token_sha256}] }}\n\
         \x20   # allow_from: [203.0.113.0/24]    # the addresses that may connect; all by default\n\
         \n\
         audit: {{ file: {audit}, rotate: {{ daily: true }} }}\n",
        domains = domains(answers),
        audit = serde_json::Value::from(data.join("audit.jsonl").display().to_string()),
    )
}

/// The domains that were named, or else the tenant's if it is one. A wildcard has to be quoted.
fn domains(answers: &Answers<'_>) -> String {
    let named: Vec<_> = answers.args.tenant_domain.iter().map(|domain| format!("\"{domain}\"")).collect();
    match named.is_empty() && !is_guid(&answers.tenant) {
        true => answers.tenant.clone(),
        false => named.join(", "),
    }
}
