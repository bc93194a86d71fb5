//! The requests that reach Graph: a newly built target, with a `$select` of properties that leave and that Graph's
//! schema has for the type, and a fixed set of header fields without data from the consumer.

use std::collections::BTreeSet;

use glassine_core::graph::Target;

use crate::canaries::endpoints::{CONNECTORS, Connector, Endpoint, FOLDER, GROUP, MESSAGE, USER};
use crate::canaries::schema::Schema;
use crate::support::glassine::{GRAPH_TOKEN, Glassine, METADATA_ONLY, Setup, sample_tenant};
use crate::support::upstream::{FakeUpstream, Received, Script};

/// Every field of a request to Graph, in lower case.
const FIELDS: [&str; 7] =
    ["accept", "accept-encoding", "authorization", "client-request-id", "host", "prefer", "user-agent"];

/// A document that every endpoint takes.
const NOTHING: &str = r#"{"value":[]}"#;

async fn start(connector: &Connector) -> (Glassine, FakeUpstream) {
    let graph = FakeUpstream::always(Script::json(NOTHING)).await;
    let mut setup = Setup::in_front_of(format!("http://{}", graph.address())).rules(connector.rules);
    setup.consumers[0].more = "    limits: { concurrent: 64, requests_per_second: 100000 }\n".to_owned();
    (setup.start().await, graph)
}

/// The request that Graph got for a request that has to pass.
async fn asked(proxy: &Glassine, graph: &FakeUpstream, target: &str, headers: &[(&str, &str)]) -> Received {
    let before = graph.requests().len();
    let response = proxy.get_as("acme", target, headers).await;
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    let requests = graph.requests();
    assert_eq!(requests.len(), before + 1, "{target}");
    requests.last().unwrap().clone()
}

fn selected(request: &Received) -> BTreeSet<String> {
    let query = request.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let select = query.split('&').find_map(|option| option.strip_prefix("$select="));
    let names = select.unwrap_or_else(|| panic!("no $select in {}", request.target));
    names.replace("%2C", ",").split(',').map(str::to_owned).collect()
}

/// The properties that an endpoint may select: those of its type, or of a type that is derived from it.
fn properties(schema: &Schema, endpoint: &Endpoint) -> BTreeSet<String> {
    let family = schema.family(endpoint.type_name);
    family.iter().flat_map(|name| schema.properties(name).into_keys()).collect()
}

/// Properties that Graph's data has beside the kept ones. They leave as tokens.
const TOKENS: [&str; 22] = [
    "id",
    "parentFolderId",
    "conversationId",
    // Of which a number leaves.
    "conversationIndex",
    "internetMessageId",
    "from",
    "sender",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "mail",
    "userPrincipalName",
    "otherMails",
    "proxyAddresses",
    "emailAddresses",
    "primaryEmailAddress",
    "secondaryEmailAddress",
    "tertiaryEmailAddress",
    "workingHours",
    "automaticRepliesSetting",
    // Of changes of groups: `members@delta`.
    "members",
];

#[tokio::test]
async fn every_request_selects_only_what_can_leave_and_what_the_type_has() {
    for connector in &CONNECTORS {
        let (proxy, graph) = start(connector).await;
        for version in connector.versions {
            let schema = Schema::load(version);
            for endpoint in connector.endpoints() {
                let request = asked(&proxy, &graph, &endpoint.target(version, &proxy), &[]).await;
                let names = selected(&request);
                let kept = endpoint.kept.iter().filter_map(|path| path.split(['.', '[']).next());
                let may_leave: BTreeSet<_> = kept.chain(TOKENS).map(str::to_owned).collect();
                assert!(names.is_subset(&may_leave), "{}", request.target);
                let known = properties(&schema, &endpoint);
                let unknown: Vec<_> = names.difference(&known).collect();
                assert!(unknown.is_empty(), "{version} {}: {unknown:?}", request.target);
            }
        }
    }
}

/// The sample tenant refuses an unknown name in `$select`, as Graph does.
#[tokio::test]
async fn a_strict_graph_takes_every_select() {
    let (tenant, url) = sample_tenant().await;
    // The sample tenant has no objects with these ids. Other tests walk these endpoints.
    let others = [GROUP, FOLDER, MESSAGE];
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap().id().to_owned();
    for connector in &CONNECTORS {
        let proxy = Setup::in_front_of(&url).rules(connector.rules).start().await;
        for version in connector.versions {
            for endpoint in connector.endpoints() {
                let target = endpoint.target(version, &proxy).replace(&proxy.id(USER), &proxy.id(&user));
                if others.iter().any(|raw| target.contains(&proxy.id(raw))) {
                    continue;
                }
                let response = proxy.get(&target).await;
                assert_eq!(response.status, 200, "{target}: {}", response.text());
            }
        }
    }
}

/// Rules that named a property of a derived type made each request for messages 400.
#[tokio::test]
async fn a_strict_graph_takes_properties_of_derived_types() {
    let (tenant, url) = sample_tenant().await;
    let importance = "        - { path: $.importance,";
    let line = "        - { path: $.meetingMessageType, values: [meetingRequest, meetingAccepted] }\n";
    let rules = METADATA_ONLY.replacen(importance, &format!("{line}{importance}"), 1);
    let proxy = Setup::in_front_of(&url).rules(&rules).start().await;
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap().id().to_owned();
    let messages = format!("/v1.0/users/{}/messages?$top=1000", proxy.id(&user));
    for options in
        ["", "&$select=isRead,meetingMessageType", "&$select=microsoft.graph.eventMessage/meetingMessageType"]
    {
        let response = proxy.get(&format!("{messages}{options}")).await;
        assert_eq!(response.status, 200, "{options}: {}", response.text());
        let page = response.json();
        let kinds = page["value"].as_array().unwrap().iter().map(|one| one["meetingMessageType"].as_str());
        assert!(kinds.flatten().any(|kind| kind == "meetingRequest"), "{options}");
    }
}

#[tokio::test]
async fn targets_are_canonical_whatever_the_spelling() {
    let (proxy, graph) = start(&CONNECTORS[0]).await;
    let user = proxy.id(USER);
    let spellings = [
        format!("/v1.0/users/{user}/messages?$top=5&$select=subject,isRead"),
        format!("/v1.0/Users/{user}/Messages/?$select=ISREAD,body&$top=5"),
        format!("/v1.0/users('{user}')/messages?%24top=5&select=isRead"),
    ];
    for spelling in &spellings {
        let request = asked(&proxy, &graph, spelling, &[]).await;
        assert_eq!(request.path(), format!("/v1.0/users/{USER}/messages"), "{spelling}");
        assert_eq!(Target::parse(&request.target).unwrap().canonical(), request.target, "{spelling}");
        assert_eq!(selected(&request), BTreeSet::from(["isRead".to_owned()]), "{spelling}");
        assert!(request.target.contains("$top=5"), "{}", request.target);
    }
    for connector in &CONNECTORS {
        for endpoint in connector.endpoints() {
            let request = asked(&proxy, &graph, &endpoint.target("v1.0", &proxy), &[]).await;
            assert_eq!(Target::parse(&request.target).unwrap().canonical(), request.target);
        }
    }
}

#[tokio::test]
async fn nothing_of_the_consumers_header_fields_reaches_graph() {
    let (proxy, graph) = start(&CONNECTORS[0]).await;
    let theirs = [
        ("cookie", "session=consumers-own"),
        ("x-forwarded-for", "consumers-own"),
        ("x-forwarded-host", "consumers-own"),
        ("forwarded", "for=consumers-own"),
        ("x-http-method-override", "consumers-own"),
        ("x-custom", "consumers-own"),
        ("user-agent", "consumers-own"),
        ("referer", "https://consumers-own.example"),
        ("accept", "application/json;odata.metadata=full"),
        ("accept-language", "consumers-own"),
        ("if-none-match", "\"consumers-own\""),
        ("consistencylevel", "consumers-own"),
        ("client-request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("sdkversion", "consumers-own"),
        ("traceparent", "00-0f8fad5bd9cb469fa16570867728950e-0f8fad5bd9cb469f-01"),
        ("prefer", "outlook.timezone=\"consumers-own\", odata.maxpagesize=7, IdType=\"RestId\""),
    ];
    for endpoint in CONNECTORS[0].endpoints() {
        let request = asked(&proxy, &graph, &endpoint.target("v1.0", &proxy), &theirs).await;
        let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        let unknown: Vec<_> = names.filter(|name| !FIELDS.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let written = format!("{request:?}");
        assert!(!written.contains("consumers-own") && !written.contains("0f8fad5b"), "{written}");
        assert!(!written.contains("bearer-of-") && request.body.is_empty() && request.method == "GET");
        let ours = format!("Bearer {GRAPH_TOKEN}");
        assert_eq!(request.all("authorization").collect::<Vec<_>>(), [ours.as_str()]);
        assert_eq!(request.header("accept"), Some("application/json;odata.metadata=minimal"));
        assert_eq!(request.header("host"), Some(graph.address().to_string().as_str()));
    }
}

#[tokio::test]
async fn mail_is_asked_for_with_immutable_ids_and_only_deltas_take_a_page_size() {
    let (proxy, graph) = start(&CONNECTORS[0]).await;
    for endpoint in CONNECTORS[0].endpoints() {
        let target = endpoint.target("v1.0", &proxy);
        let prefer = [("prefer", "odata.maxpagesize=7")];
        let request = asked(&proxy, &graph, &target, &prefer).await;
        let lines: Vec<_> = request.all("prefer").collect();
        let ids = ["message", "mailFolder", "contact"].contains(&endpoint.type_name);
        let ids = ids.then_some("IdType=\"ImmutableId\"");
        let size = target.ends_with("/delta").then_some("odata.maxpagesize=7");
        let expected = ids.into_iter().chain(size).collect::<Vec<_>>().join(", ");
        // One line for both: a second one could be ignored.
        let expected: Vec<_> = Some(expected.as_str()).filter(|line| !line.is_empty()).into_iter().collect();
        assert_eq!(lines, expected, "{target}");
    }
}
