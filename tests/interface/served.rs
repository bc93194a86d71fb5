//! The proxy serves the descriptions as it serves everything: to a consumer that it knows, and with a record.

use std::process::Command;

use serde_json::Value;

use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, OUTLOOK_MAIL, Setup};
use crate::support::upstream::{FakeUpstream, Script};

const PATHS: [(&str, &str, &str); 3] = [
    ("/openapi.json", "application/json; charset=utf-8", "openapi"),
    ("/v1.0/$metadata", "application/xml; charset=utf-8", "$metadata"),
    ("/beta/$metadata", "application/xml; charset=utf-8", "$metadata"),
];

/// A proxy with two consumers: `acme` has the metadata-only rules, `globex` the other ones, which do not open beta.
async fn start() -> (Glassine, FakeUpstream) {
    let graph = FakeUpstream::always(Script::json(r#"{"value":[]}"#)).await;
    let proxy = Setup::scripted(&graph).consumer(Consumer::new("globex", OUTLOOK_MAIL)).start().await;
    (proxy, graph)
}

fn offline(proxy: &Glassine, rules: &str, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    let ran = command.arg("review").args(args).arg(proxy.file(rules)).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Where the configuration says that the proxy is.
fn public_url(proxy: &Glassine) -> String {
    let config = proxy.read("config.yaml");
    let line = config.lines().find_map(|line| line.strip_prefix("public_url: ")).unwrap();
    line.trim().to_owned()
}

#[tokio::test]
async fn each_consumer_gets_what_review_writes_for_its_rules() {
    let (proxy, graph) = start().await;
    let url = public_url(&proxy);
    for consumer in ["acme", "globex"] {
        let rules = format!("{consumer}.yaml");
        let served = proxy.get_as(consumer, "/openapi.json", &[]).await;
        let written = offline(&proxy, &rules, &["--format", "openapi", "--public-url", &url]);
        assert_eq!(served.text(), written, "{consumer}");
        let document: Value = served.json();
        assert_eq!(document["servers"][0]["url"], url);
        let served = proxy.get_as(consumer, "/v1.0/$metadata", &[("accept", "application/xml")]).await;
        assert_eq!(served.text(), offline(&proxy, &rules, &["--format", "csdl"]), "{consumer}");
    }
    let [acme, globex] = [
        proxy.get_as("acme", "/openapi.json", &[]).await.text(),
        proxy.get_as("globex", "/openapi.json", &[]).await.text(),
    ];
    assert_ne!(acme, globex);
    for text in [&acme, &globex] {
        for deployment in ["acme", "globex", "contoso", &graph.address().to_string()] {
            assert!(!text.contains(deployment), "{deployment}");
        }
    }
    assert!(graph.requests().is_empty(), "nobody asks Graph");
}

#[tokio::test]
async fn a_description_has_its_media_type_its_record_and_no_body_for_head() {
    let (proxy, _) = start().await;
    for (path, media_type, _) in PATHS {
        let get = proxy.get(path).await;
        assert_eq!((get.status, &get.headers["content-type"]), (200, &media_type.parse().unwrap()));
        assert_eq!(get.headers["cache-control"], "no-store");
        assert!(get.headers.contains_key("glassine-rules"));
        assert_eq!(get.headers.contains_key("odata-version"), path.ends_with("$metadata"), "{path}");
        let token = format!("Bearer {}", Consumer::token("acme"));
        let head = proxy.send("HEAD", path, &[("authorization", &token)]).await;
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        assert_eq!(head.headers["content-type"], media_type);
    }
    let records = proxy.audited(6).await;
    for (record, (_, _, name)) in records.iter().step_by(2).zip(PATHS) {
        assert_eq!((&record["endpoint"], &record["decision"]), (&name.into(), &"allowed".into()), "{record}");
        assert_eq!(record["consumer"], "acme");
    }
}

#[tokio::test]
async fn only_a_consumer_gets_one_and_only_at_its_path() {
    let (proxy, _) = start().await;
    for (path, _, _) in PATHS {
        assert_eq!(proxy.send("GET", path, &[]).await.status, 401, "{path}");
        let token = format!("Bearer {}", Consumer::token("acme"));
        let headers = [("authorization", token.as_str())];
        assert_eq!(proxy.send("POST", path, &headers).await.status, 405, "{path}");
        assert_eq!(proxy.send_body("GET", path, &headers, "x".to_owned()).await.status, 413, "{path}");
    }
    for (path, status) in [
        ("/v1.0/users/$metadata", 403),
        ("/v1.0/$metadata/users", 403),
        ("/v1.0/$metadata?$format=xml", 403),
        ("/v1.0/", 403),
        ("/$metadata", 400),
        ("/v1.0/openapi.json", 403),
        ("/openapi.json?x=1", 400),
    ] {
        assert_eq!(proxy.get(path).await.status, status, "{path}");
    }
    // The other consumer's rules open v1.0 only.
    assert_eq!(proxy.get_as("globex", "/v1.0/$metadata", &[]).await.status, 200);
    let refused = proxy.get_as("globex", "/beta/$metadata", &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (403, &"endpointNotAllowed".into()));
}

#[tokio::test]
async fn new_rules_have_new_descriptions() {
    let (proxy, _) = start().await;
    assert!(proxy.get("/openapi.json").await.text().contains("isDraft"));
    proxy.write("acme.yaml", &METADATA_ONLY.replace("        - $.isDraft\n", ""));
    let response = proxy.until("/openapi.json", |response| !response.text().contains("isDraft")).await;
    assert_eq!(response.status, 200);
    assert!(!proxy.get("/v1.0/$metadata").await.text().contains("isDraft"));
}
