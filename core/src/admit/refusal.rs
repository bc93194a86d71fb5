//! Every reason for a refusal. The text names the rule or the option at fault, never what the request says.

use crate::graph::{OptionError, PreferError, TargetError};

/// Why a request may not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A method other than GET and HEAD.
    #[error("Only GET and HEAD are allowed.")]
    Method,
    /// The target is malformed, or has two readings.
    #[error("Malformed request target: {0}.")]
    Target(TargetError),
    /// The `Prefer` header is malformed.
    #[error("Malformed Prefer header: {0}.")]
    Prefer(#[from] PreferError),
    /// No endpoint of the rules matches this path.
    #[error("This endpoint is not open: the rules of this connector do not name it.")]
    Endpoint,
    /// A function with arguments, or a key with a name. No rule can open one.
    #[error(
        "This endpoint is not open: no rule opens a function with arguments. Write a key as in `users/{{id}}` or `users('{{id}}')`."
    )]
    Arguments,
    /// `/me`. The proxy reads with permissions of an application, so Graph knows no user.
    #[error("This proxy has no signed-in user: use `/users/{{id}}` in place of `/me`.")]
    NoUser,
    /// A path parameter holds a name that the rules do not list.
    #[error(
        "This name is not open in the path of the endpoint `{endpoint}`. It accepts {accepted}, and tokens."
    )]
    PathName {
        /// The endpoint's name.
        endpoint: String,
        /// The names that it accepts.
        accepted: String,
    },
    /// `$deltatoken=latest` where Graph does not know it: it would refuse it, or send every object from the first on.
    #[error(
        "Changes from now on are not open on the endpoint `{endpoint}`: Graph knows `$deltatoken=latest` for users and groups only. Read the first round, and keep its deltaLink."
    )]
    Latest {
        /// The endpoint's name.
        endpoint: String,
    },
    /// A path parameter or a comparison holds something that is not a token of this consumer. The response is the same
    /// in every case, so that a consumer cannot find out anything by trying.
    #[error("The specified object was not found. Objects are addressed by the tokens of earlier responses.")]
    NotFound,
    /// The endpoint does not accept this option.
    #[error("{option} is not open on the endpoint `{endpoint}`. {accepted}")]
    Option {
        /// The option, or `A query option` for one that is not OData's.
        option: String,
        /// The endpoint's name.
        endpoint: String,
        /// What it accepts instead.
        accepted: String,
    },
    /// The option's value does not parse.
    #[error("{option} has a malformed value: {error}.")]
    OptionSyntax {
        /// The option.
        option: String,
        /// What is wrong with its value.
        error: OptionError,
    },
    /// The option's value parses, and the rules do not open it.
    #[error("{option} has a value that is not open on the endpoint `{endpoint}`. {accepted}")]
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

impl From<TargetError> for Refusal {
    fn from(error: TargetError) -> Self {
        if error.is_about_arguments() { Self::Arguments } else { Self::Target(error) }
    }
}

impl Refusal {
    /// The HTTP status. What a request cannot reach is 403, as without a permission: somebody else has to change
    /// something. What is wrong with its options is 400, as in Graph: its author can.
    pub fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            _ if self.is_too_long() => 414,
            Self::Target(_) | Self::Prefer(_) | Self::TwoLinks => 400,
            Self::Option { .. } | Self::OptionSyntax { .. } | Self::OptionValue { .. } => 400,
            Self::Endpoint | Self::Arguments | Self::NoUser => 403,
            Self::PathName { .. } | Self::Latest { .. } => 403,
            Self::NotFound => 404,
            Self::Link => 410,
        }
    }

    /// Whether the target is too long.
    pub(crate) fn is_too_long(&self) -> bool {
        matches!(self, Self::Target(error) if error.is_too_long())
    }

    /// The stable code of the response, of logs and of audit records.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Method => "methodNotAllowed",
            Self::Target(error) => error.code(),
            Self::Prefer(error) => error.code(),
            Self::Endpoint | Self::Arguments | Self::NoUser => "endpointNotAllowed",
            Self::PathName { .. } => "pathNameNotAllowed",
            Self::Latest { .. } => "latestNotAllowed",
            Self::NotFound => "itemNotFound",
            Self::Option { .. } => "optionNotAllowed",
            Self::OptionSyntax { error, .. } => error.code(),
            Self::OptionValue { .. } => "optionValueNotAllowed",
            Self::TwoLinks => "twoLinks",
            Self::Link => "resyncRequired",
        }
    }
}
