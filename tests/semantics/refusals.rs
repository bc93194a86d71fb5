//! Documents that are refused as a whole, each beside a neighbour that is not.

use glassine_core::sanitize::{Failure, Raw, Sanitizer, Violation};

use crate::support::sanitizing::{context, sanitize};

const SHAPE: &str = "  s: { keep: { text: [$.a, $.body.k] }, redact: [$.secret] }";

fn refused(response: &str, document: &str) -> Option<Violation> {
    match sanitize(&context(SHAPE, response), document) {
        Ok(_) => None,
        Err(Failure::Violation(violation)) => Some(violation),
        Err(Failure::Syntax(error)) => panic!("{error}: {document}"),
    }
}

#[test]
fn a_known_name_that_comes_twice_is_refused() {
    let duplicate = |document| refused("{ entity: s }", document);
    for document in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"bo\u0064y":{},"body":{}}"#,
        r#"{"bo\u0064y":{},"bo\u0064y":{}}"#,
        r#"{"body":{"k":1,"x":0,"k":2}}"#,
        r#"{"secret":1,"secret":2}"#,
    ] {
        assert_eq!(duplicate(document), Some(Violation::DuplicateProperty), "{document}");
    }
    for document in [
        r#"{"a":1,"A":2}"#,
        r#"{"x":1,"x":2}"#,
        r#"{"x":1,"\u0078":2}"#,
        r#"{"a":1,"body":{"a":2,"k":1}}"#,
        r#"{"other":{"a":1,"a":2}}"#,
        r#"{"secret":{"a":1,"a":2}}"#,
    ] {
        assert_eq!(duplicate(document), None, "{document}");
    }
}

#[test]
fn each_element_may_repeat_the_names_of_another() {
    let page = |value: &str| refused("{ collection: s }", &format!("{{\"value\":[{value}]}}"));
    assert_eq!(page(r#"{"a":1},{"a":2}"#), None);
    assert_eq!(page(r#"{"a":1},{"a":2,"a":3}"#), Some(Violation::DuplicateProperty));
}

#[test]
fn what_is_not_an_object_is_refused() {
    assert_eq!(refused("{ entity: s }", "{}"), None);
    for document in ["[]", "[{\"a\":1}]", "\"a\"", "1", "true", "null"] {
        assert_eq!(refused("{ entity: s }", document), Some(Violation::NotAnObject), "{document}");
        assert_eq!(refused("{ collection: s }", document), Some(Violation::NotAnObject), "{document}");
    }
}

#[test]
fn a_page_without_its_array_is_refused() {
    for response in ["{ collection: s }", "{ delta: s }"] {
        assert_eq!(refused(response, r#"{"value":[]}"#), None);
        for document in
            ["{}", r#"{"value":null}"#, r#"{"value":{"a":1}}"#, r#"{"Value":[]}"#, r#"{"x":{"value":[]}}"#]
        {
            assert_eq!(refused(response, document), Some(Violation::NotAPage), "{document}");
        }
    }
    assert_eq!(refused("{ entity: s }", "{}"), None);
}

#[test]
fn a_link_that_leads_elsewhere_stops_the_stream() {
    let page =
        |link: &str| refused("{ collection: s }", &format!("{{\"value\":[],\"@odata.nextLink\":{link}}}"));
    assert_eq!(page("\"https://graph.microsoft.com/v1.0/users?$skiptoken=x\""), None);
    assert_eq!(page("null"), None);
    assert_eq!(page("\"https://evil.example/v1.0/users?$skiptoken=x\""), Some(Violation::Link));
    for other in ["\"\"", "17", "true", "{}", "[\"https://graph.microsoft.com/v1.0/users\"]"] {
        assert_eq!(page(other), Some(Violation::Link), "{other}");
    }
    assert_eq!(
        page(&format!("\"https://graph.microsoft.com/{}\"", "x".repeat(65 * 1024))),
        Some(Violation::LinkTooLong)
    );
}

#[test]
fn after_a_refusal_nothing_more_comes() {
    let mut sanitizer = Sanitizer::new(context(SHAPE, "{ entity: s }"));
    assert!(sanitizer.feed(Raw::new(br#"{"a":1,"a""#)).is_err());
    let before = sanitizer.take().into_inner();
    assert_eq!(before, br#"{"a":1"#);
    assert!(sanitizer.feed(Raw::new(b":2}")).is_err());
    assert!(sanitizer.finish().is_err());
    assert_eq!(sanitizer.take().into_inner(), b"");
}

#[test]
fn a_document_that_breaks_off_is_refused() {
    let whole = r#"{"a":"x","body":{"k":[1]}}"#;
    for length in 0..whole.len() {
        let cut = sanitize(&context(SHAPE, "{ entity: s }"), &whole[..length]);
        assert!(matches!(cut, Err(Failure::Syntax(_))), "{length}");
    }
    assert!(sanitize(&context(SHAPE, "{ entity: s }"), whole).is_ok());
}

#[test]
fn errors_hold_nothing_of_the_document() {
    let secret = "alice@contoso.com";
    for document in
        [format!("{{\"a\":1,\"a\":\"{secret}\"}}"), format!("{{\"a\":{secret}"), format!("[\"{secret}\"]")]
    {
        let error = sanitize(&context(SHAPE, "{ entity: s }"), &document).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
    }
}
