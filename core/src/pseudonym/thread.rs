//! The thread that a `conversationId` names. It is the same for every mailbox.
//!
//! Exchange writes ids as base64 in its own alphabet: `-` encodes `/` and `_` encodes `+`, the reverse of base64url
//! (RFC 4648, section 5). The first octet says how the rest is stored: 0 means unchanged, 1 means run-length encoded.
//! In run-length encoding, the number of further repetitions follows every two equal octets. Kind and length octets
//! precede each GUID:
//!
//! ```text
//! 00 | 04 24 00 | 36 octets: mailbox GUID in ASCII | 00 10 00 | 16 octets: thread GUID
//! ```
//!
//! The `conversationIndex` of every message of the thread also contains the thread GUID. This layout, including its
//! run-length form, was verified against it. Ids of any other layout are opaque.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Longer than any `conversationId` of the known layout (80 characters) and its worst run-length form.
const MAX_LEN: usize = 128;

/// Octets of the layout above, without the first octet.
const LAYOUT_LEN: usize = 58;

const STORED_AS_IS: u8 = 0;
const STORED_AS_RUNS: u8 = 1;

/// Standard base64, with or without padding. Refuses nonzero bits after the last octet.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The thread GUID in a `conversationId`, as stored. `None` if the layout is unknown.
pub(super) fn thread_guid(conversation_id: &str) -> Option<[u8; 16]> {
    let mut text = [0; MAX_LEN];
    let text = text.get_mut(..conversation_id.len())?;
    text.iter_mut().zip(conversation_id.bytes()).for_each(|(to, from)| *to = to_standard(from));
    let mut octets = [0; MAX_LEN / 4 * 3];
    let length = BASE64.decode_slice(text, &mut octets).ok()?;
    match octets.get(..length)?.split_first()? {
        (&STORED_AS_IS, rest) => guid_at_end(rest),
        (&STORED_AS_RUNS, rest) => guid_at_end(&without_runs(rest)?),
        _ => None,
    }
}

fn to_standard(exchange: u8) -> u8 {
    match exchange {
        b'-' => b'/',
        b'_' => b'+',
        other => other,
    }
}

fn guid_at_end(layout: &[u8]) -> Option<[u8; 16]> {
    let (mailbox, rest) = layout.strip_prefix(&[0x04, 36, 0])?.split_at_checked(36)?;
    let thread = rest.strip_prefix(&[0, 16, 0])?;
    is_guid_text(mailbox).then(|| thread.try_into().ok())?
}

fn is_guid_text(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => *c == b'-',
        _ => c.is_ascii_hexdigit(),
    })
}

/// Undoes the run-length encoding. `None` if the text ends within a run or the result has the wrong length.
fn without_runs(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(LAYOUT_LEN);
    let mut rest = encoded;
    while let Some((first, after)) = rest.split_first() {
        let (run, after) = match after {
            [second, further, after @ ..] if second == first => (usize::from(*further) + 2, after),
            [second] if second == first => return None,
            _ => (1, after),
        };
        out.resize(out.len() + run, *first);
        rest = after;
    }
    (out.len() == LAYOUT_LEN).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAILBOX: &[u8] = b"00037ffe-aa10-c2f1-0000-000000000000";
    const GUID: [u8; 16] = [0xfb, 0xff, 0xbe, 4, 5, 6, 7, 7, 7, 10, 0, 0, 13, 14, 15, 15];

    fn as_is(guid: &[u8]) -> Vec<u8> {
        [&[0, 4, 36, 0], MAILBOX, &[0, 16, 0], guid].concat()
    }

    fn with_runs(plain: &[u8]) -> Vec<u8> {
        let runs = plain.chunk_by(|a, b| a == b).flat_map(|run| match run {
            [one] => vec![*one],
            [one, ..] => vec![*one, *one, u8::try_from(run.len() - 2).unwrap()],
            [] => vec![],
        });
        std::iter::once(1).chain(runs).collect()
    }

    fn standard(octets: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(octets)
    }

    fn exchange(octets: &[u8]) -> String {
        standard(octets).replace('/', "-").replace('+', "_")
    }

    #[test]
    fn both_alphabets_padding_and_runs_give_one_guid() {
        let (plain, runs) = (as_is(&GUID), with_runs(&as_is(&GUID)[1..]));
        assert!(exchange(&plain).starts_with("AAQk") && exchange(&runs).starts_with("AQQk"));
        assert_ne!(exchange(&plain), standard(&plain));
        for id in [exchange(&plain), standard(&plain), exchange(&runs), standard(&runs)] {
            assert_eq!(thread_guid(&id), Some(GUID), "{id}");
            assert_eq!(thread_guid(id.trim_end_matches('=')), Some(GUID), "{id}");
        }
    }

    #[test]
    fn anything_else_is_opaque() {
        let good = as_is(&GUID);
        let changed = |at: usize, to: u8| {
            let mut octets = good.clone();
            octets[at] = to;
            exchange(&octets)
        };
        assert_eq!(thread_guid(&changed(58, 9)).map(|guid| guid[15]), Some(9));
        for at in [0, 1, 2, 3, 12, 40, 41, 42] {
            assert_eq!(thread_guid(&changed(at, 9)), None, "octet {at}");
        }
        assert_eq!(thread_guid(&exchange(&good[..58])), None);
        assert_eq!(thread_guid(&exchange(&[&good[..], &[0]].concat())), None);
        for id in ["", "AAQk", "AQQkAAA=", "not base64 at all", &"A".repeat(4096)] {
            assert_eq!(thread_guid(id), None, "{id}");
        }
    }
}
