//! One allow-listed path in a hundred spellings, as raw bytes through the running proxy: Graph gets nothing, or exactly
//! the canonical target.

use crate::support::glassine::{Consumer, Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};

/// What a target may become. `{u}` in a target is a token of the consumer, which stands for Graph's `u1`.
#[derive(Clone, Copy)]
enum Outcome {
    /// The list of messages.
    List,
    /// The list with this `$select`.
    Select(&'static str),
    /// A 4xx, and no request to Graph.
    Refused,
}

use Outcome::{List, Refused, Select};

/// The targets with which five general proxies were compared.
const MATRIX: &[(&str, Outcome)] = &[
    ("/v1.0/users/{u}/messages", List),
    ("/v1.0/users/{u}/messages?$select=id", Select("id")),
    ("/v1.0/users/{u}/messages/", List),
    ("/v1.0/users/{u}/messages/x/../", Refused),
    ("/v1.0/users/{u}/messages/%2e%2e/messages", Refused),
    ("/v1.0/users/{u}/mailFolders/../messages", Refused),
    ("/v1.0/me/../users/{u}/messages", Refused),
    ("/v1.0//users/{u}/messages", Refused),
    ("//v1.0/users/{u}/messages", Refused),
    ("/v1.0/users/{u}%2Fmailboxsettings/messages", Refused),
    ("/v1.0/users/{u}%2F..%2F..%2Fme/messages", Refused),
    ("/v1.0/users/{u}%252Fx/messages", Refused),
    ("/v1.0/users/..%2f/messages", Refused),
    ("/v1.0/users/%2e%2e/messages", Refused),
    ("/v1.0/users/../messages", Refused),
    ("/v1.0/users/..;/messages", Refused),
    ("/v1.0/users/..;a=b/messages", Refused),
    ("/v1.0/users/.;/messages", Refused),
    ("/V1.0/Users/{u}/Messages", Refused),
    ("/v1.0/users/{u}/messages;x=1", Refused),
    ("/v1.0/users/{u}/%6dessages", List),
    ("/v1.0/users/{u}/messages%00", Refused),
    ("/v1.0/users/{u}/messages%20", Refused),
    // hyper reads a target up to `#` and drops the rest, so nobody behind it sees a fragment (SECURITY.md).
    ("/v1.0/users/{u}/messages#/../../me", List),
    ("/v1.0/users/{u}/messages%23x", Refused),
    ("/v1.0/users/{u}/messages%3f$expand=attachments", Refused),
    ("/v1.0/users/{u}\\..\\me/messages", Refused),
    ("/v1.0/users/{u}%5c..%5cme/messages", Refused),
    ("/v1.0/users/{u}/messages/m1/$value", Refused),
    ("/v1.0/users/{u}/messages/m1/%24value", Refused),
    ("/v1.0/users('{u}')/messages", List),
    ("/v1.0/users/{u}/messages()", Refused),
    ("/v1.0/users/x/y/messages", Refused),
    ("http://graph.microsoft.com/v1.0/users/{u}/messages", Refused),
    ("http://evil.example/v1.0/users/{u}/messages", Refused),
    ("/v1.0/users/%c0%ae%c0%ae/messages", Refused),
    ("/v1.0/users/{u}/messages?x=/../../me", Refused),
    ("/v1.0/users/{u}%0d%0aX:y/messages", Refused),
    ("/v1.0/users/{u}/messages\t", Refused),
    ("*", Refused),
];

/// More spellings of the path.
const PATHS: &[(&str, Outcome)] = &[
    ("/v1.0/USERS/{u}/Messages", List),
    ("/v1.0/%75sers/{u}/messages", List),
    ("/v1%2e0/users/{u}/messages", Refused),
    ("/v1.0/users(%27{u}%27)/messages", List),
    ("/v1.0/users%28'{u}'%29/messages", List),
    ("/v1.0/users(\"{u}\")/messages", Refused),
    ("/v1.0/users({u})/messages", Refused),
    ("/v1.0/users(id='{u}')/messages", Refused),
    ("/v1.0/users(mail='a@contoso.com')/messages", Refused),
    ("/v1.0/users('{u}','x')/messages", Refused),
    ("/v1.0/users('{u}')x/messages", Refused),
    ("/v1.0/users('')/messages", Refused),
    ("/v1.0/users('{u}')('{u}')/messages", Refused),
    ("/v1.0/users/{u}/messages('{u}", Refused),
    ("/v1.0/users/{u}/messages/.", Refused),
    ("/v1.0/users/{u}/messages/..", Refused),
    ("/v1.0/users/{u}/messages/.%2e", Refused),
    ("/v1.0/users/{u}/messages/%2E.", Refused),
    ("/v1.0/users/{u}/messages/...", Refused),
    ("/v1.0/./users/{u}/messages", Refused),
    ("/./v1.0/users/{u}/messages", Refused),
    ("/v1.0/../v1.0/users/{u}/messages", Refused),
    ("/v1.0/users/{u}/messages//", Refused),
    ("/v1.0/users//{u}/messages", Refused),
    ("/v1.0/users/{u}%2fmessages", Refused),
    ("/v1.0%2fusers/{u}/messages", Refused),
    ("%2fv1.0/users/{u}/messages", Refused),
    ("v1.0/users/{u}/messages", Refused),
    ("\\v1.0\\users\\{u}\\messages", Refused),
    ("/v1.0/users/{u}%5cmessages", Refused),
    ("/v1.0/users/%252e%252e/messages", Refused),
    ("/v1.0/users/%25252e%25252e/messages", Refused),
    ("/v1.0/users/%e0%80%ae%e0%80%ae/messages", Refused),
    ("/v1.0/users/%f0%80%80%ae/messages", Refused),
    ("/v1.0/users/%ef%bc%8e%ef%bc%8e/messages", Refused),
    ("/v1.0/users/%u002e%u002e/messages", Refused),
    ("/v1.0/users/{u}\u{ff0f}messages", Refused),
    ("/v1.0/users/{u};jsessionid=1/messages", Refused),
    ("/v1.0;x/users/{u}/messages", Refused),
    ("/v1.0/users/{u}/messages%3bx", Refused),
    ("/v1.0/users/{u}/messages%09", Refused),
    ("/v1.0/users/{u}/messages%0a", Refused),
    ("/v1.0/users/{u}/%20messages", Refused),
    ("/v1.0/users/{u}/messages%7f", Refused),
    ("/v1.0/users/{u}%00/messages", Refused),
    ("/v1.0/users/{u}/messages%", Refused),
    ("/v1.0/users/{u}/messages%zz", Refused),
    ("/v1.0/users/{u}/mess ages", Refused),
    ("/v1.0/users/{u}/messages/$count/$count", Refused),
    ("/v1.0/users/{u}/messages/$ref", Refused),
    ("/v1.0/users/{u}/messages/$VALUE", Refused),
    ("/v1.0/users/{u}/messages/$batch", Refused),
    ("/v1.0/users/{u}/messages/microsoft.graph.eventMessage", Refused),
    ("/v1.0/users/{u}/messages/graph.eventMessage", Refused),
    ("/v1.0/users/{u}/mailFolders/inbox/messages/{u}/attachments", Refused),
    ("/v1.0/users/{u}/messages/{u}/extensions", Refused),
    ("/v1.0/users/{u}/mailFolders/../messages", Refused),
    ("/v1.0/users/me/messages", Refused),
    ("/v1.0/me/messages", Refused),
    ("/v2.0/users/{u}/messages", Refused),
    ("/v1/users/{u}/messages", Refused),
    ("/v1.0/$batch", Refused),
    ("/v1.0", Refused),
    ("/", Refused),
    ("?$select=id", Refused),
    ("https://graph.microsoft.com/v1.0/users/{u}/messages", Refused),
    ("graph.microsoft.com:443", Refused),
    ("//evil.example/v1.0/users/{u}/messages", Refused),
    ("/v1.0@evil.example/users/{u}/messages", Refused),
];

/// The same path with queries.
const QUERIES: &[(&str, Outcome)] = &[
    ("?select=id", Select("id")),
    ("?%24select=id", Select("id")),
    ("?$SELECT=ID", Select("id")),
    ("?$select=%69d", Select("id")),
    ("?$select=subject,id,body", Select("id")),
    ("?$select=subject", Select("id")),
    ("?$select=id&$select=subject", Refused),
    ("?$select=id&select=subject", Refused),
    ("?$select=id&%24SELECT=body", Refused),
    ("?$select=id;$top=5", Refused),
    ("?$select=*", Refused),
    ("?$select=", Refused),
    ("?$expand=attachments", Refused),
    ("?expand=attachments", Refused),
    ("?$expand=singleValueExtendedProperties($filter=id%20eq%20'String%200x1000')", Refused),
    ("?$select=id($expand=attachments)", Refused),
    ("?$search=%22bonus%22", Refused),
    ("?search=bonus", Refused),
    ("?$filter=contains(subject,'bonus')", Refused),
    ("?$filter=startswith(subject,'b')", Refused),
    ("?$filter=subject%20eq%20'bonus'", Refused),
    ("?$filter=receivedDateTime%20ge%20@p&@p=2026-01-01T00:00:00Z", Refused),
    ("?$orderby=subject", Refused),
    ("?$orderby=from/emailAddress/address", Refused),
    ("?$format=xml", Refused),
    ("?$apply=groupby((subject))", Refused),
    ("?$compute=subject%20as%20s", Refused),
    ("?$count=maybe", Refused),
    ("?$top=0", Refused),
    ("?$top=1001", Refused),
    ("?$top=-1", Refused),
    ("?$top=5&top=6", Refused),
    ("?$skiptoken=x", Refused),
    ("?$deltatoken=latest", Refused),
    ("?$select", Refused),
    ("?", List),
    ("?&", List),
    ("?&$select=id", Select("id")),
    ("?$select=id&", Select("id")),
    ("?&&$select=id&&", Select("id")),
    ("?$format=json", List),
    ("?$select=id&$format=application/json;odata.metadata=none", Select("id")),
    ("?=", Refused),
    ("?=id", Refused),
    ("?&$select=id&&select=id", Refused),
    ("?$format=application/xml", Refused),
    ("?$select=i%2564", Refused),
    ("?$select=id%00", Refused),
    ("?$select=id#/../../me", Select("id")),
    ("?$select=id?$expand=attachments", Refused),
    ("?$select=id%26$expand=attachments", Refused),
];

#[tokio::test]
async fn the_matrix_of_38_spellings() {
    let stage = Stage::new().await;
    for (target, outcome) in MATRIX {
        stage.check(target, *outcome).await;
    }
}

#[tokio::test]
async fn seventy_more_spellings_of_the_path() {
    let stage = Stage::new().await;
    for (target, outcome) in PATHS {
        stage.check(target, *outcome).await;
    }
}

#[tokio::test]
async fn queries_are_written_anew_or_refused() {
    let stage = Stage::new().await;
    for (query, outcome) in QUERIES {
        stage.check(&format!("/v1.0/users/{{u}}/messages{query}"), *outcome).await;
    }
}

#[tokio::test]
async fn a_raw_id_in_place_of_the_token_reaches_nothing_in_any_spelling() {
    let stage = Stage::new().await;
    for (target, _) in MATRIX.iter().chain(PATHS) {
        stage.expect_refusal(&target.replace("{u}", "u1")).await;
    }
}

#[tokio::test]
async fn bounds_of_a_target() {
    let stage = Stage::new().await;
    let options = |count| (0..count).map(|n| format!("&o{n}=1")).collect::<String>();
    for (target, code) in [
        (format!("/v1.0/users/{}/messages", "x".repeat(24_000)), "itemNotFound"),
        (format!("/v1.0/users/{}/messages", "x".repeat(25_000)), "targetTooLong"),
        (format!("/v1.0/users{}", "/x".repeat(31)), "endpointNotAllowed"),
        (format!("/v1.0/users{}", "/x".repeat(40)), "tooManySegments"),
        (format!("/v1.0/users?$top=1{}", options(15)), "optionNotAllowed"),
        (format!("/v1.0/users?$top=1{}", options(16)), "tooManyOptions"),
    ] {
        let response = stage.ask(&target).await;
        assert!(response.contains(&format!("{{\"error\":{{\"code\":\"{code}\"")), "{target:.60}: {response}");
    }
    assert_eq!(stage.graph.requests().len(), 0);
}

struct Stage {
    proxy: Glassine,
    graph: FakeUpstream,
    user: String,
    /// The list's canonical target.
    list: String,
}

impl Stage {
    async fn new() -> Self {
        let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
        let proxy = Setup::scripted(&graph).start().await;
        let user = proxy.id("u1");
        let first = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
        let probe = Setup::scripted(&first).start().await;
        assert_eq!(probe.get(&format!("/v1.0/users/{user}/messages")).await.status, 200);
        let list = first.requests()[0].target.clone();
        assert!(list.starts_with("/v1.0/users/u1/messages?$select="), "{list}");
        Self { proxy, graph, user, list }
    }

    /// The response to a target that is sent unchanged.
    async fn ask(&self, target: &str) -> String {
        let token = Consumer::token("acme");
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            self.proxy.address
        );
        self.proxy.raw(head.as_bytes()).await
    }

    async fn check(&self, target: &str, outcome: Outcome) {
        let canonical = match outcome {
            Refused => return self.expect_refusal(&target.replace("{u}", &self.user)).await,
            List => self.list.clone(),
            Select(names) => format!("/v1.0/users/u1/messages?$select={names}"),
        };
        let before = self.graph.requests().len();
        let response = self.ask(&target.replace("{u}", &self.user)).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{target}: {response}");
        let reached: Vec<_> = self.graph.requests().drain(before..).map(|it| it.target).collect();
        assert_eq!(reached, [canonical], "{target}");
    }

    async fn expect_refusal(&self, target: &str) {
        let before = self.graph.requests().len();
        let response = self.ask(target).await;
        assert!(response.starts_with("HTTP/1.1 4"), "{target}: {response}");
        assert_eq!(self.graph.requests().len(), before, "{target} reached Graph");
    }
}
