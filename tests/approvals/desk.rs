//! A configuration that demands approvals, and everything that it names.

use std::path::PathBuf;

use super::reviewer::Reviewer;
use crate::cli::{Ran, glassine};
use crate::support::glassine::{METADATA_ONLY, write_private};

/// Two people have to approve.
pub(super) const TWO: &str = "approvals: { signers_file: reviewers, require: 2 }";
/// One person has to.
pub(super) const ONE: &str = "approvals: { signers_file: reviewers }";

pub(super) struct Desk(tempfile::TempDir);

impl Desk {
    /// `section`: the configuration's `approvals`. `signatures`: the files in `approved_by`.
    pub(super) fn new(section: &str, signatures: &[&str]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        glassine(&["keys", "new", "--out", &desk.path("keys.yaml")]);
        desk.write("graph-token", "a-token");
        desk.write("acme.yaml", METADATA_ONLY);
        desk.configure(section, &format!("approved_by: [{}]", signatures.join(", ")));
        desk
    }

    pub(super) fn configure(&self, section: &str, approved_by: &str) {
        let hash = "0123456789abcdef".repeat(4);
        let text = format!(
            "listen: 127.0.0.1:0\npublic_url: http://127.0.0.1:8080\n\
             upstream: {{ credential: {{ access_token_file: graph-token }} }}\n\
             keys: {{ file: keys.yaml }}\ntenant_domains: [contoso.com]\naudit: {{ stdout: true }}\n{section}\nconsumers:\n\
             - name: acme\n  rules: acme.yaml\n  credential: {{ bearer_sha256: [{hash}] }}\n  {approved_by}\n"
        );
        self.write("config.yaml", &text);
    }

    /// With one reviewer, who has to sign `acme.sig`.
    pub(super) fn of_one(reviewer: &Reviewer) -> Self {
        let desk = Self::new(ONE, &["acme.sig"]);
        desk.write("reviewers", &reviewer.line(""));
        desk
    }

    pub(super) fn path(&self, name: &str) -> String {
        let path: PathBuf = self.0.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        write_private(self.path(name), text);
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What reviewers sign.
    pub(super) fn statement(&self) -> String {
        glassine(&["statement", "--config", &self.path("config.yaml"), "--consumer", "acme"]).fine()
    }

    pub(super) fn check(&self) -> Ran {
        glassine(&["check", "--config", &self.path("config.yaml")])
    }

    /// Asserts that these people have approved.
    pub(super) fn is_approved_by(&self, names: &str) {
        let text = self.check().fine();
        assert!(text.contains(&format!(", approved by {names} (required: ")), "{text}");
    }
}
