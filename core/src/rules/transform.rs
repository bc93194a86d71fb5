//! Transforms: what leaves in place of a value. This file has all that the rules language says about them: their kinds,
//! their names, and how each is read from a rules file. [`crate::sanitize`] applies them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::check::regexes::{texts_of_group, warn_anchors, whole_match};
use super::check::shapes::{Checker, Selected, present};
use super::codes;
use super::headers::Headers;
use super::keep::Words;
use super::plan::Treatment;
use super::raw::{self, PseudonymKind, TimeUnit};
use crate::pseudonym::Class;
use crate::yaml::Spanned;

/// What leaves in place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transform {
    /// A keyed token that is never opened.
    Pseudonym(PseudonymKind),
    /// A keyed token that this consumer's requests may use in place of the value.
    Reversible(Class),
    /// Named groups of a regular expression.
    Match(Match),
    /// The domain of an address.
    Domain,
    /// Length and word count.
    Digest,
    /// A coarser time.
    TruncateTime(TimeUnit),
    /// A keyed token of an IP address.
    HashIp,
    /// How deep a reply is, from its conversation index.
    ReplyDepth,
    /// Of a list of headers, tokens and flags.
    Headers(Arc<Headers>),
    /// A sealed link to this proxy.
    Link(LinkKind),
}

/// What a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The next page.
    Next,
    /// The changes since this response.
    Delta,
}

/// A regular expression over the whole value, and what happens to its groups.
#[derive(Clone, Debug)]
pub struct Match {
    /// Anchored at both ends.
    pub regex: Regex,
    /// The group that leaves as it is.
    pub keep: Option<KeptGroup>,
    /// The group that leaves as a token.
    pub pseudonymize: Option<(String, PseudonymKind)>,
}

/// A group of a regular expression that leaves as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptGroup {
    /// The group's name.
    pub name: String,
    /// The texts that it can match.
    pub words: Arc<Words>,
}

impl PartialEq for Match {
    fn eq(&self, other: &Self) -> bool {
        let Self { regex, keep, pseudonymize } = self;
        regex.as_str() == other.regex.as_str() && *keep == other.keep && *pseudonymize == other.pseudonymize
    }
}

impl Eq for Match {}

impl fmt::Display for Transform {
    /// What the rules call it: `pseudonymize as email`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pseudonym(kind) => write!(f, "pseudonymize as {kind}"),
            Self::Reversible(class) => write!(f, "pseudonymize as {}, reversible", class.name()),
            Self::Match(parts) => parts.fmt(f),
            Self::Domain => f.write_str("domain"),
            Self::Digest => f.write_str("digest"),
            Self::TruncateTime(unit) => write!(f, "truncate_time to {}", unit.name()),
            Self::HashIp => f.write_str("hash_ip"),
            Self::ReplyDepth => f.write_str("reply_depth"),
            Self::Headers(headers) => headers.fmt(f),
            Self::Link(LinkKind::Next) => f.write_str("link"),
            Self::Link(LinkKind::Delta) => f.write_str("link, delta"),
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Quoted as JSON: the text after it cannot be taken for a part of the expression.
        write!(f, "match {}", serde_json::Value::from(self.regex.as_str()))?;
        if let Some(KeptGroup { name, words }) = &self.keep {
            write!(f, ", keep {name} {words}")?;
        }
        if let Some((group, kind)) = &self.pseudonymize {
            write!(f, ", pseudonymize {group} as {kind}")?;
        }
        Ok(())
    }
}

/// How much of a value leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// A token that later requests can use.
    OpensAgain,
    /// A token that is never opened.
    OneWay,
    /// A sealed link.
    Link,
    /// The value, in part.
    Part,
    /// Something that is computed from it.
    Derived,
}

impl Transform {
    /// How much of a value leaves. Reviews and findings about personal data go by it.
    pub fn disclosure(&self) -> Disclosure {
        match self {
            Self::Reversible(_) => Disclosure::OpensAgain,
            // A fixed text may stand before the token.
            Self::Pseudonym(_) | Self::HashIp | Self::Match(Match { pseudonymize: Some(_), .. }) => {
                Disclosure::OneWay
            }
            Self::Headers(headers) if headers.has_tokens() => Disclosure::OneWay,
            Self::Match(_) | Self::TruncateTime(_) => Disclosure::Part,
            Self::Domain | Self::Digest | Self::ReplyDepth | Self::Headers(_) => Disclosure::Derived,
            Self::Link(_) => Disclosure::Link,
        }
    }

    /// What leaves, in plain words: `the address as a pseudonym`.
    pub fn in_words(&self) -> Cow<'static, str> {
        match self {
            Self::Pseudonym(kind) => kind.in_words().into(),
            Self::Reversible(_) => "the id, for later requests".into(),
            Self::Match(parts) => parts.in_words(),
            Self::Domain => "the domain only".into(),
            Self::Digest => "length and number of words only".into(),
            Self::TruncateTime(unit) => format!("the time, cut to the {}", unit.name()).into(),
            Self::HashIp => "the IP address as a pseudonym".into(),
            Self::ReplyDepth => "how deep the reply is, as a number".into(),
            Self::Headers(headers) => headers.in_words(),
            Self::Link(_) => "a link to the proxy".into(),
        }
    }
}

impl Match {
    fn in_words(&self) -> Cow<'static, str> {
        let words = self.keep.as_ref().map(|group| group.words.texts().collect::<Vec<_>>().join(", "));
        match (words, &self.pseudonymize) {
            (Some(words), Some((_, kind))) => format!("{}; and one of {words}", kind.in_words()).into(),
            (None, Some((_, kind))) => format!("{}; the rest is dropped", kind.in_words()).into(),
            (words, None) => format!("one of {}", words.unwrap_or_default()).into(),
        }
    }
}

impl PseudonymKind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Email => "the address as a pseudonym",
            Self::EmailList => "the addresses as pseudonyms",
            Self::Id => "the id as a pseudonym",
            Self::Thread | Self::MessageId | Self::Text => "as a pseudonym",
        }
    }
}

impl fmt::Display for PseudonymKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "email",
            Self::EmailList => "email_list",
            Self::Id => "id",
            Self::Thread => "thread",
            Self::MessageId => "message_id",
            Self::Text => "text",
        })
    }
}

impl TimeUnit {
    /// As the rules call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl Checker<'_> {
    /// The transforms of a shape as written.
    pub(super) fn transforms(&mut self, raw: &raw::Shape) {
        self.selections(&raw.domain, &Treatment::Transform(Transform::Domain));
        self.selections(&raw.digest, &Treatment::Transform(Transform::Digest));
        self.plain(&raw.hash_ip, &Treatment::Transform(Transform::HashIp));
        self.plain(&raw.reply_depth, &Treatment::Transform(Transform::ReplyDepth));
        self.plain(&raw.link, &Treatment::Transform(Transform::Link(LinkKind::Next)));
        present(&raw.pseudonymize).for_each(|entry| self.pseudonymize(entry));
        present(&raw.matches).for_each(|entry| self.matches(entry));
        present(&raw.headers).for_each(|entry| self.headers(entry));
        for entry in present(&raw.truncate_time) {
            let selected =
                Selected { one: entry.path.as_ref(), many: &entry.paths, reviewed: entry.reviewed };
            self.paths(&selected, &Treatment::Transform(Transform::TruncateTime(entry.to)));
        }
    }

    fn pseudonymize(&mut self, entry: &raw::Pseudonymize) {
        self.need_path(entry.path.as_ref(), &entry.paths, &entry.kind.span);
        let transform = match (entry.reversible, entry.kind.value) {
            (false, kind) => Transform::Pseudonym(kind),
            (true, raw::PseudonymKind::Id) => Transform::Reversible(Class::Id),
            (true, _) => {
                let message = "only ids can be reversible";
                let hint =
                    "values that identify people, and texts, are never opened again; remove `reversible`";
                self.error(codes::REVERSIBLE, &entry.kind.span, message, hint);
                return;
            }
        };
        let selected = Selected { one: entry.path.as_ref(), many: &entry.paths, reviewed: false };
        self.paths(&selected, &Treatment::Transform(transform));
    }

    fn matches(&mut self, entry: &raw::Match) {
        self.need_path(entry.path.as_ref(), &entry.paths, &entry.regex.span);
        warn_anchors(&entry.regex, self.findings);
        let Some(parts) = self.parts(entry) else { return };
        let selected = Selected { one: entry.path.as_ref(), many: &entry.paths, reviewed: entry.reviewed };
        self.paths(&selected, &Treatment::Transform(Transform::Match(parts)));
    }

    fn parts(&mut self, entry: &raw::Match) -> Option<Match> {
        let regex = whole_match(&entry.regex, self.findings)?;
        let groups = [entry.keep.as_ref(), entry.pseudonymize.as_ref().map(|part| &part.group)];
        if groups.iter().all(Option::is_none) {
            let hint = "add `keep: NAME` or `pseudonymize: { group: NAME, as: … }`";
            self.error(
                codes::REGEX_GROUP,
                &entry.regex.span,
                "no capture group is named, so nothing leaves",
                hint,
            );
            return None;
        }
        for group in groups.into_iter().flatten() {
            if !regex.capture_names().flatten().any(|name| name == group.value) {
                let hint = "groups are named as in `(?<address>.+)`";
                self.error(
                    codes::REGEX_GROUP,
                    &group.span,
                    "the regular expression has no group of this name",
                    hint,
                );
                return None;
            }
        }
        let keep = match &entry.keep {
            Some(group) => Some(self.kept_group(group, &entry.regex)?),
            None => None,
        };
        let pseudonymize =
            entry.pseudonymize.as_ref().map(|part| (part.group.value.clone(), part.kind.value));
        Some(Match { regex, keep, pseudonymize })
    }
    /// A kept group must not let out what people write: the expression bounds it to a few texts.
    fn kept_group(&mut self, group: &Spanned<String>, regex: &Spanned<String>) -> Option<KeptGroup> {
        let texts = texts_of_group(&regex.value, &group.value);
        if texts.is_none() {
            let message =
                "this group can match more than a few fixed texts, so it could let out what people write";
            let hint = "spell the texts out, as in `(?<kind>SMTP:|smtp:)`, or pseudonymize the group";
            self.error(codes::UNBOUNDED_GROUP, &group.span, message, hint);
        }
        let words = Arc::new(Words::new(texts?.iter().map(String::as_str)));
        Some(KeptGroup { name: group.value.clone(), words })
    }
}
