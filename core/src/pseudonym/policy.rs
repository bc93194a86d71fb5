//! Which part of an address stays readable, and when two addresses get the same token.

use schemars::JsonSchema;
use serde::Deserialize;

use super::own::OwnDomain;

/// How the addresses of one consumer are pseudonymised.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    /// How the part after the `@` is written.
    pub domains: DomainMode,
    /// The tenant's domains: [`DomainMode::KeepListed`] leaves them readable, [`PlusTags::StripOwn`] strips at them, and
    /// guests' names are read at them.
    pub own: Vec<OwnDomain>,
    /// Whether `alice+news@` gets the token of `alice@`.
    pub plus_tags: PlusTags,
}

/// What becomes of an address's domain.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum DomainMode {
    /// Every domain stays readable.
    Keep,
    /// The listed domains stay readable, others become `d~` tokens: companies can be counted, not named.
    #[default]
    KeepListed,
    /// Every domain becomes a `d~` token.
    Pseudonymize,
    /// No domain leaves, in any form.
    Drop,
}

impl DomainMode {
    /// As the rules call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::KeepListed => "keep_listed",
            Self::Pseudonymize => "pseudonymize",
            Self::Drop => "drop",
        }
    }

    /// How much of a domain leaves, from 0 on.
    pub(crate) fn shows(self) -> u8 {
        match self {
            Self::Drop => 0,
            Self::Pseudonymize => 1,
            Self::KeepListed => 2,
            Self::Keep => 3,
        }
    }
}

/// What becomes of subaddresses (RFC 5233), which Exchange Online calls plus addressing.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum PlusTags {
    /// `alice+news@` and `alice@` have different tokens.
    #[default]
    Keep,
    /// The first `+` of the local part and what follows is cut, unless nothing would be left.
    Strip,
    /// As `strip` at the tenant's own domains, where Exchange delivers to the mailbox before the `+`. As `keep` elsewhere,
    /// where nobody knows what a `+` means.
    StripOwn,
}

impl PlusTags {
    /// As the rules call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Strip => "strip",
            Self::StripOwn => "strip_own",
        }
    }

    /// How many mailboxes have as many tokens as they use tags, from 0 on.
    pub(crate) fn tells_apart(self) -> u8 {
        match self {
            Self::Strip => 0,
            Self::StripOwn => 1,
            Self::Keep => 2,
        }
    }
}
