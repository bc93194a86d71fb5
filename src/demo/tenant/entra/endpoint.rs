//! Which endpoint of the look-alike a path names. The paths are Entra's.

use crate::demo::tenant::text;
use glassine_core::graph::is_guid;

use super::refusal::Refusal;

/// An endpoint of the look-alike, with the tenant as the path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo::tenant) enum Endpoint<'p> {
    /// `/{tenant}/v2.0/.well-known/openid-configuration`
    Configuration(&'p str),
    /// `/{tenant}/discovery/v2.0/keys`
    Keys(&'p str),
    /// `/{tenant}/oauth2/v2.0/token`
    Token(&'p str),
    /// `/{tenant}/oauth2/v2.0/authorize`
    Authorize(&'p str),
    /// `/{tenant}/oauth2/v2.0/logout`
    Logout,
    /// `/{tenant}/v2.0/adminconsent` and, without scopes, `/{tenant}/adminconsent`
    Consent { tenant: &'p str, with_scope: bool },
    /// `/{tenant}/login`: the person chose an account or cancelled.
    Login(&'p str),
    /// `/{tenant}/consent`: the person accepted or cancelled.
    Decision(&'p str),
    /// `/metadata/identity/oauth2/token`, as on a virtual machine.
    VirtualMachine,
    /// `/msi/token`, as in App Service.
    AppService,
}

impl<'p> Endpoint<'p> {
    /// `None` if the path is Graph's.
    pub(in crate::demo::tenant) fn of(path: &'p str) -> Option<Endpoint<'p>> {
        let (first, rest) = path.strip_prefix('/')?.split_once('/')?;
        Some(match (first, rest.strip_suffix('/').unwrap_or(rest)) {
            ("metadata", "identity/oauth2/token") => Endpoint::VirtualMachine,
            ("msi" | "MSI", "token") => Endpoint::AppService,
            (tenant, "v2.0/.well-known/openid-configuration") => Endpoint::Configuration(tenant),
            (tenant, "discovery/v2.0/keys") => Endpoint::Keys(tenant),
            (tenant, "oauth2/v2.0/token") => Endpoint::Token(tenant),
            (tenant, "oauth2/v2.0/authorize") => Endpoint::Authorize(tenant),
            (_, "oauth2/v2.0/logout") => Endpoint::Logout,
            (tenant, "v2.0/adminconsent") => Endpoint::Consent { tenant, with_scope: true },
            (tenant, "adminconsent") => Endpoint::Consent { tenant, with_scope: false },
            (tenant, "login") => Endpoint::Login(tenant),
            (tenant, "consent") => Endpoint::Decision(tenant),
            _ => return None,
        })
    }

    /// Whether a person sees the response.
    pub(super) fn is_for_people(self) -> bool {
        match self {
            Endpoint::Authorize(_)
            | Endpoint::Logout
            | Endpoint::Consent { .. }
            | Endpoint::Login(_)
            | Endpoint::Decision(_) => true,
            Endpoint::Configuration(_)
            | Endpoint::Keys(_)
            | Endpoint::Token(_)
            | Endpoint::VirtualMachine
            | Endpoint::AppService => false,
        }
    }
}

/// Refuses a name that is neither this tenant's id nor one of its domains.
pub(super) fn check_tenant(name: &str, id: &str) -> Result<(), Refusal> {
    if [id, text::DOMAIN, text::INITIAL_DOMAIN].iter().any(|own| own.eq_ignore_ascii_case(name)) {
        Ok(())
    } else if is_guid(name) || name.contains('.') {
        Err(Refusal::TenantUnknown(name.to_owned()))
    } else {
        Err(Refusal::TenantForm(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_entra_and_graph_are_distinguished() {
        assert_eq!(Endpoint::of("/t/oauth2/v2.0/token"), Some(Endpoint::Token("t")));
        let consent = |with_scope| Some(Endpoint::Consent { tenant: "t", with_scope });
        assert_eq!(Endpoint::of("/t/v2.0/adminconsent"), consent(true));
        assert_eq!(Endpoint::of("/t/adminconsent/"), consent(false));
        assert_eq!(Endpoint::of("/MSI/token/"), Some(Endpoint::AppService));
        for path in ["/", "/v1.0/users", "/v1.0/users/token", "/oauth2/v2.0/token", "/t/u/oauth2/v2.0/token"]
        {
            assert_eq!(Endpoint::of(path), None, "{path}");
        }
    }

    #[test]
    fn the_tenant_is_known_by_its_id_and_its_domains() {
        let id = "11112222-3333-4444-5555-666677778888";
        for name in [id, "Tallgrass.example", "tallgrass.onmicrosoft.example"] {
            assert_eq!(check_tenant(name, id), Ok(()), "{name}");
        }
        for name in ["99992222-3333-4444-5555-666677778888", "contoso.com"] {
            assert_eq!(check_tenant(name, id), Err(Refusal::TenantUnknown(name.to_owned())));
        }
        assert_eq!(check_tenant("common", id), Err(Refusal::TenantForm("common".to_owned())));
    }
}
