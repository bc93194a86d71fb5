//! Whose mailbox a request is for. Exchange counts requests by mailbox.

use std::fmt;

use super::{Segment, Target};

/// The signed-in user, in paths.
const ME: &str = "me";

/// The mailbox of a user or group. Two requests with equal ones are for the same mailbox, in every spelling of their targets and
/// under both versions of Graph.
///
/// A user can be named by an object id and by a user principal name. Which of them are one user, only Graph knows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mailbox(Box<str>);

impl Mailbox {
    /// The mailbox of a target such as `/v1.0/users/{id}/messages`: of the object that the path begins with. `None` if it begins
    /// with none. Whether the path goes on into the mailbox, only the catalogue knows.
    pub fn of(target: &str) -> Option<Self> {
        let target = Target::parse(target).ok()?;
        let [Segment::Plain(set), rest @ ..] = target.segments.as_slice() else { return None };
        if set.eq_ignore_ascii_case(ME) {
            return Some(Self(ME.into()));
        }
        let [Segment::Plain(key) | Segment::Key(key), ..] = rest else { return None };
        // Graph compares ids and principal names without case. A `/` in a key is no separator, so the first one ends the set.
        Some(Self(format!("{set}/{key}").to_lowercase().into()))
    }
}

/// Says nothing: whose mailbox it is must not be in a log.
impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailbox")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_of_one_mailbox_and_others_are_of_others() {
        let of = |target: &str| Mailbox::of(target).unwrap();
        let one = of("/v1.0/users/Adele@contoso.com/messages?$top=1");
        for target in [
            "/beta/users/adele@contoso.com/mailFolders/inbox/messages",
            "/v1.0/Users('adele%40contoso.com')/contacts",
            "/v1.0/users/ADELE@CONTOSO.COM/mailboxSettings/",
        ] {
            assert!(of(target) == one, "{target}");
        }
        for target in ["/v1.0/users/alex@contoso.com/messages", "/v1.0/groups/adele@contoso.com/threads"] {
            assert!(of(target) != one, "{target}");
        }
        assert!(Mailbox::of("/v1.0/users").is_none() && Mailbox::of("/v1.0/users/delta").is_none());
        assert!(of("/v1.0/me/messages") == of("/v1.0/Me/contacts"));
        assert_eq!(format!("{one:?}"), "Mailbox");
    }
}
