//! The senders and recipients of a letter, and the different forms in which one party's address is written.

use serde_json::{Value, json};

use super::Directory;
use super::groups::{Group, GroupKind};
use super::people::{Account, External, User, number};
use super::rng::Rng;
use super::text;

/// A person, group or program with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Automated(usize),
    External(usize),
    Group(usize),
    Odd(usize),
    User(usize),
}

/// The form of an address. Real mailboxes have all of these for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    /// In capitals.
    Upper,
    /// With a plus tag.
    Plus,
    /// As an X.500 distinguished name.
    Legacy,
    /// With the other form of an internationalised domain.
    OtherLabel,
    /// From home.
    Private,
}

/// A party with the form of its address in one letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) party: Party,
    pub(super) form: Form,
}

impl Recipient {
    pub(super) fn plain(party: Party) -> Recipient {
        Recipient { party, form: Form::Plain }
    }
}

impl Directory {
    /// Graph's `recipient`.
    pub(super) fn recipient_json(&self, recipient: Recipient) -> Value {
        let (name, address) = self.name_and_address(recipient);
        json!({ "emailAddress": { "name": name, "address": address } })
    }

    pub(super) fn recipients_json(&self, recipients: &[Recipient]) -> Value {
        recipients.iter().map(|recipient| self.recipient_json(*recipient)).collect()
    }

    pub(super) fn name_and_address(&self, recipient: Recipient) -> (String, String) {
        let (name, address) = self.plain_name_and_address(recipient.party);
        let address = match (recipient.form, recipient.party) {
            (Form::Upper, _) => address.to_uppercase(),
            (Form::Plus, _) => address.replacen('@', "+projects@", 1),
            (Form::Legacy, Party::User(user)) => {
                self.users.get(user).map(|user| user.legacy_dn().to_uppercase()).unwrap_or(address)
            }
            (Form::OtherLabel, _) => other_label(&address),
            (Form::Private, Party::External(place)) => {
                self.externals.get(place).map(External::private_address).unwrap_or(address)
            }
            (Form::Plain | Form::Legacy | Form::Private, _) => address,
        };
        (name, address)
    }

    /// Whether this party replies: people do, lists and programs do not.
    pub(super) fn replies(&self, party: Party) -> bool {
        match party {
            Party::User(user) => self.users.get(user).is_some_and(User::has_mailbox),
            Party::External(_) => true,
            Party::Automated(_) | Party::Group(_) | Party::Odd(_) => false,
        }
    }

    /// A member of staff; some write much more than others.
    pub(super) fn some_staff(&self, rng: &mut Rng) -> usize {
        let busy = rng.below(self.staff.len()).min(rng.below(self.staff.len()));
        self.staff.get(busy).copied().unwrap_or_default()
    }

    pub(super) fn some_external(&self, rng: &mut Rng) -> Party {
        Party::External(rng.below(self.externals.len()).min(rng.below(self.externals.len())))
    }

    /// A group with an address. Rarely the list of everyone.
    pub(super) fn some_mail_group(&self, rng: &mut Rng) -> Party {
        let with_mail = self.groups.iter().filter(|group| group.kind() != GroupKind::Security);
        let places: Vec<usize> = with_mail.skip(1).map(|group: &Group| group.index).collect();
        if rng.chance(5) { Party::Group(0) } else { Party::Group(rng.pick_number(&places)) }
    }

    pub(super) fn some_room(&self, rng: &mut Rng) -> Option<Party> {
        rng.chance(50).then(|| self.some_account(Account::Room, rng)).flatten()
    }

    pub(super) fn some_shared_mailbox(&self, rng: &mut Rng) -> Option<Party> {
        self.some_account(Account::Shared, rng)
    }

    /// One to `most` people, mostly from one department.
    pub(super) fn some_colleagues(&self, letter: u32, rng: &mut Rng, most: usize) -> Vec<Recipient> {
        let department = Rng::of(self.seed, "circle", &[u64::from(letter)]).below(text::DEPARTMENTS.len());
        let mut colleagues: Vec<Recipient> = Vec::new();
        for _ in 0..=rng.below(most) {
            let near = rng.chance(70).then(|| self.some_of_department(department, rng));
            let user = near.unwrap_or_else(|| self.some_staff(rng));
            if !colleagues.iter().any(|colleague| colleague.party == Party::User(user)) {
                colleagues.push(self.odd_form(Party::User(user), rng));
            }
        }
        colleagues
    }

    /// The party with its address, mostly in its plain form, sometimes in another one.
    pub(super) fn odd_form(&self, party: Party, rng: &mut Rng) -> Recipient {
        let form = match (rng.below(100), party) {
            (0, _) => Form::Upper,
            (1, _) => Form::Plus,
            (2, Party::User(_)) => Form::Legacy,
            (0..50, Party::External(_)) => Form::OtherLabel,
            (50..60, Party::External(place)) if writes_from_home(place) => Form::Private,
            _ => Form::Plain,
        };
        Recipient { party, form }
    }

    fn plain_name_and_address(&self, party: Party) -> (String, String) {
        let written =
            |pair: Option<&[&str; 2]>| pair.map(|[name, address]| ((*name).into(), (*address).into()));
        let found = match party {
            Party::User(user) => self
                .users
                .get(user)
                .map(|user| (user.display_name.clone(), user.mail().unwrap_or_default().to_owned())),
            Party::Group(group) => {
                self.groups.get(group).map(|it| (it.display_name.clone(), it.mail().unwrap_or_default()))
            }
            Party::External(external) => {
                self.externals.get(external).map(|it| (it.name.clone(), it.address.clone()))
            }
            Party::Automated(sender) => written(text::AUTOMATED_SENDERS.get(sender)),
            Party::Odd(odd) => written(text::ODD_ADDRESSES.get(odd)),
        };
        found.unwrap_or_default()
    }

    fn some_account(&self, account: Account, rng: &mut Rng) -> Option<Party> {
        let places: Vec<usize> =
            self.users.iter().filter(|user| user.account() == account).map(|user| user.index).collect();
        places.get(rng.below(places.len())).copied().map(Party::User)
    }

    /// The distance between a department's members: in the order of users, departments take turns.
    fn some_of_department(&self, department: usize, rng: &mut Rng) -> usize {
        let step = text::DEPARTMENTS.len();
        let rows = self.staff.len() / step;
        let user = department + step * rng.below(rows);
        if self.users.get(user).is_some_and(User::is_staff) { user } else { self.some_staff(rng) }
    }
}

/// Whether this external person also has a private address, which contacts know.
pub(super) fn writes_from_home(external: usize) -> bool {
    external % 8 == 3
}

/// The same address with its domain in the other form of IDNA, A-labels or U-labels (RFC 5890).
fn other_label(address: &str) -> String {
    let Some((local, domain)) = address.split_once('@') else {
        return address.to_owned();
    };
    let domain = if domain.is_ascii() {
        idna::domain_to_unicode(domain).0
    } else {
        idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned())
    };
    format!("{local}@{domain}")
}

/// The random numbers of one party in one letter.
pub(super) fn rng_of_copy(seed: u64, what: &str, letter: u32, owner: usize) -> Rng {
    Rng::of(seed, what, &[u64::from(letter), number(owner)])
}

#[cfg(test)]
mod tests {
    use super::{Form, Party, Recipient, other_label};
    use crate::demo::tenant::Directory;

    #[test]
    fn one_person_is_written_in_many_ways() {
        let directory = Directory::new(1);
        let written = |form| directory.name_and_address(Recipient { party: Party::User(0), form }).1;
        let plain = written(Form::Plain);
        assert_eq!(written(Form::Upper), plain.to_uppercase());
        assert!(written(Form::Plus).contains("+projects@"));
        assert!(written(Form::Legacy).starts_with("/O=EXCHANGELABS/OU="));
        assert_eq!(written(Form::OtherLabel), plain);
        let home = directory.name_and_address(Recipient { party: Party::External(3), form: Form::Private });
        assert!(home.1.ends_with("@freemail.example"), "{home:?}");
    }

    #[test]
    fn both_labels_of_a_domain_lead_to_each_other() {
        assert_eq!(other_label("a@bücher-müller.example"), "a@xn--bcher-mller-thbg.example");
        assert_eq!(other_label("a@xn--bcher-mller-thbg.example"), "a@bücher-müller.example");
        assert_eq!(other_label("nobody"), "nobody");
    }
}
