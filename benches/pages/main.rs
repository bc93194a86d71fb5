//! Writes a page of messages as Microsoft Graph would:
//! `cargo run --release -p glassine-benches --bin pages -- 1000 --bodies > page.json`.
//!
//! The benchmarks use the same pages. `mailbox.rs` says how they resemble real mail.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a page that cannot be made has to stop what needs it"
)]

mod mailbox;

use std::io::Write as _;

use clap::Parser;

/// Writes a page of messages as Microsoft Graph would.
#[derive(Parser)]
struct Arguments {
    /// How many messages the page has.
    messages: usize,
    /// With bodies: 5.6 kB a message, and 2.3 kB without.
    #[arg(long)]
    bodies: bool,
    /// Where the links lead.
    #[arg(long, default_value = "https://graph.microsoft.com")]
    graph: String,
    /// Whose mailbox it is.
    #[arg(long, default_value = "87d349ed-44d7-43e1-9a83-5f2406dee5bd")]
    user: String,
    /// The domain of the tenant's own people.
    #[arg(long, default_value = "contoso.com")]
    domain: String,
    /// `$select` of the link to the next page.
    #[arg(long, default_value = "")]
    select: String,
}

fn main() {
    let Arguments { messages, bodies, graph, user, domain, select } = Arguments::parse();
    let request = mailbox::Request { graph: &graph, user: &user, domain: &domain, select: &select };
    let page = mailbox::page(mailbox::Shape { messages, bodies }, &request);
    std::io::stdout().write_all(page.as_bytes()).unwrap();
}
