//! Whole targets: hostile spellings of one path.

use super::*;

/// Spellings of one path that general proxies forward although only `/v1.0/users/{id}/messages` was allowed: each
/// has one canonical form or is refused.
#[test]
fn hostile_spellings_of_one_path() {
    const REFUSED: &str = "";
    let matrix = [
        ("/v1.0/users/u1/messages", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages?$select=id", "/v1.0/users/u1/messages?$select=id"),
        ("/v1.0/users/u1/messages/", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages/x/../", REFUSED),
        ("/v1.0/users/u1/messages/%2e%2e/messages", REFUSED),
        ("/v1.0/users/u1/mailFolders/../messages", REFUSED),
        ("/v1.0/me/../users/u1/messages", REFUSED),
        ("/v1.0//users/u1/messages", REFUSED),
        ("//v1.0/users/u1/messages", REFUSED),
        ("/v1.0/users/u1%2Fmailboxsettings/messages", "/v1.0/users/u1%2Fmailboxsettings/messages"),
        ("/v1.0/users/u1%2F..%2F..%2Fme/messages", REFUSED),
        ("/v1.0/users/u1%252Fx/messages", REFUSED),
        ("/v1.0/users/..%2f/messages", REFUSED),
        ("/v1.0/users/%2e%2e/messages", REFUSED),
        ("/v1.0/users/../messages", REFUSED),
        ("/v1.0/users/..;/messages", REFUSED),
        ("/v1.0/users/..;a=b/messages", REFUSED),
        ("/v1.0/users/.;/messages", REFUSED),
        ("/V1.0/Users/u1/Messages", REFUSED),
        ("/v1.0/users/u1/messages;x=1", REFUSED),
        ("/v1.0/users/u1/%6dessages", "/v1.0/users/u1/messages"),
        ("/v1.0/users/u1/messages%00", REFUSED),
        ("/v1.0/users/u1/messages%20", REFUSED),
        ("/v1.0/users/u1/messages#/../../me", REFUSED),
        ("/v1.0/users/u1/messages%23x", "/v1.0/users/u1/messages%23x"),
        ("/v1.0/users/u1/messages%3f$expand=attachments", REFUSED),
        ("/v1.0/users/u1\\..\\me/messages", REFUSED),
        ("/v1.0/users/u1%5c..%5cme/messages", REFUSED),
        ("/v1.0/users/u1/messages/m1/$value", "/v1.0/users/u1/messages/m1/$value"),
        ("/v1.0/users/u1/messages/m1/%24value", "/v1.0/users/u1/messages/m1/$value"),
        ("/v1.0/users('u1')/messages", "/v1.0/users('u1')/messages"),
        ("/v1.0/users/u1/messages()", REFUSED),
        ("/v1.0/users/x/y/messages", "/v1.0/users/x/y/messages"),
        ("http://graph.microsoft.com/v1.0/users/u1/messages", REFUSED),
        ("http://evil.example/v1.0/users/u1/messages", REFUSED),
        ("/v1.0/users/%c0%ae%c0%ae/messages", REFUSED),
        ("/v1.0/users/u1/messages?x=/../../me", "/v1.0/users/u1/messages?x=%2F..%2F..%2Fme"),
        ("/v1.0/users/u1%0d%0aX:y/messages", REFUSED),
        ("/v1.0/users/u1/messages\t", REFUSED),
        ("*", REFUSED),
    ];
    for (raw, expected) in matrix {
        let canonical = Target::parse(raw).map_or_else(|_| REFUSED.to_owned(), |target| target.canonical());
        assert_eq!(canonical, expected, "{raw}");
    }
}
