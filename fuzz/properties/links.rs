//! Only texts that the proxy sealed open as sealed links. They open to the same content, and in no changed form. The
//! proxy seals only links on Graph's origin, and follows them to the place where they lead.
//!
//! A sealed link is a request that the proxy has already admitted. Whoever forges one can request anything from Graph.

use glassine_core::admit::{Admitted, Refusal};
use glassine_core::graph::{Origin, Target, encode, relative_target};
use glassine_core::rules::plan::LinkKind;
use glassine_core::sanitize::Links;

use super::shipped::{CONNECTORS, Connector, GRAPH, PROXY, token};
use super::text;

/// The purpose that all links were once sealed for.
const PURPOSE: &str = "link";

/// The longest content whose sealed text is changed.
const MAX_CHANGED: usize = 64;

/// How many characters of a sealed text are changed, one at a time. The content decides which. Sealed text has more than
/// a thousand characters, however short its content is.
const CHANGES: usize = 64;

/// See the module. The input serves as a consumer's forged link, as the content of a sealed link, and as a link from
/// Graph.
pub fn links(data: &[u8]) {
    let connector = &CONNECTORS[0];
    if let Some(made_up) = text(data) {
        never_opens(connector, made_up);
        leads_to_graph_or_nowhere(connector, made_up);
    }
    opens_as_it_is(connector, data);
    if data.len() <= MAX_CHANGED {
        opens_in_no_other_form(connector, data);
    }
}

fn never_opens(connector: &Connector, made_up: &str) {
    assert!(connector.policy.keys.unseal_link(PURPOSE, made_up).is_none(), "{made_up} opens");
    for option in ["$skiptoken", "$deltatoken"] {
        let response = connector.get(&format!("/v1.0/users?{option}={}", encode::query_value(made_up)));
        assert!(matches!(response, Err(Refusal::Link | Refusal::Target(_))), "{response:?}");
    }
}

fn opens_as_it_is(connector: &Connector, content: &[u8]) {
    let keys = &connector.policy.keys;
    let sealed = keys.seal_link(PURPOSE, content);
    let opened = keys.unseal_link(PURPOSE, &sealed);
    assert!(opened.is_some_and(|opened| *opened == content), "what was sealed does not open");
    assert!(keys.unseal_link("another purpose", &sealed).is_none(), "{sealed} opens for another purpose");
    // Sealed, but for no request.
    let target = format!("/v1.0/users?$skiptoken={sealed}");
    assert!(connector.get(&target).is_err(), "{target} is admitted");
}

fn opens_in_no_other_form(connector: &Connector, content: &[u8]) {
    let sealed = connector.policy.keys.seal_link(PURPOSE, content);
    let opens = |text: &str| connector.policy.keys.unseal_link(PURPOSE, text).is_some();
    let step = sealed.len().div_ceil(CHANGES);
    for at in (content.len() % step..sealed.len()).step_by(step) {
        let (head, tail) = sealed.split_at(at);
        let other = if tail.starts_with('A') { 'B' } else { 'A' };
        assert!(!opens(head), "{sealed} opens when it is cut at {at}");
        assert!(!opens(&format!("{head}{other}{}", &tail[1..])), "{sealed} opens with another octet at {at}");
        assert!(!opens(&format!("{head}{}", &tail[1..])), "{sealed} opens without the octet at {at}");
        assert!(!opens(&format!("{head}{other}{tail}")), "{sealed} opens with one more octet at {at}");
    }
    for more in ["A", "=", "==", "AAAA", "\n", "%00", &sealed] {
        assert!(!opens(&format!("{sealed}{more}")), "{sealed} opens with {more} behind it");
    }
}

fn leads_to_graph_or_nowhere(connector: &Connector, link: &str) {
    let origin = &connector.policy.graph;
    let target = relative_target(link, origin);
    if let Ok(target) = target {
        let before = link.strip_suffix(target).expect("a target is the end of its link");
        assert_eq!(Origin::parse(before).as_ref(), Ok(origin), "{link}");
        assert!(target.starts_with('/'), "{link}");
    }
    let listed = connector.get("/v1.0/users").expect("the list of users");
    for kind in [LinkKind::Next, LinkKind::Delta] {
        let sealed = listed.links(&connector.policy).rewrite(link, kind);
        match (sealed, target) {
            (Ok(sealed), Ok(target)) => is_followed(connector, &listed, &sealed, target),
            (Err(_), _) => {}
            (Ok(_), Err(error)) => panic!("{link} is sealed: {error}"),
        }
    }
}

/// Checks that a sealed link leads to Graph's target, and that its token works on no other path.
fn is_followed(connector: &Connector, listed: &Admitted, sealed: &str, target: &str) {
    let path = sealed.strip_prefix(PROXY).expect("a link to the proxy");
    let followed = connector.get(path).unwrap_or_else(|refusal| panic!("{target}: {refusal}"));
    assert_eq!(followed.upstream, Target::parse(target).expect("a link that is followed").canonical());
    assert_eq!(followed.endpoint.name, listed.endpoint.name);
    let (_, query) = path.split_once('?').expect("a link with a token");
    for elsewhere in ["/beta/users", "/v1.0/groups", &format!("/v1.0/users/{}/messages", token("u1"))] {
        let moved = connector.get(&format!("{elsewhere}?{query}"));
        assert!(matches!(moved, Err(Refusal::Link)), "{moved:?}");
    }
    assert!(!path.contains(GRAPH), "{path}");
}
