//! Guests' account names, reading `g1`: `bob_fabrikam.example#EXT#@contoso.onmicrosoft.com` holds `bob@fabrikam.example`.
//!
//! Entra makes the `userPrincipalName` of a guest from the invited address: `_` in place of `@`, `#EXT#`, and the tenant's
//! initial domain. No domain has a `_`, so the last one before `#EXT#` stands for the `@`. The same person writes mail from
//! the invited address, and only its token joins the account with the mail.
//!
//! # Why only at the tenant's own domains
//!
//! `#` and `_` may be in anybody's address. If a name were read wherever it stands, somebody who writes from
//! `alice_contoso.com#EXT#@evil.example` would get the token of Alice. At the tenant's own domains, Entra and the tenant's
//! administrators alone give out names. `onmicrosoft.com` is not enough: everybody can have a tenant below it.
//!
//! # Why only addresses at other domains
//!
//! A member is never a guest of the own tenant, so a name that holds an own address was not made by Entra. Refusing it
//! also makes sure that reading a name twice changes nothing.

use super::canonical_domain;
use crate::pseudonym::own::OwnDomains;

/// The mark of a guest's name, folded.
const MARK: &str = "#ext#";

/// Octets of the longest local part that Entra gives out. A name of this length may have been cut, and then holds somebody
/// else's domain.
const LONGEST: usize = 64;

/// The folded local part and the canonical domain of the address that a guest's name holds.
pub(super) fn invited(local: &str, domain: &str, own: &OwnDomains) -> Option<(String, String)> {
    let held = local.strip_suffix(MARK).filter(|_| own.contains(domain) && local.len() < LONGEST)?;
    let (invited, domain) = held.rsplit_once('_')?;
    let domain = canonical_domain(domain).filter(|domain| domain.contains('.') && !own.contains(domain))?;
    (!invited.is_empty()).then(|| (invited.to_owned(), domain))
}

/// Whether a folded local part is a guest's name.
pub(super) fn is_name(local: &str) -> bool {
    local.ends_with(MARK)
}
