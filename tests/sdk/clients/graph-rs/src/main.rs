// Runs after the documentation's code for graph-rs-sdk: makes the walk, and prints what it got as JSON.
use std::error::Error;

use graph_http::api_impl::RequestHandler;
use graph_rs_sdk::http::{Method, Url};
use graph_rs_sdk::{GraphFailure, ODataQuery};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// All objects of a list, and the link for the next round of a delta.
async fn everything(request: RequestHandler) -> Result<(Vec<Value>, Value)> {
    let mut objects = Vec::new();
    let mut link = Value::Null;
    for response in request.paging().json::<Value>().await? {
        let page = response.into_body().map_err(|error| format!("{error:?}"))?;
        objects.extend(page["value"].as_array().ok_or(page.to_string())?.iter().cloned());
        link = page["@odata.deltaLink"].clone();
    }
    Ok((objects, link))
}

async fn list(request: RequestHandler) -> Result<Vec<Value>> {
    Ok(everything(request).await?.0)
}

async fn one(request: RequestHandler) -> std::result::Result<Value, GraphFailure> {
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// The SDK has no request for a whole link: a request of any kind takes it as its URL.
fn follow(client: &GraphClient, link: &Value) -> Result<RequestHandler> {
    let mut request = client.custom(Method::GET, None);
    *AsMut::<Url>::as_mut(&mut request) = link.as_str().ok_or("no link")?.parse()?;
    Ok(request)
}

async fn batch(client: &GraphClient, user: &str) -> Result<Value> {
    let get = |id: &str, url: String| json!({"id": id, "method": "GET", "url": url});
    let requests = [
        get("user", format!("/users/{user}")),
        get("messages", format!("/users/{user}/messages?$top=5")),
        get("inbox", format!("/users/{user}/mailFolders/inbox")),
    ];
    let envelope = one(client.batch(&json!({"requests": requests}))).await?;
    let responses = envelope["responses"].as_array().ok_or("no responses")?.iter();
    Ok(responses
        .map(|one| (one["id"].as_str().unwrap_or_default().to_owned(), json!([one["status"], one["body"]])))
        .collect())
}

/// What the client says of a request that the rules do not open: a status is no error to it.
async fn refusal(request: RequestHandler) -> Result<String> {
    Ok(request.send().await?.text().await?)
}

async fn walk(client: &GraphClient, asked: &Value) -> Result<Value> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let mailbox = client.user(text("user"));
    let window = format!("receivedDateTime ge {} and receivedDateTime lt {}", text("since"), text("until"));
    let delta = client.users().delta().select(&["id", "displayName", "mail"]);
    let (tracked, link) = everything(delta).await?;
    let mut result = json!({
        "users": list(client.users().list_user().select(&["id", "displayName", "mail", "accountEnabled"]).top("50")).await?,
        "folders": list(mailbox.mail_folders().list_mail_folders().top("5")).await?,
        "messages": list(
            mailbox.messages().list_messages()
                .select(&["id", "subject", "from", "receivedDateTime"]).filter(&[&window]).top("25"),
        ).await?,
        "tracked": tracked,
        "changed": list(follow(client, &link)?).await?,
        "groups": list(client.groups().list_group().top("15")).await?,
        "members": list(client.group(text("group")).list_members().top("10")).await?,
        "contacts": list(mailbox.contacts().list_contacts().top("5")).await?,
        "settings": one(mailbox.mailbox_settings().get_mailbox_settings()).await?,
    });
    result["batch"] = batch(client, text("user")).await?;
    if asked["proxied"] == true {
        result["refusal"] = refusal(mailbox.default_calendar().get_calendar()).await?.into();
    }
    Ok(result)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let asked = serde_json::from_reader(std::io::stdin())?;
    println!("{}", walk(&proxy_client()?, &asked).await?);
    Ok(())
}
