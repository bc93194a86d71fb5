//! The accounts of the tenant (members, guests, rooms and shared mailboxes) and their external correspondents.

use serde_json::{Value, json};

use super::ids::MailboxKey;
use super::page_token::Named;
use super::rng::Rng;
use super::text;

/// Staff, some of them disabled, some without mail.
const MEMBERS: usize = 240;
/// People of other companies with an account here. They are also the first external correspondents.
const GUESTS: usize = 40;
/// People outside that staff write to, guests included.
const EXTERNALS: usize = 160;
/// The step through all pairs of given name and surname. It has no common factor with their number, so no pair repeats.
const NAME_STRIDE: usize = 607;

/// The kind of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account {
    /// A person of the organisation.
    Member,
    /// A person of another organisation, invited.
    Guest,
    /// A meeting room.
    Room,
    /// A mailbox that several people read.
    Shared,
}

/// Where an account's mail is. Two of the three are errors, and nobody can tell beforehand which: accounts of both kinds can have
/// `mail`, and accounts without it need not have a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hosting {
    /// Exchange Online has the mailbox.
    Online,
    /// Exchange knows of a mailbox and has none to read: it is on premises, it was deleted with its licence, or the account is of
    /// another organisation or has never had a licence (`MailboxNotEnabledForRESTAPI`; microsoft-graph-docs-contrib#4340 for
    /// external accounts, O365/python-o365#438 for accounts without a licence).
    Elsewhere,
    /// Exchange does not find the account, although the directory has it with an address (`ResourceNotFound`;
    /// microsoft-graph-docs#4598: some of the users that have `mail`).
    Undiscovered,
}

/// A synthetic account of the directory.
pub struct User {
    pub(super) index: usize,
    pub(super) display_name: String,
    pub(super) office: usize,
    pub(super) department: usize,
    pub(super) key: MailboxKey,
    id: String,
    account: Account,
    hosting: Hosting,
    enabled: bool,
    given_name: Option<String>,
    surname: Option<String>,
    alias: String,
    mail: Option<String>,
    user_principal_name: String,
}

/// A correspondent outside the organisation.
pub(super) struct External {
    pub(super) name: String,
    pub(super) address: String,
}

impl External {
    /// Where this person writes from at home. Contacts have it, too.
    pub(super) fn private_address(&self) -> String {
        private_address(&self.name)
    }
}

pub(super) fn private_address(name: &str) -> String {
    format!("{}@freemail.example", name.to_lowercase().replace([' ', '\''], "."))
}

/// The data of an account before it has an id.
struct Draft {
    account: Account,
    hosting: Hosting,
    given_name: Option<String>,
    surname: Option<String>,
    display_name: String,
    alias: String,
    mail: Option<String>,
}

impl User {
    /// The object id, a GUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The primary address; `None` for the few accounts without mail.
    pub fn mail(&self) -> Option<&str> {
        self.mail.as_deref()
    }

    /// The user principal name. A guest's contains `#EXT#`.
    pub fn user_principal_name(&self) -> &str {
        &self.user_principal_name
    }

    /// The kind of the account.
    pub fn account(&self) -> Account {
        self.account
    }

    /// The display name, which must never leave the proxy.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    /// Whether the account has a mailbox here. Guests have none, nor have a few members, of whom some have an address.
    pub fn has_mailbox(&self) -> bool {
        self.hosting == Hosting::Online
    }

    pub(super) fn hosting(&self) -> Hosting {
        self.hosting
    }

    /// Whether Exchange refuses the settings of the mailbox, though the application has the permission and reads the mail: of one
    /// room. Some accounts of real tenants are so (msgraph-sdk-dotnet#2141); nobody says which.
    pub(super) fn hides_settings(&self) -> bool {
        self.account == Account::Room && text::ROOMS.last() == Some(&self.display_name.as_str())
    }

    /// The account as tokens name it.
    pub(super) fn named(&self) -> Named<'_> {
        Named { kind: "User", id: &self.id, name: &self.user_principal_name }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn is_staff(&self) -> bool {
        self.account == Account::Member && self.has_mailbox()
    }

    /// The X.500 address of this account in old messages.
    pub(super) fn legacy_dn(&self) -> String {
        let hex = self.id.replace('-', "");
        format!(
            "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={hex}-{}",
            self.alias
        )
    }

    /// All properties of the account. `odata` then selects those that a request gets.
    pub(super) fn to_json(&self, seed: u64) -> Value {
        let mut rng = Rng::of(seed, "user details", &[number(self.index)]);
        let [city, state, country, postal_code, usage, _] =
            text::OFFICES.get(self.office).copied().unwrap_or_default();
        let created =
            format!("20{:02}-0{}-1{}T08:30:00Z", 18 + rng.below(7), 1 + rng.below(9), rng.below(10));
        let phone = format!("+49 40 555 {:04}", rng.below(10_000));
        let guest = self.account == Account::Guest;
        json!({
            "id": self.id,
            "accountEnabled": self.enabled,
            "businessPhones": [phone],
            "city": city,
            "companyName": if guest { Value::Null } else { json!(text::ORGANIZATION) },
            "country": country,
            "createdDateTime": created,
            "creationType": if guest { json!("Invitation") } else { Value::Null },
            "department": text::DEPARTMENTS.get(self.department),
            "displayName": self.display_name,
            "employeeId": format!("TG{:05}", 10_000 + self.index),
            "externalUserState": if guest { json!("Accepted") } else { Value::Null },
            "givenName": self.given_name,
            "identities": [{
                "signInType": "userPrincipalName",
                "issuer": text::INITIAL_DOMAIN,
                "issuerAssignedId": self.user_principal_name,
            }],
            "imAddresses": self.mail.iter().collect::<Vec<_>>(),
            "jobTitle": rng.pick(text::JOB_TITLES),
            "mail": self.mail,
            "mailNickname": self.alias,
            "mobilePhone": format!("+49 170 555 {:04}", rng.below(10_000)),
            "officeLocation": format!("{}/{:03}", 1 + rng.below(9), rng.below(400)),
            "onPremisesSamAccountName": Value::Null,
            "onPremisesSyncEnabled": Value::Null,
            "otherMails": self.other_mails(&mut rng),
            "postalCode": postal_code,
            "preferredLanguage": "en-US",
            "proxyAddresses": self.proxy_addresses(),
            "securityIdentifier": format!("S-1-12-1-{}-{}", rng.below(1 << 31), rng.below(1 << 31)),
            "state": state,
            "streetAddress": format!("{} {}", rng.pick(text::STREETS), 1 + rng.below(90)),
            "surname": self.surname,
            "usageLocation": usage,
            "userPrincipalName": self.user_principal_name,
            "userType": if guest { "Guest" } else { "Member" },
            "aboutMe": format!("I am {} and I like rowing.", self.display_name),
            "birthday": format!("19{:02}-04-1{}T00:00:00Z", 60 + rng.below(40), rng.below(10)),
            "employeeHireDate": created,
            "mySite": format!("https://tallgrass-my.sharepoint.example/personal/{}/", self.alias),
            "interests": ["Rowing"],
            "signInActivity": { "lastSignInDateTime": "2026-05-20T06:12:00Z" },
        })
    }

    fn other_mails(&self, rng: &mut Rng) -> Vec<String> {
        let private = self.account == Account::Member && rng.chance(20);
        private.then(|| format!("{}+private@freemail.example", self.alias)).into_iter().collect()
    }

    fn proxy_addresses(&self) -> Vec<String> {
        let Some(mail) = &self.mail else { return Vec::new() };
        if self.account == Account::Guest {
            return vec![format!("SMTP:{mail}")];
        }
        vec![
            format!("SMTP:{mail}"),
            format!("smtp:{}@{}", self.alias, text::INITIAL_DOMAIN),
            format!("x500:{}", self.legacy_dn()),
            format!("SIP:{mail}"),
        ]
    }
}

/// All accounts: members first, then guests, rooms and shared mailboxes.
pub(super) fn users(seed: u64, externals: &[External]) -> Vec<User> {
    let members = (0..MEMBERS).map(|index| member(seed, index));
    let guests =
        externals.iter().take(GUESTS).enumerate().map(|(place, external)| guest(seed, place, external));
    let rooms = text::ROOMS.iter().map(|name| resource(Account::Room, name));
    let shared = text::SHARED_MAILBOXES.iter().map(|name| resource(Account::Shared, name));
    let drafts = members.chain(guests).chain(rooms).chain(shared);
    drafts.enumerate().map(|(index, draft)| draft.into_user(seed, index)).collect()
}

pub(super) fn externals(seed: u64) -> Vec<External> {
    (0..EXTERNALS).map(|place| external(seed, place)).collect()
}

/// Converts lengths and places for the generator.
pub(super) fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap_or_default()
}

impl Draft {
    fn into_user(self, seed: u64, index: usize) -> User {
        let mut rng = Rng::of(seed, "user", &[number(index)]);
        let user_principal_name = match (self.account, &self.mail) {
            (Account::Guest, Some(mail)) => {
                format!("{}#EXT#@{}", mail.replace('@', "_"), text::INITIAL_DOMAIN)
            }
            (_, Some(mail)) => mail.clone(),
            (_, None) => format!("{}@{}", self.alias, text::INITIAL_DOMAIN),
        };
        User {
            index,
            id: rng.guid(),
            office: rng.below(text::OFFICES.len()),
            department: index.checked_rem(text::DEPARTMENTS.len()).unwrap_or_default(),
            enabled: self.account != Account::Shared && !rng.chance(5),
            key: MailboxKey::new(seed, number(index)),
            account: self.account,
            hosting: self.hosting,
            given_name: self.given_name,
            surname: self.surname,
            display_name: self.display_name,
            alias: self.alias,
            mail: self.mail,
            user_principal_name,
        }
    }
}

fn member(seed: u64, index: usize) -> Draft {
    let (given_name, surname) = name(seed, index);
    let alias = format!("{}.{}", plain_letters(given_name), plain_letters(surname));
    let (hosting, has_mail) = licence(index);
    let mail = has_mail.then(|| format!("{alias}@{}", text::DOMAIN));
    Draft {
        account: Account::Member,
        hosting,
        display_name: format!("{given_name} {surname}"),
        given_name: Some(given_name.to_owned()),
        surname: Some(surname.to_owned()),
        alias: alias.to_lowercase(),
        mail,
    }
}

/// Where this member's mail is, and whether the directory has an address. Every 31st member has no licence for mail here. Most of
/// them have no address. One has it on premises, and one has kept the address of a mailbox that is gone.
fn licence(index: usize) -> (Hosting, bool) {
    match (index % 31 == 30, index / 31) {
        (false, _) => (Hosting::Online, true),
        (true, 1) => (Hosting::Elsewhere, true),
        (true, 2) => (Hosting::Undiscovered, true),
        (true, _) => (Hosting::Elsewhere, false),
    }
}

fn guest(seed: u64, place: usize, external: &External) -> Draft {
    let (given_name, surname) = name(seed, MEMBERS + place);
    Draft {
        account: Account::Guest,
        hosting: Hosting::Elsewhere,
        display_name: external.name.clone(),
        given_name: Some(given_name.to_owned()),
        surname: Some(surname.to_owned()),
        alias: external.address.replace('@', "_"),
        mail: Some(external.address.clone()),
    }
}

fn resource(account: Account, name: &str) -> Draft {
    let alias = plain_letters(name).to_lowercase();
    Draft {
        account,
        hosting: Hosting::Online,
        // Null, not empty: a value has 1 to 64 characters (microsoft-graph-docs#239).
        given_name: None,
        surname: None,
        display_name: name.to_owned(),
        mail: Some(format!("{alias}@{}", text::DOMAIN)),
        alias,
    }
}

fn external(seed: u64, place: usize) -> External {
    let (given_name, surname) = name(seed, MEMBERS + place);
    let mut rng = Rng::of(seed, "external", &[number(place)]);
    let local = match rng.below(4) {
        0 => plain_letters(given_name).to_lowercase(),
        1 => format!("{}_{}", plain_letters(surname), plain_letters(given_name)),
        _ => format!("{}.{}", plain_letters(given_name), plain_letters(surname)).to_lowercase(),
    };
    let domain = rng.pick(text::EXTERNAL_DOMAINS);
    External { name: format!("{given_name} {surname}"), address: format!("{local}{place}@{domain}") }
}

fn name(seed: u64, place: usize) -> (&'static str, &'static str) {
    let pairs = text::GIVEN_NAMES.len() * text::SURNAMES.len();
    let start = Rng::of(seed, "names", &[]).below(pairs);
    let pair = (start + place * NAME_STRIDE).checked_rem(pairs).unwrap_or_default();
    let given_name = text::GIVEN_NAMES.get(pair % text::GIVEN_NAMES.len());
    let surname = text::SURNAMES.get(pair / text::GIVEN_NAMES.len());
    (given_name.copied().unwrap_or_default(), surname.copied().unwrap_or_default())
}

/// The name in the form of an address's local part.
fn plain_letters(name: &str) -> String {
    name.chars()
        .filter_map(|letter| match letter {
            'é' | 'ë' => Some('e'),
            'ü' => Some('u'),
            'ø' => Some('o'),
            'á' => Some('a'),
            '-' => Some('-'),
            _ => letter.is_ascii_alphanumeric().then_some(letter),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Account, Hosting, externals, plain_letters, users};

    #[test]
    fn about_three_hundred_accounts_of_every_kind_with_unique_names() {
        let users = users(1, &externals(1));
        assert_eq!(users.len(), 300);
        for account in [Account::Member, Account::Guest, Account::Room, Account::Shared] {
            assert!(users.iter().any(|user| user.account() == account), "{account:?}");
        }
        assert!(users.iter().any(|user| user.mail().is_none()));
        assert!(users.iter().any(|user| !user.enabled && user.account() == Account::Member));
        let unique: HashSet<_> = users.iter().map(|user| user.user_principal_name().to_lowercase()).collect();
        assert_eq!(unique.len(), users.len());
    }

    #[test]
    fn guests_are_marked_and_have_no_mailbox() {
        let users = users(1, &externals(1));
        let guest = users.iter().find(|user| user.account() == Account::Guest).unwrap();
        assert!(guest.user_principal_name().contains("#EXT#@"));
        assert!(!guest.has_mailbox());
    }

    #[test]
    fn an_address_does_not_mean_that_there_is_a_mailbox() {
        let users = users(1, &externals(1));
        let members = users.iter().filter(|user| user.account() == Account::Member);
        let without: Vec<_> = members.filter(|user| !user.has_mailbox()).collect();
        let with_address: Vec<_> = without.iter().filter(|user| user.mail().is_some()).collect();
        let hosting: Vec<_> = with_address.iter().map(|user| user.hosting()).collect();
        assert_eq!((without.len(), hosting), (7, vec![Hosting::Elsewhere, Hosting::Undiscovered]));
    }

    #[test]
    fn proxy_addresses_are_other_addresses_of_the_same_account() {
        let users = users(1, &externals(1));
        let member = users[0].to_json(1);
        let proxies: Vec<&str> =
            member["proxyAddresses"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
        assert_eq!(proxies[0], format!("SMTP:{}", users[0].mail().unwrap()));
        assert_eq!(proxies[2], format!("x500:{}", users[0].legacy_dn()));
    }

    #[test]
    fn another_seed_gives_other_people() {
        assert_ne!(users(1, &externals(1))[0].id(), users(2, &externals(2))[0].id());
    }

    #[test]
    fn local_parts_are_ascii() {
        assert_eq!(plain_letters("O'Dowd"), "ODowd");
        assert_eq!(plain_letters("Müller-Roth"), "Muller-Roth");
    }
}
