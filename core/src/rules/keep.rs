//! `keep`: what a value that leaves as it is may be. Graph could send anything in place of what its schema says, so each
//! kept value has a type that leaves no room for what people write. [`Kept::Text`] is the exception, and `check` warns of
//! it. [`crate::sanitize`] checks the values.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::check::shapes::{Checker, Selected, present};
use super::codes;
use super::plan::Treatment;
use super::raw;
use crate::catalogue::time_zones;
use crate::yaml::{ByKind, Spanned};

/// What a value that leaves as it is may be. A `null` leaves in any case: it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A date, a time, or both.
    Time,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Number,
    /// One of these texts.
    OneOf(Arc<Words>),
    /// The name of a time zone.
    TimeZone(&'static Words),
    /// Any string, number or boolean, as written.
    Text,
}

/// Fixed texts, of which one may leave.
#[derive(Debug, PartialEq, Eq)]
pub struct Words(Vec<Word>);

/// One of the fixed texts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    text: Box<str>,
    json: Box<[u8]>,
}

/// So many words are looked at one by one.
const FEW: usize = 8;

static TIME_ZONES: LazyLock<Words> = LazyLock::new(|| Words::new(time_zones()));

impl Kept {
    /// The name of a time zone. The list is read when rules are compiled, and not while requests are served.
    pub(super) fn time_zone() -> Self {
        Self::TimeZone(&TIME_ZONES)
    }

    /// One of these texts.
    pub(super) fn one_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::OneOf(Arc::new(Words::new(texts)))
    }

    /// What leaves, in plain words: `a time`.
    pub fn in_words(&self) -> Cow<'static, str> {
        match self {
            Self::Time => "a time".into(),
            Self::Boolean => "true or false".into(),
            Self::Number => "a number".into(),
            Self::OneOf(words) => format!("one of {}", words.texts().collect::<Vec<_>>().join(", ")).into(),
            Self::TimeZone(_) => "the name of a time zone".into(),
            Self::Text => "as written, whatever it says".into(),
        }
    }

    /// The name of the group under `keep`.
    pub fn group(&self) -> &'static str {
        match self {
            Self::Time => "times",
            Self::Boolean => "booleans",
            Self::Number => "numbers",
            Self::OneOf(_) => "one_of",
            Self::TimeZone(_) => "time_zones",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Kept {
    /// As the rules call it: `keep times`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keep {}", self.group())?;
        match self {
            Self::OneOf(words) => write!(f, " {words}"),
            Self::Time | Self::Boolean | Self::Number | Self::TimeZone(_) | Self::Text => Ok(()),
        }
    }
}

impl Words {
    /// These texts, in any order.
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words: Vec<_> = texts.into_iter().map(Word::new).collect();
        words.sort();
        words.dedup();
        Self(words)
    }

    /// The word that is exactly this text.
    #[inline]
    pub fn find(&self, text: &str) -> Option<&Word> {
        // Most words differ in their lengths already, so a look at each of a few is faster than a search.
        if self.0.len() <= FEW {
            return self.0.iter().find(|word| *word.text == *text);
        }
        let at = self.0.binary_search_by(|word| (*word.text).cmp(text)).ok()?;
        self.0.get(at)
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|word| &*word.text)
    }
}

impl Word {
    fn new(text: &str) -> Self {
        Self { text: text.into(), json: serde_json::Value::from(text).to_string().into_bytes().into() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as a JSON string.
    pub fn json(&self) -> &[u8] {
        &self.json
    }
}

impl fmt::Display for Words {
    /// Each text quoted as JSON, so that none can look like two.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted: Vec<_> = self.texts().map(|text| serde_json::Value::from(text).to_string()).collect();
        write!(f, "[{}]", quoted.join(", "))
    }
}

impl Checker<'_> {
    /// The kept values of a shape as written.
    pub(super) fn keep(&mut self, written: &Spanned<ByKind<raw::Keep>>) {
        let keep = match &written.value {
            ByKind::Full(keep) => keep,
            // `untyped` reports it, when it is known what the values are in Graph.
            ByKind::List(paths) => return self.plain(paths, &Treatment::Keep(Kept::Text)),
            ByKind::Text(path) => {
                return self.plain(std::slice::from_ref(path), &Treatment::Keep(Kept::Text));
            }
        };
        let groups = [
            (&keep.times, Kept::Time),
            (&keep.booleans, Kept::Boolean),
            (&keep.numbers, Kept::Number),
            (&keep.time_zones, Kept::time_zone()),
            (&keep.text, Kept::Text),
        ];
        for (entries, kept) in groups {
            self.selections(entries, &Treatment::Keep(kept));
        }
        present(&keep.one_of).for_each(|entry| self.one_of(entry));
        present(&keep.text).flat_map(|entry| entry.value.all()).for_each(|path| self.warn_text(path));
    }

    fn one_of(&mut self, entry: &raw::OneOf) {
        let values = &entry.values;
        self.need_path(entry.path.as_ref(), &entry.paths, &values.span);
        if values.value.is_empty() {
            let hint = "list the texts that may leave, as in `values: [low, normal, high]`";
            self.error(codes::NO_VALUES, &values.span, "nothing could ever leave here", hint);
        }
        let kept = Kept::one_of(values.value.iter().map(|value| value.value.as_str()));
        let selected = Selected { one: entry.path.as_ref(), many: &entry.paths, reviewed: entry.reviewed };
        self.paths(&selected, &Treatment::Keep(kept));
    }

    fn warn_text(&mut self, path: &Spanned<String>) {
        let message = "this leaves as written, also if a person wrote it";
        let hint = "say what it may be: `times`, `booleans`, `numbers`, `one_of` or `time_zones`";
        self.warning(codes::KEPT_TEXT, &path.span, message, hint);
    }
}

impl ByKind<raw::Paths> {
    /// The paths as written.
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<String>> {
        let (one, many) = match self {
            Self::Text(path) => (Some(path), [].as_slice()),
            Self::List(paths) => (None, paths.as_slice()),
            Self::Full(paths) => (paths.path.as_ref(), paths.paths.as_slice()),
        };
        one.into_iter().chain(many)
    }
}
