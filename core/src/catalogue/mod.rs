//! What this program knows of Microsoft Graph: types and their properties, paths, permissions, and what people call them.
//!
//! The knowledge is in `core/data/`, in line-based files that are part of the program. `make.py` there makes two of them
//! from Microsoft's published metadata, the others are written by hand; each names its source, date and licence.
//!
//! | file | what | source, licence |
//! |---|---|---|
//! | `types.txt` | types, properties with EDM type and class, enums, entity sets; v1.0 and beta | microsoftgraph/msgraph-metadata@f54f11b6 (2026-08-03), msgraph-beta-sdk-python@3cbc1777 (2026-07-23), MIT |
//! | `permissions.txt` | which permissions open a path, the least first | microsoftgraph/microsoft-graph-devx-content@6cbd6bbd (2026-08-07), MIT |
//! | `ladder.txt`, `limits.txt` | which permissions open more than others, what they give, in plain words | Microsoft Graph permissions reference |
//! | `words.txt` | what people call types and properties | this project |
//! | `paths.txt` | which paths accept `IdType` and `$select`, which are of a mailbox, what changes may be asked, well-known folders | Microsoft Graph API reference |
//! | `domains.txt` | domains that are no organisation's own | registries and mail providers |
//! | `errors.txt` | error codes | Microsoft Graph, Exchange and Entra documentation |
//! | `zones.txt` | names of time zones | Unicode CLDR (Unicode License v3), IANA time zone database 2026f (public domain) |
//!
//! Each file is read when something first asks for it. Rules are checked, explained and compiled with the catalogue, and the
//! compiled plan has what requests need: of what serves a consumer's request, only [`known_error_code`] and [`meaning`] ask, when
//! Graph has responded with an error. A line that cannot be read is left out; a test
//! reads every line.

mod accepts;
mod domains;
mod lines;
mod lists;
mod meanings;
mod nearest;
pub mod permissions;
mod resource;
mod tracking;
mod types;
mod walk;
mod words;

pub use accepts::{Accept, accepts};
pub(crate) use accepts::{is_directory, is_of_mailbox};
pub use domains::{Shared, shared};
pub use lists::{known_error_code, time_zones, well_known_folders};
pub use meanings::meaning;
pub use nearest::nearest;
pub use resource::{Resource, Shape};
pub(crate) use resource::{below_version, is_path_word, resolve};
pub(crate) use tracking::{Tracking, is_untracked, tracking};
pub use types::{Class, Edm, Property, Type, members, property};
pub(crate) use types::{declaring, type_named};
pub use walk::{Step, Walk, walk};
pub use words::{Withheld, title, withheld};

#[cfg(test)]
mod tests;
