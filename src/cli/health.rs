//! `glassine health`: asks a running proxy whether it is ready, for container health checks in an image without a shell.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::error::Error;
use super::{ExitStatus, Streams};

/// A health check that takes longer has failed; orchestrators allow a few seconds.
const LIMIT: Duration = Duration::from_secs(3);

/// The longest response that is read, in bytes: a line for each application, and what the last reload said.
const MAX_RESPONSE: u64 = 256 * 1024;

/// The longest reason that is shown, in characters.
const MAX_REASON: usize = 500;

/// Asks a running proxy's admin listener (without TLS) whether it is ready. Exit code 0 if it is, 1 if not; then it says why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The admin listener.
    #[arg(long, default_value = "127.0.0.1:9901", value_name = "ADDRESS")]
    admin: SocketAddr,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let reason = match ask(args.admin) {
        Ok(response) if response.starts_with("HTTP/1.1 200") => {
            streams.print(b"ready\n")?;
            return Ok(ExitStatus::Yes);
        }
        Ok(response) => reason(&response),
        Err(error) => format!(": {} does not respond: {error}", args.admin),
    };
    streams.remark(&format!("not ready{reason}\n"))?;
    Ok(ExitStatus::No)
}

/// The first check that failed, if the response names one. Another program may listen there, so nothing else is shown.
fn reason(response: &str) -> String {
    let failed = response.lines().find_map(|line| line.strip_prefix("[-] "));
    let shown: String =
        failed.unwrap_or_default().chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
    if shown.is_empty() { String::new() } else { format!(": {shown}") }
}

fn ask(admin: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz?verbose HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut response = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut response)?;
    if response.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&response).into_owned())
}
