//! Every reason to refuse a token: for the log. Its sender learns one constant response.

/// Why a token was refused. Repeats nothing of the token. In the order of the checks: the greater, the
/// further the token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum JwtError {
    /// Over [`MAX_TOKEN`](super::MAX_TOKEN).
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not three parts of base64url.
    #[error("the token is not three parts of base64url")]
    Form,
    /// A part is no JSON object, a name comes twice in it, or a registered claim has another type than it must.
    #[error("the token's parts are not JSON objects as RFC 7519 has them")]
    Content,
    /// `crit` names an extension that has to be understood.
    #[error("the token has a critical extension")]
    Critical,
    /// `typ` says that this is something else.
    #[error("the token's typ is neither JWT nor at+jwt")]
    Type,
    /// `alg` is not pinned: `none`, an HMAC, or another one than the configuration names.
    #[error("the token's alg is not one of the allowed algorithms")]
    Algorithm,
    /// There is no `exp`.
    #[error("the token never expires: it has no exp")]
    NoExpiry,
    /// `iss` is missing or somebody else.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` is missing, or for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// A required claim is missing or has another value.
    #[error("a required claim of the token is missing or has another value")]
    Claim,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The issuer's set has no key of this id.
    #[error("the issuer has no key with the token's kid")]
    UnknownKey,
    /// The key is of another kind than the algorithm needs, is for another algorithm, or of another issuer.
    #[error("the issuer's key is not for tokens of this kind")]
    Key,
    /// The signature is not by the key.
    #[error("the token's signature is wrong")]
    Signature,
    /// There are no keys to verify with; the token may be good.
    #[error("the issuer's keys cannot be had")]
    NoKeys,
}

impl JwtError {
    /// A stable word for it, for records.
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
