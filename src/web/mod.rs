//! What the proxy's connection pages and the demo's pages have in common.

mod page;
mod params;

pub(crate) use page::{THEME, page, style};
pub(crate) use params::{BadParams, MAX_PARAMS, Params};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::COOKIE;

use glassine_core::graph::encode::query_value;

/// `N` random bytes in base64url.
pub(crate) fn random_text<const N: usize>() -> Result<String, getrandom::Error> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// The values of all cookies of this name.
pub(crate) fn cookies<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(own, _)| *own == name).map(|(_, value)| value)
}

/// Appends these names and values to the URL's query.
pub(crate) fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = url.to_owned();
    for (name, value) in parameters {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.extend([name, "=", query_value(value).as_str()]);
    }
    text
}
