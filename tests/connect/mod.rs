//! The connection pages, with an Entra whose responses a test sets: the whole flow, and every attack on it, each beside
//! the legitimate form.
//!
//! | file | what |
//! |---|---|
//! | `visitor` | a browser: its cookie, and the redirects that it follows |
//! | `way` | the flow, to each of its ends |
//! | `hostile` | hostile queries, cookies and responses of Entra |
//! | `pages` | what the pages show, and their headers |

mod hostile;
mod pages;
mod visitor;
mod way;

use crate::support::entra::{CLIENT, FakeEntra, SECRET, TENANT};
use crate::support::glassine::{Consumer, Glassine, METADATA_ONLY, Setup};

/// What the metadata-only rules need.
const NEEDED: [&str; 5] =
    ["Mail.ReadBasic.All", "MailboxSettings.Read", "Contacts.Read", "GroupMember.Read.All", "User.Read.All"];

/// Where results go.
const RETURN_URL: &str = "https://analytics.example/data/connected";

/// A proxy with two consumers: `acme` sees the outcome here, `returning` has a return URL.
async fn proxy(entra: &FakeEntra) -> Glassine {
    setup(entra).start().await
}

fn setup(entra: &FakeEntra) -> Setup {
    let mut setup = Setup::in_front_of(entra.base());
    setup.credential = format!(
        "authority: {}\n  tenant: {TENANT}\n  client_id: {CLIENT}\n  credential: {{ client_secret_file: secret }}",
        entra.base()
    );
    setup.files = vec![("secret", SECRET.to_owned())];
    setup.more = "connect: { file: connections.json, wait_seconds: 1 }\n".to_owned();
    let more = format!("    return_url: {RETURN_URL}\n");
    setup.consumer(Consumer { more, ..Consumer::new("returning", METADATA_ONLY) })
}
