//! Which mailboxes the application can open: one that it should open, and one that it should not. The operator names
//! them. The request goes through the consumer's rules with a token of the address, and no finding repeats the address.

use std::sync::Arc;

use http::StatusCode;

use super::endpoints::{Asker, NoResponse};
use super::findings::Finding;
use super::known::{Filled, Known};
use super::permissions::assign;
use crate::proxy::Consumer;
use glassine_core::catalogue::permissions::is_for_mailboxes;
use glassine_core::pseudonym::{Class, Outcome};
use glassine_core::rules::plan::{Endpoint, Permission};

/// The mailboxes that an operator names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mailboxes {
    /// A mailbox that the application should open.
    pub(crate) inside: Option<String>,
    /// A mailbox that the application should not open.
    pub(crate) outside: Option<String>,
}

const INSIDE: &str = "--mailbox-in";
const OUTSIDE: &str = "--mailbox-out";

/// The user known before the first request: the mailbox that the operator named. Graph accepts a userPrincipalName in
/// place of an id.
pub(super) fn known(consumer: &Consumer, address: Option<&str>) -> Known {
    let mut token = Vec::new();
    let outcome = address.map(|address| consumer.pseudonyms().reversible(Class::Id, address, &mut token));
    match (outcome, String::from_utf8(token)) {
        (Some(Outcome::Written), Ok(token)) => Known::of_user(&token),
        _ => Known::default(),
    }
}

/// The findings if no request can be sent.
pub(super) fn skipped(mailboxes: &Mailboxes, reason: &str) -> Vec<Finding> {
    let named = [(INSIDE, &mailboxes.inside), (OUTSIDE, &mailboxes.outside)];
    named
        .into_iter()
        .filter(|(_, address)| address.is_some())
        .map(|(check, _)| Finding::skip(check, reason))
        .collect()
}

/// The finding if the operator named no mailbox.
pub(super) fn unnamed(mailboxes: &Mailboxes) -> Option<Finding> {
    let none = mailboxes.inside.is_none() && mailboxes.outside.is_none();
    let reason = "not checked: name a mailbox that the application may open, `--mailbox-in ADDRESS`, and one that it may not, `--mailbox-out ADDRESS`";
    none.then(|| Finding::skip("scope", reason))
}

impl Asker<'_> {
    pub(super) async fn try_mailboxes(&self, mailboxes: &Mailboxes) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Some(address) = &mailboxes.inside {
            found.push(self.try_mailbox(INSIDE, address, Self::inside).await);
        }
        if let Some(address) = &mailboxes.outside {
            found.push(self.try_mailbox(OUTSIDE, address, Self::outside).await);
        }
        found
    }

    async fn try_mailbox(
        &self,
        check: &'static str,
        address: &str,
        judge: fn(&Self, Result<(), NoResponse>) -> Finding,
    ) -> Finding {
        let Some((endpoint, filled)) = mailbox_endpoint(self.consumer, &known(self.consumer, Some(address)))
        else {
            return Finding::skip(check, "the rules open nothing in mailboxes");
        };
        judge(self, self.ask(endpoint, &filled).await.map(drop))
    }

    fn inside(&self, response: Result<(), NoResponse>) -> Finding {
        match response {
            Ok(()) => Finding::ok(INSIDE, "opens, as it should"),
            Err(error) if error.has_status(StatusCode::FORBIDDEN) => Finding::fail(
                INSIDE,
                "does not open",
                format!(
                    "grant the permissions (see above), or add the mailbox to the scope that Exchange has for the application\n\
                     Test-ServicePrincipalAuthorization -Identity {} -Resource MAILBOX",
                    self.grantee.client_id()
                ),
            ),
            Err(error) => unclear(INSIDE, &error),
        }
    }

    fn outside(&self, response: Result<(), NoResponse>) -> Finding {
        match response {
            Ok(()) => Finding::fail(OUTSIDE, "opens, and should not", self.scope()),
            Err(error) if error.has_status(StatusCode::FORBIDDEN) => {
                Finding::ok(OUTSIDE, "does not open, as it should")
            }
            Err(error) => unclear(OUTSIDE, &error),
        }
    }

    /// How to keep an application out of mailboxes
    /// (<https://learn.microsoft.com/exchange/permissions-exo/application-rbac>).
    fn scope(&self) -> String {
        let id = self.grantee.client_id();
        let needed = self.consumer.policy().plan.permissions.iter().filter_map(least);
        let mailbox: Vec<_> = needed.filter(|name| is_for_mailboxes(name)).collect();
        let roles = mailbox.iter().map(|name| format!("{}\n", assign(name, id, "Glassine")));
        format!(
            "in Exchange Online PowerShell, open a part of the mailboxes:\n\
             New-ServicePrincipal -AppId {id} -ObjectId OBJECT_ID_OF_THE_ENTERPRISE_APPLICATION -DisplayName Glassine\n\
             New-ManagementScope -Name Glassine -RecipientRestrictionFilter \"MemberOfGroup -eq 'DISTINGUISHED_NAME_OF_A_GROUP'\"\n\
             {}\
             then revoke in Entra, where a consent opens every mailbox whatever the scope: {}\n\
             Test-ServicePrincipalAuthorization -Identity {id} -Resource MAILBOX",
            roles.collect::<String>(),
            mailbox.join(", "),
        )
    }
}

fn least(entry: &Permission) -> Option<&str> {
    entry.any_of.first().map(String::as_str)
}

/// The shortest request that opens a mailbox.
fn mailbox_endpoint<'a>(consumer: &'a Arc<Consumer>, known: &Known) -> Option<(&'a Endpoint, Filled)> {
    let endpoints = consumer.policy().plan.endpoints.iter().map(Arc::as_ref);
    let opening = endpoints.filter(|endpoint| endpoint.least_permission().is_some_and(is_for_mailboxes));
    opening
        .filter_map(|endpoint| Some((endpoint, known.fill(endpoint).ok()?)))
        .min_by_key(|(endpoint, _)| endpoint.template.parts.len())
}

/// The finding if the response shows neither that the mailbox opens nor that it does not.
fn unclear(check: &str, no_response: &NoResponse) -> Finding {
    let message = format!("cannot tell whether it opens: {no_response}");
    if no_response.has_status(StatusCode::NOT_FOUND) {
        let advice = "check the address (it has to be the account's userPrincipalName) and that the account has a mailbox";
        return Finding::fail(check, message, advice);
    }
    Finding::fail(check, message, "see the sections above; other requests fail for the same reason")
}
