//! A hidden property cannot be observed. Two proxies have upstreams that differ only in hidden values, and that would
//! filter and sort by them. For every request, both proxies send the same response.

use std::collections::BTreeSet;

use glassine_core::graph::Target;
use glassine_core::rules::compile;
use serde_json::{Value, json};

use crate::support::data;
use crate::support::glassine::{Glassine, METADATA_ONLY, ProxyResponse, Setup};
use crate::support::upstream::{FakeUpstream, Received, Script};

/// The two values of every hidden property.
const VALUES: [&str; 2] = ["markera", "markerb"];

/// Hidden properties of each list beside those of the schema: the ones that say most, and paths to some.
const HIDDEN: &[(&str, &[&str])] = &[
    (
        "list-messages",
        &[
            "subject",
            "bodyPreview",
            "body/content",
            "uniqueBody",
            "categories",
            "internetMessageHeaders",
            "from/emailAddress/name",
            "webLink",
            "attachments",
            "changeKey",
        ],
    ),
    ("list-users", &["displayName", "jobTitle", "mobilePhone", "department", "employeeId", "manager"]),
    ("list-groups", &["displayName", "description", "membershipRule", "owners", "mailNickname"]),
    (
        "list-contacts",
        &["personalNotes", "displayName", "homeAddress/city", "spouseName", "emailAddresses/name"],
    ),
];

/// What leaves as a token or as a number that is made of it, and a raw value that exists.
const PSEUDONYMISED: &[(&str, &str, &str)] = &[
    ("list-messages", "id", "AAMkAD1="),
    ("list-messages", "conversationId", "AAQkAD1="),
    ("list-messages", "internetMessageId", "<a@b.example>"),
    ("list-messages", "conversationIndex", "AQHXFOrL5NYFOqMjfESlIcNb0mOt1g=="),
    ("list-messages", "from/emailAddress/address", "alice@contoso.com"),
    ("list-users", "id", "u1"),
    ("list-users", "mail", "alice@contoso.com"),
    ("list-users", "userPrincipalName", "alice@contoso.com"),
    ("list-groups", "mail", "alice@contoso.com"),
    ("list-contacts", "emailAddresses/address", "alice@contoso.com"),
];

/// Questions about the property `P` and the value `V`, as a hostile consumer would put them.
const QUESTIONS: &[&str] = &[
    "?$filter=P eq 'V'",
    "?$filter=P ne 'V'",
    "?$filter=P gt 'V'",
    "?$filter=P ge 'V'",
    "?$filter=P lt 'V'",
    "?$filter=P le 'V'",
    "?$filter=P has 'V'",
    "?$filter=P in ('V')",
    "?$filter=P eq null",
    "?$filter=P ne null",
    "?$filter=P in (null,'V')",
    "?$count=true&$filter=P ne null",
    "?$filter=not (P eq null)",
    "?$filter=P/any(x:x ne null)",
    "?$filter=P/any(x:x/V eq 'V')",
    "?$filter=P/any(x:not (x eq 'V'))",
    "?$filter=isRead eq true or P ne null",
    "?$filter=not (P eq 'V')",
    "?$filter=contains(P,'V')",
    "?$filter=startswith(P,'V')",
    "?$filter=endswith(P,'V')",
    "?$filter=length(P) gt 3",
    "?$filter=tolower(P) eq 'V'",
    "?$filter=P/any(x:x eq 'V')",
    "?$filter=P/any()",
    "?$filter=P/$count gt 0",
    "?$filter='V' eq P",
    "?$filter=receivedDateTime ge 2020-01-01T00:00:00Z and P eq 'V'",
    "?$filter=receivedDateTime ge 2020-01-01T00:00:00Z or contains(P,'V')",
    "?$filter=P eq @v&@v='V'",
    "?$count=true&$filter=P eq 'V'",
    "?$orderby=P",
    "?$orderby=P desc",
    "?$orderby=receivedDateTime,P",
    "?$search=P:V",
    "?$search=\"P:V\"",
    "?$expand=P",
    "?$expand=P($filter=P eq 'V')",
    "?$expand=P($select=id;$top=1)",
    "?$select=P",
    "?$select=id,P",
    "?$select=P/V",
    "?$select=*",
    "?$compute=P as q",
    "?$apply=groupby((P))",
    "?$format=P",
    "?$skiptoken=P",
    "?$deltatoken=P",
    "?filter=P eq 'V'",
    "?orderby=P",
    "?search=V",
    "?expand=P",
    "?%24filter=P%20eq%20%27V%27",
    "?$FILTER=P EQ 'V'",
    "?%66ilter=P%20eq%20'V'",
    "?%2524filter=P eq 'V'",
    "?$filter=receivedDateTime ge 2020-01-01T00:00:00Z&$filter=P eq 'V'",
    "?$top=1&$filter=P eq 'V'",
    "?P=V",
    "/$count?$filter=P eq 'V'",
    "/$count?$filter=P ne null",
    "/$count?$orderby=P",
    "/$count?$search=P:V",
    "/$filter(P eq 'V')",
    "/P",
    "/P/$value",
    "(P='V')",
    "/delta?$filter=P eq 'V'",
    "/delta?$deltatoken=latest&$filter=P eq 'V'",
    "/delta?changeType=V",
];

/// The list that an endpoint's name stands for, under a user's token.
fn list(endpoint: &str, user: &str) -> String {
    match endpoint {
        "list-messages" => format!("/v1.0/users/{user}/messages"),
        "list-contacts" => format!("/v1.0/users/{user}/contacts"),
        "list-users" => "/v1.0/users".to_owned(),
        "list-groups" => "/v1.0/groups".to_owned(),
        other => panic!("{other} is no list"),
    }
}

fn question(list: &str, question: &str, property: &str, value: &str) -> String {
    let question = question.replace('P', property).replace('V', value);
    format!("{list}{question}")
        .replace(' ', "%20")
        .replace('"', "%22")
        .replace('<', "%3C")
        .replace('>', "%3E")
}

/// Everything hidden, by endpoint: the built-in list, and every property of the schema that the rules do not let out.
fn hidden() -> Vec<(&'static str, BTreeSet<String>)> {
    let plan = compile("rules.yaml", METADATA_ONLY).plan.unwrap();
    let schema = schema();
    let with_schema = |(endpoint, known): &(&'static str, &[&str])| {
        let found = plan.endpoints.iter().find(|it| it.name == *endpoint).unwrap();
        let leaves = found.response.body().select.as_ref().unwrap();
        let mut names: BTreeSet<_> = known.iter().map(|name| (*name).to_owned()).collect();
        let type_name = endpoint.trim_start_matches("list-").trim_end_matches('s');
        names.extend(properties(&schema, type_name).into_iter().filter(|name| !leaves.contains(name)));
        (*endpoint, names)
    };
    HIDDEN.iter().map(with_schema).collect()
}

fn schema() -> Value {
    data::json(&data::graph().join("schema-v1.0.json"))
}

/// The properties of a type and of those that it is derived from.
fn properties(schema: &Value, type_name: &str) -> Vec<String> {
    let found = &schema["types"][type_name];
    let own = found["props"].as_object().into_iter().flat_map(|props| props.keys().cloned());
    let base = found["base"].as_str().map(|base| base.trim_start_matches("graph."));
    own.chain(base.into_iter().flat_map(|base| properties(schema, base))).collect()
}

/// Responds as the worst upstream would: every hidden property has the value `value`, and a request that names one
/// outside `$select` gets a different response for each value.
fn honour(names: &BTreeSet<String>, value: &str, request: &Received) -> Script {
    let asked = asked(&request.target);
    let names_hidden = names.iter().any(|name| asked.contains(&name.to_ascii_lowercase()));
    let count = if names_hidden || asked.contains("marker") { usize::from(value == VALUES[0]) } else { 2 };
    let object = |at: usize| {
        let mut object = json!({ "id": format!("AAMk{at}"), "receivedDateTime": "2026-01-01T00:00:00Z" });
        for name in names {
            let first = name.split('/').next().unwrap();
            object[first] = json!({ "content": value, "name": value, "city": value, "value": [value] });
        }
        object["subject"] = json!(value);
        object["@odata.etag"] = json!(value);
        object
    };
    let page: Vec<_> = (0..count).map(object).collect();
    Script::json(json!({ "@odata.context": value, "@odata.count": count, "value": page }).to_string())
}

/// The options except `$select`, in lower case. The path is left out, because rules open paths by name only.
fn asked(target: &str) -> String {
    let target = Target::parse(target).unwrap();
    let options = target.options.iter().filter(|option| option.name.as_str() != "$select");
    let options = options.map(|option| format!("{}={}", option.name.as_str(), option.value));
    options.collect::<Vec<_>>().join("&").to_ascii_lowercase()
}

/// A consumer whose limits do not slow it down.
pub(crate) fn quick(mut setup: Setup) -> Setup {
    setup.consumers[0].more = "    limits: { concurrent: 64, requests_per_second: 100000 }\n".to_owned();
    setup
}

/// Two proxies that differ in nothing but what their upstreams hide.
struct Pair {
    proxies: Vec<Glassine>,
    _graphs: Vec<FakeUpstream>,
}

impl Pair {
    async fn new(rules: &str) -> Self {
        let names: BTreeSet<_> = hidden().into_iter().flat_map(|(_, names)| names).collect();
        let (mut proxies, mut graphs) = (Vec::new(), Vec::new());
        for value in VALUES {
            let names = names.clone();
            let graph = FakeUpstream::start(move |request| honour(&names, value, request)).await;
            proxies.push(quick(Setup::scripted(&graph).rules(rules)).start().await);
            graphs.push(graph);
        }
        Self { proxies, _graphs: graphs }
    }

    /// The responses of both proxies, as a consumer sees them.
    async fn ask(&self, target: &str) -> [String; 2] {
        [essence(&self.proxies[0].get(target).await), essence(&self.proxies[1].get(target).await)]
    }
}

/// Whether the header differs from one request to the next. The rules' fingerprint covers the address of Graph, and each proxy
/// of a pair has its own Graph.
fn differs(name: &str) -> bool {
    ["date", "request-id", "client-request-id", "glassine-rules"].contains(&name)
        || name.starts_with("ratelimit-")
}

/// A response without what differs from one request to the next.
pub(crate) fn essence(response: &ProxyResponse) -> String {
    let mut text = format!("{}\n", response.status);
    for (name, value) in &response.headers {
        if !differs(name.as_str()) {
            text += &format!("{name}: {value:?}\n");
        }
    }
    match serde_json::from_slice::<Value>(&response.body) {
        Ok(mut body) if body["error"].is_object() => {
            body["error"]["innerError"] = Value::Null;
            text + &body.to_string()
        }
        _ => text + &response.text(),
    }
}

#[tokio::test]
async fn no_question_tells_two_values_of_a_hidden_property_apart() {
    let pair = Pair::new(METADATA_ONLY).await;
    let user = pair.proxies[0].id("u1");
    let (mut asked, mut answered) = (0, 0);
    for (endpoint, names) in hidden() {
        for property in &names {
            // Every question about each built-in property, and every fifth about each of the schema's many others.
            let known = HIDDEN.iter().any(|(_, known)| known.contains(&property.as_str()));
            let step = if known { 1 } else { 5 };
            for one in QUESTIONS.iter().skip(property.len() % step).step_by(step) {
                let target = question(&list(endpoint, &user), one, property, VALUES[0]);
                let [first, second] = pair.ask(&target).await;
                assert_eq!(first, second, "{target}");
                assert!(!VALUES.iter().any(|value| first.contains(value)), "{target}: {first}");
                asked += 1;
                answered += usize::from(first.starts_with("200"));
            }
        }
    }
    // Selections are served, without the properties that must not leave.
    assert!(asked > 1_000 && answered > 20, "{answered} of {asked}");
}

#[tokio::test]
async fn the_questions_would_tell_if_the_rules_let_them_by() {
    let open = METADATA_ONLY
        .replace(
            "      times: [$.createdDateTime, $.lastModifiedDateTime, $.received",
            "      text: [{ path: $.subject, reviewed: true }]\n      times: [$.createdDateTime, $.lastModifiedDateTime, $.received",
        )
        .replace("        sentDateTime: [ge, gt, le, lt]\n", "        subject: [eq]\n")
        .replace("$orderby: [receivedDateTime, sentDateTime]", "$orderby: [receivedDateTime, subject]");
    let pair = Pair::new(&open).await;
    let list = list("list-messages", &pair.proxies[0].id("u1"));
    for one in ["?$filter=P eq 'V'", "?$count=true&$filter=P eq 'V'", "?$orderby=P desc", "?$select=P"] {
        let [first, second] = pair.ask(&question(&list, one, "subject", VALUES[0])).await;
        assert!(first.starts_with("200") && first != second, "{one}: {first}");
    }
}

#[tokio::test]
async fn no_question_finds_the_raw_value_behind_a_token() {
    let pair = Pair::new(METADATA_ONLY).await;
    let user = pair.proxies[0].id("u1");
    for (endpoint, property, existing) in PSEUDONYMISED {
        for one in QUESTIONS.iter().filter(|one| one.contains('V')) {
            let ask = |value: &str| question(&list(endpoint, &user), one, property, value);
            let first = essence(&pair.proxies[0].get(&ask(existing)).await);
            let missing = existing.replace(['a', 'A', 'u'], "z");
            let second = essence(&pair.proxies[0].get(&ask(&missing)).await);
            assert_eq!(first, second, "{}", ask(existing));
        }
    }
}
