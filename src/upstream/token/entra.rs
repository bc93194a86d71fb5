//! The client credentials grant of the Microsoft identity platform v2.0 (RFC 6749 section 4.4; Microsoft, "OAuth 2.0
//! client credentials flow on the Microsoft identity platform").

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::{AnswerFault, OAuthError, TokenError};
use super::{AuthorizationCode, Grant, Lifetime};
use crate::upstream::body::UpstreamBody;
use crate::upstream::error::UpstreamError;
use crate::upstream::origin::Origin;
use crate::upstream::secret::{MAX_SECRET, Secret, SecretSource, visible};
use crate::upstream::transport::Transport;

/// The most bytes of an answer of the token endpoint: the longest token twice over.
const MAX_ANSWER: u64 = 64 * 1024;

/// The longest life that is believed: the documented longest is 28 hours, for clients with
/// continuous access evaluation.
const MAX_LIFE: u64 = 28 * 60 * 60;

/// What is needed to ask for a token.
pub(super) struct ClientCredentials {
    transport: Transport,
    uri: Uri,
    client_id: String,
    secret: SecretSource,
    scope: String,
}

impl ClientCredentials {
    pub(super) fn new(
        transport: Transport,
        uri: Uri,
        client_id: String,
        secret: SecretSource,
        graph: &Origin,
    ) -> Self {
        Self { transport, uri, client_id, secret, scope: format!("{graph}/.default") }
    }

    /// Asks for a token.
    pub(super) async fn grant(&self) -> Result<Grant, TokenError> {
        let answer = self.ask("client_credentials", &[("scope", self.scope.as_str())]).await?;
        granted(&answer).map_err(TokenError::Answer)
    }

    /// Redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5) for an id_token.
    pub(super) async fn redeem(&self, code: &AuthorizationCode<'_>) -> Result<Secret, TokenError> {
        let own = [
            ("scope", "openid profile"),
            ("code", code.code),
            ("code_verifier", code.verifier),
            ("redirect_uri", code.redirect_uri),
        ];
        let answer = self.ask("authorization_code", &own).await?;
        identified(&answer).map_err(TokenError::Answer)
    }

    /// The bytes of an answer that says yes.
    async fn ask(&self, grant: &str, own: &[(&str, &str)]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        let form = self.form(grant, own, &self.secret.read().await?);
        let mut request = Request::new(Full::new(Bytes::from_owner(form)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answer = self.transport.send(request, MAX_ANSWER).await?;
        let status = answer.status();
        accepted(status, collect(answer.into_body()).await?)
    }

    fn form(&self, grant: &str, own: &[(&str, &str)], secret: &Secret) -> Form {
        let first = [("grant_type", grant), ("client_id", self.client_id.as_str())];
        let last = [("client_secret", secret.expose())];
        let all = || first.iter().chain(own).chain(&last);
        // Percent-encoding triples a byte at worst. A buffer that had to grow would leave copies of the secret.
        let length = all().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let mut form = Zeroizing::new(String::with_capacity(length));
        for (name, value) in all() {
            let between = if form.is_empty() { "" } else { "&" };
            form.extend([between, name, "="]);
            push_encoded(&mut form, value);
        }
        Form(form)
    }
}

/// The address of the tenant's token endpoint. `None` where the tenant is neither an id nor a domain: it stands in the
/// path and must not change it.
pub(super) fn token_endpoint(authority: &Origin, tenant: &str) -> Option<Uri> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    let dots_only = tenant.bytes().all(|b| b == b'.');
    if dots_only || !tenant.bytes().all(plain) {
        return None;
    }
    authority.uri(&format!("/{tenant}/oauth2/v2.0/token")).ok()
}

/// A form with a secret in it, wiped when hyper has sent it.
struct Form(Zeroizing<String>);

impl AsRef<[u8]> for Form {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Appends `value` as `application/x-www-form-urlencoded` (WHATWG URL, section 5.2).
fn push_encoded(form: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                form.push(char::from(byte))
            }
            b' ' => form.push('+'),
            _ => form.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
}

fn hex(nibble: u8) -> char {
    char::from_digit(nibble.into(), 16).unwrap_or('0').to_ascii_uppercase()
}

async fn collect(body: UpstreamBody) -> Result<Zeroizing<Vec<u8>>, UpstreamError> {
    let mut body = pin!(body);
    // All the room at once: a buffer that grows leaves copies of the token.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MAX_ANSWER).unwrap_or_default()));
    while let Some(frame) = body.frame().await {
        bytes.extend_from_slice(frame?.data_ref().map(Bytes::as_ref).unwrap_or_default());
    }
    Ok(bytes)
}

fn accepted(status: StatusCode, body: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    if status == StatusCode::OK {
        return Ok(body);
    }
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) if matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) => {
            Err(refusal.into())
        }
        Ok(_) | Err(_) => Err(TokenError::Unavailable(status)),
    }
}

/// A token answer (RFC 6749 section 5.1).
#[derive(Deserialize)]
struct Granted {
    token_type: String,
    expires_in: Seconds,
    access_token: String,
}

/// An answer to an authorization code, of which the access token is of no use here (OpenID Connect Core, 3.1.3.3).
#[derive(Deserialize)]
struct Identified {
    id_token: String,
}

/// v2.0 sends a number; v1.0 and look-alikes send it as a string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

fn granted(body: &[u8]) -> Result<Grant, AnswerFault> {
    let Granted { token_type, expires_in, access_token } =
        serde_json::from_slice(body).map_err(|_| AnswerFault::Json)?;
    let secret = Secret::new(access_token);
    if !token_type.eq_ignore_ascii_case("Bearer") {
        return Err(AnswerFault::Type);
    }
    let fits = (1..=MAX_SECRET).contains(&secret.expose().len());
    if !fits || visible(secret.expose().as_bytes()).is_none() {
        return Err(AnswerFault::Token);
    }
    let life = expires_in.get().ok_or(AnswerFault::Lifetime)?;
    Ok(Grant { secret, lifetime: Lifetime::Ends(Duration::from_secs(life.min(MAX_LIFE))) })
}

fn identified(body: &[u8]) -> Result<Secret, AnswerFault> {
    let Identified { id_token } = serde_json::from_slice(body).map_err(|_| AnswerFault::Identity)?;
    Ok(Secret::new(id_token))
}

impl Seconds {
    fn get(self) -> Option<u64> {
        let digits = |text: &String| text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Number(seconds) => Some(seconds),
            Self::Text(text) => Some(text).filter(digits)?.parse().ok(),
        }
        .filter(|seconds| *seconds > 0)
    }
}

/// An error answer (RFC 6749 section 5.2, and Entra's extensions).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        let aadsts = refusal.error_codes.first().copied().or_else(|| described(&refusal.error_description));
        Self::Refused { error: OAuthError::from_code(&refusal.error), aadsts }
    }
}

/// The number in `AADSTS7000215: …`.
fn described(description: &str) -> Option<u32> {
    let (number, _) = description.strip_prefix("AADSTS")?.split_once(':')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<(String, Duration), TokenError> {
        let body = Zeroizing::new(body.as_bytes().to_vec());
        let body = accepted(StatusCode::from_u16(status).unwrap(), body)?;
        let grant = granted(&body).map_err(TokenError::Answer)?;
        let Lifetime::Ends(life) = grant.lifetime else { panic!("every token of Entra ends") };
        Ok((grant.secret.expose().to_owned(), life))
    }

    fn fault(body: &str) -> TokenError {
        answer(200, body).unwrap_err()
    }

    #[test]
    fn a_token_answer_is_read_with_either_spelling_of_seconds() {
        for seconds in ["3599", "\"3599\""] {
            let body = format!(
                r#"{{"token_type":"Bearer","expires_in":{seconds},"ext_expires_in":3599,"access_token":"ey.J"}}"#
            );
            assert_eq!(answer(200, &body), Ok(("ey.J".into(), Duration::from_secs(3599))));
        }
    }

    #[test]
    fn an_answer_that_is_not_as_documented_is_refused() {
        let with = |kind: &str, life: &str, token: &str| {
            fault(&format!(r#"{{"token_type":"{kind}","expires_in":{life},"access_token":"{token}"}}"#))
        };
        assert_eq!(with("mac", "3599", "a"), TokenError::Answer(AnswerFault::Type));
        for life in ["0", "\"\"", "\"+5\"", "\"1h\"", "\"99999999999999999999\""] {
            assert_eq!(with("bearer", life, "a"), TokenError::Answer(AnswerFault::Lifetime), "{life}");
        }
        for life in ["-1", "3.5", "null", "[]"] {
            assert_eq!(with("Bearer", life, "a"), TokenError::Answer(AnswerFault::Json), "{life}");
        }
        for token in ["", "a b", r"a\r\nb", r"\u00e9"] {
            assert_eq!(with("Bearer", "3599", token), TokenError::Answer(AnswerFault::Token), "{token}");
        }
        for body in ["", "[]", "<html>", "{}", r#"{"token_type":"Bearer","expires_in":1}"#] {
            assert_eq!(fault(body), TokenError::Answer(AnswerFault::Json), "{body}");
        }
    }

    #[test]
    fn a_life_that_is_too_good_to_be_true_is_cut() {
        let body = format!(r#"{{"token_type":"Bearer","expires_in":{},"access_token":"a"}}"#, u64::MAX);
        assert_eq!(answer(200, &body), Ok(("a".into(), Duration::from_secs(MAX_LIFE))));
    }

    #[test]
    fn a_refusal_keeps_the_codes_and_nothing_else() {
        let refused = |aadsts| Err(TokenError::Refused { error: OAuthError::InvalidClient, aadsts });
        let text = r#""error_description":"AADSTS7000215: Invalid client secret for app 'x'.""#;
        assert_eq!(answer(401, &format!(r#"{{"error":"invalid_client",{text}}}"#)), refused(Some(7000215)));
        let codes = r#"{"error":"invalid_client","error_codes":[7000222]}"#;
        assert_eq!(answer(401, codes), refused(Some(7000222)));
        assert_eq!(answer(400, r#"{"error":"invalid_client"}"#), refused(None));
    }

    #[test]
    fn an_outage_is_no_refusal() {
        let unavailable = |status| Err(TokenError::Unavailable(StatusCode::from_u16(status).unwrap()));
        assert_eq!(answer(503, r#"{"error":"temporarily_unavailable"}"#), unavailable(503));
        assert_eq!(answer(429, ""), unavailable(429));
        assert_eq!(answer(400, "<html>proxy error"), unavailable(400));
    }

    #[test]
    fn form_values_are_encoded_as_a_browser_does() {
        let mut form = String::new();
        push_encoded(&mut form, "a b+c&d=e~f*-._%/\u{e9}");
        assert_eq!(form, "a+b%2Bc%26d%3De%7Ef*-._%25%2F%C3%A9");
    }

    #[test]
    fn a_tenant_cannot_change_the_path() {
        let entra =
            Origin::new(http::uri::Scheme::HTTPS, "login.microsoftonline.com".parse().unwrap()).unwrap();
        let endpoint = token_endpoint(&entra, "contoso.onmicrosoft.com").unwrap();
        assert_eq!(endpoint, "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token");
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b"] {
            assert_eq!(token_endpoint(&entra, bad), None, "{bad:?}");
        }
    }
}
