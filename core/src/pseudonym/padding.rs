//! Padding before sealing, so that the length of sealed text does not tell the length of its content.
//!
//! AES-SIV keeps lengths: what it seals has 16 octets more than its content. Graph's link to the next page of users
//! holds the name of the last user, so each length of a link stood for one length of a name. The content is therefore
//! padded to one of a few sizes: one octet 0x80, then zeros (ISO/IEC 7816-4). The padding is sealed with the content.
//! A content has exactly one padded form.

use zeroize::Zeroizing;

/// The sizes of one kind of content. The padding has at least one octet.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// The smallest sizes, in ascending order.
    small: &'static [usize],
    /// Larger sizes are the multiples of this.
    step: usize,
}

/// Sizes of ids. A page has thousands of ids, so these sizes are close together. They are chosen by the lengths that
/// Graph's ids have, so that all ids of one kind have one size:
///
/// | size | ids, with their octets |
/// |---:|---|
/// | 48 | GUIDs (36), drive items (34), group chats (45) |
/// | 96 | immutable ids (68), channels (48), other chats (69 to 95) |
/// | 128 | folders (116 and 120) |
/// | 192 | other ids of messages, contacts and events (148 and 152), attachments (180) |
pub(super) const IDS: Sizes = Sizes { small: &[48, 96, 128, 192], step: 256 };

/// Sizes of links. A page has one link, so these sizes are large. A link to the next page of users has 350 to 500 octets
/// with what is sealed beside it. For groups, whose names have up to 256 characters, it can have 700. In steps of 256
/// octets, a longer name could move the link to the next size. A step of 512 is less than a tenth of the longest link.
pub(super) const LINKS: Sizes = Sizes { small: &[1024], step: 512 };

/// Sizes of the connection pages' states, which have 300 to 400 octets and the analytics application's own state.
pub(super) const STATES: Sizes = Sizes { small: &[], step: 512 };

/// The octet that begins the padding.
const MARK: u8 = 0x80;

/// The longest padding: that of the shortest link.
static LONGEST: [u8; 1024] = {
    let mut padding = [0; 1024];
    let [mark, ..] = &mut padding;
    *mark = MARK;
    padding
};

impl Sizes {
    /// The padding that follows content of this length.
    pub(super) fn padding(self, content: usize) -> &'static [u8] {
        let padding = self.size(content).saturating_sub(content);
        LONGEST.get(..padding).unwrap_or(&LONGEST)
    }

    /// Removes the padding. `None` if the content should have another padding.
    pub(super) fn unpadded(self, mut padded: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
        let content = padded.iter().rposition(|octet| *octet != 0)?;
        if padded.get(content..) != Some(self.padding(content)) {
            return None;
        }
        padded.truncate(content);
        Some(padded)
    }

    /// Whether padded content can have this length.
    pub(super) fn has(self, padded: usize) -> bool {
        padded.checked_sub(1).is_some_and(|content| self.size(content) == padded)
    }

    /// The smallest size that has room for the content and one octet of padding.
    fn size(self, content: usize) -> usize {
        let least = content.saturating_add(1);
        let small = self.small.iter().copied().find(|size| *size >= least);
        small.unwrap_or_else(|| least.next_multiple_of(self.step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sizes; 3] = [IDS, LINKS, STATES];

    fn padded(sizes: Sizes, content: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([content, sizes.padding(content.len())].concat())
    }

    #[test]
    fn content_is_padded_to_the_next_size_and_comes_back() {
        for sizes in ALL {
            for length in 0..=2100 {
                // The worst content: it looks like padding.
                for octet in [0, MARK, b'a'] {
                    let content = vec![octet; length];
                    let padded = padded(sizes, &content);
                    assert_eq!(padded.len(), sizes.size(length), "{length} octets");
                    assert!(padded.len() > length, "{length} octets");
                    assert_eq!(sizes.unpadded(padded).as_deref(), Some(&content), "{length} octets");
                }
            }
        }
    }

    #[test]
    fn sizes_are_few() {
        let of = |sizes: Sizes, lengths: &[usize]| {
            lengths.iter().map(|length| sizes.size(*length)).collect::<Vec<_>>()
        };
        let edges = [0, 47, 48, 95, 96, 127, 128, 191, 192, 255, 256, 511, 512];
        assert_eq!(of(IDS, &edges), [48, 48, 96, 96, 128, 128, 192, 192, 256, 256, 512, 512, 768]);
        assert_eq!(of(LINKS, &[0, 1023, 1024, 1535, 1536]), [1024, 1024, 1536, 1536, 2048]);
        assert_eq!(of(STATES, &[0, 511, 512]), [512, 512, 1024]);
    }

    #[test]
    fn any_other_padding_is_refused() {
        let right = padded(IDS, b"id");
        assert!(IDS.unpadded(right.clone()).is_some());
        let with = |change: fn(&mut Vec<u8>)| {
            let mut wrong = right.clone();
            change(&mut wrong);
            wrong
        };
        for (wrong, what) in [
            (with(Vec::clear), "nothing"),
            (with(|padded| padded.fill(0)), "zeros only"),
            (with(|padded| padded.truncate(2)), "no padding"),
            (with(|padded| padded.truncate(3)), "the mark only"),
            (with(|padded| padded.truncate(47)), "a zero less"),
            (with(|padded| padded.push(0)), "a zero more"),
            (with(|padded| padded.resize(96, 0)), "the padding of a longer id"),
            (with(|padded| padded[2] = 0x81), "another mark"),
            (with(|padded| padded[47] = 1), "another last octet"),
        ] {
            assert!(IDS.unpadded(wrong).is_none(), "{what}");
        }
    }
}
