//! Diagnostic codes. Each list of codes is with the module that checks: the rules' in `rules::codes`, YAML's in `yaml`,
//! the configuration's with the configuration. A released code is never reused for something else.
//!
//! | range | about |
//! |---|---|
//! | G0001–G0099 | YAML and the shape of a file |
//! | G0100–G0199 | paths and treatments |
//! | G0200–G0299 | endpoints and query options |
//! | G0300–G0399 | what a reviewer should know (warnings) |
//! | G0400–G0499 | the configuration file |

use std::fmt;

/// A stable diagnostic code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code(&'static str);

impl Code {
    /// A code by its text; [`codes!`](crate::codes!) declares them.
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// The code's text, as in `G0123`.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Declares codes and `ALL`, the list of them for the documentation and its test.
///
/// ```
/// glassine_core::codes! {
///     /// The file has no colour.
///     COLOUR = "G9001";
/// }
/// assert_eq!(ALL, [COLOUR]);
/// ```
#[macro_export]
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: $crate::diagnostic::Code = $crate::diagnostic::Code::new($code);)*

        /// Every code of this list.
        pub const ALL: &[$crate::diagnostic::Code] = &[$($name),*];
    };
}
