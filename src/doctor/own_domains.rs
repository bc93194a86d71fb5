//! Whether `tenant_domains` lists the domains of the users' addresses. The responses tell: after a token stands a readable
//! domain if it is listed, and a `d~` token if not. So the check learns which addresses are foreign to the configuration,
//! and no address.

use serde_json::Value;

use super::endpoints::Asker;
use super::findings::Finding;
use super::known::{Filled, Known};
use glassine_core::pseudonym::DomainMode;
use glassine_core::rules::plan::{Endpoint, Response};

/// How many users to look at: one page of the largest size.
const USERS: u32 = 999;

const CHECK: &str = "own domains";

const ADVICE: &str = "list your organisation's domains in `tenant_domains`: the initial one too (contoso.onmicrosoft.com), and *.contoso.com for subdomains\n\
                      in Exchange Online PowerShell, they are: Get-AcceptedDomain | Format-Table DomainName";

impl Asker<'_> {
    /// `None` if the rules do not tell own domains from others, or no address of a member leaves.
    pub(super) async fn check_own_domains(&self) -> Option<Finding> {
        let plan = &self.consumer.policy().plan;
        if plan.domains != DomainMode::KeepListed {
            return None;
        }
        let (endpoint, filled) = plan.endpoints.iter().find_map(|endpoint| users(endpoint))?;
        // Why there is no response is a finding about the endpoint.
        let document = self.ask_for(endpoint, &filled, USERS).await.ok()?;
        judge(&document)
    }
}

/// The request for all users, if the endpoint is for it.
fn users(endpoint: &Endpoint) -> Option<(&Endpoint, Filled)> {
    let filled = Known::default().fill(endpoint).ok()?;
    let is_users = filled.path.ends_with("/users") && matches!(endpoint.response, Response::Json(_));
    is_users.then_some((endpoint, filled))
}

fn judge(document: &Value) -> Option<Finding> {
    let users = document.get("value")?.as_array()?.iter();
    let members = users.filter(|user| user.get("userType").is_none_or(|kind| kind != "Guest"));
    let with_address: Vec<_> = members.filter(|user| addresses(user).next().is_some()).collect();
    let foreign = with_address.iter().filter(|user| addresses(user).any(is_foreign)).count();
    let count = with_address.len();
    match (count, foreign) {
        (0, _) => None,
        (_, 0) => Some(Finding::ok(
            CHECK,
            format!("`tenant_domains` lists the domains of all addresses of {count} users"),
        )),
        _ => {
            let message = format!(
                "{foreign} of {count} users have an address in a domain that `tenant_domains` does not list: it looks like a stranger's"
            );
            Some(Finding::warn(CHECK, message, ADVICE))
        }
    }
}

/// What left of a user's addresses, other mails aside, which are private ones.
fn addresses(user: &Value) -> impl Iterator<Item = &str> {
    let aliases = user.get("proxyAddresses").and_then(Value::as_array).into_iter().flatten();
    user.get("mail").into_iter().chain(aliases).filter_map(Value::as_str).filter(|text| text.contains("t~"))
}

fn is_foreign(address: &str) -> bool {
    address.contains("@d~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::findings::Outcome;

    #[test]
    fn members_with_a_foreign_address_are_counted() {
        let page = json!({ "value": [
            { "userType": "Member", "mail": "t~A@contoso.com", "proxyAddresses": ["SMTP:t~A@contoso.com", "x500:t~B"] },
            { "userType": "Member", "mail": "t~C@contoso.com", "proxyAddresses": ["smtp:t~C@d~D"] },
            { "userType": "Guest", "mail": "t~E@d~F" },
            { "userType": "Member", "mail": null, "otherMails": ["t~G@d~H"] },
            { "mail": "t~I@d~J" },
        ] });
        let finding = judge(&page).unwrap();
        assert_eq!(finding.outcome, Outcome::Warn);
        assert!(finding.message.starts_with("2 of 3 users"), "{}", finding.message);
    }

    #[test]
    fn listed_domains_and_no_addresses_are_fine() {
        let page =
            json!({ "value": [{ "mail": "t~A@contoso.com" }, { "userType": "Guest", "mail": "t~E@d~F" }] });
        assert_eq!(judge(&page).unwrap().outcome, Outcome::Ok);
        for nothing in
            [json!({ "value": [{ "id": "p~A", "mail": "x500:t" }] }), json!({ "value": [] }), json!(12)]
        {
            assert!(judge(&nothing).is_none(), "{nothing}");
        }
    }
}
