//! The program itself, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use http_body_util::Full;
use tempfile::TempDir;

use super::glassine::{Glassine, ProxyResponse, Setup, send};
use crate::support::waiting::soon;

/// A program that is killed when dropped.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `glassine serve`. It is killed when dropped.
pub(crate) struct Spawned {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    folder: TempDir,
}

impl Spawned {
    /// Starts it and waits until it is ready. Returns its log from there on.
    pub(crate) async fn serve(setup: &Setup, environment: &[(&str, &str)]) -> (Self, BufReader<ChildStderr>) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
        command.args(["serve", "--config"]).envs(environment.iter().copied());
        Self::serve_by(setup, command).await
    }

    /// The same by a command whose last argument will be the configuration.
    pub(crate) async fn serve_by(setup: &Setup, mut command: Command) -> (Self, BufReader<ChildStderr>) {
        let (folder, address) = setup.write().await;
        let config = folder.path().join("config.yaml");
        let text = std::fs::read_to_string(&config).unwrap();
        let admin = text.split_once("admin: { listen: '").unwrap().1.split('\'').next().unwrap();
        command.arg(&config);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the program ended");
        }
        (Self { child, address, admin: admin.parse().unwrap(), folder }, log)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config.yaml")
    }

    /// A GET as `acme`; it must be over within ten seconds.
    pub(crate) async fn get(&self, target: &str) -> ProxyResponse {
        soon("a response", Glassine::ask(self.address, target)).await
    }

    /// A GET of the admin listener.
    pub(crate) async fn admin_get(&self, path: &str) -> ProxyResponse {
        let request = http::Request::get(path).header("host", self.admin.to_string());
        soon("a response of the admin listener", send(self.admin, request.body(Full::default()).unwrap()))
            .await
            .unwrap()
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) async fn terminate(&mut self, bound: Duration) -> ExitStatus {
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let began = Instant::now();
        while began.elapsed() < bound {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the program still runs {bound:?} after SIGTERM");
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
