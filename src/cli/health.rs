//! `glassine health`: asks a running proxy whether it is ready, for container health checks in an image without a shell.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::error::Error;
use super::{ExitStatus, Streams};

/// A health check that takes longer has failed; orchestrators allow a few seconds.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks a running proxy's admin listener (without TLS) whether it is ready. Exit code 0 if it is, 1 if not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The admin listener.
    #[arg(long, default_value = "127.0.0.1:9901", value_name = "ADDRESS")]
    admin: SocketAddr,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    match ask(args.admin) {
        Ok(true) => {
            streams.print(b"ready\n")?;
            Ok(ExitStatus::Yes)
        }
        Ok(false) => {
            streams.remark("not ready\n")?;
            Ok(ExitStatus::No)
        }
        Err(error) => {
            streams.remark(&format!("not ready: {} does not respond: {error}\n", args.admin))?;
            Ok(ExitStatus::No)
        }
    }
}

fn ask(admin: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&admin, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut head = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut head)?;
    Ok(&head == b"HTTP/1.1 200")
}
