//! The registry of diagnostic codes. A released code is never reused for something else.
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

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code($code);)*

        /// Every code that is in use, for the documentation and its test.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    /// The file is not YAML, or not of the documented shape (unknown key, wrong type, duplicate key).
    YAML = "G0001";
    /// `version` is not one that this program knows.
    VERSION = "G0002";

    /// The path is not RFC 9535 JSONPath.
    PATH_SYNTAX = "G0101";
    /// The path uses a selector that a streaming rule cannot have (filter, negative index, step).
    PATH_SELECTOR = "G0102";
    /// `..` in a treatment that writes: it would walk through properties that no rule names.
    PATH_DESCENDANT = "G0103";
    /// The path selects the whole document.
    PATH_ROOT = "G0104";
    /// A quoted key with bracket characters inside: it names a property of that literal name.
    PATH_QUOTED_BRACKETS = "G0105";
    /// Two different transforms meet at one leaf.
    CONFLICT = "G0110";
    /// A shape name that no shape has.
    UNKNOWN_SHAPE = "G0111";
    /// A shape that nothing uses.
    UNUSED_SHAPE = "G0112";
    /// `reversible` on a value that must never come back.
    REVERSIBLE = "G0113";
    /// The regular expression does not compile, or is over the size limit.
    REGEX = "G0114";
    /// The capture group does not exist, or none is named.
    REGEX_GROUP = "G0115";
    /// Alternation at the top level with anchors in one branch only.
    REGEX_ANCHOR = "G0116";
    /// More steps, names or places than the compiled form may have.
    TOO_LARGE = "G0117";
    /// A treatment entry that names no path.
    PATH_MISSING = "G0118";

    /// The endpoint's path template is malformed.
    TEMPLATE = "G0201";
    /// A `{param}` without an entry in `params`, or the other way round.
    PARAM = "G0202";
    /// Two endpoints can match one request.
    OVERLAP = "G0203";
    /// Two endpoints have one name.
    DUPLICATE_NAME = "G0204";
    /// A query option that cannot be opened, or not with this policy.
    OPTION = "G0205";
    /// A query option names a property that does not survive as it is: it could be observed.
    OBSERVABLE = "G0206";
    /// A number range whose `min` is over its `max`.
    RANGE = "G0207";
    /// A parameter that nothing could satisfy.
    PARAM_EMPTY = "G0208";
    /// An endpoint that no listed permission opens.
    PERMISSION = "G0209";

    /// `unlisted: keep`: what the rules do not name leaves.
    UNLISTED_KEEP = "G0301";
    /// `raw: true` or `pattern`: the consumer may send raw Graph ids and addresses.
    RAW_PARAM = "G0302";
    /// A permission that opens more than the endpoints need.
    OVER_PRIVILEGED = "G0303";
    /// A rule that another, stricter rule always overrides.
    SHADOWED = "G0304";

    /// A configuration value that is malformed.
    CONFIG_VALUE = "G0401";
    /// Plaintext where only TLS is allowed.
    CONFIG_PLAINTEXT = "G0402";
    /// A file that the configuration names cannot be read or used.
    CONFIG_FILE = "G0403";
    /// Two consumers that cannot be told apart.
    CONFIG_CONSUMER = "G0405";
    /// Consumers hold tokens with which they could ask Graph past the proxy.
    CONFIG_BYPASS = "G0406";
}
