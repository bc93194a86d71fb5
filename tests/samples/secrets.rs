//! The parts of real objects that must not leave, and the search for them.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::all_leaves;
use crate::canaries::detector;

/// Shorter words say little and occur by chance.
const MIN_WORD: usize = 6;
/// Shorter texts are codes that are kept elsewhere, such as `en-US`.
const MIN_TEXT: usize = 8;

/// Texts, words and octets of values that are not kept.
pub(crate) struct Secrets {
    /// In lower case; looked for as words.
    words: BTreeSet<String>,
    /// In lower case; looked for anywhere: whole values, addresses, local parts.
    texts: BTreeSet<String>,
    /// GUIDs of mailboxes and threads as octets, looked for anywhere.
    octets: BTreeSet<Vec<u8>>,
}

impl Secrets {
    /// The secrets in `rows`: every text except at the `kept` paths. Words that are kept, or are part of `domain`, are
    /// not secret in other places either.
    pub(crate) fn of(rows: &[Value], kept: &[&str], domain: &str) -> Self {
        let mut secrets = Self { words: BTreeSet::new(), texts: BTreeSet::new(), octets: BTreeSet::new() };
        let mut open: BTreeSet<String> = words(&domain.to_lowercase()).collect();
        for (path, leaf) in rows.iter().flat_map(all_leaves) {
            match leaf.as_str() {
                Some(text) if kept.contains(&path.as_str()) => open.extend(words(&text.to_lowercase())),
                Some(text) => secrets.add(text),
                None => {}
            }
            open.extend(words(&path.to_lowercase()));
        }
        // Words of the response's own head and of the page around the objects.
        open.extend(
            ["application", "charset", "content", "accept", "encoding", "request", "client", "control"]
                .map(str::to_owned),
        );
        secrets.words.retain(|word| !open.contains(word));
        secrets.texts.retain(|text| words(text).any(|word| !open.contains(&word)));
        secrets
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len() + self.texts.len() + self.octets.len()
    }

    /// The secrets that are in `bytes`, plain or in any encoding.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for view in detector::views(bytes) {
            let text = String::from_utf8_lossy(&view).to_lowercase();
            found.extend(words(&text).filter(|word| self.words.contains(word)));
            found.extend(self.texts.iter().filter(|secret| text.contains(*secret)).cloned());
            let octets = self.octets.iter().filter(|octets| contains(&view, octets));
            found.extend(octets.map(|octets| format!("{octets:02x?}")));
        }
        found
    }

    fn add(&mut self, text: &str) {
        let lower = text.to_lowercase();
        self.words.extend(words(&lower));
        if let Some((local, _)) = lower.split_once('@').filter(|(local, _)| local.len() < 64) {
            let local = local.rsplit([':', '<']).next().unwrap_or_default();
            self.texts.extend((local.len() >= MIN_WORD).then(|| local.to_owned()));
        }
        // A single word is searched as a whole word: `Received` is a header's name, and part of a property's name.
        if (MIN_TEXT..512).contains(&lower.len()) && !lower.chars().all(char::is_alphanumeric) {
            self.texts.insert(lower);
        }
        if let Some(octets) = exchange_octets(text) {
            self.octets.extend(guid_in(&octets));
            // The thread is at the end of a conversationId.
            self.octets
                .extend(octets.len().checked_sub(16).and_then(|at| octets.get(at..)).map(<[u8]>::to_vec));
        }
    }
}

/// The conversationId of the same thread in another mailbox.
pub(crate) fn with_mailbox(conversation_id: &str, mailbox: &str) -> String {
    let octets = exchange_octets(conversation_id).unwrap();
    let moved = [&octets[..4], mailbox.as_bytes(), &octets[40..]].concat();
    STANDARD.encode(moved).replace('/', "-").replace('+', "_")
}

/// The octets of an Exchange id: base64 with `-` for `/` and `_` for `+`.
fn exchange_octets(text: &str) -> Option<Vec<u8>> {
    let is_id = ["AAMk", "AAQk", "AQMk", "AQQk"].iter().any(|start| text.starts_with(start));
    is_id.then(|| STANDARD.decode(text.replace('-', "/").replace('_', "+")).ok())?
}

/// A GUID in ASCII, as text, and its octets in both byte orders.
fn guid_in(octets: &[u8]) -> Vec<Vec<u8>> {
    let is_guid = |window: &&[u8]| {
        window.iter().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => *c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
    };
    let Some(text) = octets.windows(36).find(is_guid) else { return Vec::new() };
    let digits: Vec<u8> = text.iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let number = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let big: Vec<u8> = digits.chunks(2).map(number).collect();
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let little = order.iter().map(|at| big[*at]).collect();
    vec![text.to_vec(), big, little]
}

fn contains(view: &[u8], octets: &[u8]) -> bool {
    let Some(first) = octets.first() else { return false };
    let starts = view.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.map(|(at, _)| &view[at..]).any(|rest| rest.starts_with(octets))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() >= MIN_WORD)
        .map(str::to_owned)
}
