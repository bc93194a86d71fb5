//! Pseudonyms cannot be probed: the response to anything that is not this consumer's token is the same, whether or not
//! it exists.

use glassine_core::pseudonym::{Class, Outcome};
use serde_json::{Value, json};

use crate::oracle::{essence, quick};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup, sample_tenant};

/// The same request about a person who exists and about one who does not.
struct Probe {
    existing: String,
    missing: String,
}

fn probes(existing: &str, missing: &str) -> Vec<Probe> {
    let forms = [
        "/v1.0/users/X",
        "/v1.0/Users('X')",
        "/v1.0/users/X/messages",
        "/v1.0/users/X/mailboxSettings",
        "/v1.0/users/X/mailFolders/inbox/messages?$top=1",
        "/v1.0/users/X/contacts/delta",
        "/v1.0/groups/X/members",
        "/v1.0/groups/X/members/graph.user",
        "/beta/users/X",
        "/v1.0/users/X/manager",
        "/v1.0/users?$filter=id%20eq%20'X'",
        "/v1.0/users?$filter=mail%20in%20('X')",
        "/v1.0/users(userPrincipalName='X')",
        "/v1.0/groups?$filter=members/any(m:m/id%20eq%20'X')",
        "/v1.0/users?$skiptoken=X",
        "/v1.0/users/delta?$deltatoken=X",
    ];
    let fill = |form: &str, key: &str| form.replace('X', &key.replace('#', "%23"));
    let probe = |form: &&str| Probe { existing: fill(form, existing), missing: fill(form, missing) };
    forms.iter().map(probe).collect()
}

async fn batch(proxy: &Glassine, targets: &[String]) -> Vec<String> {
    let token = format!("Bearer {}", Consumer::token("acme"));
    let item = |(at, target): (usize, &String)| json!({ "id": at.to_string(), "method": "GET", "url": target.split_once("/v1.0").map_or("", |(_, url)| url) });
    let requests: Vec<_> = targets.iter().enumerate().map(item).collect();
    let body = json!({ "requests": requests }).to_string();
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let response = proxy.send_body("POST", "/v1.0/$batch", &headers, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let responses = response.json()["responses"].as_array().unwrap().clone();
    let essence = |one: &Value| {
        format!("{} {} {}", one["status"], one["body"]["error"]["code"], one["body"]["error"]["message"])
    };
    responses.iter().map(essence).collect()
}

/// Fault: a consumer asks for people by names, ids or tokens of others. Outcome: the response is the same whether or not they exist.
#[tokio::test]
async fn a_pseudonym_cannot_be_probed() {
    let (tenant, graph) = sample_tenant().await;
    let other = Consumer::new("other", METADATA_ONLY);
    let proxy = quick(Setup::in_front_of(graph)).consumer(other).start().await;
    let user = tenant.users().iter().find(|user| user.has_mailbox()).unwrap();
    let group = &tenant.groups()[0];
    let guid = "00000000-0000-4000-8000-000000000000";
    let foreign = |raw: &str| {
        let mut token = Vec::new();
        let outcome = proxy.pseudonyms("other").reversible(Class::Id, raw, &mut token);
        assert_eq!(outcome, Outcome::Written);
        String::from_utf8(token).unwrap()
    };
    let forge = |raw: &str| {
        let token = proxy.id(raw);
        let (head, tail) = token.split_at(token.len() - 1);
        format!("{head}{}", if tail == "A" { "Q" } else { "A" })
    };
    let nobody = format!("nobody@{}", tenant.domain());
    // An existing and a missing person, in each form that a consumer could know.
    let pairs = [
        (user.user_principal_name().to_owned(), nobody.clone()),
        (user.id().to_owned(), guid.to_owned()),
        (format!("{}@{}", user.id(), tenant.tenant_id()), format!("{guid}@{}", tenant.tenant_id())),
        (group.id().to_owned(), guid.to_owned()),
        (foreign(user.id()), foreign(guid)),
        (forge(user.id()), forge(guid)),
        (foreign(group.id()), forge(guid)),
    ];
    for (existing, missing) in &pairs {
        let probes = probes(existing, missing);
        for Probe { existing, missing } in &probes {
            let (first, second) = (proxy.get(existing).await, proxy.get(missing).await);
            assert!((400..500).contains(&first.status), "{existing}: {}", first.text());
            assert_eq!(essence(&first), essence(&second), "{existing}");
        }
        let v1 = |probe: &&Probe| probe.existing.starts_with("/v1.0");
        let targets =
            |pick: fn(&Probe) -> &String| probes.iter().filter(v1).map(pick).cloned().collect::<Vec<_>>();
        let first = batch(&proxy, &targets(|probe| &probe.existing)).await;
        assert_eq!(first, batch(&proxy, &targets(|probe| &probe.missing)).await);
        assert!(first.iter().all(|response| response.starts_with('4')), "{first:?}");
    }
}

/// Fault: a consumer uses a link of another consumer, or on another path. Outcome: the consumer gets 410, as for a forged link.
#[tokio::test]
async fn a_link_works_only_for_its_consumer_and_its_path() {
    let (_, graph) = sample_tenant().await;
    let proxy = Setup::in_front_of(graph).consumer(Consumer::new("other", METADATA_ONLY)).start().await;
    let page = proxy.get("/v1.0/users?$top=1").await.json();
    let link = page["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(proxy.get(&link).await.status, 200);
    assert_eq!(proxy.get(&link).await.status, 200, "a link can be followed again");
    let refused = essence(&proxy.get("/v1.0/users?$skiptoken=forged").await);
    let replayed = proxy.get_as("other", &link, &[]).await;
    assert_eq!(essence(&replayed), refused);
    let damaged = format!("{}x", link.strip_suffix(char::is_alphanumeric).unwrap_or(&link));
    for moved in [
        link.replace("/users?", "/groups?"),
        link.replace("$skiptoken", "$deltatoken"),
        link.replace("/v1.0/", "/beta/"),
        damaged,
    ] {
        assert_eq!(essence(&proxy.get(&moved).await), refused, "{moved}");
    }
}
