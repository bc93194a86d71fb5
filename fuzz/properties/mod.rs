//! Properties that hold for every input: one for each place where the proxy reads text from others.
//!
//! A property is a plain function that panics if it does not hold. The fuzz targets call it with the fuzzer's inputs,
//! and `tests/fuzz.rs` with the committed seeds and mutations of them, so that a broken target does not go unnoticed.
//!
//! | property | input | who writes the input |
//! |---|---|---|
//! | [`address`] | addresses and domains | a sender |
//! | [`admit`] | requests, against the shipped rules | a consumer |
//! | [`approvals`] | signatures, and who may sign | a reviewer |
//! | [`audit`] | audit logs | who could write the file |
//! | [`batch`] | envelopes of batches | a consumer |
//! | [`deflate`] | texts to compress, cut and flushed | the sanitizer |
//! | [`inflate`] | compressed responses | an upstream |
//! | [`jwt`] | signed tokens | a stranger |
//! | [`key_set`] | key sets of issuers | an issuer |
//! | [`keys`] | key files | an operator |
//! | [`links`] | sealed links, and Graph's links | a consumer, an upstream |
//! | [`options`] | values of query options | a consumer |
//! | [`retry_after`] | `Retry-After` fields | an upstream |
//! | [`rules`] | rules files | an author of rules |
//! | [`sanitizer`] | responses, through the shipped rules | an upstream; parts of it a sender |
//! | [`target`] | request targets | a consumer |
//! | [`tokenizer`] | JSON | an upstream |

mod address;
mod admit;
mod approvals;
mod audit;
mod batch;
mod deflate;
mod inflate;
mod jwt;
mod key_set;
mod keys;
mod links;
mod options;
mod retry_after;
mod rules;
mod sanitizer;
mod shipped;
mod target;
mod tokenizer;

pub use address::address;
pub use admit::admit;
pub use approvals::approvals;
pub use audit::audit;
pub use batch::batch;
pub use deflate::deflate;
pub use inflate::inflate;
pub use jwt::jwt;
pub use key_set::key_set;
pub use keys::keys;
pub use links::links;
pub use options::options;
pub use retry_after::retry_after;
pub use rules::rules;
pub use sanitizer::sanitizer;
pub use target::target;
pub use tokenizer::tokenizer;

/// A function that panics if the property does not hold for the input.
pub type Property = fn(&[u8]);

/// Every property, by the name of its target.
pub const ALL: [(&str, Property); 17] = [
    ("address", address),
    ("admit", admit),
    ("approvals", approvals),
    ("audit", audit),
    ("batch", batch),
    ("deflate", deflate),
    ("inflate", inflate),
    ("jwt", jwt),
    ("key_set", key_set),
    ("keys", keys),
    ("links", links),
    ("options", options),
    ("retry_after", retry_after),
    ("rules", rules),
    ("sanitizer", sanitizer),
    ("target", target),
    ("tokenizer", tokenizer),
];

/// The input as text, for properties of code that gets only text. `None` if it is not UTF-8.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// A number that depends on every byte (FNV-1a), so that random choices are the same for the same input.
fn seed(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
