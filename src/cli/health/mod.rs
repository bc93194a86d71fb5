//! `glassine health`: asks a running proxy whether it is ready, for container health checks in an image without a shell.

mod trust;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::error::Error;
use super::{ExitStatus, Streams};
use crate::service::{StartError, read_config};
use glassine_core::diagnostic::Causes;

/// A health check that takes longer has failed; orchestrators allow a few seconds.
const LIMIT: Duration = Duration::from_secs(3);

/// The longest response that is read, in bytes: a line for each application, and what the last reload said.
const MAX_RESPONSE: u64 = 256 * 1024;

/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 500;

/// Asks a running proxy's admin listener whether it is ready. Exit code 0 if it is, 1 if not; then it says why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The admin listener.
    #[arg(long, default_value = "127.0.0.1:9901", value_name = "ADDRESS")]
    admin: SocketAddr,
    /// Ask the admin listener of this configuration, with TLS if it uses TLS. Trusts the certificate file of the configuration.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["admin", "ca_file"])]
    config: Option<PathBuf>,
    /// Use TLS, and trust the certificates of this file (PEM) and those that they have issued, whatever their names.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// The listener to ask.
struct Listener {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let Some(listener) = Listener::of(args)? else {
        streams.remark("not ready: the configuration has no `admin`\n")?;
        return Ok(ExitStatus::No);
    };
    match listener.get("/readyz") {
        Ok(response) if response.starts_with("HTTP/1.1 200") => {
            streams.print(b"ready\n")?;
            Ok(ExitStatus::Yes)
        }
        first => {
            streams.remark(&format!("not ready{}\n", listener.reason(first)))?;
            Ok(ExitStatus::No)
        }
    }
}

impl Listener {
    /// `None`: the configuration has no admin listener.
    fn of(args: &Args) -> Result<Option<Self>, StartError> {
        let Some(file) = &args.config else {
            let tls = args.ca_file.as_deref().map(trust::in_file).transpose()?;
            return Ok(Some(Self { address: args.admin, tls }));
        };
        let (.., config) = read_config(file)?;
        let Some(admin) = config.admin() else { return Ok(None) };
        let certificate = config.tls().filter(|_| admin.tls).map(|files| files.certificate.path());
        Ok(Some(Self { address: admin.reachable(), tls: certificate.map(trust::in_file).transpose()? }))
    }

    /// Why the listener did not say that the proxy is ready.
    fn reason(&self, first: io::Result<String>) -> String {
        match first {
            Ok(response) if !response.starts_with("HTTP/") && self.tls.is_none() => {
                format!(
                    ": {} speaks no HTTP. If it speaks TLS, name the configuration: --config FILE",
                    self.address
                )
            }
            Ok(_) => self.get("/readyz?verbose").map_or_else(|_| String::new(), |told| failed_check(&told)),
            Err(error) => format!(": {} does not respond: {}", self.address, Causes(&error)),
        }
    }

    fn get(&self, target: &str) -> io::Result<String> {
        let stream = TcpStream::connect_timeout(&self.address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        match &self.tls {
            None => exchange(stream, &head),
            Some(tls) => {
                let client = ClientConnection::new(Arc::clone(tls), self.address.ip().into());
                exchange(StreamOwned::new(client.map_err(io::Error::other)?, stream), &head)
            }
        }
    }
}

fn exchange(mut stream: impl Read + Write, head: &str) -> io::Result<String> {
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response)?;
    if response.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&response).into_owned())
}

/// The first check that failed, if the response names one. Another program may listen there, so nothing else is shown.
fn failed_check(response: &str) -> String {
    let failed = response.lines().find_map(|line| line.strip_prefix("[-] "));
    let shown: String =
        failed.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    if shown.is_empty() { String::new() } else { format!(": {shown}") }
}
