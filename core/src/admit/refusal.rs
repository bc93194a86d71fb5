//! Every reason for a refusal. The text names the rule or the option at fault, never what the request says.

use crate::graph::{OptionError, PreferError, TargetError};

/// Why a request may not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A method other than GET and HEAD.
    #[error("Only GET and HEAD are allowed.")]
    Method,
    /// The target is malformed, or has two readings.
    #[error("The request target is not acceptable: {0}.")]
    Target(#[from] TargetError),
    /// The `Prefer` header is malformed.
    #[error("The Prefer header is not acceptable: {0}.")]
    Prefer(#[from] PreferError),
    /// No endpoint of the rules matches this path.
    #[error("The rules of this connector do not open this endpoint.")]
    Endpoint,
    /// A path parameter or a comparison holds something that is not a token of this consumer. The response is the same
    /// in every case, so that a consumer cannot find out anything by trying.
    #[error("The specified object was not found. Objects are addressed by the tokens of earlier responses.")]
    NotFound,
    /// The endpoint does not accept this option.
    #[error("The rules do not open {option} on the endpoint `{endpoint}`. {accepted}")]
    Option {
        /// The option, or `this query option` for one that is not OData's.
        option: String,
        /// The endpoint's name.
        endpoint: String,
        /// What it accepts instead.
        accepted: String,
    },
    /// The option's value does not parse.
    #[error("The value of {option} is not acceptable: {error}.")]
    OptionSyntax {
        /// The option.
        option: String,
        /// What is wrong with its value.
        error: OptionError,
    },
    /// The option's value parses, and the rules do not open it.
    #[error("The rules do not open this value of {option} on the endpoint `{endpoint}`. {accepted}")]
    OptionValue {
        /// The option.
        option: String,
        /// The endpoint's name.
        endpoint: String,
        /// What it accepts instead.
        accepted: String,
    },
    /// `$skiptoken` and `$deltatoken` in one request.
    #[error("A request follows one link: it has `$skiptoken` or `$deltatoken`, not both.")]
    TwoLinks,
    /// The link does not open, or was issued for another request or under other rules. The response is the same in
    /// every case: a consumer cannot tell a forged link from an old one, and has to do the same about both.
    #[error(
        "The link is not for this request, or its keys or rules have changed. Start again from the first page."
    )]
    Link,
}

impl Refusal {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Target(error) if error.is_too_long() => 414,
            Self::Target(_) | Self::Prefer(_) | Self::OptionSyntax { .. } | Self::TwoLinks => 400,
            Self::Endpoint | Self::Option { .. } | Self::OptionValue { .. } => 403,
            Self::NotFound => 404,
            Self::Link => 410,
        }
    }

    /// The stable code of the response, of logs and of audit records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Method => "methodNotAllowed",
            Self::Target(error) => error.code(),
            Self::Prefer(error) => error.code(),
            Self::Endpoint => "endpointNotAllowed",
            Self::NotFound => "itemNotFound",
            Self::Option { .. } => "optionNotAllowed",
            Self::OptionSyntax { error, .. } => error.code(),
            Self::OptionValue { .. } => "optionValueNotAllowed",
            Self::TwoLinks => "twoLinks",
            Self::Link => "resyncRequired",
        }
    }
}
