//! `glassine serve`: the proxy.

use std::path::PathBuf;

use super::error::Error;
use super::runtime::runtime;
use super::{ExitStatus, Streams};
use crate::service::logs::Form;
use crate::service::{Service, stop_signal};

/// Runs the proxy.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let service = Service::build(&args.config)?;
    streams.remark(&Form::from_env()?.reports(service.warnings()))?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let listeners = service.listen().await?;
        service.run(listeners, stop).await?;
        Ok(ExitStatus::Yes)
    })
}
