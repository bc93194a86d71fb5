//! The tenant's errors, in Graph's words. Like the real ones, the texts contain data from the request. The proxy must
//! not pass them on, and tests check that it does not.

use http::StatusCode;
use serde_json::{Value, json};

/// An error in Graph's form.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Fault {
    #[error("Access token is empty.")]
    TokenMissing,
    #[error("Access token validation failure. Invalid audience.")]
    TokenInvalid,
    #[error("Lifetime validation failed, the token is expired.")]
    TokenExpired,
    #[error("Insufficient privileges to complete the operation.")]
    RequestDenied,
    #[error("Access is denied. Check credentials and try again.")]
    AccessDenied,
    #[error(
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
    )]
    MailboxPolicy,
    #[error("Invalid version: {0}")]
    Version(String),
    #[error("Resource not found for the segment '{0}'.")]
    Segment(String),
    #[error("/me request is only valid with delegated authentication flow.")]
    DelegatedOnly,
    #[error("The HTTP method '{0}' is not supported for this resource.")]
    Method(String),
    #[error("The requested user '{0}' is invalid.")]
    InvalidUser(String),
    #[error("The mailbox is either inactive, soft-deleted, or is hosted on-premise.")]
    NoMailbox,
    #[error(
        "Resource '{0}' does not exist or one of its queried reference-property objects are not present."
    )]
    ResourceNotFound(String),
    #[error("The specified object was not found in the store.")]
    ItemNotFound,
    #[error("Id is malformed.")]
    MalformedId,
    #[error("Could not find a property named '{name}' on type '{type_name}'.")]
    UnknownProperty { name: String, type_name: &'static str },
    #[error("Invalid filter clause: {0}")]
    Filter(String),
    #[error("Query option '{0}' was specified more than once, but it must be specified at most once.")]
    DuplicateOption(String),
    #[error("Invalid value '{value}' for query option '{option}'.")]
    OptionValue { option: &'static str, value: String },
    #[error("Invalid page size specified: '{size}'. Must be between 1 and {cap} inclusive.")]
    PageSize { size: usize, cap: usize },
    #[error("The specified page token value has expired and can no longer be included in your request.")]
    PageToken,
    #[error("The sync state generation is not found; It may be corrupted or the sync state is too old.")]
    SyncState,
}

impl Fault {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Fault::TokenMissing | Fault::TokenInvalid | Fault::TokenExpired => StatusCode::UNAUTHORIZED,
            Fault::RequestDenied | Fault::AccessDenied | Fault::MailboxPolicy => StatusCode::FORBIDDEN,
            Fault::InvalidUser(_) | Fault::NoMailbox | Fault::ResourceNotFound(_) | Fault::ItemNotFound => {
                StatusCode::NOT_FOUND
            }
            Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Fault::SyncState => StatusCode::GONE,
            Fault::Version(_)
            | Fault::Segment(_)
            | Fault::DelegatedOnly
            | Fault::MalformedId
            | Fault::UnknownProperty { .. }
            | Fault::Filter(_)
            | Fault::DuplicateOption(_)
            | Fault::OptionValue { .. }
            | Fault::PageSize { .. }
            | Fault::PageToken => StatusCode::BAD_REQUEST,
        }
    }

    /// The whole error document.
    pub(super) fn to_json(&self, request_id: &str, client_request_id: &str, date: &str) -> Value {
        json!({ "error": {
            "code": self.code(),
            "message": self.to_string(),
            "innerError": {
                "date": date,
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        }})
    }

    fn code(&self) -> &'static str {
        match self {
            Fault::TokenMissing | Fault::TokenInvalid | Fault::TokenExpired => "InvalidAuthenticationToken",
            Fault::RequestDenied => "Authorization_RequestDenied",
            Fault::AccessDenied | Fault::MailboxPolicy => "ErrorAccessDenied",
            Fault::Version(_)
            | Fault::Segment(_)
            | Fault::DelegatedOnly
            | Fault::DuplicateOption(_)
            | Fault::Filter(_)
            | Fault::OptionValue { .. } => "BadRequest",
            Fault::Method(_) => "Request_BadRequest",
            Fault::InvalidUser(_) => "ErrorInvalidUser",
            Fault::NoMailbox => "MailboxNotEnabledForRESTAPI",
            Fault::ResourceNotFound(_) => "Request_ResourceNotFound",
            Fault::ItemNotFound => "ErrorItemNotFound",
            Fault::MalformedId => "ErrorInvalidIdMalformed",
            Fault::UnknownProperty { .. } => "RequestBroker--ParseUri",
            Fault::PageSize { .. } => "Request_UnsupportedQuery",
            Fault::PageToken => "Directory_ExpiredPageToken",
            Fault::SyncState => "SyncStateNotFound",
        }
    }
}
