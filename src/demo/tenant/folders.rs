//! A mailbox's folders: the well-known ones, and those that people create and give private names.

use serde_json::{Map, Value, json};

use super::ids::MailboxKey;
use super::people::number;
use super::rng::Rng;
use super::text;

/// The number of a folder in its mailbox, which is part of its id.
pub(super) type Slot = u8;

pub(super) const ROOT: Slot = 0;
pub(super) const INBOX: Slot = 1;
pub(super) const DRAFTS: Slot = 2;
pub(super) const SENT: Slot = 3;
pub(super) const DELETED: Slot = 4;
pub(super) const JUNK: Slot = 5;
pub(super) const ARCHIVE: Slot = 6;
/// The default contact folder, which is not a mail folder.
pub(super) const CONTACTS: Slot = 11;
const FIRST_PRIVATE: Slot = 20;
/// The id counter of slot 0, as in real mailboxes.
const FIRST_COUNTER: u64 = 0x108;

const SYNC_ISSUES: Slot = 9;
/// Slot, parent, wellKnownName, displayName, hidden. `recoverableitemsdeletions` has the messages that the owner purged.
const WELL_KNOWN: &[(Slot, Slot, &str, &str, bool)] = &[
    (INBOX, ROOT, "inbox", "Inbox", false),
    (DRAFTS, ROOT, "drafts", "Drafts", false),
    (SENT, ROOT, "sentitems", "Sent Items", false),
    (DELETED, ROOT, "deleteditems", "Deleted Items", false),
    (JUNK, ROOT, "junkemail", "Junk Email", false),
    (ARCHIVE, ROOT, "archive", "Archive", false),
    (7, ROOT, "outbox", "Outbox", false),
    (8, ROOT, "conversationhistory", "Conversation History", false),
    (SYNC_ISSUES, ROOT, "syncissues", "Sync Issues", true),
    (10, ROOT, "recoverableitemsdeletions", "Deletions", true),
    (12, SYNC_ISSUES, "conflicts", "Conflicts", true),
    (13, SYNC_ISSUES, "localfailures", "Local Failures", true),
    (14, SYNC_ISSUES, "serverfailures", "Server Failures", true),
    (15, ROOT, "scheduled", "Scheduled", true),
    (16, ROOT, "searchfolders", "Search Folders", true),
];
/// The well-known folders that only some mailboxes have, and none of these.
const ABSENT: &[&str] = &["clutter"];

/// One mail folder.
pub(super) struct Folder {
    pub(super) slot: Slot,
    pub(super) parent: Slot,
    pub(super) hidden: bool,
    name: String,
    well_known: Option<&'static str>,
}

/// How many messages a folder holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) unread: usize,
    pub(super) children: usize,
}

impl Folder {
    /// All properties. `wellKnownName` is on beta only.
    pub(super) fn to_json(&self, key: &MailboxKey, counts: Counts, beta: bool) -> Value {
        let mut folder = Map::new();
        folder.insert("id".to_owned(), json!(folder_id(key, self.slot)));
        folder.insert("displayName".to_owned(), json!(self.name));
        folder.insert("parentFolderId".to_owned(), json!(folder_id(key, self.parent)));
        folder.insert("childFolderCount".to_owned(), json!(counts.children));
        folder.insert("unreadItemCount".to_owned(), json!(counts.unread));
        folder.insert("totalItemCount".to_owned(), json!(counts.total));
        folder.insert("sizeInBytes".to_owned(), json!(counts.total * 31_415));
        folder.insert("isHidden".to_owned(), json!(self.hidden));
        if beta {
            folder.insert("wellKnownName".to_owned(), json!(self.well_known));
        }
        Value::Object(folder)
    }
}

/// The folders of this account's mailbox, the invisible root included.
pub(super) fn folders(seed: u64, user: usize) -> Vec<Folder> {
    let root = Folder {
        slot: ROOT,
        parent: ROOT,
        hidden: false,
        name: "Top of Information Store".to_owned(),
        well_known: Some("msgfolderroot"),
    };
    let well_known = WELL_KNOWN.iter().map(|(slot, parent, well_known, name, hidden)| Folder {
        slot: *slot,
        parent: *parent,
        hidden: *hidden,
        name: (*name).to_owned(),
        well_known: Some(well_known),
    });
    std::iter::once(root).chain(well_known).chain(private_folders(seed, user)).collect()
}

/// The folder of a well-known name, in any letter case.
pub(super) fn well_known_slot(name: &str) -> Option<Slot> {
    let root = name.eq_ignore_ascii_case("msgfolderroot").then_some(ROOT);
    root.or_else(|| WELL_KNOWN.iter().find(|it| it.2.eq_ignore_ascii_case(name)).map(|it| it.0))
}

/// Whether the name is well known, in any letter case, whether or not mailboxes here have the folder.
pub(super) fn is_well_known(name: &str) -> bool {
    well_known_slot(name).is_some() || ABSENT.iter().any(|absent| absent.eq_ignore_ascii_case(name))
}

/// The folders that the mailbox's owner made, where mail is filed.
pub(super) fn private_slots(seed: u64, user: usize) -> Vec<Slot> {
    private_folders(seed, user).into_iter().map(|folder| folder.slot).collect()
}

pub(super) fn folder_id(key: &MailboxKey, slot: Slot) -> String {
    key.folder_id(counter(slot))
}

pub(super) fn counter(slot: Slot) -> u64 {
    FIRST_COUNTER + u64::from(slot)
}

pub(super) fn slot_of(counter: u64) -> Option<Slot> {
    Slot::try_from(counter.checked_sub(FIRST_COUNTER)?).ok()
}

/// One to four: the first at the top with a child folder, the others below the inbox.
fn private_folders(seed: u64, user: usize) -> Vec<Folder> {
    let mut rng = Rng::of(seed, "private folders", &[number(user)]);
    let first = rng.below(text::PRIVATE_FOLDERS.len());
    let names = text::PRIVATE_FOLDERS.iter().cycle().skip(first).take(1 + rng.below(4));
    let own = (FIRST_PRIVATE..).zip(names).map(|(slot, name)| {
        private_folder(slot, if slot == FIRST_PRIVATE { ROOT } else { INBOX }, (*name).to_owned())
    });
    let child = private_folder(FIRST_PRIVATE + 10, FIRST_PRIVATE, "2025".to_owned());
    own.chain([child]).collect()
}

fn private_folder(slot: Slot, parent: Slot, name: String) -> Folder {
    Folder { slot, parent, hidden: false, name, well_known: None }
}

#[cfg(test)]
mod tests {
    use super::{INBOX, SENT, counter, folders, slot_of, well_known_slot};

    #[test]
    fn well_known_names_open_in_any_case() {
        assert_eq!(well_known_slot("SentItems"), Some(SENT));
        assert_eq!(well_known_slot("inbox"), Some(INBOX));
        assert_eq!(well_known_slot("Divorce lawyer"), None);
    }

    #[test]
    fn every_mailbox_has_named_folders_and_a_child() {
        let folders = folders(1, 0);
        assert!(folders.iter().any(|folder| folder.well_known.is_none()));
        assert!(folders.iter().any(|folder| folder.name == "2025"));
        assert!(folders.iter().all(|folder| slot_of(counter(folder.slot)) == Some(folder.slot)));
    }
}
