//! The classes of values.

/// A class of values. Tokens of different classes have nothing in common.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Class {
    /// An address of a person or group: SMTP, X.500, or other text in an address property.
    Email,
    /// An object id.
    Id,
    /// A `conversationId`.
    Thread,
    /// An `internetMessageId`.
    MessageId,
    /// Any text.
    Text,
    /// The domain of an address.
    Domain,
    /// An IP address.
    Ip,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] =
        [Self::Email, Self::Id, Self::Thread, Self::MessageId, Self::Text, Self::Domain, Self::Ip];

    /// The name of the class in key derivation and associated data. A new name changes all tokens of the class.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Id => "id",
            Self::Thread => "thread",
            Self::MessageId => "message_id",
            Self::Text => "text",
            Self::Domain => "domain",
            Self::Ip => "ip",
        }
    }
}

/// One value per class.
pub(super) struct PerClass<T> {
    email: T,
    id: T,
    thread: T,
    message_id: T,
    text: T,
    domain: T,
    ip: T,
}

impl<T> PerClass<T> {
    pub(super) fn new(make: impl Fn(Class) -> T) -> Self {
        Self {
            email: make(Class::Email),
            id: make(Class::Id),
            thread: make(Class::Thread),
            message_id: make(Class::MessageId),
            text: make(Class::Text),
            domain: make(Class::Domain),
            ip: make(Class::Ip),
        }
    }

    pub(super) const fn get(&self, class: Class) -> &T {
        match class {
            Class::Email => &self.email,
            Class::Id => &self.id,
            Class::Thread => &self.thread,
            Class::MessageId => &self.message_id,
            Class::Text => &self.text,
            Class::Domain => &self.domain,
            Class::Ip => &self.ip,
        }
    }
}
