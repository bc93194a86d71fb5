//! Links: sealed on the way out, opened and admitted again on the way in.

use super::*;
use std::collections::BTreeSet;

const PREFIX: &str = "https://proxy.example/graph";

fn seal(policy: &Policy, target: &str, link: &str, kind: LinkKind) -> Option<String> {
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
    for octets in [4000, 5000] {
        let graph = graph(octets);
        let link =
            seal(&mail(), &path, &format!("https://graph.microsoft.com{graph}"), LinkKind::Delta).unwrap();
        assert_eq!(
            get(&mail(), link.strip_prefix(PREFIX).unwrap()).unwrap().upstream,
            graph,
            "{octets} octets"
        );
    }
    for octets in [6000, 8000] {
        let link = format!("https://graph.microsoft.com{}", graph(octets));
        assert_eq!(seal(&mail(), &path, &link, LinkKind::Delta), None, "{octets} octets");
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
    let sealed = |link: &str| seal(&mail(), "/v1.0/users", link, LinkKind::Next).is_some();
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
    let sealed = |link: &str| seal(&other(), "/v1.0/users", link, LinkKind::Next).is_some();
    assert!(sealed(SKIP));
    assert!(!sealed("https://graph.microsoft.com/beta/users?$skiptoken=x"));
}
