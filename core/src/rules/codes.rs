//! The codes of the findings about a rules file. Those about any YAML file are in [`crate::yaml::codes`]. The module of
//! [`crate::diagnostic::Code`] lists the ranges.

crate::codes! {
    /// `version` is a version that this program does not know.
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
    /// A name in a path that is not written plainly: with escapes, or with spaces at its ends.
    PATH_NAME = "G0106";
    /// Two shapes, or two parameters of an endpoint, whose names look alike.
    LOOK_ALIKE = "G0107";
    /// Two different transforms meet at one leaf.
    CONFLICT = "G0110";
    /// A shape name that no shape has.
    UNKNOWN_SHAPE = "G0111";
    /// A shape that nothing uses.
    UNUSED_SHAPE = "G0112";
    /// `reversible` on a value that must never be opened again.
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
    /// A path that Graph's type does not have, or that leads to an array instead of its elements.
    UNKNOWN_PROPERTY = "G0119";
    /// A `keep` that does not say what its values may be.
    UNTYPED_KEEP = "G0120";
    /// A kept group of a `match` that can match more than a few fixed texts.
    UNBOUNDED_GROUP = "G0121";
    /// A `one_of` without values.
    NO_VALUES = "G0122";
    /// Something that identifies people, or that they write, leaves otherwise than as a token.
    IDENTIFYING = "G0123";
    /// A kept value is of another type in Graph, so it never leaves.
    OTHER_TYPE = "G0124";
    /// A text under `one_of` that Graph's enum does not have.
    NOT_A_MEMBER = "G0125";
    /// `headers` names no header or too many, one twice, or something that cannot be a header's or a flag's name.
    HEADERS = "G0126";

    /// The endpoint's path template is malformed.
    TEMPLATE = "G0201";
    /// A `{param}` without an entry in `params`, or the other way round.
    PARAM = "G0202";
    /// Two endpoints can match one request.
    OVERLAP = "G0203";
    /// Two endpoints have the same name.
    DUPLICATE_NAME = "G0204";
    /// A query option that cannot be opened, or not with this policy.
    OPTION = "G0205";
    /// A query option names a property that does not leave unchanged: the consumer could find out its value.
    OBSERVABLE = "G0206";
    /// A number range whose `min` is over its `max`.
    RANGE = "G0207";
    /// A parameter that nothing could satisfy.
    PARAM_EMPTY = "G0208";
    /// An endpoint that no listed permission opens.
    PERMISSION = "G0209";
    /// An endpoint's path, or the permission for it, is not in the catalogue.
    UNKNOWN_ENDPOINT = "G0210";
    /// A property that leaves by an endpoint and that no listed permission gives.
    NOT_GIVEN = "G0211";

    /// A name that a path parameter accepts and that could be an id or an address.
    PARAM_NAME = "G0212";
    /// An option that Graph refuses where it tracks changes, or a path without changes.
    REFUSED_BY_GRAPH = "G0213";

    /// `unlisted: keep`: what the rules do not name leaves.
    UNLISTED_KEEP = "G0301";
    /// `raw: true` or `pattern`: the consumer may send raw Graph ids and addresses.
    RAW_PARAM = "G0302";
    /// A permission that opens more than the endpoints need.
    OVER_PRIVILEGED = "G0303";
    /// A rule that another, stricter rule always overrides.
    SHADOWED = "G0304";
    /// A permission that no endpoint needs.
    UNNEEDED_PERMISSION = "G0305";
    /// `text` under `keep`: what a person wrote can leave.
    KEPT_TEXT = "G0306";
    /// `domains: keep`: the domains of all addresses leave.
    ALL_DOMAINS = "G0307";
    /// A time is truncated, and another time of the same object leaves exactly.
    EXACT_TIME_BESIDE = "G0308";
    /// The length or the domain of something that identifies people, or that they write, leaves.
    DERIVED = "G0309";
    /// A path parameter accepts a word that is not known from Graph's paths.
    UNKNOWN_WORD = "G0312";
}
