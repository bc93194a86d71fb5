//! `glassine token new`: a bearer token for a consumer, and the token's hash for the configuration.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::error::Error;
use super::options::Format;
use super::{ExitStatus, Streams};
use glassine_core::hex;

/// Every token begins with this, so that secret scanners and people recognise a leaked one.
const PREFIX: &str = "glassine_";

/// Random octets of a token: as many as its SHA-256 hash has, so that neither is easier to guess.
const TOKEN_LEN: usize = 32;

/// Make bearer tokens, with which consumers authenticate.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make a bearer token and its hash for the configuration.
    New {
        /// The format of the output.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// The output, for scripts.
#[derive(Serialize)]
struct NewToken<'a> {
    token: &'a str,
    bearer_sha256: &'a str,
}

pub(super) fn run(command: &Command, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let Command::New { format } = command;
    let token = new_token()?;
    let bearer_sha256 = sha256_hex(&token);
    match format {
        Format::Json => streams.print_json(&NewToken { token: &token, bearer_sha256: &bearer_sha256 })?,
        Format::Text => streams.print(describe(&token, &bearer_sha256).as_bytes())?,
    }
    Ok(ExitStatus::Yes)
}

pub(super) fn new_token() -> Result<Zeroizing<String>, Error> {
    let mut octets = Zeroizing::new([0; TOKEN_LEN]);
    getrandom::fill(&mut *octets).map_err(Error::Randomness)?;
    let mut token = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * TOKEN_LEN));
    token.push_str(PREFIX);
    URL_SAFE_NO_PAD.encode_string(octets.as_slice(), &mut token);
    Ok(token)
}

/// The hash of the whole token as it is sent, prefix included.
pub(super) fn sha256_hex(token: &str) -> String {
    hex::lower(&Sha256::digest(token.as_bytes()))
}

fn describe(token: &str, bearer_sha256: &str) -> Zeroizing<String> {
    Zeroizing::new(format!(
        "token:         {token}\n\
         bearer_sha256: {bearer_sha256}\n\
         \n\
         Give the token to the consumer; it is sent as `Authorization: Bearer <token>` and is shown this once.\n\
         Put the hash into the configuration, at the consumer:\n\
         \n    credential: {{ bearer_sha256: [\"{bearer_sha256}\"] }}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_covers_the_token_exactly_as_sent() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
