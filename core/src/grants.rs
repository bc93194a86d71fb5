//! Compares the permissions that an application was granted with those that its rules need. Pure: the names are
//! arguments.
//!
//! A token's `roles` are the application permissions that an administrator consented to. With too few, requests fail
//! one by one with 403. With too many, only the proxy stands between a consumer's mistake and the mail itself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::catalogue::permissions::{is_for_mailboxes, opens, writes};
use crate::graph::is_guid;
use crate::rules::plan::Permission;

/// The claims of an access token for Graph. Only Graph verifies its signature: what is read here is only shown.
#[derive(Debug, Default, Deserialize)]
pub struct AccessClaims {
    /// The application permissions.
    #[serde(default)]
    pub roles: Vec<String>,
    /// When the token expires, in seconds since 1970.
    #[serde(default, rename = "exp")]
    pub expires: Option<i64>,
    /// The client id, in tokens of version 1.0.
    #[serde(default)]
    appid: Option<String>,
    /// The client id, in tokens of version 2.0. Some tokens have both claims.
    #[serde(default)]
    azp: Option<String>,
    /// The delegated permissions: such a token acts for a person.
    #[serde(default, rename = "scp")]
    pub scopes: Option<String>,
}

impl AccessClaims {
    /// Reads the payload of a JSON Web Token; `None` if the text is not one. Clients must treat Graph's tokens as
    /// opaque, so this is for advice only.
    pub fn read(token: &str) -> Option<Self> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// The client id of the application or managed identity that the token was issued to. `None` unless it is a GUID:
    /// people copy it into commands.
    pub fn client_id(&self) -> Option<&str> {
        self.appid.as_deref().or(self.azp.as_deref()).filter(|id| is_guid(id))
    }
}

/// How the permissions that were granted differ from those that the rules name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is needed and not granted.
    pub missing: Vec<Missing>,
    /// What is granted and more than needed.
    pub excess: Vec<Excess>,
}

/// A permission that is needed and not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The least permission that is enough.
    pub permission: String,
    /// Exchange may have granted it for some mailboxes (RBAC for Applications), which no token shows.
    pub perhaps_in_exchange: bool,
}

/// A permission that is granted and more than needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// The permission.
    pub permission: String,
    /// It can change the tenant, and this proxy only reads.
    pub writes: bool,
    /// The lesser permission that is enough instead; `None` if the rules need nothing of the kind.
    pub enough: Option<String>,
}

/// Compares what the rules need with what was granted. The order is that of the rules, then that of the grants.
pub fn compare<S: AsRef<str>>(needed: &[Permission], granted: &[S]) -> Comparison {
    let granted: Vec<&str> = granted.iter().map(AsRef::as_ref).collect();
    let missing = needed.iter().filter(|entry| !granted.iter().any(|name| satisfies(name, entry)));
    Comparison {
        missing: missing.filter_map(|entry| entry.any_of.first()).map(|name| Missing::new(name)).collect(),
        excess: granted.iter().filter_map(|name| excess(name, needed)).collect(),
    }
}

impl Missing {
    fn new(permission: &str) -> Self {
        Self { permission: permission.to_owned(), perhaps_in_exchange: is_for_mailboxes(permission) }
    }
}

fn satisfies(granted: &str, entry: &Permission) -> bool {
    entry.any_of.iter().any(|name| opens(granted, name))
}

/// A permission is exact only where it is the least of an entry: an alternative works, and opens more than needed.
fn excess(granted: &str, needed: &[Permission]) -> Option<Excess> {
    let least = |entry: &Permission| entry.any_of.first().is_some_and(|name| name == granted);
    if needed.iter().any(least) {
        return None;
    }
    let enough = needed.iter().find(|entry| satisfies(granted, entry)).and_then(|entry| entry.any_of.first());
    Some(Excess { permission: granted.to_owned(), writes: writes(granted), enough: enough.cloned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed() -> Vec<Permission> {
        let entries: [&[&str]; 3] =
            [&["Mail.ReadBasic.All", "Mail.Read"], &["GroupMember.Read.All"], &["User.Read.All"]];
        let entry = |names: &&[&str]| Permission {
            any_of: names.iter().map(|name| (*name).to_owned()).collect(),
            why: None,
        };
        entries.iter().map(entry).collect()
    }

    #[test]
    fn the_client_id_is_in_appid_or_azp_or_both() {
        let id = "11112222-3333-4444-5555-666677778888";
        let read = |payload: &str| AccessClaims::read(&format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload)));
        for payload in [
            format!(r#"{{"appid":"{id}","roles":["A"]}}"#),
            format!(r#"{{"azp":"{id}","roles":["A"]}}"#),
            format!(r#"{{"azp":"{id}","appid":"{id}","roles":["A"]}}"#),
        ] {
            let claims = read(&payload).expect("it can be read");
            assert_eq!(
                (claims.client_id(), &claims.roles[..]),
                (Some(id), &["A".to_owned()][..]),
                "{payload}"
            );
        }
        assert_eq!(read("{}").unwrap().client_id(), None);
        assert_eq!(read(r#"{"appid":"x; Remove-Item"}"#).unwrap().client_id(), None);
    }

    #[test]
    fn claims_are_read_off_a_token() {
        let read = |payload: &str| AccessClaims::read(&format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload)));
        let claims = read(r#"{"roles":["User.Read.All"],"exp":1700000000}"#).unwrap();
        assert_eq!(
            (&claims.roles[..], claims.expires),
            (&["User.Read.All".to_owned()][..], Some(1_700_000_000))
        );
        assert!(claims.scopes.is_none() && read("{}").unwrap().roles.is_empty());
        assert!(AccessClaims::read("opaque").is_none() && read("[1").is_none());
    }

    fn missing(granted: &[&str]) -> Vec<String> {
        compare(&needed(), granted).missing.into_iter().map(|it| it.permission).collect()
    }

    fn excess_of(granted: &[&str]) -> Vec<Excess> {
        compare(&needed(), granted).excess
    }

    #[test]
    fn the_least_of_each_entry_is_exact() {
        assert_eq!(
            compare(&needed(), &["User.Read.All", "GroupMember.Read.All", "Mail.ReadBasic.All"]),
            Comparison::default()
        );
        assert_eq!(compare::<&str>(&[], &[]), Comparison::default());
    }

    #[test]
    fn a_missing_permission_has_its_least_name() {
        assert_eq!(missing(&["User.Read.All"]), ["Mail.ReadBasic.All", "GroupMember.Read.All"]);
        let found = compare(&needed(), &["Mail.Read", "GroupMember.Read.All"]).missing;
        assert_eq!(found, [Missing { permission: "User.Read.All".to_owned(), perhaps_in_exchange: false }]);
        assert!(compare::<&str>(&needed(), &[]).missing.first().is_some_and(|it| it.perhaps_in_exchange));
    }

    #[test]
    fn an_alternative_is_enough_and_is_excess() {
        let granted = ["Mail.Read", "GroupMember.Read.All", "User.Read.All"];
        assert_eq!(missing(&granted), [""; 0]);
        let enough = Some("Mail.ReadBasic.All".to_owned());
        let expected = Excess { permission: "Mail.Read".to_owned(), writes: false, enough };
        assert_eq!(excess_of(&granted), [expected]);
    }

    #[test]
    fn a_broader_permission_that_the_rules_do_not_name_is_enough_and_is_excess() {
        let granted = ["Mail.ReadBasic.All", "Directory.Read.All"];
        assert_eq!(missing(&granted), [""; 0]);
        let enough = Some("GroupMember.Read.All".to_owned());
        let expected = Excess { permission: "Directory.Read.All".to_owned(), writes: false, enough };
        assert_eq!(excess_of(&granted), [expected]);
    }

    #[test]
    fn permissions_that_write_or_have_no_use_are_excess() {
        let granted = [
            "Mail.ReadBasic.All",
            "GroupMember.Read.All",
            "User.Read.All",
            "Mail.ReadWrite",
            "Sites.Read.All",
        ];
        let [write, useless] = &excess_of(&granted)[..] else { panic!("two are too much") };
        assert!(write.writes && write.enough.as_deref() == Some("Mail.ReadBasic.All"));
        assert!(!useless.writes && useless.enough.is_none());
    }
}
