//! Every refusal stands beside a neighbour that is admitted.

use super::*;
use crate::pseudonym::{AddressPolicy, KeyRing};
use crate::rules::compile;
use crate::sanitize::Links;

const USER: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
const FOLDER: &str = "AAMkADhAAATs28OAAA=";
const SKIP: &str = "https://graph.microsoft.com/v1.0/users?$skiptoken=RFNwdAIAAQ";

fn pseudonyms(consumer: &str) -> Arc<Pseudonyms> {
    let keys = KeyRing::parse(include_str!("../../../../rules/cases/keys.yaml")).unwrap();
    Arc::new(keys.pseudonyms(consumer, &AddressPolicy::default()))
}

fn policy_of(consumer: &str, rules: &str) -> Policy {
    let compiled = compile("test.yaml", rules);
    let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
    Policy::new(
        Arc::new(plan),
        pseudonyms(consumer),
        Origin::parse("https://graph.microsoft.com").unwrap(),
        "https://proxy.example/graph".into(),
    )
}

const MAIL: &str = include_str!("../../../../rules/outlook-mail-metadata-only.yaml");

/// A connector that compares with tokens, counts, and lets raw ids in.
const OTHER: &str = r#"
version: 1
connector: other
title: Other
purpose: Everything that the shipped rules do not use.
permissions: [User.Read.All]
shapes:
  user:
    keep: { text: [$.userType] }
    pseudonymize: [{ path: $.id, as: id, reversible: true }, { path: $.mail, as: email }]
endpoints:
  - name: list-users
    get: /{api}/users
    params: { api: { one_of: [v1.0] } }
    query:
      $count: boolean
      $filter: { id: [eq, ne], userType: [eq] }
      $orderby: [userType]
      kind: { one_of: [all, Some] }
      depth: { integer: { min: 1, max: 3 } }
    response: { collection: user }
  - name: count-users
    get: /v1.0/users/$count
    query: { $filter: { userType: [eq] } }
    response: { count: user }
  - name: get-manager
    get: /v1.0/users/{user}/manager
    params: { user: { raw: true } }
    response: { entity: user }
"#;

fn mail() -> Policy {
    policy_of("acme-analytics", MAIL)
}

fn other() -> Policy {
    policy_of("acme-analytics", OTHER)
}

fn token(consumer: &str, class: Class, value: &str) -> String {
    let mut out = Vec::new();
    assert_eq!(pseudonyms(consumer).reversible(class, value, &mut out), crate::pseudonym::Outcome::Written);
    String::from_utf8(out).unwrap()
}

fn user() -> String {
    token("acme-analytics", Class::Id, USER)
}

fn get(policy: &Policy, target: &str) -> Result<Admitted, Refusal> {
    admit(&Request { method: "GET", target, prefer: None, eventual: false }, policy)
}

/// The target for Graph, with the percent-encoding of a few characters undone for the reader.
fn upstream(policy: &Policy, target: &str) -> String {
    let upstream = get(policy, target).unwrap_or_else(|refusal| panic!("{target}: {refusal}")).upstream;
    [("%2C", ","), ("%20", " "), ("%27", "'")]
        .iter()
        .fold(upstream, |text, (code, sign)| text.replace(code, sign))
}

/// The refusal's status and code. Its text must not repeat the request.
#[track_caller]
fn refused(policy: &Policy, target: &str) -> (u16, &'static str) {
    let refusal = get(policy, target).expect_err(target);
    assert!(!refusal.to_string().contains("secret"), "{refusal}");
    (refusal.status(), refusal.code())
}

#[test]
fn methods_that_read_are_admitted() {
    let asked =
        |method| admit(&Request { method, target: "/v1.0/users", prefer: None, eventual: false }, &mail());
    assert!(asked("GET").is_ok() && asked("HEAD").is_ok());
    for method in ["POST", "PATCH", "DELETE", "get", "", "TRACE"] {
        assert_eq!(asked(method).unwrap_err().status(), 405, "{method}");
    }
}

#[test]
fn endpoints_that_the_rules_name_are_admitted() {
    assert!(upstream(&mail(), "/v1.0/users").starts_with("/v1.0/users?$select="));
    for target in ["/v1.0/me", "/v1.0/users/$value", "/v2.0/users", "/v1.0/secret", "/v1.0/users/delta/x"] {
        assert!([400, 403, 404].contains(&refused(&mail(), target).0), "{target}");
    }
    assert_eq!(refused(&mail(), "/v1.0/me"), (403, "endpointNotAllowed"));
    assert_eq!(refused(&other(), "/beta/users"), (403, "endpointNotAllowed"));
}

#[test]
fn targets_that_do_not_parse_are_refused() {
    assert!(get(&mail(), "/v1.0/users/").is_ok());
    assert_eq!(refused(&mail(), "users").0, 400);
    assert_eq!(refused(&mail(), "/v1.0/users/%2e%2e").0, 400);
    assert_eq!(refused(&mail(), &format!("/v1.0/users?$top={}", "1".repeat(100_000))).0, 414);
}

#[test]
fn a_token_of_this_consumer_stands_for_the_original() {
    let target = format!("/v1.0/users/{}/mailFolders/INBOX/messages", user());
    let admitted = get(&mail(), &target).unwrap();
    assert!(admitted.upstream.starts_with(&format!("/v1.0/users/{USER}/mailFolders/inbox/messages?")));
    assert_eq!(admitted.path, format!("/v1.0/users/{}/mailFolders/inbox/messages", user()));
    assert_eq!(admitted.prefer, [Preference::ImmutableId]);
}

#[test]
fn anything_but_a_token_of_this_consumer_gets_one_response() {
    let mut forged = user();
    forged.replace_range(10..11, if forged.as_bytes()[10] == b'A' { "B" } else { "A" });
    let tokens = [
        USER.to_owned(),
        "alice@contoso.com".to_owned(),
        forged,
        token("other-consumer", Class::Id, USER),
        token("acme-analytics", Class::MessageId, USER),
        user().replacen('~', "~~", 1),
        user().split_at(user().len() - 1).0.to_owned(),
        "p~".to_owned(),
        "t~ARIl81fzpKf-oZYrKpGQ0YNR_kS0SprpN".to_owned(),
        // The token of USER before tokens were padded.
        "p~AurmHy8DBls00ENBP2mOrVrJw4CgZTX13XCTC9IyKot8qhDJQXkGXfCPSkhOl3z3_vTdq0g".to_owned(),
    ];
    let response = get(&mail(), &format!("/v1.0/users/{}", tokens[0])).unwrap_err();
    assert_eq!((response.status(), response.code()), (404, "itemNotFound"));
    for token in tokens {
        assert_eq!(get(&mail(), &format!("/v1.0/users/{token}")).unwrap_err(), response, "{token}");
    }
}

#[test]
fn a_token_stands_for_one_segment_only() {
    let plain = token("acme-analytics", Class::Id, FOLDER);
    assert!(get(&mail(), &format!("/v1.0/users/{plain}")).is_ok());
    for odd in
        ["..", ".", "a/b", "a%2Fb", "$ref", "delta", "delta()", "microsoft.graph.user", "a\0b", "a?b=c"]
    {
        let target = format!("/v1.0/users/{}", token("acme-analytics", Class::Id, odd));
        match get(&mail(), &target) {
            Err(refusal) => assert_eq!(refusal, Refusal::NotFound, "{odd}"),
            Ok(admitted) => {
                let target = Target::parse(&admitted.upstream).unwrap();
                assert_eq!(target.segments.len(), 2, "{odd}");
                let (Segment::Plain(key) | Segment::Key(key)) = &target.segments[1] else { panic!("{odd}") };
                assert_eq!(key, odd);
            }
        }
    }
}

#[test]
fn raw_parameters_take_what_the_rules_say() {
    assert_eq!(
        upstream(&other(), "/v1.0/users/alice@contoso.com/manager"),
        "/v1.0/users/alice%40contoso.com/manager?$select=id,mail,userType"
    );
}

#[test]
fn select_is_narrowed_to_what_survives_and_always_sent() {
    for (asked, sent) in [
        ("", "id,mail,userType"),
        ("?$select=mail,displayName", "mail"),
        ("?$select=displayName,secret", "id"),
        ("?$select=userType,USERTYPE", "userType"),
    ] {
        let target = format!("/v1.0/users/x/manager{asked}");
        let open = OTHER.replace(
            "params: { user: { raw: true } }",
            "params: { user: { raw: true } }\n    query: { $select: kept }",
        );
        let policy = policy_of("acme-analytics", &open);
        assert_eq!(upstream(&policy, &target), format!("/v1.0/users/x/manager?$select={sent}"), "{asked}");
    }
    assert_eq!(refused(&other(), "/v1.0/users/x/manager?$select=mail"), (400, "optionNotAllowed"));
}

#[test]
fn options_are_refused_unless_named_and_well_formed() {
    for (accepted, neighbours) in [
        (
            "$count=true",
            &[("$count=maybe", 400), ("$count=true&$count=true", 400), ("$Count=true&count=true", 400)][..],
        ),
        (
            "$orderby=userType desc",
            &[("$orderby=mail", 400), ("$orderby=secret", 400), ("$orderby=userType down", 400)],
        ),
        ("kind=some", &[("kind=secret", 400), ("Secret=1", 400)]),
        ("depth=3", &[("depth=4", 400), ("depth=0", 400), ("depth=-1", 400), ("depth=1e1", 400)]),
        (
            "$filter=userType eq 'Guest'",
            &[
                ("$filter=userType ne 'Guest'", 400),
                ("$filter=mail eq 'secret@contoso.com'", 400),
                ("$filter=startswith(userType,'secret')", 400),
                ("$filter=displayName eq 'secret'", 400),
                ("$filter=userType eq", 400),
            ],
        ),
        (
            "count=true",
            &[("$search=secret", 400), ("$expand=manager", 400), ("$apply=x", 400), ("$format=xml", 400)],
        ),
    ] {
        let target = |options: &str| format!("/v1.0/users?{}", options.replace(' ', "%20"));
        assert!(
            get(&other(), &target(accepted)).is_ok(),
            "{accepted}: {:?}",
            get(&other(), &target(accepted))
        );
        for (options, status) in neighbours {
            assert_eq!(refused(&other(), &target(options)).0, *status, "{options}");
        }
    }
}

#[test]
fn a_refused_option_says_what_is_accepted() {
    let text = get(&mail(), "/v1.0/users?$search=secret").unwrap_err().to_string();
    assert_eq!(
        text,
        "`$search` is not open on the endpoint `list-users`. It accepts $select, $top, $count, $filter."
    );
}

#[test]
fn a_filter_by_token_compares_with_the_original() {
    let filter = |value: &str| format!("/v1.0/users?$filter=id%20eq%20'{value}'");
    assert!(upstream(&other(), &filter(&user())).contains(&format!("$filter=id eq '{USER}'")));
    let not_ours = [
        token("other-consumer", Class::Id, USER),
        token("acme-analytics", Class::Text, USER),
        USER.to_owned(),
        "alice@contoso.com".to_owned(),
    ];
    for value in not_ours {
        assert_eq!(get(&other(), &filter(&value)).unwrap_err(), Refusal::NotFound, "{value}");
    }
    assert!(upstream(&other(), "/v1.0/users?$filter=id%20eq%20null").contains("$filter=id eq null"));
    assert_eq!(refused(&other(), "/v1.0/users?$filter=id%20gt%20'a'").0, 400);
}

#[test]
fn a_count_has_no_select() {
    assert_eq!(upstream(&other(), "/v1.0/users/$count"), "/v1.0/users/$count");
    assert_eq!(refused(&other(), "/v1.0/users/$count?$filter=mail%20eq%20'a'").0, 400);
}

#[test]
fn preferences_are_passed_on_within_their_range() {
    let asked = |prefer| {
        let request =
            Request { method: "GET", target: "/v1.0/users/delta", prefer: Some(prefer), eventual: false };
        admit(&request, &mail()).map(|admitted| {
            let written = admitted.prefer.iter().map(Preference::to_string);
            written.collect::<Vec<_>>()
        })
    };
    assert_eq!(asked("odata.maxpagesize=5").unwrap(), ["odata.maxpagesize=5"]);
    assert_eq!(asked("odata.maxpagesize=50000").unwrap(), ["odata.maxpagesize=999"]);
    assert_eq!(asked("outlook.body-content-type=\"text\"").unwrap(), Vec::<String>::new());
    assert_eq!(asked("odata.maxpagesize=").unwrap_err().status(), 400);
}

mod kept;
mod links;
mod options;
mod select;
mod times;

/// Elastic, Excel and many scripts write it. Responses are JSON anyway.
#[test]
fn a_request_for_json_changes_nothing() {
    let plain = upstream(&other(), "/v1.0/users");
    for format in [
        "$format=json",
        "$format=application/json",
        "format=JSON",
        "$format=Application/JSON;odata.metadata=minimal",
        "$format=application/json;odata.metadata=none;charset=UTF-8",
        "$format=application/json;%20odata.metadata=full;IEEE754Compatible=false;odata.streaming=true",
        "$format=json;metadata=none",
    ] {
        assert_eq!(upstream(&other(), &format!("/v1.0/users?{format}")), plain, "{format}");
        assert_eq!(
            upstream(&other(), &format!("/v1.0/users?{format}&kind=all")),
            upstream(&other(), "/v1.0/users?kind=all"),
            "{format}"
        );
    }
    for format in [
        "$format=xml",
        "$format=atom",
        "$format=secret",
        "$format=",
        "$format=application/json;odata.metadata=secret",
        "$format=application/json;IEEE754Compatible=true",
        "$format=application/json;charset=utf-16",
        "$format=application/json;",
        "$format=json,xml",
        "$format=text/json",
    ] {
        let refusal = get(&other(), &format!("/v1.0/users?{format}")).unwrap_err();
        assert_eq!(refusal.code(), "optionValueNotAllowed", "{format}");
        assert!(refusal.to_string().contains("Responses are JSON"), "{refusal}");
        assert!(!refusal.to_string().contains("secret"), "{refusal}");
    }
    assert!(get(&other(), "/v1.0/users/$count").is_ok());
    assert_eq!(refused(&other(), "/v1.0/users/$count?$format=json").1, "optionNotAllowed");
}

/// "Get a user": a user principal name that begins with `$` is written in parentheses.
#[test]
fn a_raw_key_may_begin_with_a_dollar() {
    let admitted = get(&other(), "/v1.0/users('$adele@contoso.com')/manager").unwrap();
    assert_eq!(admitted.path, "/v1.0/users('%24adele%40contoso.com')/manager");
    assert!(
        admitted.upstream.starts_with("/v1.0/users('%24adele%40contoso.com')/manager?"),
        "{}",
        admitted.upstream
    );
    assert_eq!(get(&other(), &admitted.path).unwrap().upstream, admitted.upstream);
    assert!(
        upstream(&other(), "/v1.0/users('adele@contoso.com')/manager").starts_with("/v1.0/users/adele%40")
    );
    assert_eq!(refused(&other(), "/v1.0/users/$secret@contoso.com/manager"), (400, "unknownDollarSegment"));
    assert_eq!(refused(&other(), "/v1.0/users('$secret')('x')/manager").0, 400);
}

#[test]
fn a_request_for_mail_says_whose_mailbox_it_is_and_one_for_the_directory_does_not() {
    let policy = mail();
    let mailbox =
        |target: &str| get(&policy, target).unwrap_or_else(|refusal| panic!("{target}: {refusal}")).mailbox;
    let own = Mailbox::of(&format!("/v1.0/users/{USER}/messages"));
    let user = user();
    for target in [
        format!("/v1.0/users/{user}/messages"),
        format!("/beta/users/{user}/mailFolders/inbox/messages/delta"),
        format!("/v1.0/users/{user}/mailboxSettings"),
    ] {
        assert!(mailbox(&target) == own, "{target}");
    }
    for target in ["/v1.0/users".to_owned(), format!("/v1.0/users/{user}"), "/v1.0/groups/delta".to_owned()] {
        assert!(mailbox(&target).is_none(), "{target}");
    }
    // A link of Graph may spell its path in another way.
    let path = format!("/v1.0/users/{user}/messages");
    let admitted = get(&policy, &path).unwrap();
    let next = format!("https://graph.microsoft.com/v1.0/Users('{}')/messages?$skip=10", USER.to_uppercase());
    let link = admitted.links(&policy).rewrite(&next, crate::rules::plan::LinkKind::Next).unwrap();
    assert!(mailbox(link.strip_prefix("https://proxy.example/graph").unwrap()) == own);
}
