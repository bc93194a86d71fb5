//! Requests that public clients, vendors' documents and common scripts make. Each gets what the list says: from `explain`,
//! and from a proxy in front of the sample tenant.

use serde_json::Value;

use crate::cli::{RULES, glassine};
use crate::support::data;
use crate::support::glassine::{Consumer, Glassine, Setup, sample_tenant};

struct Listed {
    method: String,
    target: String,
    prefer: Option<String>,
    /// Whether the request should be served; `None`: either is fine.
    served: Option<bool>,
}

fn listed() -> Vec<Listed> {
    let list = data::json(&data::graph().join("consumer-requests.json"));
    let rows: Vec<_> = list["requests"].as_array().unwrap().iter().map(read).collect();
    assert!(rows.len() >= 70);
    rows
}

fn read(row: &Value) -> Listed {
    let (method, target) = row["request"].as_str().unwrap().split_once(' ').unwrap();
    let served = match row["want"].as_str().unwrap() {
        "allow" => Some(true),
        "refuse" => Some(false),
        "either" => None,
        other => panic!("{other}"),
    };
    Listed {
        method: method.to_owned(),
        target: target.replace(' ', "%20"),
        prefer: row["prefer"].as_str().map(str::to_owned),
        served,
    }
}

#[test]
fn explain_says_of_each_request_what_should_become_of_it() {
    for Listed { method, target, prefer, served } in listed() {
        let request = format!("{method} {target}");
        let mut args = vec!["explain", "--rules", RULES, "--format", "json"];
        args.extend(prefer.iter().flat_map(|prefer| ["--prefer", prefer]));
        args.push(&request);
        let ran = glassine(&args);
        let decision = ran.json()["decision"] == "allow";
        assert!(served.is_none_or(|served| served == decision), "{request}: {ran:?}");
    }
}

/// A proxy in front of the sample tenant, and what stands for `{user}`, `{group}` and `{message}`.
async fn stage() -> (Glassine, Vec<(&'static str, String)>) {
    let (tenant, graph) = sample_tenant().await;
    let mut setup = Setup::in_front_of(graph);
    setup.domain = tenant.domain().to_owned();
    setup.consumers[0].more = "    limits: { requests_per_second: 100000 }\n".to_owned();
    let proxy = setup.start().await;
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    let user = proxy.id(user.id());
    let group = first(&proxy, "/v1.0/groups?$top=1").await;
    let message = first(&proxy, &format!("/v1.0/users/{user}/messages?$top=1")).await;
    (
        proxy,
        vec![
            ("{user}", user),
            ("{group}", group),
            ("{message}", message),
            ("{tenant}", "contoso".to_owned()),
        ],
    )
}

async fn first(proxy: &Glassine, target: &str) -> String {
    let response = proxy.get(target).await;
    response.json()["value"][0]["id"].as_str().unwrap_or_else(|| panic!("{}", response.text())).to_owned()
}

#[tokio::test]
async fn the_proxy_does_with_each_request_what_should_become_of_it() {
    let (proxy, ids) = stage().await;
    let mut served_live = 0;
    for Listed { method, target, prefer, served } in listed() {
        let target = ids.iter().fold(target, |target, (name, id)| target.replace(name, id));
        let prefer = prefer.map(|prefer| format!("Prefer: {prefer}\r\n")).unwrap_or_default();
        let token = Consumer::token("acme");
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n{prefer}\
             ConsistencyLevel: eventual\r\nConnection: close\r\n\r\n",
            proxy.address
        );
        let response = proxy.raw(head.as_bytes()).await;
        let status: u16 = response.split(' ').nth(1).unwrap().parse().unwrap();
        assert!([200, 400, 403, 404, 405].contains(&status), "{method} {target}: {response}");
        assert!(served.is_none_or(|served| served == (status == 200)), "{method} {target}: {response}");
        served_live += usize::from(status == 200);
    }
    assert!(served_live > 40, "{served_live}");
}
