//! Outlook's ids, with the layout of the real ones, because the proxy must hide what they reveal.
//!
//! ```text
//! item          00 03 24 00 | mailbox GUID, 36 ASCII | 00 | 46 00 | 0⁴ store¹⁶ 07 00 | db¹⁶ folder⁶ 0² | db¹⁶ item⁶ 0²
//! attachment    the item's | 01 12 00 10 00 | GUID¹⁶
//! folder        00 03 24 00 | mailbox GUID, 36 ASCII | 00 | 2E 00 | 0⁴ store¹⁶ 01 00 | db¹⁶ folder⁶ 0²
//! conversation  00 04 24 00 | mailbox GUID, 36 ASCII | 00 | 10 00 | thread GUID¹⁶
//! immutable     00 09 00    | 2E 00 | 0⁴ provider¹⁶ 0D 00 | db¹⁶ item⁶ 0²
//! ```
//!
//! They are base64 in Exchange's own alphabet: `-` stands for `/` and `_` for `+`, the reverse of RFC 4648's base64url.
//! Every regular id names its mailbox; one thread has another conversationId in every mailbox, but the same last 16 bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::rng::Rng;

const ITEM_HEADER: [u8; 4] = [0x00, 0x03, 0x24, 0x00];
const CONVERSATION_HEADER: [u8; 4] = [0x00, 0x04, 0x24, 0x00];
const IMMUTABLE_HEADER: [u8; 5] = [0x00, 0x09, 0x00, 0x2E, 0x00];
/// The provider id that immutable ids carry.
const IMMUTABLE_PROVIDER: [u8; 16] =
    [0x1D, 0x84, 0x03, 0x11, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0x00, 0xAA, 0x00, 0x2F, 0xC4, 0x5A];
const ITEM_ENTRY: [u8; 3] = [0x00, 0x46, 0x00];
const FOLDER_ENTRY: [u8; 3] = [0x00, 0x2E, 0x00];
const THREAD_ENTRY: [u8; 3] = [0x00, 0x10, 0x00];
const ATTACHMENT_ENTRY: [u8; 5] = [0x01, 0x12, 0x00, 0x10, 0x00];

/// The parts of ids that differ from mailbox to mailbox.
pub(super) struct MailboxKey {
    guid: String,
    store: [u8; 16],
    database: [u8; 16],
}

/// The content of an item id that belongs to the mailbox.
#[derive(Debug, PartialEq)]
pub(super) enum ItemId {
    /// A regular id: the item while it is in this folder.
    Regular { folder: u64, item: u64 },
    /// An immutable id: the item wherever it is.
    Immutable { item: u64 },
}

/// Why an id does not open, as Graph tells them apart.
#[derive(Debug, PartialEq)]
pub(super) enum IdError {
    /// Not an id at all.
    Malformed,
    /// An id of another mailbox or of another kind.
    Foreign,
}

impl MailboxKey {
    pub(super) fn new(seed: u64, user: u64) -> MailboxKey {
        let mut rng = Rng::of(seed, "mailbox key", &[user]);
        MailboxKey { guid: rng.guid(), store: rng.bytes(), database: rng.bytes() }
    }

    pub(super) fn folder_id(&self, folder: u64) -> String {
        exchange_base64(&[self.folder_prefix(), counter(folder).to_vec()].concat())
    }

    /// The folder that this id names in this mailbox.
    pub(super) fn folder_of(&self, id: &str) -> Result<u64, IdError> {
        let bytes = decode(id)?;
        let counter = bytes.strip_prefix(self.folder_prefix().as_slice()).ok_or(IdError::Foreign)?;
        last_counter(counter)
    }

    pub(super) fn item_id(&self, folder: u64, item: u64) -> String {
        exchange_base64(&self.item_bytes(folder, item))
    }

    /// An attachment's id: the message's id with one more part.
    pub(super) fn attachment_id(&self, folder: u64, item: u64, attachment: &[u8; 16]) -> String {
        exchange_base64(&[self.item_bytes(folder, item).as_slice(), &ATTACHMENT_ENTRY, attachment].concat())
    }

    pub(super) fn immutable_id(&self, item: u64) -> String {
        exchange_base64(&[self.immutable_prefix(), counter(item).to_vec()].concat())
    }

    /// The item that this id, regular or immutable, names in this mailbox.
    pub(super) fn item_of(&self, id: &str) -> Result<ItemId, IdError> {
        let bytes = decode(id)?;
        if let Some(rest) = bytes.strip_prefix(self.immutable_prefix().as_slice()) {
            return last_counter(rest).map(|item| ItemId::Immutable { item });
        }
        let rest = bytes.strip_prefix(self.item_prefix().as_slice()).ok_or(IdError::Foreign)?;
        let (folder, rest) = counter_of(rest)?;
        let rest = rest.strip_prefix(self.database.as_slice()).ok_or(IdError::Malformed)?;
        last_counter(rest).map(|item| ItemId::Regular { folder, item })
    }

    pub(super) fn conversation_id(&self, thread: &[u8; 16]) -> String {
        exchange_base64(
            &[CONVERSATION_HEADER.as_slice(), self.guid.as_bytes(), &THREAD_ENTRY, thread].concat(),
        )
    }

    /// The item's version, which is also its etag.
    pub(super) fn change_key(&self, kind: u8, version: u32) -> String {
        let counter = version.to_be_bytes();
        STANDARD
            .encode([[kind, 0, 0, 0, 0x16, 0, 0, 0].as_slice(), &self.database, &[0, 0], &counter].concat())
    }

    fn item_bytes(&self, folder: u64, item: u64) -> Vec<u8> {
        let (folder, item) = (counter(folder), counter(item));
        [self.item_prefix().as_slice(), &folder, &self.database, &item].concat()
    }

    fn folder_prefix(&self) -> Vec<u8> {
        self.entry(FOLDER_ENTRY, [0x01, 0x00])
    }

    fn item_prefix(&self) -> Vec<u8> {
        self.entry(ITEM_ENTRY, [0x07, 0x00])
    }

    fn entry(&self, length: [u8; 3], kind: [u8; 2]) -> Vec<u8> {
        let guid = self.guid.as_bytes();
        [ITEM_HEADER.as_slice(), guid, &length, &[0; 4], &self.store, &kind, &self.database].concat()
    }

    fn immutable_prefix(&self) -> Vec<u8> {
        [IMMUTABLE_HEADER.as_slice(), &[0; 4], &IMMUTABLE_PROVIDER, &[0x0D, 0x00], &self.database].concat()
    }
}

/// `conversationIndex` (\[MS-OXOMSG\] 2.2.1.3): 0x01, the top 40 bits of the first message's FILETIME, the thread GUID,
/// and 5 bytes per reply with the time that passed since those 40 bits. Times are Unix seconds, the thread's first message
/// first.
pub(super) fn conversation_index(thread: &[u8; 16], times: &[i64]) -> String {
    let first = filetime(times.first().copied().unwrap_or_default());
    let [head @ .., _, _, _] = first.to_be_bytes();
    let written = first >> 24 << 24;
    let mut index = [[0x01].as_slice(), &head, thread].concat();
    for time in times.iter().skip(1) {
        let passed = u32::try_from((filetime(*time) - written) >> 18).unwrap_or(u32::MAX >> 1);
        index.extend(passed.to_be_bytes());
        index.extend(passed.to_le_bytes().first());
    }
    STANDARD.encode(index)
}

/// 100-nanosecond ticks since 1601.
fn filetime(unix_seconds: i64) -> u64 {
    const SECONDS_1601_TO_1970: i64 = 11_644_473_600;
    u64::try_from((unix_seconds + SECONDS_1601_TO_1970) * 10_000_000).unwrap_or_default()
}

fn exchange_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('/', "-").replace('+', "_")
}

/// The bytes of a text that starts like an id, of any mailbox.
fn decode(id: &str) -> Result<Vec<u8>, IdError> {
    let bytes = STANDARD.decode(id.replace('-', "/").replace('_', "+")).map_err(|_| IdError::Malformed)?;
    let headers = [ITEM_HEADER.as_slice(), &CONVERSATION_HEADER, &IMMUTABLE_HEADER];
    headers.iter().any(|header| bytes.starts_with(header)).then_some(bytes).ok_or(IdError::Malformed)
}

/// A 48-bit counter and the two zero bytes that follow it.
fn counter(number: u64) -> [u8; 8] {
    (number << 16).to_be_bytes()
}

/// The counter that an id ends with.
fn last_counter(bytes: &[u8]) -> Result<u64, IdError> {
    match counter_of(bytes)? {
        (counter, []) => Ok(counter),
        _ => Err(IdError::Malformed),
    }
}

fn counter_of(bytes: &[u8]) -> Result<(u64, &[u8]), IdError> {
    let (counter, rest) = bytes.split_first_chunk::<8>().ok_or(IdError::Malformed)?;
    Ok((u64::from_be_bytes(*counter) >> 16, rest))
}

#[cfg(test)]
mod tests {
    use super::{IdError, ItemId, MailboxKey, STANDARD, conversation_index, decode};
    use base64::Engine as _;

    #[test]
    fn ids_start_like_the_real_ones_and_show_their_mailbox() {
        let key = MailboxKey::new(1, 4);
        assert!(key.item_id(12, 900).starts_with("AAMk"));
        assert!(key.folder_id(12).starts_with("AAMk"));
        assert!(key.conversation_id(&[7; 16]).starts_with("AAQk"));
        assert!(key.immutable_id(900).starts_with("AAkALg"));
        let bytes = decode(&key.item_id(12, 900)).unwrap();
        assert_eq!(&bytes[4..40], key.guid.as_bytes());
        assert_eq!(bytes.len(), 113);
        assert_eq!(decode(&key.folder_id(12)).unwrap().len(), 89);
    }

    #[test]
    fn ids_open_in_their_own_mailbox_only() {
        let (key, other) = (MailboxKey::new(1, 4), MailboxKey::new(1, 5));
        assert_eq!(key.folder_of(&key.folder_id(12)), Ok(12));
        assert_eq!(key.folder_of(&other.folder_id(12)), Err(IdError::Foreign));
        assert_eq!(key.item_of(&key.item_id(12, 900)), Ok(ItemId::Regular { folder: 12, item: 900 }));
        assert_eq!(key.item_of(&key.immutable_id(900)), Ok(ItemId::Immutable { item: 900 }));
        assert_eq!(key.item_of(&other.item_id(12, 900)), Err(IdError::Foreign));
        for malformed in ["not an id", "nonsense", "", &key.attachment_id(12, 900, &[7; 16])] {
            assert_eq!(key.item_of(malformed), Err(IdError::Malformed), "{malformed}");
        }
    }

    #[test]
    fn the_conversation_ids_of_a_thread_end_alike_in_every_mailbox() {
        let ends: Vec<Vec<u8>> = [4, 5]
            .map(|user| decode(&MailboxKey::new(1, user).conversation_id(&[7; 16])).unwrap().split_off(43))
            .to_vec();
        assert_eq!(ends, [[7; 16], [7; 16]]);
    }

    #[test]
    fn conversation_index_holds_the_clock_and_a_block_per_reply() {
        let index = STANDARD.decode(conversation_index(&[7; 16], &[1_609_939_606, 1_609_940_000])).unwrap();
        assert_eq!(index.len(), 27);
        // `AQHW5C+U…`, which a documented example starts with, stands for the 1.7 seconds around 2021-01-06 13:26:46Z.
        assert_eq!(index.get(..6), Some([0x01, 0x01, 0xD6, 0xE4, 0x2F, 0x94].as_slice()));
    }
}
