//! `glassine init`: a folder with a configuration and everything that it names, made from a few answers.
//!
//! | file | what |
//! |---|---|
//! | `questions` | asks for what no option says |
//! | `contents` | the texts of the files |
//! | `certificate` | a TLS certificate for a start |
//! | `folder` | writes all files or none, readable by the proxy and by nobody else |
//! | `steps` | what to do next |

mod certificate;
mod contents;
mod folder;
mod questions;
mod steps;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValuesParser;

use super::error::Error;
use super::{ExitStatus, Streams, keys, options, token};
use crate::config::{self, Config, NotOwn, cloud_names};
use crate::service::StartError;
use contents::Contents;
use folder::Draft;
pub(super) use folder::InitError;
use glassine_core::pseudonym::OwnDomain;
use questions::{NotAnAnswer, client_id, public_url, tenant};

/// The folder of the image for what the proxy writes.
const IMAGE_DATA: &str = "/var/lib/glassine";

/// The group as which the image runs.
const IMAGE_GROUP: u32 = 65_532;

/// Make a folder with a configuration and all that it names: keys, a consumer's token, a TLS certificate for a start, rules.
///
/// Asks for what no option says, and prints what to do next. Writes all files or none, and never into a folder with files.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder to make. Its parent has to exist.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The tenant: its domain, as in contoso.onmicrosoft.com, or its directory (tenant) id.
    #[arg(long, value_parser = tenant)]
    tenant: Option<String>,
    /// The application (client) id of the app registration.
    #[arg(long, value_name = "ID", value_parser = client_id)]
    client_id: Option<String>,
    /// The URL under which consumers reach the proxy.
    #[arg(long, value_name = "URL", value_parser = public_url)]
    public_url: Option<String>,
    /// The consumer's name: lower-case letters, digits and hyphens.
    #[arg(long, value_name = "NAME", default_value = "analytics", value_parser = consumer)]
    consumer: String,
    /// The rules, of those that are shipped.
    #[arg(long, value_enum, default_value_t)]
    rules: Shipped,
    /// One of your own domains, which stays readable after the @. Can be given several times; the default is the tenant's domain.
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    tenant_domain: Vec<OwnDomain>,
    /// The Microsoft 365 cloud.
    #[arg(long, default_value = "worldwide", value_parser = PossibleValuesParser::new(cloud_names()))]
    cloud: String,
    /// The folder for the audit log. The default is /var/lib/glassine if it exists, as in the image, and otherwise `data` in DIR.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The group that may read the files if this program may give files away: by default, that of the image.
    #[arg(long, value_name = "GID", default_value_t = IMAGE_GROUP)]
    group: u32,
}

/// The rules that are shipped.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Shipped {
    /// Who mails whom and when, with permissions that open no body.
    #[default]
    OutlookMailMetadataOnly,
    /// The same for Mail.Read, which opens more than leaves.
    OutlookMail,
}

/// Everything that is known when the questions are answered.
struct Answers<'a> {
    args: &'a Args,
    tenant: String,
    client_id: String,
    public_url: String,
    data: PathBuf,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    folder::check_free(&args.folder)?;
    let answers = questions::ask(args, streams)?;
    let token = token::new_token()?;
    let contents = Contents::new(&answers, &token::sha256_hex(&token), keys::new_keys()?)?;
    let config = read(&args.folder, &contents)?;
    streams.remark(&contents.announce(&args.folder))?;
    let mut draft = Draft::begin(&args.folder, args.group)?;
    contents.write(&mut draft)?;
    let steps = steps::text(&answers, &config, &token, draft.is_shared());
    draft.publish()?;
    streams.print(steps.as_bytes())?;
    Ok(ExitStatus::Yes)
}

/// The configuration as the proxy will read it.
fn read(folder: &Path, contents: &Contents) -> Result<Config, Error> {
    let name = folder.join(contents::CONFIG).display().to_string();
    let config = Config::load(&name, contents.config());
    config.map_err(|report| Error::Start(StartError::Reports(vec![report])))
}

/// Where the audit log goes.
fn data(args: &Args) -> PathBuf {
    let image = Path::new(IMAGE_DATA);
    match &args.data {
        Some(data) => data.clone(),
        None if image.is_dir() => image.to_owned(),
        None => PathBuf::from("data"),
    }
}

fn consumer(text: &str) -> Result<String, NotAnAnswer> {
    if config::is_name(text) { Ok(text.to_owned()) } else { Err(NotAnAnswer::Consumer) }
}

fn domain(text: &str) -> Result<OwnDomain, NotOwn> {
    options::domain(text)
}

impl Shipped {
    fn name(self) -> &'static str {
        match self {
            Self::OutlookMailMetadataOnly => "outlook-mail-metadata-only",
            Self::OutlookMail => "outlook-mail",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::OutlookMailMetadataOnly => include_str!("../../../rules/outlook-mail-metadata-only.yaml"),
            Self::OutlookMail => include_str!("../../../rules/outlook-mail.yaml"),
        }
    }
}
