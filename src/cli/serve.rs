//! `glassine serve`: the proxy.

use std::path::PathBuf;

use super::error::Error;
use super::runtime::runtime;
use super::{ExitStatus, Streams};
use crate::service::logs::Form;
use crate::service::{Desk, Listeners, OpenDesk, Service, Signals, StartError};

/// Runs the proxy.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let runtime = runtime()?;
    let ran = runtime.block_on(async {
        // Before anything else: a signal that comes before its handler ends the process.
        let mut signals = Signals::install()?;
        let Some((service, desk)) = start(args, &mut signals).await? else { return Ok(ExitStatus::Yes) };
        streams.remark(&Form::from_env()?.reports(service.warnings()))?;
        let listeners = Listeners { public: service.listen().await?, admin: None };
        service.run(listeners, signals).await?;
        if let Some(desk) = desk {
            desk.close().await;
        }
        Ok(ExitStatus::Yes)
    });
    // A start that was given up may still wait for a file.
    runtime.shutdown_background();
    ran
}

/// Builds the service. The admin listener responds meanwhile. `None`: a signal asked to stop.
async fn start(
    args: &Args,
    signals: &mut Signals,
) -> Result<Option<(Service, Option<OpenDesk>)>, StartError> {
    let starting = async {
        let (desk, open) = Desk::early(&args.config).await?;
        let service = Service::start(&args.config, desk).await?;
        Ok(Some((service, open?)))
    };
    tokio::select! {
        started = starting => started,
        _ = signals.stop() => Ok(None),
    }
}
