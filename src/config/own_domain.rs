//! The tenant's own domains, as the configuration and the command line write them.

use glassine_core::catalogue::{Shared, shared};
use glassine_core::pseudonym::{NotADomain, OwnDomain};

/// Why a text is not one of a tenant's domains.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum NotOwn {
    /// It is not written as a domain.
    #[error(transparent)]
    Malformed(#[from] NotADomain),
    /// Everybody can have a mailbox or a domain below it, so a wildcard there would mean strangers.
    #[error("a wildcard below a domain at which strangers have theirs")]
    Everybodys,
}

impl NotOwn {
    /// What to write instead.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Malformed(_) => {
                "write contoso.com, or *.contoso.com for every domain below it, without `@` or trailing dot"
            }
            Self::Everybodys => {
                "list your own domains by name, as in contoso.onmicrosoft.com, or write a wildcard below one"
            }
        }
    }
}

/// Reads one of the tenant's domains.
///
/// # Errors
///
/// [`NotOwn`], for wildcards of whole countries or providers too. A provider's domain by name is one that a review finds.
pub fn own_domain(text: &str) -> Result<OwnDomain, NotOwn> {
    let domain = OwnDomain::parse(text)?;
    match shared(domain.name()) {
        Some(Shared::Provider | Shared::Suffix) if domain.is_wildcard() => Err(NotOwn::Everybodys),
        Some(_) | None => Ok(domain),
    }
}
