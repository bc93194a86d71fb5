//! What some of Graph's error codes mean for a consumer, who does not get Graph's own text.

use crate::graph::INEFFICIENT_FILTER;

/// Exchange's rule for `$orderby` beside `$filter` (API reference, "List messages").
const INEFFICIENT: &str = "Microsoft Graph does not sort what it filters in this way: each property of $orderby has to be in \
    $filter too, in the same order and before all others. With $orderby=receivedDateTime desc, write \
    $filter=receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false. Or leave $orderby out, and sort what comes.";

/// Codes, each with a text for people. Sources of the codes about mailboxes: microsoft-graph-docs#4598 and #5143,
/// microsoft-graph-docs-contrib#4340; one account can get either code.
const MEANINGS: &[(&str, &str)] = &[
    (INEFFICIENT_FILTER, INEFFICIENT),
    ("ErrorRestrictionTooComplex", INEFFICIENT),
    (
        "ErrorInvalidUrlQuery",
        "Microsoft Graph does not take one of the query options here. Of changes of messages it takes $filter=receivedDateTime ge \
         (or gt) one time, and $orderby=receivedDateTime desc; of changes of folders and contacts neither.",
    ),
    (
        "MailboxNotEnabledForRESTAPI",
        "Exchange Online has no mailbox of this account: it is on premises or was removed, or the account has no licence or belongs \
         to another organisation. Go on with the next account.",
    ),
    (
        "ResourceNotFound",
        "Microsoft Graph does not find this. If it was to be in a mailbox, Exchange Online has no mailbox of this account, although \
         the directory can have its address. Go on with the next account.",
    ),
];

/// What a known code of Graph means and what to do, for people; `None` if the code says it.
pub fn meaning(code: &str) -> Option<&'static str> {
    MEANINGS.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}
