//! What the documents show is what the program does.
//!
//! | file | what |
//! |---|---|
//! | `console` | every `console` block is executed, and its output compared |
//! | `names` | the commands, options and environment variables that the documents name exist |
//! | `readme` | the pair of messages in README.md, the configuration in docs/OPERATIONS.md |
//! | `reviews` | the scripts of docs/REVIEWS.md, on a repository of rules |
//! | `rules_page` | the example and the tables of docs/RULES.md |

mod console;
mod names;
mod readme;
mod reviews;
mod rules_page;

pub(crate) use console::{live_check_configuration, shows_healthy, shows_live_facts};

/// Documents with commands, by name.
const DOCUMENTS: [(&str, &str); 21] = [
    ("README.md", include_str!("../../README.md")),
    ("SECURITY.md", include_str!("../../SECURITY.md")),
    ("CHANGELOG.md", include_str!("../../CHANGELOG.md")),
    ("docs/APPROVALS.md", include_str!("../../docs/APPROVALS.md")),
    ("docs/ARCHITECTURE.md", include_str!("../../docs/ARCHITECTURE.md")),
    ("docs/COMMANDS.md", include_str!("../../docs/COMMANDS.md")),
    ("docs/CONNECT.md", include_str!("../../docs/CONNECT.md")),
    ("docs/CONSUMERS.md", include_str!("../../docs/CONSUMERS.md")),
    ("docs/DEPLOYING.md", include_str!("../../docs/DEPLOYING.md")),
    ("docs/DESCRIPTIONS.md", include_str!("../../docs/DESCRIPTIONS.md")),
    ("docs/CONSUMING.md", include_str!("../../docs/CONSUMING.md")),
    ("docs/DOCTOR.md", include_str!("../../docs/DOCTOR.md")),
    ("docs/ENTRA.md", include_str!("../../docs/ENTRA.md")),
    ("docs/JSON.md", include_str!("../../docs/JSON.md")),
    ("docs/LIVE-CHECK.md", include_str!("../../docs/LIVE-CHECK.md")),
    ("docs/OPERATIONS.md", include_str!("../../docs/OPERATIONS.md")),
    ("docs/RELEASING.md", include_str!("../../docs/RELEASING.md")),
    ("docs/RELIABILITY.md", include_str!("../../docs/RELIABILITY.md")),
    ("docs/REVIEWS.md", include_str!("../../docs/REVIEWS.md")),
    ("docs/RULES.md", include_str!("../../docs/RULES.md")),
    ("docs/SDKS.md", include_str!("../../docs/SDKS.md")),
];

fn document(name: &str) -> &'static str {
    DOCUMENTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text).expect(name)
}

/// The code blocks in one language, in order.
fn blocks(document: &'static str, language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    document.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}
