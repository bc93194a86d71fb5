//! The application permissions in the token against those that the rules name: missing ones, and ones that are too
//! much.
//!
//! Exchange can grant mailbox permissions for some mailboxes (RBAC for Applications). No token shows them. The requests
//! to endpoints do: if a request behind such a permission succeeds, the permission is granted.

use super::findings::Finding;
use glassine_core::catalogue::permissions::{is_for_mailboxes, opens};
use glassine_core::grants::{Comparison, Excess, Missing, compare};
use glassine_core::rules::Plan;
use glassine_core::rules::plan::Permission;

/// Whether a request to an endpoint behind a permission succeeded. `None` if no such request was sent.
pub(super) type Witness<'a> = &'a dyn Fn(&Permission) -> Option<bool>;

/// The application that gets the permissions, by its client id.
#[derive(Clone, Debug)]
pub(super) enum Grantee {
    /// An app registration. An administrator consents in the portal.
    Application(String),
    /// A managed identity, for which the portal has no consent.
    Identity(String),
}

/// What a consumer's permissions are compared with.
pub(super) struct Measure<'a> {
    pub(super) plan: &'a Plan,
    /// The permissions that all consumers of the application need. A permission that one of them needs is not too much.
    pub(super) shared: &'a [Permission],
    pub(super) grantee: &'a Grantee,
    pub(super) witness: Witness<'a>,
}

impl Measure<'_> {
    pub(super) fn check(&self, roles: &[String]) -> Vec<Finding> {
        let missing = compare(&self.plan.permissions, roles).missing;
        let needed =
            self.plan.permissions.iter().map(|entry| match missing.iter().find(|it| is_of(it, entry)) {
                Some(missing) => self.absent(missing, (self.witness)(entry)),
                None => present(entry, roles),
            });
        let Comparison { excess, .. } = compare(self.shared, roles);
        needed.chain(excess.iter().map(|excess| self.too_much(excess))).collect()
    }

    fn absent(&self, missing: &Missing, succeeded: Option<bool>) -> Finding {
        let permission = &missing.permission;
        let grant = self.grantee.grant(permission);
        match (missing.perhaps_in_exchange, succeeded) {
            (true, Some(true)) => Finding::ok(
                permission,
                "granted in Exchange (RBAC for Applications): the token does not show it, but the requests succeed",
            ),
            (true, None) => Finding::warn(
                permission,
                "not in the token; no request could show whether Exchange grants it",
                format!("{grant}\nor name a mailbox that Exchange opens: `--mailbox-in ADDRESS`"),
            ),
            (true, Some(false)) | (false, _) => Finding::fail(permission, "missing", grant),
        }
    }

    fn too_much(&self, excess: &Excess) -> Finding {
        let permission = &excess.permission;
        let remove = self.grantee.revoke(permission);
        match &excess.enough {
            _ if excess.writes => {
                Finding::fail(permission, "can change the tenant, and this proxy only reads", remove)
            }
            Some(_) if self.shared.iter().any(|entry| entry.any_of.contains(permission)) => {
                Finding::warn(permission, "more than the least permission; the rules accept it", remove)
            }
            Some(enough) => Finding::fail(
                permission,
                format!("more than needed: {enough} is enough"),
                format!("{}\n{remove}", self.grantee.consent(enough)),
            ),
            None => Finding::fail(permission, "the rules do not need it", remove),
        }
    }
}

const PORTAL: &str = "Entra admin center, App registrations, the application, API permissions";

fn is_of(missing: &Missing, entry: &Permission) -> bool {
    entry.any_of.first() == Some(&missing.permission)
}

fn present(entry: &Permission, roles: &[String]) -> Finding {
    let least = entry.any_of.first().map_or("", String::as_str);
    if roles.iter().any(|role| role == least) {
        return Finding::ok(least, "granted");
    }
    let by = roles.iter().find(|role| entry.any_of.iter().any(|name| opens(role, name)));
    Finding::ok(least, format!("covered by {}", by.map_or("another permission", String::as_str)))
}

impl Grantee {
    pub(super) fn client_id(&self) -> &str {
        match self {
            Self::Application(client_id) | Self::Identity(client_id) => client_id,
        }
    }

    /// How to grant a permission: for the tenant or, for some mailboxes, in Exchange.
    pub(super) fn grant(&self, permission: &str) -> String {
        let consent = self.consent(permission);
        if !is_for_mailboxes(permission) {
            return consent;
        }
        let assign = assign(permission, self.client_id(), "SCOPE");
        format!("{consent}\nor, for some mailboxes only, in Exchange Online PowerShell: {assign}")
    }

    fn consent(&self, permission: &str) -> String {
        match self {
            Self::Application(_) => format!(
                "{PORTAL}: Add a permission, Microsoft Graph, Application permissions, {permission}; then Grant admin consent"
            ),
            Self::Identity(id) => format!(
                "assign the app role {permission} of Microsoft Graph to the managed identity {id}, in Microsoft Graph PowerShell: New-MgServicePrincipalAppRoleAssignment (the lines are in docs/ENTRA.md); Azure can take 24 hours until its tokens show it"
            ),
        }
    }

    fn revoke(&self, permission: &str) -> String {
        match self {
            Self::Application(_) => {
                format!("{PORTAL}: the menu of {permission}: Revoke admin consent, then Remove permission")
            }
            Self::Identity(id) => format!(
                "take the app role {permission} from the managed identity {id}, in Microsoft Graph PowerShell: Remove-MgServicePrincipalAppRoleAssignment"
            ),
        }
    }
}

/// The command that grants a permission in RBAC for Applications
/// (<https://learn.microsoft.com/exchange/permissions-exo/application-rbac>).
pub(super) fn assign(permission: &str, client_id: &str, scope: &str) -> String {
    let role = permission.strip_suffix(".All").unwrap_or(permission);
    format!(
        "New-ManagementRoleAssignment -App {client_id} -Role \"Application {role}\" -CustomResourceScope {scope}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::findings::Outcome;
    use glassine_core::rules::compile;

    const RULES: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

    /// The finding for the first permission, Mail.ReadBasic.All, if the token does not show it.
    fn mail(succeeded: Option<bool>) -> Finding {
        let plan = compile("rules.yaml", RULES).plan.unwrap();
        let shared = &plan.permissions;
        let grantee = Grantee::Application("7".to_owned());
        let measure = Measure { plan: &plan, shared, grantee: &grantee, witness: &|_| succeeded };
        measure.check(&["User.Read.All".to_owned()]).remove(0)
    }

    #[test]
    fn a_successful_request_shows_what_exchange_grants() {
        assert_eq!(mail(Some(true)).outcome, Outcome::Ok);
        assert_eq!(mail(None).outcome, Outcome::Warn);
        let missing = mail(Some(false));
        assert_eq!((missing.outcome, missing.message.as_str()), (Outcome::Fail, "missing"));
        let command = "New-ManagementRoleAssignment -App 7 -Role \"Application Mail.ReadBasic\" -CustomResourceScope SCOPE";
        assert!(missing.advice.is_some_and(|advice| advice.ends_with(command)));
    }

    #[test]
    fn a_managed_identity_is_granted_permissions_by_script() {
        let identity = Grantee::Identity("7".to_owned());
        for advice in [identity.grant("User.Read.All"), identity.revoke("User.Read.All")] {
            assert!(
                advice.contains("MgServicePrincipalAppRoleAssignment") && !advice.contains(PORTAL),
                "{advice}"
            );
        }
        assert!(identity.grant("User.Read.All").contains("24 hours"), "the token may be older than the role");
        assert!(Grantee::Application("7".to_owned()).grant("User.Read.All").starts_with(PORTAL));
    }
}
