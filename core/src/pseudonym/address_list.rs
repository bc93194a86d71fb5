//! Splits a header-style list of addresses into its entries: `A <a@x>, "B, C" <b@y>; team: c@z, d@z;`.
//!
//! The grammar is RFC 5322's `address-list`, read leniently. `;` separates like `,`, as Outlook writes it. Comments and
//! group names are dropped. The members of a group are entries. Malformed text is an entry too and becomes opaque, so
//! nothing of a malformed list is lost or leaves in clear text.

use super::fold::trimmed;
use std::mem::take;

/// The non-empty entries of `list`, in order.
pub(super) fn entries(list: &str) -> Vec<String> {
    let mut splitter = Splitter::default();
    list.chars().for_each(|c| splitter.push(c));
    splitter.end_entry();
    splitter.entries
}

/// The position of the next character in the grammar.
#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    #[default]
    Plain,
    Quoted,
    /// Within angle brackets, where a comma belongs to an obsolete route.
    Angle,
    /// Within this many nested parentheses.
    Comment(usize),
}

#[derive(Default)]
struct Splitter {
    entries: Vec<String>,
    entry: String,
    place: Place,
    escaped: bool,
}

impl Splitter {
    fn push(&mut self, c: char) {
        if self.escaped {
            self.escaped = false;
            return self.keep(c);
        }
        self.escaped = c == '\\' && self.place != Place::Plain && self.place != Place::Angle;
        match (self.place, c) {
            (Place::Plain, ',' | ';') => self.end_entry(),
            (Place::Plain, ':') if self.ends_group_name() => self.entry.clear(),
            (place, c) => {
                self.keep(c);
                self.place = next_place(place, c);
            }
        }
    }

    /// Adds a character unless it belongs to a comment.
    fn keep(&mut self, c: char) {
        let comment = matches!(self.place, Place::Comment(_)) || (self.place == Place::Plain && c == '(');
        if !comment {
            self.entry.push(c);
        }
    }

    /// Whether the current colon ends a group name, rather than a scheme like `mailto`.
    fn ends_group_name(&self) -> bool {
        let name = trimmed(&self.entry);
        let scheme = ["mailto", "smtp", "sip", "x500"].iter().any(|scheme| name.eq_ignore_ascii_case(scheme));
        !scheme && !name.contains(['@', '/', '['])
    }

    fn end_entry(&mut self) {
        let entry = take(&mut self.entry);
        if !trimmed(&entry).is_empty() {
            self.entries.push(entry);
        }
    }
}

const fn next_place(place: Place, c: char) -> Place {
    match (place, c) {
        (Place::Plain, '"') => Place::Quoted,
        (Place::Plain, '<') => Place::Angle,
        (Place::Plain, '(') => Place::Comment(1),
        (Place::Quoted, '"') | (Place::Angle, '>') | (Place::Comment(1), ')') => Place::Plain,
        (Place::Comment(depth), '(') => Place::Comment(depth + 1),
        (Place::Comment(depth), ')') => Place::Comment(depth - 1),
        (place, _) => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed_entries(list: &str) -> Vec<String> {
        entries(list).iter().map(|entry| trimmed(entry).to_owned()).collect()
    }

    #[test]
    fn commas_and_semicolons_separate_outside_quotes_and_brackets() {
        assert_eq!(
            trimmed_entries(r#"A <a@x>, "B, \" C" <b@y>; c@z,, <@r1,@r2:d@z>"#),
            ["A <a@x>", r#""B, \" C" <b@y>"#, "c@z", "<@r1,@r2:d@z>"]
        );
    }

    #[test]
    fn group_names_go_and_their_members_stay() {
        assert_eq!(trimmed_entries("Team: a@x, B <b@x>; c@z"), ["a@x", "B <b@x>", "c@z"]);
        assert_eq!(trimmed_entries("undisclosed-recipients:;"), [""; 0]);
        assert_eq!(trimmed_entries("mailto:a@x, SMTP:b@x"), ["mailto:a@x", "SMTP:b@x"]);
    }

    #[test]
    fn comments_go_nested_and_escaped() {
        assert_eq!(trimmed_entries(r"a@x (the (inner, \) one)), b@x"), ["a@x", "b@x"]);
        assert_eq!(trimmed_entries(r#""(a, b)" <c@x>"#), [r#""(a, b)" <c@x>"#]);
    }

    #[test]
    fn an_unfinished_list_keeps_what_it_has() {
        assert_eq!(trimmed_entries(r#"a@x, "b, c"#), ["a@x", r#""b, c"#]);
        assert_eq!(trimmed_entries("a@x, <b@x, c"), ["a@x", "<b@x, c"]);
        assert_eq!(trimmed_entries(" , ;\u{200b},"), [""; 0]);
    }
}
