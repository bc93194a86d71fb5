//! People with keys that `ssh-keygen` made.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// A reviewer with a key of their own.
pub(crate) struct Reviewer {
    pub(crate) name: &'static str,
    folder: tempfile::TempDir,
}

impl Reviewer {
    pub(crate) fn new(name: &'static str) -> Self {
        Self::with_key(name, &["-t", "ed25519"])
    }

    /// `kind`: the options of `ssh-keygen` that say which kind of key it makes.
    pub(crate) fn with_key(name: &'static str, kind: &[&str]) -> Self {
        let reviewer = Self { name, folder: tempfile::tempdir().unwrap() };
        let made = ssh_keygen(&[&["-q", "-N", "", "-f", &reviewer.key()], kind].concat(), "");
        assert!(made.status.success(), "{made:?}");
        reviewer
    }

    fn key(&self) -> String {
        self.folder.path().join("key").to_str().unwrap().to_owned()
    }

    /// The public key.
    pub(crate) fn public(&self) -> String {
        std::fs::read_to_string(self.key() + ".pub").unwrap().trim().to_owned()
    }

    /// A line of the signers file.
    pub(crate) fn line(&self, options: &str) -> String {
        format!("{} {options} {}\n", self.name, self.public())
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        self.sign_for("glassine-rules", text)
    }

    pub(crate) fn sign_for(&self, namespace: &str, text: &str) -> String {
        let signed = ssh_keygen(&["-q", "-Y", "sign", "-n", namespace, "-f", &self.key()], text);
        assert!(signed.status.success(), "{signed:?}");
        String::from_utf8(signed.stdout).unwrap()
    }
}

/// Whether `ssh-keygen` itself accepts a signature of this name.
pub(crate) fn openssh_accepts(signers: &str, name: &str, signature: &str, text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("signers"), signers).unwrap();
    std::fs::write(path("signature"), signature).unwrap();
    let files = ["-f", &path("signers"), "-s", &path("signature")];
    let names = ["-I", name, "-n", "glassine-rules"];
    ssh_keygen(&[&["-Y", "verify"], &files[..], &names[..]].concat(), text).status.success()
}

fn ssh_keygen(args: &[&str], input: &str) -> Output {
    let mut child = Command::new("ssh-keygen")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ssh-keygen is installed (package openssh-client)");
    // Making a key reads nothing.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}
