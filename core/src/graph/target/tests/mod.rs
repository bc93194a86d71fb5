//! Tests of the request target: every folding rule, and every refusal beside an accepted neighbour.

mod hostile;
mod properties;
mod queries;

use super::*;

fn plain(text: &str) -> Segment {
    Segment::Plain(text.to_owned())
}

fn key(text: &str) -> Segment {
    Segment::Key(text.to_owned())
}

fn cast(text: &str) -> Segment {
    Segment::Cast(text.to_owned())
}

fn dollar(text: &str) -> Segment {
    Segment::Dollar(text.to_owned())
}

fn delta() -> Segment {
    Segment::Function("delta()".to_owned())
}

fn segments(path: &str) -> Vec<Segment> {
    Target::parse(path).unwrap_or_else(|error| panic!("{path}: {error}")).segments
}

fn kind(raw: &str) -> Kind {
    Target::parse(raw).expect_err(raw).kind
}

/// The options of a query as `name=value` texts.
fn options(query: &str) -> Vec<String> {
    let target =
        Target::parse(&format!("/v1.0/users?{query}")).unwrap_or_else(|error| panic!("{query}: {error}"));
    target.options.iter().map(|option| format!("{}={}", option.name.as_str(), option.value)).collect()
}

fn query_kind(query: &str) -> Kind {
    kind(&format!("/v1.0/users?{query}"))
}

#[test]
fn versions_are_exact() {
    assert_eq!(Target::parse("/v1.0/users").unwrap().version, Version::V1);
    assert_eq!(Target::parse("/beta/users").unwrap().version, Version::Beta);
    assert_eq!(segments("/v1.0"), []);
    for raw in [
        "/V1.0/users",
        "/Beta/users",
        "/v1%2E0/users",
        "/v1/users",
        "/v2.0/users",
        "/users",
        "/oidc/userinfo",
    ] {
        assert_eq!(kind(raw), Kind::UnknownVersion, "{raw}");
    }
}

#[test]
fn only_origin_form_is_a_target() {
    for raw in
        ["", "*", "v1.0/users", "http://graph.microsoft.com/v1.0/users", "graph.microsoft.com:443", "?x=1"]
    {
        assert_eq!(kind(raw), Kind::NotOriginForm, "{raw}");
    }
}

#[test]
fn segments_are_decoded_once() {
    for (path, expected) in [
        ("/v1.0/users/alice@contoso.com", "alice@contoso.com"),
        ("/v1.0/users/alice%40contoso.com", "alice@contoso.com"),
        ("/v1.0/users/a_b.com%23EXT%23@contoso.com", "a_b.com#EXT#@contoso.com"),
        ("/v1.0/users/AAMk%2B%2F%3D%3D", "AAMk+/=="),
        ("/v1.0/users/AAMk+==", "AAMk+=="),
        ("/v1.0/users/o'brien@contoso.com", "o'brien@contoso.com"),
        ("/v1.0/users/%C3%A9", "é"),
        ("/v1.0/users/a..b", "a..b"),
    ] {
        assert_eq!(segments(path), [plain("users"), plain(expected)], "{path}");
    }
}

#[test]
fn bad_escapes_are_refused() {
    for raw in ["/v1.0/users/%", "/v1.0/users/%4", "/v1.0/users/%zz", "/v1.0/users/%+1", "/v1.0/users?a=%4"] {
        assert_eq!(kind(raw), Kind::InvalidEscape, "{raw}");
    }
    for raw in ["/v1.0/users/%252Fx", "/v1.0/users/a%25", "/v1.0/users('a%2541')", "/v1.0/users?%2541=1"] {
        assert_eq!(kind(raw), Kind::DoubleEncoding, "{raw}");
    }
    for raw in ["/v1.0/users/%c0%ae", "/v1.0/users/%ff", "/v1.0/users/%ed%a0%80", "/v1.0/users?a=%c3"] {
        assert_eq!(kind(raw), Kind::InvalidUtf8, "{raw}");
    }
    for escape in ["%00", "%0d%0a", "%09", "%1f", "%7f", "%c2%85"] {
        assert_eq!(kind(&format!("/v1.0/users/a{escape}b")), Kind::ControlCharacter, "{escape}");
        assert_eq!(query_kind(&format!("a=b{escape}c")), Kind::ControlCharacter, "{escape}");
    }
}

#[test]
fn a_bad_escape_is_named_by_its_place() {
    for raw in
        ["/v1.0/users/a%20b%zz", "/v1.0/users?a=b%20%c3%a9+c%4", "/v1.0/users/%", "/v1.0/users?%20a%=1"]
    {
        let error = Target::parse(raw).unwrap_err();
        assert_eq!((error.kind, Some(error.position())), (Kind::InvalidEscape, raw.rfind('%')), "{raw}");
    }
}

#[test]
fn raw_bytes_that_a_uri_cannot_hold_are_refused() {
    for bad in ['\0', '\t', '\n', '\r', ' ', '\\', '\u{7f}', 'é'] {
        assert_eq!(kind(&format!("/v1.0/users/a{bad}b")), Kind::InvalidRawByte, "{bad:?}");
        assert_eq!(query_kind(&format!("a=b{bad}c")), Kind::InvalidRawByte, "{bad:?}");
    }
    assert_eq!(kind("/v1.0/users#/me"), Kind::Fragment);
    assert_eq!(query_kind("a=b#c"), Kind::Fragment);
}

#[test]
fn one_trailing_slash_is_dropped() {
    for path in ["/v1.0/users/a", "/v1.0/users/a/", "/v1.0/users/a/?x=1"] {
        assert_eq!(segments(path), [plain("users"), plain("a")], "{path}");
    }
    assert_eq!(segments("/v1.0/"), []);
    for raw in ["/v1.0/users/a//", "/v1.0/users//a", "/v1.0//users", "//v1.0/users", "/", "//", "/v1.0//"] {
        assert_eq!(kind(raw), Kind::EmptySegment, "{raw}");
    }
}

#[test]
fn dot_segments_are_refused_in_every_spelling() {
    for segment in [
        ".",
        "..",
        "%2e",
        "%2E%2e",
        ".%2e",
        "...",
        "..%2f",
        "%2F..",
        "a%2F..%2Fb",
        "a%2f.%2fb",
        "x('..')",
        "x('a%2F..')",
    ] {
        assert_eq!(kind(&format!("/v1.0/users/{segment}/messages")), Kind::DotSegment, "{segment}");
    }
    assert_eq!(segments("/v1.0/.a/b..c"), [plain(".a"), plain("b..c")]);
}

#[test]
fn characters_that_servers_read_differently_are_refused() {
    for (segment, expected) in [
        ("messages;x=1", Kind::ReservedCharacter),
        ("messages%3Bx", Kind::ReservedCharacter),
        ("messages%3f$expand=a", Kind::ReservedCharacter),
        ("messages%20", Kind::EdgeSpace),
        ("%20messages", Kind::EdgeSpace),
        ("messages%C2%A0", Kind::EdgeSpace),
        ("messages('a%20')", Kind::EdgeSpace),
        ("u%5cmessages", Kind::Backslash),
        ("users('a%5Cb')", Kind::Backslash),
    ] {
        assert_eq!(kind(&format!("/v1.0/{segment}")), expected, "{segment}");
    }
    assert_eq!(segments("/v1.0/a%20b"), [plain("a b")]);
    assert_eq!(segments("/v1.0/users('a;b%3Fc')"), [plain("users"), key("a;b?c")]);
}

#[test]
fn keys_in_parentheses_are_folded() {
    for (path, expected) in [
        ("/v1.0/Users('u1')", "u1"),
        ("/v1.0/Users(%27u1%27)", "u1"),
        ("/v1.0/Users%28'u1'%29", "u1"),
        ("/v1.0/Users('o''brien')", "o'brien"),
        ("/v1.0/Users(%27o%27%27brien%27)", "o'brien"),
        ("/v1.0/Users('$x@y.com')", "$x@y.com"),
        ("/v1.0/Users('delta')", "delta"),
        ("/v1.0/Users('a%2Fb==')", "a/b=="),
        ("/v1.0/Users('a(b);c')", "a(b);c"),
        ("/v1.0/Users('ddfcd489@1717622f')", "ddfcd489@1717622f"),
    ] {
        assert_eq!(segments(path), [plain("Users"), key(expected)], "{path}");
    }
}

#[test]
fn other_parentheses_are_refused() {
    for segment in [
        "users(@p)",
        "users(1)",
        "users('a','b')",
        "users('a'x)",
        "users('a)",
        "users(a')",
        "users('a'''')",
        "users(''')",
        "users('a')x",
        "users('a')('b')",
        "users('')('')",
        "users('a'",
        "users)",
        "us-ers('a')",
        "('a')",
        "microsoft.graph.user('a')",
        "delta('a')x",
        "$filter(a eq 'b')",
        "$crossjoin(users,groups)",
        "$value('a')",
    ] {
        let path = format!("/v1.0/{}", segment.replace(' ', "%20"));
        assert_eq!(kind(&path), Kind::Key, "{segment}");
    }
    for segment in [
        "delta(token='a')",
        "getEmailActivityUserDetail(period='D30')",
        "users(id='a')",
        "users(a=@b)",
        "users(userPrincipalName='a@b.com')",
    ] {
        assert_eq!(kind(&format!("/v1.0/{segment}")), Kind::Arguments, "{segment}");
    }
    assert_eq!(kind("/v1.0/users('')"), Kind::EmptyKey);
    for segment in ["messages()", "getByIds()", "()", "deltas()", "microsoft.graph.copy()", "$count()"] {
        assert_eq!(kind(&format!("/v1.0/{segment}")), Kind::UnknownFunction, "{segment}");
    }
}

#[test]
fn delta_has_one_spelling() {
    for spelling in [
        "delta",
        "delta()",
        "DELTA",
        "Delta()",
        "delta%28%29",
        "microsoft.graph.delta",
        "microsoft.graph.delta()",
        "Microsoft.Graph.Delta()",
        "graph.delta",
        "GRAPH.delta()",
        "%64elta",
    ] {
        assert_eq!(segments(&format!("/v1.0/users/{spelling}")), [plain("users"), delta()], "{spelling}");
    }
    for other in ["deltas", "xdelta", "delta@contoso.com"] {
        assert_eq!(segments(&format!("/v1.0/users/{other}")), [plain("users"), plain(other)]);
    }
}

#[test]
fn casts_have_one_namespace() {
    for (spelling, expected) in [
        ("graph.user", "microsoft.graph.user"),
        ("microsoft.graph.user", "microsoft.graph.user"),
        ("Graph.eventMessage", "microsoft.graph.eventMessage"),
        ("MICROSOFT.GRAPH.User", "microsoft.graph.User"),
        ("microsoft%2Egraph.callRecords.session", "microsoft.graph.callRecords.session"),
    ] {
        assert_eq!(segments(&format!("/v1.0/m/{spelling}")), [plain("m"), cast(expected)], "{spelling}");
    }
    for other in ["graph.user@contoso.com", "graph", "graphs.user", "xgraph.user", "microsoft.graphs"] {
        assert_eq!(segments(&format!("/v1.0/m/{other}")), [plain("m"), plain(other)]);
    }
    for bad in ["graph.", "graph.a-b", "microsoft.graph.a.", "graph.a%2Fb", "graph.1"] {
        assert_eq!(kind(&format!("/v1.0/m/{bad}")), Kind::Cast, "{bad}");
    }
}

#[test]
fn dollar_segments_are_known_and_lower_case() {
    for (spelling, expected) in [
        ("$count", "$count"),
        ("$VALUE", "$value"),
        ("%24ref", "$ref"),
        ("$Batch", "$batch"),
        ("$Metadata", "$metadata"),
    ] {
        assert_eq!(segments(&format!("/v1.0/m/{spelling}")), [plain("m"), dollar(expected)], "{spelling}");
    }
    for bad in ["$query", "$entity", "$all", "$each", "$metadatas", "$", "$x@y.com", "$value%2Fx", "$count;"]
    {
        let expected = if bad.contains(';') { Kind::ReservedCharacter } else { Kind::UnknownDollarSegment };
        assert_eq!(kind(&format!("/v1.0/m/{bad}")), expected, "{bad}");
    }
}

#[test]
fn limits_hold_exactly() {
    let path = format!("/v1.0/{}", "a".repeat(MAX_TARGET - 6));
    assert!(Target::parse(&path).is_ok());
    let error = Target::parse(&format!("{path}a")).unwrap_err();
    assert!(error.is_too_long());
    assert!(!Target::parse("*").unwrap_err().is_too_long());

    let path = format!("/v1.0{}", "/a".repeat(MAX_SEGMENTS));
    assert_eq!(segments(&path).len(), MAX_SEGMENTS);
    assert_eq!(kind(&format!("{path}/a")), Kind::TooManySegments);

    let names: Vec<_> = (0..MAX_OPTIONS).map(|index| format!("a{index}=1")).collect();
    assert_eq!(options(&names.join("&")).len(), MAX_OPTIONS);
    assert_eq!(query_kind(&format!("{}&b=1", names.join("&"))), Kind::TooManyOptions);
}

#[test]
fn errors_say_what_and_where_and_nothing_of_the_target() {
    let error = Target::parse("/v1.0/users/secret/../messages").unwrap_err();
    assert_eq!((error.code(), error.position()), ("dotSegment", 19));
    assert_eq!(error.to_string(), "a path must not hold dot segments (byte 19 of the request target)");
    for (raw, position) in [
        ("/v1.0/users/a%4x", 13),
        ("/v1.0/us ers", 8),
        ("/v1.0/users?a=1&b=%f", 18),
        ("/v1.0/users?a=1&A=2", 16),
        ("/v3.0/users", 1),
    ] {
        assert_eq!(Target::parse(raw).unwrap_err().position(), position, "{raw}");
    }
}
