//! Which letters are in which mailbox. Keeps only numbers; a message is generated from them on request.

use std::collections::BTreeSet;

use super::Directory;
use super::folders::{self, Slot};
use super::groups::transitive_users;
use super::letters::{Kind, LETTERS, Letter, letter};
use super::people::User;
use super::recipients::{Party, rng_of_copy};

/// The number of the first message. In real mailboxes, other items have lower numbers.
const FIRST_ITEM: u64 = 0x1000;

/// One letter's copy in one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) letter: u32,
    pub(super) folder: Slot,
    /// Whether it is the author's copy.
    pub(super) sent: bool,
}

impl Entry {
    /// The item's number in its mailbox. It does not change when the item moves.
    pub(super) fn item(&self) -> u64 {
        FIRST_ITEM + 2 * u64::from(self.letter) + u64::from(self.sent)
    }
}

/// All mailboxes, by the users' order; each in the order of time.
pub(super) fn index(directory: &Directory) -> Vec<Vec<Entry>> {
    let everyone: Vec<BTreeSet<usize>> =
        directory.groups.iter().map(|group| transitive_users(&directory.groups, group.index)).collect();
    let private: Vec<Vec<Slot>> =
        directory.users.iter().map(|user| folders::private_slots(directory.seed, user.index)).collect();
    let mut mailboxes = vec![Vec::new(); directory.users.len()];
    for number in 0..LETTERS {
        let letter = letter(directory, number);
        deliver(directory, &letter, &everyone, &private, &mut mailboxes);
    }
    mailboxes
}

/// The entry with this item number, if the mailbox has it.
pub(super) fn entry_of(entries: &[Entry], item: u64) -> Option<Entry> {
    let place = entries.binary_search_by_key(&item, Entry::item).ok()?;
    entries.get(place).copied()
}

fn deliver(
    directory: &Directory,
    letter: &Letter,
    everyone: &[BTreeSet<usize>],
    private: &[Vec<Slot>],
    mailboxes: &mut [Vec<Entry>],
) {
    let has_mailbox = |user: &usize| directory.users.get(*user).is_some_and(User::has_mailbox);
    let author = match letter.sender.party {
        Party::User(user) => Some(user),
        Party::Automated(_) | Party::External(_) | Party::Group(_) | Party::Odd(_) => None,
    };
    let readers = if letter.kind == Kind::Draft { BTreeSet::new() } else { readers(letter, everyone) };
    for user in readers.into_iter().filter(has_mailbox) {
        let folder = received_folder(directory.seed, letter, user, private);
        push(mailboxes, user, Entry { letter: letter.number, folder, sent: false });
    }
    for user in author.into_iter().filter(has_mailbox) {
        let folder = if letter.kind == Kind::Draft { folders::DRAFTS } else { folders::SENT };
        push(mailboxes, user, Entry { letter: letter.number, folder, sent: true });
    }
}

fn readers(letter: &Letter, everyone: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut readers = BTreeSet::new();
    for addressee in letter.addressees() {
        match addressee.party {
            Party::User(user) => readers.extend([user]),
            Party::Group(group) => readers.extend(everyone.get(group).into_iter().flatten()),
            Party::Automated(_) | Party::External(_) | Party::Odd(_) => {}
        }
    }
    readers
}

/// Most mail stays in the inbox; some is filed, deleted or taken for junk.
fn received_folder(seed: u64, letter: &Letter, user: usize, private: &[Vec<Slot>]) -> Slot {
    let mut rng = rng_of_copy(seed, "filed", letter.number, user);
    match rng.below(100) {
        0..10 => folders::ARCHIVE,
        10..18 => folders::DELETED,
        18..30 if letter.kind == Kind::Automated => folders::JUNK,
        30..42 => {
            let own = private.get(user).map(Vec::as_slice).unwrap_or_default();
            own.get(rng.below(own.len())).copied().unwrap_or(folders::INBOX)
        }
        _ => folders::INBOX,
    }
}

fn push(mailboxes: &mut [Vec<Entry>], user: usize, entry: Entry) {
    if let Some(mailbox) = mailboxes.get_mut(user) {
        mailbox.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::{entry_of, index};
    use crate::demo::tenant::Directory;

    #[test]
    fn tens_of_thousands_of_messages_in_order_of_their_numbers() {
        let mailboxes = index(&Directory::new(1));
        assert!(mailboxes.iter().map(Vec::len).sum::<usize>() > 30_000);
        for mailbox in &mailboxes {
            assert!(mailbox.windows(2).all(|pair| pair[0].item() < pair[1].item()));
        }
        let entry = mailboxes[0][3];
        assert_eq!(entry_of(&mailboxes[0], entry.item()), Some(entry));
    }
}
