//! The rules language: YAML as written ([`raw`]) → as checked → compiled to a [`plan`].
//!
//! | file | what |
//! |---|---|
//! | `raw` | the file as written; the JSON Schema comes from it |
//! | `path` | JSONPath, narrowed to what can be streamed |
//! | `template` | endpoint paths |
//! | `check` | meaning: names resolved, conflicts and observable properties found |
//! | `known` | what the catalogue knows of an endpoint: the objects at its path, the permissions that open it |
//! | `casts` | how `$select` names properties of derived types |
//! | `automaton` | shapes compiled to a matcher |
//! | `names` | how the matcher finds a property's name |
//! | `comparable` | which questions follow from what leaves |
//! | `grid` | where truncated times lie |
//! | `keep` | what a value that leaves as it is may be |
//! | `transform` | what leaves in place of a value |
//! | `headers` | what leaves of a list of headers |
//! | `plan` | the compiled form, which describes itself |
//! | `codes` | the codes of findings |

pub mod automaton;
mod casts;
mod check;
mod checked;
pub mod codes;
pub(crate) mod comparable;
mod grid;
mod headers;
mod keep;
pub mod known;
mod names;
mod path;
pub mod plan;
pub mod raw;
pub mod template;
mod transform;

pub use check::{Compiled, compile};
pub(crate) use check::{Exposure, identifies};
pub use plan::Plan;
