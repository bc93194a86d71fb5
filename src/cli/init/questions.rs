//! The questions. What an option says is not asked.

use std::io::{BufRead, BufReader, Read, Write};

use super::super::Streams;
use super::super::error::Error;
use super::folder::InitError;
use super::{Answers, Args, data};
use crate::config::{self, CLIENT_ID_HINT, TENANT_HINT};
use glassine_core::graph::{BaseUrl, UrlError};

/// The public URL of a first try, which the certificate names.
const LOCAL: &str = "https://localhost:8443";

/// The longest line that is read. No answer is longer than a URL.
const MAX_LINE: u64 = 4_096;

/// Why a text does not answer a question.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum NotAnAnswer {
    /// Neither a domain nor a directory id.
    #[error("this is not a tenant: {TENANT_HINT}")]
    Tenant,
    /// No GUID.
    #[error("this is not a client id: {CLIENT_ID_HINT}")]
    ClientId,
    /// No URL.
    #[error("{0}; write it as in https://graph-proxy.contoso.example")]
    Url(#[from] UrlError),
    /// The proxy is reached by TLS.
    #[error("the URL does not begin with `https://`")]
    Plaintext,
    /// No name of a consumer.
    #[error("this is not a name: use up to 64 lower-case letters, digits and hyphens")]
    Consumer,
}

pub(super) fn tenant(text: &str) -> Result<String, NotAnAnswer> {
    config::tenant(text).ok_or(NotAnAnswer::Tenant)
}

pub(super) fn client_id(text: &str) -> Result<String, NotAnAnswer> {
    config::client_id(text).ok_or(NotAnAnswer::ClientId)
}

pub(super) fn public_url(text: &str) -> Result<String, NotAnAnswer> {
    let url = BaseUrl::parse(text)?;
    if url.as_str().starts_with("https://") {
        Ok(url.as_str().to_owned())
    } else {
        Err(NotAnAnswer::Plaintext)
    }
}

/// Asks for what `args` does not say. The URL has a default, so that somebody who gives the other two is asked nothing.
pub(super) fn ask<'a>(args: &'a Args, streams: &mut Streams<'_>) -> Result<Answers<'a>, Error> {
    let mut person = Person { says: BufReader::new(&mut *streams.input), reads: &mut *streams.err };
    let is_talking = args.tenant.is_none() || args.client_id.is_none();
    let tenant = match &args.tenant {
        Some(tenant) => tenant.clone(),
        None => person.answer("--tenant", "Tenant (its domain or directory id): ", None, tenant)?,
    };
    let client_id = match &args.client_id {
        Some(client_id) => client_id.clone(),
        None => person.answer(
            "--client-id",
            "Application (client) id of the app registration: ",
            None,
            client_id,
        )?,
    };
    let public_url = match &args.public_url {
        Some(url) => url.clone(),
        None if !is_talking => LOCAL.to_owned(),
        None => {
            let question = format!("URL under which consumers reach the proxy [{LOCAL}]: ");
            person.answer("--public-url", &question, Some(LOCAL), public_url)?
        }
    };
    Ok(Answers { args, tenant, client_id, public_url, data: data(args) })
}

struct Person<'a> {
    says: BufReader<&'a mut dyn Read>,
    reads: &'a mut dyn Write,
}

impl Person<'_> {
    /// Asks until the answer can be used. An empty line means `usual`.
    fn answer(
        &mut self,
        option: &'static str,
        question: &str,
        usual: Option<&str>,
        parse: fn(&str) -> Result<String, NotAnAnswer>,
    ) -> Result<String, Error> {
        loop {
            self.tell(question)?;
            let mut line = String::new();
            let read =
                self.says.by_ref().take(MAX_LINE).read_line(&mut line).map_err(Error::StandardInput)?;
            if read == 0 {
                return Err(InitError::NoAnswer { option }.into());
            }
            let text = match line.trim() {
                "" => usual.unwrap_or_default(),
                text => text,
            };
            match parse(text) {
                Ok(answer) => return Ok(answer),
                Err(error) => self.tell(&format!("{error}\n"))?,
            }
        }
    }

    fn tell(&mut self, text: &str) -> Result<(), Error> {
        self.reads.write_all(text.as_bytes()).and_then(|()| self.reads.flush()).map_err(Error::Output)
    }
}
