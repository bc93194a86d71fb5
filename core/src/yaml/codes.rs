//! The codes of the findings about any YAML file: its form, and what hides something from its reader.

crate::codes! {
    /// The file is not YAML, or not of the documented shape (unknown key, wrong type, duplicate key).
    MALFORMED = "G0001";
    /// A character that does not show, or that changes how others show.
    CHARACTER = "G0003";
    /// A place that is easily out of sight: a long line, many spaces, many blank lines.
    LAYOUT = "G0004";
    /// A tag.
    TAG = "G0005";
    /// An anchor on a single value, or one that is taken for another.
    ANCHOR = "G0006";
    /// A directive, the end of a document, a key that begins with `?`.
    STRUCTURE = "G0007";
    /// A letter or sign beyond ASCII where the program reads names.
    LETTER = "G0008";
    /// An escape in a quoted value.
    ESCAPE = "G0009";
    /// A value or list that goes over several lines, or looks like something else.
    PLAIN = "G0010";
}
