//! Envelopes as clients write them, each beside one that is refused.

use serde_json::{Value, json};

use super::*;

fn own() -> BaseUrl {
    BaseUrl::parse("https://proxy.example/graph").unwrap()
}

fn read(envelope: &str) -> Result<Vec<BatchItem>, BatchError> {
    parse(Version::V1, &own(), envelope.as_bytes())
}

fn one(item: &Value) -> Result<BatchItem, BatchError> {
    read(&json!({ "requests": [item] }).to_string()).map(|mut items| items.remove(0))
}

fn with(key: &str, value: Value) -> Value {
    let mut item = json!({ "id": "1", "method": "GET", "url": "/users" });
    item[key] = value;
    item
}

fn with_url(url: &str) -> Result<String, BatchError> {
    one(&with("url", url.into())).map(|item| item.target)
}

#[test]
fn an_envelope_becomes_requests() {
    let items = read(
        r#"{"requests":[{"id":"a","method":"GET","url":"/users?$top=1","headers":{"prefer":"x"}},
            {"id":"b","method":"GET","url":"users","dependsOn":["A"]},
            {"id":"c","method":"GET","url":"users","depends_on":[]}]}"#,
    )
    .unwrap();
    assert_eq!(items[0].target, "/v1.0/users?$top=1");
    assert_eq!(items[0].prefer.as_deref(), Some("x"));
    assert_eq!(items[1].depends_on, [0]);
    assert_eq!(items[2].depends_on, [] as [usize; 0]);
}

#[test]
fn letter_case_does_not_count_in_keys_and_methods() {
    let items = read(
        r#"{"Requests":[{"Id":"a","METHOD":"get","Url":"/users","Headers":{"CONSISTENCYLEVEL":"Eventual"}},
            {"ID":"b","method":"Get","URL":"/users","DependsOn":["a"],"Body":null}]}"#,
    )
    .unwrap();
    assert_eq!((items[0].method.as_str(), items[0].eventual), ("GET", true));
    assert_eq!(items[1].depends_on, [0]);
}

#[test]
fn a_key_comes_once_in_one_spelling() {
    for twice in [
        r#""id":"1","id":"1","#,
        r#""id":"1","Id":"2","#,
        r#""id":"1","url":"/users","#,
        r#""id":"1","Method":"DELETE","#,
        r#""id":"1","dependsOn":[],"depends_on":[],"#,
        r#""id":"1","body":null,"BODY":{},"#,
        r#""id":"1","headers":{"Prefer":"a","prefer":"b"},"#,
        r#""id":"1","headers":{"ConsistencyLevel":"eventual","ConsistencyLevel":"x"},"#,
    ] {
        let envelope = format!(r#"{{"requests":[{{{twice}"method":"GET","url":"/me"}}]}}"#);
        assert_eq!(read(&envelope), Err(BatchError::Form), "{envelope}");
    }
    let item = r#"{"id":"1","method":"GET","url":"/users","headers":{"X":"a","x":"b"}}"#;
    assert!(read(&format!(r#"{{"requests":[{item}]}}"#)).is_ok(), "headers that nobody reads");
    assert_eq!(read(&format!(r#"{{"requests":[{item}],"Requests":[]}}"#)), Err(BatchError::Form));
}

#[test]
fn ids_are_strings_or_integers() {
    for id in [json!(1), json!(0), json!(-1), json!("1"), json!("é"), json!("x".repeat(MAX_ID))] {
        assert_eq!(one(&with("id", id.clone())).unwrap().id.to_json(), id);
    }
    for id in [json!(1.5), json!(1.0), json!(true), json!(null), json!(["1"]), json!(u64::MAX)] {
        assert_eq!(one(&with("id", id.clone())), Err(BatchError::Form), "{id}");
    }
    for id in [String::new(), "x".repeat(MAX_ID + 1)] {
        assert_eq!(one(&with("id", id.into())), Err(BatchError::Id));
    }
}

#[test]
fn two_ids_that_are_equal_as_text_are_one() {
    let pair = |one: Value, other: Value| {
        let items = [with("id", one), with("id", other)];
        read(&json!({ "requests": items }).to_string()).map(drop)
    };
    assert_eq!(pair(json!(1), json!("2")), Ok(()));
    assert_eq!(pair(json!("1"), json!("01")), Ok(()));
    for (one, other) in
        [(json!(1), json!("1")), (json!("1"), json!(1)), (json!(7), json!(7)), (json!("a"), json!("A"))]
    {
        assert_eq!(pair(one, other), Err(BatchError::Id));
    }
}

#[test]
fn dependencies_name_earlier_requests_by_text_or_number() {
    let envelope = |depends: Value| {
        let mut last = with("id", json!("c"));
        last["dependsOn"] = depends;
        json!({ "requests": [with("id", json!(1)), with("id", json!("2")), last] }).to_string()
    };
    let depends = |value| read(&envelope(value)).map(|items| items[2].depends_on.clone());
    assert_eq!(depends(json!([1, 2])), Ok(vec![0, 1]));
    assert_eq!(depends(json!(["2", "1"])), Ok(vec![1, 0]));
    assert_eq!(depends(json!(null)), Ok(vec![]));
    for unknown in [json!(["c"]), json!([3]), json!(["d"])] {
        assert_eq!(depends(unknown), Err(BatchError::DependsOn));
    }
    assert_eq!(depends(json!("1")), Err(BatchError::Form));
}

#[test]
fn urls_are_relative_to_the_version_or_on_this_proxy() {
    for url in [
        "users",
        "/users",
        "/v1.0/users",
        "v1.0/users",
        "https://proxy.example/graph/v1.0/users",
        "HTTPS://Proxy.Example:443/graph/v1.0/users",
    ] {
        assert_eq!(with_url(url).as_deref(), Ok("/v1.0/users"), "{url}");
    }
    for url in [
        "//evil.example/users",
        "///users",
        "/v1.0//users",
        "/v1.0/v:0/users",
        "https://graph.microsoft.com/v1.0/users",
        "https://proxy.example/v1.0/users",
        "https://proxy.example/graphs/v1.0/users",
        "https://proxy.example/graph/users",
        "https://proxy.example/graph//v1.0/users",
        "https://proxy.example/graph",
        "https://proxy.example.evil.example/graph/v1.0/users",
        "https://proxy.example@evil.example/graph/v1.0/users",
        "https://proxy.example:8443/graph/v1.0/users",
        "http://proxy.example/graph/v1.0/users",
        "https://proxy.example/graph/v1.0/users#x",
        "https:/users",
    ] {
        assert_eq!(with_url(url), Err(BatchError::Url), "{url}");
    }
}

#[test]
fn a_url_names_the_batchs_own_version_or_none() {
    for url in ["/beta/users", "beta", "https://proxy.example/graph/beta/users"] {
        assert_eq!(with_url(url), Err(BatchError::Version), "{url}");
    }
    assert_eq!(with_url("/betas/users").as_deref(), Ok("/v1.0/betas/users"));
    let envelope = json!({ "requests": [with("url", "/beta/users".into())] }).to_string();
    assert!(parse(Version::Beta, &own(), envelope.as_bytes()).is_ok());
}

#[test]
fn characters_that_a_request_line_cannot_have_are_escaped() {
    for (url, target) in [
        ("users?$filter=city eq null", "/v1.0/users?$filter=city%20eq%20null"),
        ("/users/é?$search=\"a\"", "/v1.0/users/%C3%A9?$search=\"a\""),
        ("https://proxy.example/graph/v1.0/users?$select=id, mail", "/v1.0/users?$select=id,%20mail"),
        // What stays as it is has its refusal later, like the target of any request.
        ("/users#x", "/v1.0/users#x"),
        ("/users\\x", "/v1.0/users\\x"),
        ("/users\t", "/v1.0/users\t"),
        ("/users?a=100%", "/v1.0/users?a=100%"),
        ("/users?a=x+y%20z", "/v1.0/users?a=x+y%20z"),
    ] {
        assert_eq!(with_url(url).as_deref(), Ok(target), "{url}");
    }
}

#[test]
fn an_empty_body_is_no_body() {
    let has_body = |body: Value| one(&with("body", body)).unwrap().has_body;
    for empty in [json!(null), json!({}), json!("")] {
        assert!(!has_body(empty.clone()), "{empty}");
    }
    for body in [json!({ "a": 1 }), json!("e30"), json!([]), json!(0), json!(false)] {
        assert!(has_body(body.clone()), "{body}");
    }
}

#[test]
fn a_malformed_batch_is_refused_whole() {
    let item = r#"{"id":"1","method":"GET","url":"users"}"#;
    let many = |n: usize| {
        let items: Vec<_> = (0..n).map(|at| item.replace("\"1\"", &format!("\"{at}\""))).collect();
        format!("{{\"requests\":[{}]}}", items.join(","))
    };
    assert_eq!(read(&many(20)).unwrap().len(), 20);
    for (envelope, error) in [
        (many(21), BatchError::Count),
        (many(0), BatchError::Count),
        ("[]".to_owned(), BatchError::Form),
        ("{}".to_owned(), BatchError::Form),
        (format!("{{\"requests\":[{item}],\"more\":1}}"), BatchError::Form),
        (format!("{{\"requests\":[{item}],\"requests\":[{item}]}}"), BatchError::Form),
        (format!("{{\"requests\":[{item},{item}]}}"), BatchError::Id),
        (format!("{{\"requests\":[{}]}}", item.replace("\"url\"", "\"more\":1,\"url\"")), BatchError::Form),
    ] {
        assert_eq!(read(&envelope), Err(error), "{envelope}");
    }
}
