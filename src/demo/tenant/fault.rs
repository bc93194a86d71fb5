//! The tenant's errors, in Graph's words. Like the real ones, the texts contain data from the request. The proxy must
//! not pass them on, and tests check that it does not.

use http::StatusCode;
use serde_json::{Value, json};

/// `Retry-After` of 429, in seconds.
pub(super) const WAIT: &str = "1";

/// An error in Graph's form.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Fault {
    #[error("Access token is empty.")]
    TokenMissing,
    #[error("Access token validation failure. Invalid audience.")]
    TokenInvalid,
    #[error("Lifetime validation failed, the token is expired.")]
    TokenExpired,
    /// Exchange's, with 401: <https://github.com/O365/python-o365/issues/777>; its code:
    /// <https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/6623>.
    #[error("The token contains no permissions, or permissions can not be understood.")]
    NoPermissions,
    #[error("Insufficient privileges to complete the operation.")]
    RequestDenied,
    #[error("Access is denied. Check credentials and try again.")]
    AccessDenied,
    #[error(
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
    )]
    MailboxPolicy,
    #[error("Application is over its MailboxConcurrency limit.")]
    MailboxConcurrency,
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
    #[error("Resource could not be discovered.")]
    Undiscovered,
    #[error("The process failed to get the correct properties.")]
    SettingsHidden,
    #[error(
        "Resource '{0}' does not exist or one of its queried reference-property objects are not present."
    )]
    ResourceNotFound(String),
    #[error("The specified object was not found in the store.")]
    ItemNotFound,
    #[error("Id is malformed.")]
    MalformedId,
    #[error(
        "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{type_name}'."
    )]
    UnknownSelected { name: String, type_name: &'static str },
    #[error("{clause}Could not find a property named '{name}' on type '{type_name}'.")]
    UnknownProperty { clause: &'static str, name: String, type_name: &'static str },
    #[error("Invalid filter clause: {0}")]
    Filter(String),
    #[error("The restriction or sort order is too complex for this operation.")]
    InefficientFilter,
    #[error("The query parameter '$filter' is not supported with '$search'.")]
    SearchWithFilter,
    #[error("The query parameter '$orderby' is not supported with '$search'.")]
    SearchWithOrder,
    #[error("Syntax error in '$search': {0}")]
    Search(String),
    #[error("The query parameter '{0}' is not supported.")]
    UnknownOption(String),
    #[error("Query option '{0}' was specified more than once, but it must be specified at most once.")]
    DuplicateOption(String),
    #[error("Invalid value '{value}' for query option '{option}'.")]
    OptionValue { option: &'static str, value: String },
    #[error("Invalid page size specified: '{size}'. Must be between 1 and {cap} inclusive.")]
    PageSize { size: usize, cap: usize },
    #[error("'$skip' is not supported by the service.")]
    Skip,
    #[error(
        "{0} is not supported because the 'ConsistencyLevel:eventual' header is missing. Refer to https://aka.ms/graph-docs/advanced-queries for more information"
    )]
    NotEventual(&'static str),
    #[error(
        "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'"
    )]
    SearchNotEventual,
    #[error("Unsupported Query.")]
    Unsupported,
    #[error("Sorting not supported for current query.")]
    Sorting,
    #[error("Unsupported property filter clause operator '{0}'.")]
    FilterOperator(&'static str),
    #[error(
        "Unsupported or invalid query filter clause specified for property '{name}' of resource '{resource}'."
    )]
    FilterProperty { name: String, resource: &'static str },
    #[error("The specified filter to the reference property query is currently not supported.")]
    ReferenceFilter,
    #[error("Invalid search request.")]
    ReferenceCast,
    #[error("Unsupported request: Change tracking is not supported against '{0}'.")]
    NotTracked(&'static str),
    #[error(
        "The '${option}' parameter value is not supported for 'Messages' resource; only a value of '{only}' is supported."
    )]
    TrackedValue { option: &'static str, only: &'static str },
    #[error(
        "The following parameters are not supported with change tracking over the '{resource}' resource: '{options}'."
    )]
    TrackedOption { resource: &'static str, options: &'static str },
    #[error("Invalid batch payload format.")]
    Batch,
    #[error("Number of batch request steps exceeds the maximum value of 20.")]
    BatchCount,
    #[error("Request Id {0} has to be unique in a batch.")]
    BatchId(String),
    #[error("Request {0} depends on a request that is not in the batch, or that depends on it.")]
    BatchOrder(String),
    #[error("Failed Dependency.")]
    FailedDependency,
    #[error("The specified page token value has expired and can no longer be included in your request.")]
    PageToken,
    #[error("The sync state generation is not found; It may be corrupted or the sync state is too old.")]
    SyncState,
    #[error(
        "The sync state generation is not found. The delta token is expired and data must be synchronized again."
    )]
    SyncStateExpired,
    #[error("Resync required. Replace any local items with the server's version.")]
    Reset { location: String },
    #[error("Please retry again later.")]
    TooManyRequests,
}

impl Fault {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Fault::TokenMissing | Fault::TokenInvalid | Fault::TokenExpired | Fault::NoPermissions => {
                StatusCode::UNAUTHORIZED
            }
            Fault::RequestDenied | Fault::AccessDenied | Fault::MailboxPolicy | Fault::SettingsHidden => {
                StatusCode::FORBIDDEN
            }
            Fault::InvalidUser(_)
            | Fault::NoMailbox
            | Fault::Undiscovered
            | Fault::ResourceNotFound(_)
            | Fault::ItemNotFound => StatusCode::NOT_FOUND,
            Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Fault::MailboxConcurrency | Fault::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Fault::SyncState | Fault::Reset { .. } => StatusCode::GONE,
            Fault::FailedDependency => StatusCode::FAILED_DEPENDENCY,
            Fault::Batch
            | Fault::BatchCount
            | Fault::BatchId(_)
            | Fault::BatchOrder(_)
            | Fault::DelegatedOnly
            | Fault::DuplicateOption(_)
            | Fault::Filter(_)
            | Fault::FilterOperator(_)
            | Fault::FilterProperty { .. }
            | Fault::InefficientFilter
            | Fault::MalformedId
            | Fault::NotEventual(_)
            | Fault::NotTracked(_)
            | Fault::OptionValue { .. }
            | Fault::PageSize { .. }
            | Fault::PageToken
            | Fault::ReferenceCast
            | Fault::ReferenceFilter
            | Fault::Search(_)
            | Fault::SearchNotEventual
            | Fault::SearchWithFilter
            | Fault::SearchWithOrder
            | Fault::Segment(_)
            | Fault::Skip
            | Fault::Sorting
            | Fault::SyncStateExpired
            | Fault::TrackedOption { .. }
            | Fault::TrackedValue { .. }
            | Fault::UnknownOption(_)
            | Fault::UnknownProperty { .. }
            | Fault::UnknownSelected { .. }
            | Fault::Unsupported
            | Fault::Version(_) => StatusCode::BAD_REQUEST,
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

    /// Where the client has to begin anew.
    pub(super) fn location(&self) -> Option<&str> {
        match self {
            Fault::Reset { location } => Some(location),
            _ => None,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Fault::TokenMissing | Fault::TokenInvalid | Fault::TokenExpired => "InvalidAuthenticationToken",
            Fault::MailboxConcurrency => "ApplicationThrottled",
            Fault::NoPermissions => "NoPermissionsInAccessToken",
            Fault::RequestDenied => "Authorization_RequestDenied",
            // The report of hidden settings has the text and the status, not the code: this is Exchange's for 403.
            Fault::AccessDenied | Fault::MailboxPolicy | Fault::SettingsHidden => "ErrorAccessDenied",
            Fault::Batch
            | Fault::BatchCount
            | Fault::BatchId(_)
            | Fault::BatchOrder(_)
            | Fault::DelegatedOnly
            | Fault::DuplicateOption(_)
            | Fault::Filter(_)
            | Fault::NotTracked(_)
            | Fault::OptionValue { .. }
            | Fault::Search(_)
            | Fault::Segment(_)
            | Fault::UnknownOption(_)
            | Fault::UnknownProperty { .. }
            | Fault::UnknownSelected { .. }
            | Fault::Version(_) => "BadRequest",
            Fault::FailedDependency => "FailedDependency",
            Fault::InefficientFilter => "InefficientFilter",
            Fault::SearchWithFilter => "SearchWithFilter",
            Fault::SearchWithOrder => "SearchWithOrderBy",
            Fault::TrackedOption { .. } | Fault::TrackedValue { .. } => "ErrorInvalidUrlQuery",
            Fault::Method(_) | Fault::Skip => "Request_BadRequest",
            Fault::InvalidUser(_) => "ErrorInvalidUser",
            Fault::NoMailbox => "MailboxNotEnabledForRESTAPI",
            Fault::Undiscovered => "ResourceNotFound",
            Fault::ResourceNotFound(_) => "Request_ResourceNotFound",
            Fault::ItemNotFound => "ErrorItemNotFound",
            Fault::MalformedId => "ErrorInvalidIdMalformed",
            Fault::FilterOperator(_)
            | Fault::FilterProperty { .. }
            | Fault::NotEventual(_)
            | Fault::PageSize { .. }
            | Fault::ReferenceCast
            | Fault::ReferenceFilter
            | Fault::SearchNotEventual
            | Fault::Sorting
            | Fault::Unsupported => "Request_UnsupportedQuery",
            Fault::PageToken => "Directory_ExpiredPageToken",
            Fault::SyncState => "SyncStateNotFound",
            Fault::SyncStateExpired => "syncStateNotFound",
            Fault::Reset { .. } => "resyncRequired",
            Fault::TooManyRequests => "TooManyRequests",
        }
    }
}
