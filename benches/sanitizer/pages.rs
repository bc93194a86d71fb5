//! Pages of messages as Graph writes them, of the sample tenant's mail.

use std::sync::Arc;

use bytes::Bytes;
use glassine::demo::tenant::{self, Tenant};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

/// Where the pages' links lead.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Whose pages they are, as far as links say.
pub(crate) const MAILBOX: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
/// The sample tenant's own domain.
pub(crate) const DOMAIN: &str = "tallgrass.example";
/// What Graph gives at most in a page.
const MANY: usize = 1000;
/// What Graph gives unless it is asked for more.
const FEW: usize = 10;
/// What the rules hide and a consumer of Graph could ask for.
const HIDDEN: &str = "subject,body,bodyPreview,uniqueBody,internetMessageHeaders,categories,changeKey,conversationIndex,webLink";
/// Any; the same every time.
const SEED: u64 = 7;

/// A page.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) messages: usize,
    text: String,
}

impl Page {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// A full page with bodies and everything; the same with only the properties that the proxy asks for, which is what it
/// gets; and a short one of those.
pub(crate) fn make(selected: &str) -> Vec<Page> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let select = format!("&$select={selected}");
        let (everything, asked_for) =
            (messages(&format!("{select},{HIDDEN}")).await, messages(&select).await);
        vec![
            page("1,000 messages with bodies", MANY, &everything, &select),
            page("1,000 messages as selected", MANY, &asked_for, &select),
            page("10 messages as selected", FEW, &asked_for, &select),
        ]
    })
}

fn page(name: &'static str, messages: usize, from: &[Value], select: &str) -> Page {
    let value = from.get(..messages).unwrap();
    let link = format!("{GRAPH}/v1.0/users/{MAILBOX}/messages?$top={messages}{select}&$skip={messages}");
    let context = format!("{GRAPH}/v1.0/$metadata#users('{MAILBOX}')/messages");
    let page = json!({ "@odata.context": context, "value": value, "@odata.nextLink": link });
    Page { name, messages, text: page.to_string() }
}

/// Messages of as many mailboxes as it takes: no mailbox of the sample has enough.
async fn messages(options: &str) -> Vec<Value> {
    let tenant = Arc::new(Tenant::new(SEED));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(tenant::serve(listener, Arc::clone(&tenant), GRAPH.to_owned(), std::future::pending()));
    let (mut client, connection) =
        handshake(TokioIo::new(TcpStream::connect(address).await.unwrap())).await.unwrap();
    tokio::spawn(connection);
    let mut messages = Vec::new();
    for user in tenant.users().iter().filter(|user| user.has_mailbox()) {
        let target = format!("/v1.0/users/{}/messages?$top={MANY}{options}", user.id());
        let page: Value = serde_json::from_slice(&get(&mut client, &target).await).unwrap();
        messages.extend(page["value"].as_array().unwrap().iter().cloned());
        if messages.len() >= MANY {
            break;
        }
    }
    messages
}

async fn get(client: &mut SendRequest<Empty<Bytes>>, target: &str) -> Bytes {
    let request = http::Request::get(target).header("host", "graph.microsoft.com");
    // The connection takes the next request when it has done with the last answer, which is a moment after we have.
    client.ready().await.unwrap();
    let answer = client.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    answer.into_body().collect().await.unwrap().to_bytes()
}
