//! What tells an auditor which rules served what: events in the audit log, fingerprints in records, headers, metrics and the
//! log, and the report that is read from them.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::glassine;
use crate::service::{PAGE, USERS, stage};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, OUTLOOK_MAIL, Setup, lines_of};
use crate::support::logs::Logs;
use crate::support::upstream::{FakeUpstream, Script};

fn tighter() -> String {
    let tight = METADATA_ONLY.replace("      booleans: [$.accountEnabled]\n", "");
    assert_ne!(tight, METADATA_ONLY);
    tight
}

/// Waits for so many events.
async fn events(proxy: &Glassine, count: usize) -> Vec<Value> {
    for _ in 0..120 {
        if proxy.events().len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let events = proxy.events();
    assert_eq!(events.len(), count, "{events:?}");
    events
}

fn rules_header(response: &crate::support::glassine::ProxyResponse) -> Option<&str> {
    response.headers.get("glassine-rules").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn start_reload_and_stop_are_recorded_with_their_fingerprints() {
    let (_graph, proxy) = stage().await;
    let keys = glassine(&["keys", "fingerprint", proxy.file("keys.yaml").to_str().unwrap()]).fine();
    let start = events(&proxy, 1).await.remove(0);
    assert_eq!((&start["event"], &start["seq"]), (&"start".into(), &0.into()));
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["keys"][0]["id"], "T");
    assert!(keys.contains(start["keys"][0]["fingerprint"].as_str().unwrap()), "{keys}");
    let served = &start["consumers"][0];
    assert_eq!((&served["consumer"], &served["before"]), (&"acme".into(), &Value::Null));
    assert_eq!(served["approved_by"], json!([]));
    let first = served["rules"].as_str().unwrap();
    assert_eq!(first.len(), 64);

    let before = proxy.get(USERS).await;
    assert_eq!(rules_header(&before), first.get(..16));
    proxy.write("acme.yaml", &tighter());
    let after = proxy.until(USERS, |response| !response.text().contains("accountEnabled")).await;
    let reload = events(&proxy, 2).await.remove(1);
    assert_eq!((&reload["event"], &reload["consumers"][0]["before"]), (&"reload".into(), &first.into()));
    let second = reload["consumers"][0]["rules"].as_str().unwrap();
    assert_ne!(first, second);
    assert_eq!(rules_header(&after), second.get(..16));
    assert_eq!(reload["keys"], start["keys"]);
    let (old, new) = (proxy.audit()[0].clone(), proxy.audit().pop().unwrap());
    assert_eq!((old["rules"].as_str(), new["rules"].as_str()), (first.get(..16), second.get(..16)));

    let folder = proxy.stop().await;
    let lines = lines_of(&folder.path().join("audit.jsonl"));
    assert_eq!(lines.last().unwrap()["event"], "stop");
    glassine(&["audit", "verify", folder.path().join("audit.jsonl").to_str().unwrap()]).fine();
}

#[tokio::test]
async fn a_failed_reload_is_recorded_with_code_and_place() {
    let (_graph, proxy) = stage().await;
    proxy.write("acme.yaml", &METADATA_ONLY.replace("shape: recipient", "shape: recipients"));
    let failed = events(&proxy, 2).await.remove(1);
    assert_eq!(failed["event"], "reload_failed");
    let error = &failed["errors"][0];
    assert_eq!((&error["code"], &error["file"]), (&"G0111".into(), &"acme.yaml".into()));
    let line = error["line"].as_u64().unwrap();
    assert!(
        METADATA_ONLY.lines().nth(usize::try_from(line).unwrap() - 1).unwrap().contains("shape: recipient")
    );
    std::fs::remove_file(proxy.file("config.yaml")).unwrap();
    let failed = events(&proxy, 3).await.remove(2);
    assert_eq!(failed["errors"], json!([{ "code": "G0403", "file": "config.yaml", "line": null }]));
}

/// The swapped key file was as silent as the swapped rules.
#[tokio::test]
async fn other_keys_and_warnings_and_consumers_are_recorded_logged_and_counted() {
    let logs = Logs::start();
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let proxy = Setup::scripted(&graph).consumer(Consumer::new("other", OUTLOOK_MAIL)).start().await;
    let start = events(&proxy, 1).await.remove(0);
    let fingerprint =
        |event: &Value, key: usize| event["keys"][key]["fingerprint"].as_str().unwrap().to_owned();
    assert!(logs.text().contains(&fingerprint(&start, 0)), "{}", logs.text());

    let keys = proxy.file("keys.yaml");
    let rotated = glassine(&["keys", "rotate", keys.to_str().unwrap()]).fine();
    proxy.write("keys.yaml", &rotated);
    let reload = events(&proxy, 2).await.remove(1);
    assert_eq!(fingerprint(&reload, 1), fingerprint(&start, 0));
    assert!(logs.text().contains(&fingerprint(&reload, 0)), "{}", logs.text());

    let config = proxy.read("config.yaml");
    let (head, _) = config.split_once("  - name: other").unwrap();
    proxy.write("config.yaml", head);
    proxy.write("acme.yaml", &METADATA_ONLY.replacen("{ token: id }", "{ token: id, raw: true }", 1));
    let reload = events(&proxy, 3).await.remove(2);
    let gone = &reload["consumers"][1];
    assert_eq!((&gone["consumer"], &gone["rules"]), (&"other".into(), &Value::Null));
    assert_eq!(gone["before"], start["consumers"][1]["rules"]);
    let warning = &reload["warnings"][0];
    assert_eq!((&warning["code"], &warning["file"]), (&"G0302".into(), &"acme.yaml".into()));
    assert_eq!(reload["warnings"].as_array().unwrap().len(), 1);
    let text = logs.text();
    assert!(text.contains("WARN") && text.contains("code=\"G0302\""), "{text}");
    assert!(text.contains("no longer served"), "{text}");
    let metrics = proxy.admin_get("/metrics").await.text();
    assert!(metrics.contains("glassine_config_warnings 1\n"), "{metrics}");
    assert!(!metrics.contains("consumer=\"other\""), "{metrics}");
}

#[tokio::test]
async fn the_metrics_name_the_rules_that_serve_and_no_others() {
    let (_graph, proxy) = stage().await;
    let shown = |event: &Value| event["consumers"][0]["rules"].as_str().unwrap()[..32].to_owned();
    let series = |fingerprint: &str| {
        format!("glassine_rules_info{{consumer=\"acme\",fingerprint=\"{fingerprint}\"}} 1\n")
    };
    let first = shown(&events(&proxy, 1).await[0]);
    let metrics = proxy.admin_get("/metrics").await.text();
    assert!(metrics.contains(&series(&first)), "{metrics}");
    let version = env!("CARGO_PKG_VERSION");
    assert!(metrics.contains(&format!("glassine_build_info{{version=\"{version}\"}} 1\n")), "{metrics}");
    assert!(metrics.contains("glassine_config_warnings 0\n"), "{metrics}");
    proxy.write("acme.yaml", &tighter());
    let second = shown(&events(&proxy, 2).await[1]);
    proxy.until(USERS, |response| !response.text().contains("accountEnabled")).await;
    let metrics = proxy.admin_get("/metrics").await.text();
    assert!(metrics.contains(&series(&second)) && !metrics.contains(&first), "{metrics}");
}

#[tokio::test]
async fn every_response_to_an_identified_consumer_names_its_rules() {
    let graph = FakeUpstream::always(Script::json(PAGE)).await;
    let mut away = Consumer::new("away", METADATA_ONLY);
    away.more = "    allow_from: [192.0.2.1]\n".to_owned();
    let setup = Setup::scripted(&graph).consumer(Consumer::new("other", OUTLOOK_MAIL)).consumer(away);
    let proxy = setup.start().await;
    let start = events(&proxy, 1).await.remove(0);
    let short = |at: usize| start["consumers"][at]["rules"].as_str().unwrap()[..16].to_owned();
    for (consumer, target, status, at) in [
        ("acme", USERS, 200, 0),
        ("acme", "/v1.0/me", 403, 0),
        ("acme", "/v1.0/users?$top=x", 400, 0),
        ("other", USERS, 200, 1),
        ("away", USERS, 403, 2),
    ] {
        let response = proxy.get_as(consumer, target, &[]).await;
        assert_eq!(
            (response.status, rules_header(&response)),
            (status, Some(&*short(at))),
            "{consumer} {target}"
        );
    }
    let bearer = format!("Bearer {}", Consumer::token("acme"));
    let head = proxy.send("HEAD", USERS, &[("authorization", &bearer)]).await;
    assert_eq!(rules_header(&head), Some(&*short(0)));
    let nobody = proxy.send("GET", USERS, &[]).await;
    assert_eq!((nobody.status, rules_header(&nobody)), (401, None));
    let refused = proxy.audit().into_iter().find(|record| record["reason"] == "address_not_allowed").unwrap();
    assert_eq!(refused["consumer"], "away", "whose credential was used from elsewhere");
}

#[tokio::test]
async fn files_that_do_not_change_are_not_loaded_again() {
    let (_graph, proxy) = stage().await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(proxy.events().len(), 1, "{:?}", proxy.events());
}

fn report(files: &[&Path]) -> Value {
    let files = files.iter().map(|file| file.to_str().unwrap());
    glassine(&["audit", "report", "--format", "json"].into_iter().chain(files).collect::<Vec<_>>()).json()
}

#[tokio::test]
async fn the_report_says_which_rules_served_whom_and_how_often() {
    let (_graph, proxy) = stage().await;
    for target in [USERS, USERS, "/v1.0/me"] {
        proxy.get(target).await;
    }
    proxy.send("GET", USERS, &[]).await;
    proxy.audited(4).await;
    proxy.write("acme.yaml", &tighter());
    let events = events(&proxy, 2).await;
    // A request that began under the first rules may be among them: only what the new ones serve counts as theirs.
    let new = events[1]["consumers"][0]["rules"].as_str().unwrap().to_owned();
    while proxy.get(USERS).await.headers["glassine-rules"] != new[..16] {}
    let served = |records: &[Value], rules: &str| {
        records.iter().filter(|record| record["rules"] == rules[..16]).count()
    };
    let old = events[0]["consumers"][0]["rules"].as_str().unwrap().to_owned();
    let folder = proxy.stop().await;
    let log = folder.path().join("audit.jsonl");
    let lines = lines_of(&log);

    let report = report(&[&log]);
    let [first, second] = report["periods"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&first["consumer"], &first["rules"]), (&"acme".into(), &old.as_str().into()));
    assert_eq!((&first["from"], &first["until"]), (&events[0]["time"], &events[1]["time"]));
    assert_eq!(first["allowed"].as_u64().unwrap(), u64::try_from(served(&lines, &old)).unwrap() - 1);
    assert_eq!(first["refused"], 1);
    assert_eq!((&second["rules"], &second["from"]), (&new.as_str().into(), &events[1]["time"]));
    assert_eq!(second["until"], lines.last().unwrap()["time"]);
    assert_eq!(second["allowed"], served(&lines, &new));
    assert_eq!(report["unidentified"], json!({ "allowed": 0, "refused": 1 }));
    let expected = json!({
        "starts": 1, "reloads": 1, "failed_reloads": 0, "stops": 1, "never_closed": 0, "unrecorded": 0, "corrected": 0
    });
    assert_eq!(report["events"], expected);
    assert_eq!(report["files"][0]["lines"], lines.len());

    let text = glassine(&["audit", "report", log.to_str().unwrap()]).fine();
    for part in
        ["acme\n", &old[..32], &new[..32], "starts 1, stops 1, reloads 1, failed reloads 0", "1 refused"]
    {
        assert!(text.contains(part), "{part:?}: {text}");
    }
    // The log in two files, as after a rotation.
    let whole = std::fs::read_to_string(&log).unwrap();
    let half = whole.match_indices('\n').nth(2).unwrap().0 + 1;
    let parts = ["audit.1.jsonl", "audit.2.jsonl"].map(|name| folder.path().join(name));
    std::fs::write(&parts[0], &whole[..half]).unwrap();
    std::fs::write(&parts[1], &whole[half..]).unwrap();
    let rotated = self::report(&[&parts[0], &parts[1]]);
    assert_eq!(rotated["periods"], report["periods"]);
    let [first, second] = parts.each_ref().map(|part| part.to_str().unwrap());
    glassine(&["audit", "report", second, first]).fails(1, &[second, "line 1", "seq"]);
    // A line for each file, and one for their MACs.
    assert_eq!(glassine(&["audit", "verify", first, second]).fine().lines().count(), 3);

    std::fs::write(&log, whole.replacen("\"GET\"", "\"PUT\"", 1)).unwrap();
    glassine(&["audit", "report", log.to_str().unwrap()]).fails(1, &["audit.jsonl", "prev"]);
}
