//! The rules language: YAML as written ([`raw`]) → as checked → compiled to a [`plan`].
//!
//! | file | what |
//! |---|---|
//! | `raw` | the file as written; the JSON Schema comes from it |
//! | `path` | JSONPath, narrowed to what can be streamed |
//! | `template` | endpoint paths |
//! | `check` | meaning: names resolved, conflicts and observable properties found |
//! | `permissions` | what is known of Graph's permissions |
//! | `automaton` | shapes compiled to a matcher |
//! | `names` | how it finds a property's name |
//! | `transform` | what leaves in a value's place |
//! | `plan` | the compiled form, which describes itself |
//! | `codes` | the codes of what an author is told |

pub mod automaton;
mod check;
mod checked;
pub mod codes;
mod fingerprint;
mod names;
mod path;
pub mod permissions;
pub mod plan;
pub mod raw;
pub mod template;
mod transform;

pub use check::{Compiled, compile};
pub use plan::Plan;
