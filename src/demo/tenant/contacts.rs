//! The address books: people inside and outside the organisation, as the mailbox's owner wrote them down, with private
//! remarks.

use serde_json::{Value, json};

use super::Directory;
use super::folders::{self, CONTACTS};
use super::messages::time;
use super::odata::Shape;
use super::people::{self, User, number};
use super::properties;
use super::recipients::{self, Form, Party, Recipient};
use super::rng::Rng;
use super::text;

/// What `$select` does to a contact.
pub(super) const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.contact",
    default: None,
    select_only: &[],
    always: &["id"],
    properties: &properties::CONTACT,
};
/// The first item number of contacts, far from those of messages.
const FIRST_CONTACT: u64 = 0x00A0_0000;
/// 2021-02-03T09:00:00Z.
const FIRST_CREATED: i64 = 1_612_342_800;

/// How many contacts this account keeps.
pub(super) fn count(seed: u64, user: usize) -> usize {
    3 + Rng::of(seed, "contact count", &[number(user)]).below(12)
}

pub(super) fn item(place: usize) -> u64 {
    FIRST_CONTACT + number(place)
}

/// The place of the contact with this item number.
pub(super) fn place_of(item: u64) -> Option<usize> {
    usize::try_from(item.checked_sub(FIRST_CONTACT)?).ok()
}

/// Contact number `place` of this account: the v1.0 or the beta shape, which differ.
pub(super) fn contact(directory: &Directory, owner: &User, place: usize, beta: bool) -> Value {
    let mut rng = Rng::of(directory.seed, "contact", &[number(owner.index), number(place)]);
    let party = if rng.chance(75) {
        Party::External(rng.below(directory.externals.len()))
    } else {
        Party::User(directory.some_staff(&mut rng))
    };
    let (name, _) = directory.name_and_address(Recipient::plain(party));
    let mut contact = common(directory, owner, place, &name, &mut rng);
    let addresses = addresses(directory, party, beta, &mut rng);
    let extra = if beta { beta_only(&mut rng) } else { v1_only(&mut rng) };
    if let (Value::Object(contact), Value::Object(extra)) = (&mut contact, extra) {
        contact.insert("emailAddresses".to_owned(), addresses);
        contact.extend(extra);
    }
    contact
}

/// The one address book every mailbox has.
pub(super) fn folder(owner: &User, beta: bool) -> Value {
    let mut folder = json!({
        "id": folders::folder_id(&owner.key, CONTACTS),
        "parentFolderId": folders::folder_id(&owner.key, folders::ROOT),
        "displayName": "Contacts",
    });
    if let (true, Value::Object(folder)) = (beta, &mut folder) {
        folder.insert("wellKnownName".to_owned(), json!("contacts"));
    }
    folder
}

fn common(directory: &Directory, owner: &User, place: usize, name: &str, rng: &mut Rng) -> Value {
    let (given_name, surname) = name.split_once(' ').unwrap_or((name, ""));
    let version = u32::try_from(place).unwrap_or_default();
    let change_key = owner.key.change_key(0x11, version);
    let created = time(FIRST_CREATED + 86_400 * i64::from(version));
    let spouse = rng.pick(text::GIVEN_NAMES);
    json!({
        "@odata.etag": format!("W/\"{change_key}\""),
        "id": owner.key.item_id(folders::counter(CONTACTS), item(place)),
        "createdDateTime": created,
        "lastModifiedDateTime": created,
        "changeKey": change_key,
        "categories": [],
        "parentFolderId": folders::folder_id(&owner.key, CONTACTS),
        "birthday": format!("19{:02}-06-1{}T11:59:00Z", 55 + rng.below(45), rng.below(10)),
        "fileAs": format!("{surname}, {given_name}"),
        "displayName": name,
        "givenName": given_name,
        "surname": surname,
        "initials": Value::Null,
        "middleName": Value::Null,
        "nickName": given_name.chars().take(3).collect::<String>(),
        "title": Value::Null,
        "generation": Value::Null,
        "imAddresses": [],
        "jobTitle": rng.pick(text::JOB_TITLES),
        "companyName": rng.pick(text::EXTERNAL_DOMAINS),
        "department": Value::Null,
        "officeLocation": Value::Null,
        "profession": Value::Null,
        "assistantName": Value::Null,
        "manager": directory.users.get(rng.below(directory.users.len())).map(User::display_name),
        "spouseName": spouse,
        "personalNotes": rng.pick(text::NOTES),
        "children": [rng.pick(text::GIVEN_NAMES)],
    })
}

/// One to three, as they were seen in mail: the known address, another form of it, a private one.
fn addresses(directory: &Directory, party: Party, beta: bool, rng: &mut Rng) -> Value {
    let (other, writes_from_home) = match party {
        Party::External(place) => (Form::Plus, recipients::writes_from_home(place)),
        Party::Automated(_) | Party::Group(_) | Party::Odd(_) | Party::User(_) => (Form::Upper, false),
    };
    let (name, address) = directory.name_and_address(Recipient::plain(party));
    let (_, other) = directory.name_and_address(Recipient { party, form: other });
    let all = [address, other, people::private_address(&name)];
    let some = 1 + rng.below(all.len());
    let count = if writes_from_home { all.len() } else { some };
    let typed = |address: &String| {
        let mut written = json!({ "name": format!("{name} ({address})"), "address": address });
        if let (true, Value::Object(written)) = (beta, &mut written) {
            written.insert("type".to_owned(), json!("unknown"));
        }
        written
    };
    all.iter().take(count).map(typed).collect()
}

fn v1_only(rng: &mut Rng) -> Value {
    json!({
        "businessHomePage": Value::Null,
        "homePhones": [phone(rng)],
        "mobilePhone": phone(rng),
        "businessPhones": [phone(rng)],
        "homeAddress": address(rng),
        "businessAddress": {},
        "otherAddress": {},
    })
}

fn beta_only(rng: &mut Rng) -> Value {
    json!({
        "gender": Value::Null,
        "isFavorite": rng.chance(10),
        "weddingAnniversary": "2009-09-05",
        "phones": [{ "type": "home", "number": phone(rng) }, { "type": "mobile", "number": phone(rng) }],
        "postalAddresses": [address(rng)],
        "websites": [],
        "flag": { "flagStatus": "notFlagged" },
    })
}

fn phone(rng: &mut Rng) -> String {
    format!("+351 21 555 {:04}", rng.below(10_000))
}

fn address(rng: &mut Rng) -> Value {
    json!({
        "street": format!("{} {}", rng.pick(text::STREETS), 1 + rng.below(80)),
        "city": "Lisbon",
        "state": "",
        "countryOrRegion": "Portugal",
        "postalCode": "1100-148",
    })
}

#[cfg(test)]
mod tests {
    use super::{contact, count};
    use crate::demo::tenant::Directory;

    #[test]
    fn the_two_versions_have_different_shapes() {
        let directory = Directory::new(1);
        let user = &directory.users[0];
        let (v1, beta) = (contact(&directory, user, 0, false), contact(&directory, user, 0, true));
        assert_eq!(v1["id"], beta["id"]);
        assert!(v1.get("homeAddress").is_some() && v1.get("postalAddresses").is_none());
        assert!(beta.get("homeAddress").is_none() && beta.get("postalAddresses").is_some());
        assert!(beta["emailAddresses"][0].get("type").is_some());
    }

    #[test]
    fn every_mailbox_has_contacts_and_some_have_several_addresses() {
        let directory = Directory::new(1);
        let user = &directory.users[0];
        assert!(count(1, 0) >= 3);
        let lengths = (0..12)
            .map(|it| contact(&directory, user, it, false)["emailAddresses"].as_array().unwrap().len());
        assert!(lengths.max().unwrap() > 1);
    }
}
