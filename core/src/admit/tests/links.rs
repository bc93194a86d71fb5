//! Links: sealed on the way out, opened and admitted again on the way in.

use super::*;
use crate::graph::target::MAX_TARGET;
use crate::sanitize::LinkRefusal;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const PREFIX: &str = "https://proxy.example/graph";

fn seal(policy: &Policy, target: &str, link: &str, kind: LinkKind) -> Result<String, LinkRefusal> {
    get(policy, target).unwrap().links(policy).rewrite(link, kind)
}

/// The target of the consumer's next request after a page of users: the link from its path on.
fn next(policy: &Policy) -> String {
    seal(policy, "/v1.0/users", SKIP, LinkKind::Next).unwrap().strip_prefix(PREFIX).unwrap().to_owned()
}

#[test]
fn a_sealed_link_comes_back_as_the_link_that_graph_gave() {
    let link = next(&mail());
    assert!(link.starts_with("/v1.0/users?$skiptoken=") && !link.contains("RFNwdAIAAQ"), "{link}");
    assert_eq!(upstream(&mail(), &link), "/v1.0/users?$skiptoken=RFNwdAIAAQ");
}

/// Regression: Graph's link holds the name of the last user. Each length of a name had its own length of a link.
#[test]
fn the_length_of_a_link_does_not_tell_the_length_of_graphs_link() {
    let link =
        |octets: usize| format!("https://graph.microsoft.com/v1.0/users?$skiptoken={}", "R".repeat(octets));
    let sealed = |octets| seal(&mail(), "/v1.0/users", &link(octets), LinkKind::Next).unwrap().len();
    let lengths: BTreeSet<_> = (100..140).map(sealed).collect();
    assert_eq!(lengths.len(), 1, "40 lengths: {lengths:?}");
    let longer: BTreeSet<_> = (0..4000).step_by(97).map(sealed).collect();
    assert!(longer.len() <= 8, "steps of 512 octets: {longer:?}");
}

/// The path with the most and longest ids that the shipped rules have.
#[test]
fn a_long_link_is_sealed_whole_or_not_at_all() {
    let path = format!(
        "/v1.0/users/{}/mailFolders/{}/messages/delta()",
        user(),
        token("acme-analytics", Class::Id, &"F".repeat(120))
    );
    let graph = |octets: usize| {
        let target =
            format!("/v1.0/users/{USER}/mailFolders/{}/messages/delta()?$deltatoken=", "F".repeat(120));
        format!("{target}{}", "R".repeat(octets - target.len()))
    };
    // Regression: from 6,000 on, nothing was sealed.
    for octets in [4000, 5000, 6000, 12000, 16000, 20000] {
        let graph = graph(octets);
        let link =
            seal(&mail(), &path, &format!("https://graph.microsoft.com{graph}"), LinkKind::Delta).unwrap();
        assert_eq!(
            get(&mail(), link.strip_prefix(PREFIX).unwrap()).unwrap().upstream,
            graph,
            "{octets} octets"
        );
    }
    for octets in [24_400, MAX_TARGET, MAX_TARGET + 1, 30_000, 70_000] {
        let link = format!("https://graph.microsoft.com{}", graph(octets));
        let refused = seal(&mail(), &path, &link, LinkKind::Delta);
        assert_eq!(refused, Err(LinkRefusal::TooLong), "{octets} octets");
    }
}

#[test]
fn a_delta_link_does_not_open_as_a_next_link() {
    let link = "https://graph.microsoft.com/v1.0/users/delta()?$deltatoken=abc";
    let sealed = seal(&mail(), "/v1.0/users/delta", link, LinkKind::Delta).unwrap();
    let sealed = sealed.strip_prefix(PREFIX).unwrap();
    assert!(upstream(&mail(), sealed).ends_with("?$deltatoken=abc"));
    assert_eq!(refused(&mail(), &sealed.replace("$deltatoken", "$skiptoken")), (410, "resyncRequired"));
}

#[test]
fn a_link_keeps_the_tokens_of_its_path() {
    let path = format!("/v1.0/users/{}/messages", user());
    let link = format!("https://graph.microsoft.com/v1.0/users/{USER}/messages?$skip=10&$select=id");
    let sealed = seal(&mail(), &path, &link, LinkKind::Next).unwrap();
    assert!(sealed.starts_with(&format!("{PREFIX}{path}?$skiptoken=")) && !sealed.contains(USER));
    let again = upstream(&mail(), sealed.strip_prefix(PREFIX).unwrap());
    assert_eq!(again, format!("/v1.0/users/{USER}/messages?$skip=10&$select=id"));
}

#[test]
fn a_link_that_was_tampered_with_is_refused() {
    let link = next(&mail());
    let start = link.find('=').unwrap() + 1;
    for at in [start, start + 1, start + 20, link.len() - 2] {
        let mut forged = link.clone();
        let other = if link.as_bytes()[at] == b'A' { "B" } else { "A" };
        forged.replace_range(at..=at, other);
        assert_eq!(refused(&mail(), &forged), (410, "resyncRequired"), "byte {at}");
    }
    for forged in ["RFNwdAIAAQ", "", "latest", "p~AAAA"] {
        assert_eq!(refused(&mail(), &format!("/v1.0/users?$skiptoken={forged}")).0, 410, "{forged}");
    }
    assert!(get(&mail(), &link).is_ok());
}

#[test]
fn a_link_opens_on_the_path_that_it_was_issued_for() {
    let path = |value: &str| format!("/v1.0/users/{}/messages", token("acme-analytics", Class::Id, value));
    let link = format!("https://graph.microsoft.com/v1.0/users/{USER}/messages?$skip=10");
    let sealed = seal(&mail(), &path(USER), &link, LinkKind::Next).unwrap();
    let sealed = sealed.strip_prefix(PREFIX).unwrap();
    assert!(get(&mail(), sealed).is_ok());
    let (_, options) = sealed.split_once('?').unwrap();
    assert_eq!(refused(&mail(), &format!("{}?{options}", path("someone-else"))), (410, "resyncRequired"));
    assert_eq!(refused(&mail(), &format!("/v1.0/users?{options}")), (410, "resyncRequired"));
    assert_eq!(refused(&mail(), &format!("/beta/users?{}", next(&mail()).split_once('?').unwrap().1)).0, 410);
}

#[test]
fn a_link_opens_for_the_consumer_that_it_was_issued_to() {
    let link = next(&mail());
    assert!(get(&policy_of("acme-analytics", MAIL), &link).is_ok());
    assert_eq!(refused(&policy_of("other-consumer", MAIL), &link), (410, "resyncRequired"));
}

#[test]
fn a_link_of_other_rules_is_refused() {
    let link = next(&mail());
    let comment = format!("# reviewed\n{MAIL}");
    assert!(get(&policy_of("acme-analytics", &comment), &link).is_ok());
    let changed = MAIL.replace("      booleans: [$.accountEnabled]\n", "");
    assert_ne!(changed, MAIL);
    assert_eq!(refused(&policy_of("acme-analytics", &changed), &link), (410, "resyncRequired"));
}

#[test]
fn options_beside_a_link_change_nothing_and_are_those_that_the_rules_open() {
    let link = next(&mail());
    let alone = get(&mail(), &link).unwrap().upstream;
    for more in ["&$top=5", "&$select=id", "&top=999&$select=mail,subject"] {
        assert_eq!(get(&mail(), &format!("{link}{more}")).unwrap().upstream, alone, "{more}");
    }
    for (more, refusal) in [
        ("&$top=1000", (400, "optionValueNotAllowed")),
        ("&$top=x", (400, "unexpectedToken")),
        ("&$search=x", (400, "optionNotAllowed")),
        ("&$filter=mail%20eq%20'x'", (400, "optionValueNotAllowed")),
        ("&x=y", (400, "optionNotAllowed")),
        ("&$deltatoken=x", (400, "twoLinks")),
    ] {
        assert_eq!(refused(&mail(), &format!("{link}{more}")), refusal, "{more}");
    }
}

#[test]
fn only_links_that_could_be_followed_are_sealed() {
    let sealed = |link: &str| match seal(&mail(), "/v1.0/users", link, LinkKind::Next) {
        Ok(_) => true,
        Err(refusal) => {
            assert_eq!(refusal, LinkRefusal::Elsewhere, "{link}");
            false
        }
    };
    assert!(sealed(SKIP) && sealed("https://graph.microsoft.com:443/v1.0/users?$skiptoken=x"));
    assert!(sealed("https://graph.microsoft.com/v1.0/users?$select=id&$top=5&$skip=5&$skiptoken=x"));
    for link in [
        "https://evil.example/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com.evil.example/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com:8443/v1.0/users?$skiptoken=x",
        "http://graph.microsoft.com/v1.0/users?$skiptoken=x",
        "https://alice@graph.microsoft.com/v1.0/users?$skiptoken=x",
        "https://alice:pw@graph.microsoft.com/v1.0/users?$skiptoken=x",
        "//graph.microsoft.com/v1.0/users?$skiptoken=x",
        "/v1.0/users?$skiptoken=x",
        "",
        "https://graph.microsoft.com/v1.0/groups?$skiptoken=x",
        "https://graph.microsoft.com/v1.0/users/alice/messages?$skiptoken=x",
        "https://graph.microsoft.com/v1.0/users?$select=id,displayName&$skiptoken=x",
        "https://graph.microsoft.com/v1.0/users?$expand=manager&$skiptoken=x",
        "https://graph.microsoft.com/v1.0/users?$filter=startswith(displayName,'a')&$skiptoken=x",
    ] {
        assert!(!sealed(link), "{link}");
    }
}

#[test]
fn a_link_is_not_sealed_across_versions_that_the_rules_do_not_open() {
    let sealed = |link: &str| seal(&other(), "/v1.0/users", link, LinkKind::Next).is_ok();
    assert!(sealed(SKIP));
    assert!(!sealed("https://graph.microsoft.com/beta/users?$skiptoken=x"));
}

/// A text of this many characters that no code makes shorter: base64url of octets without a pattern.
fn base64url(length: usize) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(digits[usize::try_from(state >> 58).unwrap()])
    };
    (0..length).map(|_| next()).collect()
}

/// One policy for many links: a debug build compiles rules for a tenth of a second.
static POLICY: LazyLock<Policy> = LazyLock::new(mail);
static OTHERS: LazyLock<Policy> = LazyLock::new(|| policy_of("other-consumer", MAIL));

/// The mailbox's path with the longest ids that Graph has for folders, for the consumer and for Graph.
fn folder() -> (String, String) {
    let folder = token("acme-analytics", Class::Id, &"F".repeat(120));
    let path = |user: &str, folder: &str| format!("/v1.0/users/{user}/mailFolders/{folder}/messages/delta()");
    (path(&user(), &folder), path(USER, &"F".repeat(120)))
}

/// The consumer's target in place of Graph's link with this token.
fn sealed_token(token: &str) -> Result<String, LinkRefusal> {
    let (path, graph) = folder();
    let link = format!("https://graph.microsoft.com{graph}?$deltatoken={token}");
    let link = seal(&POLICY, &path, &link, LinkKind::Delta)?;
    let target = link.strip_prefix(PREFIX).unwrap().to_owned();
    assert_eq!(get(&POLICY, &target).unwrap().upstream, format!("{graph}?$deltatoken={token}"));
    Ok(target)
}

/// The numbers that the table of `admit::link` and docs/OPERATIONS.md give.
#[test]
fn tokens_and_the_links_that_hold_them() {
    // `GET `, ` HTTP/1.1`, CR and LF stand beside the target, and in a head 3 KiB of fields.
    for (characters, most) in [
        (1_300, folder().0.len() + 2_048),
        (7_200, 8_190 - 15),
        (10_600, 11_300),
        (11_900, (16 - 3) * 1024 - 15),
        (16_384, 17_500),
    ] {
        let target = sealed_token(&base64url(characters)).unwrap();
        assert!(target.len() <= most, "{characters}: {}", target.len());
    }
    // No token of 16 KiB in unreserved characters is refused, even one that the codes would make longer.
    for characters in ["A", "_", "ab-", "~.", "AAAAAAAA_"] {
        let token: String = characters.chars().cycle().take(16 * 1024).collect();
        assert!(sealed_token(&token).is_ok(), "{characters}");
    }
}

/// Regression: what the next request says again was sealed too, so a path took its length twice.
#[test]
fn a_link_holds_the_path_once() {
    let (path, _) = folder();
    let link = |target: &str| format!("https://graph.microsoft.com{target}");
    let short = sealed_token(&base64url(1_200)).unwrap();
    // Graph's own spelling is kept, and comes back as the same path.
    let spelled =
        format!("/v1.0/Users('{USER}')/mailFolders('{}')/messages/microsoft.graph.delta()", "F".repeat(120));
    let spelled = format!("{spelled}?$deltatoken={}", base64url(1_200));
    let spelled = seal(&mail(), &path, &link(&spelled), LinkKind::Delta).unwrap();
    assert!(spelled.len() >= short.len() + PREFIX.len(), "{} and {}", spelled.len(), short.len());
    let upstream = get(&mail(), spelled.strip_prefix(PREFIX).unwrap()).unwrap().upstream;
    assert!(upstream.ends_with(&base64url(1_200)) && upstream.contains(USER), "{upstream}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Any token of up to 16 KiB comes back, and on no other path, for no other consumer and as no other kind of link.
    #[test]
    fn a_token_comes_back_in_its_own_request_only(token in "[A-Za-z0-9_~.-]{1,200}", times in 1_usize..=80) {
        let token = token.repeat(times);
        let target = sealed_token(&token).unwrap();
        let (path, query) = target.split_once('?').unwrap();
        let other_folder = path.replace("/mailFolders/", "/mailFolders/inbox/childFolders/");
        for moved in [
            format!("/v1.0/users/{}/messages?{query}", user()),
            format!("/v1.0/users/delta()?{query}"),
            format!("{}?{query}", path.replace("/v1.0/", "/beta/")),
            format!("{path}?{}", query.replace("$deltatoken", "$skiptoken")),
        ] {
            prop_assert_eq!(refused(&POLICY, &moved).0, 410);
        }
        let moved = format!("{other_folder}?{query}");
        prop_assert!(get(&POLICY, &moved).is_err());
        prop_assert!(get(&OTHERS, &target).is_err());
        // Options beside the token change nothing, so a link cannot be given other ones.
        prop_assert_eq!(
            get(&POLICY, &format!("{target}&$select=id")).unwrap().upstream,
            get(&POLICY, &target).unwrap().upstream
        );
    }

    /// Tokens that Graph escapes, as those of Teams are.
    #[test]
    fn a_token_of_any_characters_comes_back(token in "\\PC{1,80}", times in 1_usize..=40) {
        let token = crate::graph::encode::query_value(&token.repeat(times));
        prop_assume!(token.len() <= 16 * 1024);
        prop_assert!(sealed_token(&token).is_ok());
    }
}

/// A link of the form before: what it is bound to is in the sealed text.
fn first_form(policy: &Policy, kind: char, path: &str, target: &str) -> String {
    let endpoint = get(policy, path).unwrap().endpoint;
    let rules = policy.binding(&endpoint);
    let content = serde_json::json!({ "k": kind, "r": rules, "e": endpoint.name, "p": path, "t": target });
    policy.keys.seal_link("link", content.to_string().as_bytes())
}

/// Fault: the proxy is upgraded to a release that seals links in another form. Outcome: links that consumers keep still open.
#[test]
fn a_link_of_the_form_before_opens_where_it_did() {
    let (policy, path, target) = (mail(), "/v1.0/users/delta()", "/v1.0/users/delta()?$deltatoken=abc");
    let link = first_form(&policy, 'd', path, target);
    assert_eq!(get(&policy, &format!("{path}?$deltatoken={link}")).unwrap().upstream, target);
    for elsewhere in [
        "/v1.0/users/delta()?$skiptoken=",
        "/v1.0/groups/delta()?$deltatoken=",
        "/beta/users/delta()?$deltatoken=",
    ] {
        assert_eq!(refused(&policy, &format!("{elsewhere}{link}")), (410, "resyncRequired"), "{elsewhere}");
    }
    let changed = policy_of("acme-analytics", &MAIL.replace("      booleans: [$.accountEnabled]\n", ""));
    assert_eq!(refused(&changed, &format!("{path}?$deltatoken={link}")), (410, "resyncRequired"));
    let other = policy_of("other-consumer", MAIL);
    assert_eq!(refused(&other, &format!("{path}?$deltatoken={link}")), (410, "resyncRequired"));
}

/// A link that a consumer keeps can be older than what this program refuses.
#[test]
fn an_authentic_link_to_what_is_no_target_asks_for_a_new_round() {
    let (policy, path) = (mail(), "/v1.0/users/delta()");
    for target in ["/v1.0/users/../users/delta()?$deltatoken=a", "/v1.0/users/delta()?$deltatoken=%zz"] {
        let link = first_form(&policy, 'd', path, target);
        assert_eq!(
            refused(&policy, &format!("{path}?$deltatoken={link}")),
            (410, "resyncRequired"),
            "{target}"
        );
    }
}

/// The proxy binds a link with it as associated data. What is sealed without it, or with another, is no link.
#[test]
fn what_a_link_is_bound_to_is_not_in_the_sealed_text() {
    let policy = mail();
    let sealed = policy.keys.seal_link("link", b"\x00?$skiptoken=a");
    assert_eq!(refused(&policy, &format!("/v1.0/users?$skiptoken={sealed}")), (410, "resyncRequired"));
}
