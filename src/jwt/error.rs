//! Every reason to refuse a token, for the log. The sender always gets the same response.

/// Why a token was refused. Repeats nothing from the token.
///
/// The variants follow the order of the checks: a greater error means that the token passed more of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum JwtError {
    /// Longer than [`MAX_TOKEN`](super::MAX_TOKEN).
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not three parts of base64url.
    #[error("the token is not three parts of base64url")]
    Form,
    /// A part is not a JSON object, a name occurs twice in it, or a registered claim has the wrong type.
    #[error("the token's parts are not JSON objects as RFC 7519 has them")]
    Content,
    /// `crit` names an extension that the recipient must understand.
    #[error("the token has a critical extension")]
    Critical,
    /// `typ` names another kind of token.
    #[error("the token's typ is neither JWT nor at+jwt")]
    Type,
    /// `alg` is not pinned: `none`, an HMAC, or an algorithm that the configuration does not allow.
    #[error("the token's alg is not one of the allowed algorithms")]
    Algorithm,
    /// `exp` is missing.
    #[error("the token never expires: it has no exp")]
    NoExpiry,
    /// `iss` is missing or names another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` is missing or names another audience.
    #[error("the token is for another audience")]
    Audience,
    /// A required claim is missing or has another value.
    #[error("a required claim of the token is missing or has another value")]
    Claim,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The issuer's key set has no key with this id.
    #[error("the issuer has no key with the token's kid")]
    UnknownKey,
    /// The key has the wrong kind for the algorithm, or is for another algorithm or another issuer.
    #[error("the issuer's key is not for tokens of this kind")]
    Key,
    /// The key did not make the signature.
    #[error("the token's signature is wrong")]
    Signature,
    /// The proxy has no keys to verify the token with. The token may be valid.
    #[error("the issuer's keys are not available")]
    NoKeys,
}

impl JwtError {
    /// A stable code, for records.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "jwt_too_long",
            Self::Form => "jwt_form",
            Self::Content => "jwt_content",
            Self::Critical => "jwt_critical",
            Self::Type => "jwt_type",
            Self::Algorithm => "jwt_algorithm",
            Self::NoExpiry => "jwt_no_expiry",
            Self::Issuer => "jwt_issuer",
            Self::Audience => "jwt_audience",
            Self::Claim => "jwt_claim",
            Self::Expired => "jwt_expired",
            Self::NotYetValid => "jwt_not_yet_valid",
            Self::UnknownKey => "jwt_unknown_key",
            Self::Key => "jwt_key",
            Self::Signature => "jwt_signature",
            Self::NoKeys => "jwt_no_keys",
        }
    }
}
