//! The pages that are measured.

use super::mailbox::{self, Request, Shape};

/// Where the pages' links lead.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// Whose pages they are, as far as links say.
pub(crate) const MAILBOX: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
/// The tenant's own domain.
pub(crate) const DOMAIN: &str = "contoso.com";

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

/// A page of `messages` with bodies.
pub(crate) fn with_bodies(messages: usize) -> String {
    let request = Request { graph: GRAPH, user: MAILBOX, domain: DOMAIN, select: "" };
    mailbox::page(Shape { messages, bodies: true }, &request)
}

/// As many messages as Graph gives at most, with bodies and without, and as many as it gives unless it is asked for more.
pub(crate) fn make(select: &str) -> Vec<Page> {
    let request = Request { graph: GRAPH, user: MAILBOX, domain: DOMAIN, select };
    let page = |name, messages, bodies| {
        let text = mailbox::page(Shape { messages, bodies }, &request);
        Page { name, messages, text }
    };
    vec![
        page("1,000 messages with bodies", 1000, true),
        page("1,000 messages without bodies", 1000, false),
        page("10 messages with bodies", 10, true),
    ]
}
