//! What a response shows. This is all that a report can hold of a response.
//!
//! By construction, no text of a response can be in a [`Fact`]: it is `Copy`, so it owns no text, and its texts are
//! `'static`, so they stand in this program. What else it has are a status, lengths, and which of the known options a link has.

use std::fmt;

use glassine_core::catalogue::known_error_code;

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// One of the observations that a question expects, in its own words.
    Is(&'static str),
    /// The status of the response, and the error's code.
    Status {
        status: u16,
        code: Code,
    },
    Link(LinkShape),
}

/// The code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The response has none.
    None,
    Known(&'static str),
    /// It has one that this program does not know. The report does not repeat it.
    Unknown,
}

/// The form of a link, without the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkShape {
    pub(super) leads: Leads,
    pub(super) form: Form,
    pub(super) dollar: Dollar,
    pub(super) paging: Paging,
    pub(super) options: Options,
    /// In characters. Zero in an assumption, which says nothing about it.
    pub(super) length: usize,
}

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To the server that was asked, over the same scheme.
    Back,
    Elsewhere,
}

/// How a link writes keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `/users/{id}/messages`.
    Path,
    /// `/users('{id}')/messages`.
    Key,
}

/// How a link writes the `$` of its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dollar {
    Plain,
    /// As `%24`.
    Encoded,
    Both,
    /// No option has one.
    Neither,
}

/// The option that tells the server where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    Skip,
    SkipToken,
    DeltaToken,
    Other,
}

/// Which options a link has: the places of their names in [`OPTIONS`], as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Options(u16);

/// The options that a report names. Others are `another one`.
const OPTIONS: [&str; 10] = [
    "$count",
    "$deltatoken",
    "$expand",
    "$filter",
    "$orderby",
    "$search",
    "$select",
    "$skip",
    "$skiptoken",
    "$top",
];

impl Fact {
    pub(super) const OK: Self = Self::status(200);

    /// A status without an error code.
    pub(super) const fn status(status: u16) -> Self {
        Self::Status { status, code: Code::None }
    }

    /// An error with its code.
    pub(super) const fn refused(status: u16, code: &'static str) -> Self {
        Self::Status { status, code: Code::Known(code) }
    }

    /// A link of this form to the server that was asked.
    pub(super) const fn link(form: Form, dollar: Dollar, paging: Paging) -> Self {
        Self::Link(LinkShape { leads: Leads::Back, form, dollar, paging, options: Options(0), length: 0 })
    }

    /// Whether this is what was assumed. A link may have any length and any other options.
    pub(super) fn is_like(&self, assumed: &Self) -> bool {
        match (self, assumed) {
            (Self::Link(one), Self::Link(other)) => one.essence() == other.essence(),
            _ => self == assumed,
        }
    }
}

impl Code {
    /// The code as this program spells it: one of the catalogue, or one that the question assumes.
    pub(super) fn of(text: &str, assumed: &[Fact]) -> Self {
        let expected = assumed.iter().find_map(|fact| match fact {
            Fact::Status { code: Self::Known(code), .. } if *code == text => Some(*code),
            _ => None,
        });
        known_error_code(text).or(expected).map_or(Self::Unknown, Self::Known)
    }
}

impl LinkShape {
    /// The shape of `link`, where `server` is the origin that sent it.
    pub(super) fn of(link: &str, server: &str) -> Self {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let names: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split('=').next().unwrap_or_default())
            .collect();
        let options = Options::of(&names);
        Self {
            leads: if is_at(link, server) { Leads::Back } else { Leads::Elsewhere },
            form: if path.contains("('") || path.contains("(%27") { Form::Key } else { Form::Path },
            dollar: Dollar::of(&names),
            paging: options.paging(),
            options,
            length: link.chars().count(),
        }
    }

    fn essence(&self) -> (Leads, Form, Dollar, Paging) {
        (self.leads, self.form, self.dollar, self.paging)
    }
}

fn is_at(link: &str, server: &str) -> bool {
    link.strip_prefix(server).is_some_and(|rest| rest.starts_with('/'))
}

impl Dollar {
    fn of(names: &[&str]) -> Self {
        let plain = names.iter().any(|name| name.starts_with('$'));
        let encoded = names.iter().any(|name| name.starts_with("%24"));
        match (plain, encoded) {
            (true, true) => Self::Both,
            (true, false) => Self::Plain,
            (false, true) => Self::Encoded,
            (false, false) => Self::Neither,
        }
    }
}

impl Options {
    /// The bit of an option that has no name in [`OPTIONS`].
    const ANOTHER: u16 = 1 << OPTIONS.len();

    fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| Self::bit(name)).fold(0, |bits, bit| bits | bit))
    }

    fn bit(name: &str) -> u16 {
        let name = name.replace("%24", "$").to_ascii_lowercase();
        OPTIONS.iter().position(|known| *known == name).map_or(Self::ANOTHER, |place| 1 << place)
    }

    fn has(self, name: &str) -> bool {
        self.0 & Self::bit(name) != 0
    }

    fn paging(self) -> Paging {
        if self.has("$deltatoken") {
            Paging::DeltaToken
        } else if self.has("$skiptoken") {
            Paging::SkipToken
        } else if self.has("$skip") {
            Paging::Skip
        } else {
            Paging::Other
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(words) => f.write_str(words),
            Self::Status { status, code: Code::None } => write!(f, "{status}"),
            Self::Status { status, code: Code::Known(code) } => write!(f, "{status} {code}"),
            Self::Status { status, code: Code::Unknown } => {
                write!(f, "{status} with a code that is not in the list")
            }
            Self::Link(shape) => shape.fmt(f),
        }
    }
}

impl fmt::Display for LinkShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Path => "path form",
            Form::Key => "key form",
        };
        let dollar = match self.dollar {
            Dollar::Plain => "with $",
            Dollar::Encoded => "with %24",
            Dollar::Both => "with $ and %24",
            Dollar::Neither => "without $",
        };
        let paging = match self.paging {
            Paging::Skip => "goes on at $skip",
            Paging::SkipToken => "goes on at $skiptoken",
            Paging::DeltaToken => "goes on at $deltatoken",
            Paging::Other => "goes on at another option",
        };
        write!(f, "{form}, options {dollar}, {paging}")?;
        if self.leads == Leads::Elsewhere {
            f.write_str(", leads to another server")?;
        }
        if self.length > 0 {
            write!(f, "; {} characters; options: {}", self.length, self.options)?;
        }
        Ok(())
    }
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let another = (self.0 & Self::ANOTHER != 0).then_some("another one");
        let names: Vec<_> = OPTIONS.into_iter().filter(|name| self.has(name)).chain(another).collect();
        f.write_str(&if names.is_empty() { "none".to_owned() } else { names.join(" ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://graph.microsoft.com";

    fn shape(rest: &str) -> LinkShape {
        LinkShape::of(&format!("{SERVER}{rest}"), SERVER)
    }

    #[test]
    fn a_link_is_told_by_its_form() {
        let key = shape("/v1.0/users('7')/mailFolders('8')/messages?%24select=id&%24top=2&%24skip=7");
        assert!(Fact::Link(key).is_like(&Fact::link(Form::Key, Dollar::Encoded, Paging::Skip)));
        let path = shape("/v1.0/users?$select=id&$skiptoken=SECRET");
        assert!(Fact::Link(path).is_like(&Fact::link(Form::Path, Dollar::Plain, Paging::SkipToken)));
        assert!(!Fact::Link(path).is_like(&Fact::Link(key)));
        let expected =
            "path form, options with $, goes on at $skiptoken; 67 characters; options: $select $skiptoken";
        assert_eq!(path.to_string(), expected);
        assert_eq!(shape("/v1.0/users?$DeltaToken=a&x=b").paging, Paging::DeltaToken);
        assert_eq!(shape("/v1.0/users?$DeltaToken=a&x=b").options.to_string(), "$deltatoken another one");
        assert_eq!(shape("/v1.0/users").options.to_string(), "none");
    }

    #[test]
    fn a_link_to_another_server_is_told_without_its_name() {
        for link in
            ["https://evil.example/v1.0/users?$skip=1", "https://graph.microsoft.com.evil.example/?$skip=1"]
        {
            let text = LinkShape::of(link, SERVER).to_string();
            assert!(text.contains("leads to another server") && !text.contains("evil"), "{text}");
        }
    }

    #[test]
    fn a_code_is_shown_if_it_is_known_or_assumed() {
        let assumed = [Fact::refused(400, "NobodyKnowsThis")];
        assert_eq!(Code::of("ErrorAccessDenied", &[]), Code::Known("ErrorAccessDenied"));
        assert_eq!(Code::of("NobodyKnowsThis", &assumed), Code::Known("NobodyKnowsThis"));
        assert_eq!(Code::of("NobodyKnowsThis", &[]), Code::Unknown);
    }
}
