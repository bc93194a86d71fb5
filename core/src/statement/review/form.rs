//! In which form a value leaves.

use std::borrow::Cow;

use serde::Serialize;

use crate::rules::automaton::{Effect, Leaf};
use crate::rules::plan::{Disclosure, Transform};

/// The form in which something leaves, for a reviewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// The kind of the form.
    pub kind: Kind,
    /// What leaves, in plain words: `a time`, `the address as a pseudonym`.
    pub words: Cow<'static, str>,
}

/// The kinds of forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The value as Graph sends it.
    AsItIs,
    /// Something made from it that tells a part of it.
    Part,
    /// A token that the consumer can send back in a request.
    OpensAgain,
    /// A token that nobody can open.
    OneWay,
    /// A link that the proxy sealed.
    Link,
    /// Only that an object or array is there, or how many elements it has.
    Presence,
    /// The same as at a place nearer to the start: shapes that refer to each other in a circle.
    Again,
}

impl Kind {
    /// The kind in two or three words.
    pub fn label(self) -> &'static str {
        match self {
            Self::AsItIs => "as it is",
            Self::Part => "in part",
            Self::OpensAgain => "opens again",
            Self::OneWay => "one way",
            Self::Link => "sealed link",
            Self::Presence => "that it is there",
            Self::Again => "as above",
        }
    }

    /// Whether the form tells nothing of the value but whether two are equal.
    pub fn is_token(self) -> bool {
        matches!(self, Self::OpensAgain | Self::OneWay | Self::Link)
    }
}

impl Form {
    /// The form of what leaves; `None` if nothing does.
    pub(super) fn of(effect: &Effect) -> Option<Self> {
        let form = |kind, words: Cow<'static, str>| Some(Self { kind, words });
        match effect {
            Effect::Leaves(Leaf::Drop) | Effect::Dropped => None,
            Effect::Leaves(Leaf::Keep(kept)) => form(Kind::AsItIs, kept.in_words()),
            Effect::Leaves(Leaf::Transform(transform)) => form(kind(transform), transform.in_words()),
            Effect::Object => form(Kind::Presence, "an empty object".into()),
            Effect::Array => form(Kind::Presence, "an array without values".into()),
            Effect::Repeats(outer) => form(Kind::Again, format!("what leaves of {outer}").into()),
        }
    }
}

fn kind(transform: &Transform) -> Kind {
    match transform.disclosure() {
        Disclosure::OpensAgain => Kind::OpensAgain,
        Disclosure::OneWay => Kind::OneWay,
        Disclosure::Part | Disclosure::Derived => Kind::Part,
        Disclosure::Link => Kind::Link,
    }
}
