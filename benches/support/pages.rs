//! The pages that are measured.

use super::mailbox::{self, Request, Shape};

/// The origin of the pages' links.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// The mailbox's owner in the pages' links.
pub(crate) const MAILBOX: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
/// The tenant's domain.
pub(crate) const DOMAIN: &str = "contoso.com";

/// The text before a message's id, and the length of the id.
const ID: (&[u8], usize) = (br#""id":""#, 150);
/// How many characters of an id are replaced.
const NEW: usize = 16;

/// A page.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) messages: usize,
    text: Vec<u8>,
    /// The positions at which the ids of its messages end.
    ids: Vec<usize>,
    renewed: usize,
}

impl Page {
    fn new(name: &'static str, messages: usize, text: String) -> Self {
        let text = text.into_bytes();
        let (start, length) = ID;
        let places = text.windows(start.len()).enumerate().filter(|(_, bytes)| *bytes == start);
        let ids: Vec<usize> = places.map(|(at, _)| at + start.len() + length).collect();
        assert!(ids.len() == messages && ids.iter().all(|end| text[*end] == b'"'), "not the ids of {name}");
        Self { name, messages, text, ids, renewed: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text
    }

    /// Gives each message a new id, as on another page. The people and the threads stay the same.
    pub(crate) fn renew(&mut self) {
        for end in &self.ids {
            self.renewed += 1;
            self.text[end - NEW..*end].copy_from_slice(format!("{:0NEW$}", self.renewed).as_bytes());
        }
    }
}

/// A page of `messages` with bodies.
pub(crate) fn with_bodies(messages: usize) -> String {
    let request = Request { graph: GRAPH, user: MAILBOX, domain: DOMAIN, select: "" };
    mailbox::page(Shape { messages, bodies: true }, &request)
}

/// A page of Graph's greatest size, with bodies and without, and a page of its default size.
pub(crate) fn make(select: &str) -> Vec<Page> {
    let request = Request { graph: GRAPH, user: MAILBOX, domain: DOMAIN, select };
    let page = |name, messages, bodies| {
        let text = mailbox::page(Shape { messages, bodies }, &request);
        Page::new(name, messages, text)
    };
    vec![
        page("1,000 messages with bodies", 1000, true),
        page("1,000 messages without bodies", 1000, false),
        page("10 messages with bodies", 10, true),
    ]
}
