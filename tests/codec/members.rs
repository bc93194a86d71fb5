//! Texts at the edges of the format, each compressed in several ways. They are read here by another decoder. `tests/codec/run`
//! sets `CODEC_MEMBERS` to the name of a file, and lets more decoders read that file.

use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use glassine::codec::GzipEncoder;

use crate::support::data::graph;
use crate::support::reading::Random;

/// The largest distance of a match (RFC 1951, section 2).
const WINDOW: usize = 32 * 1024;
/// The most bytes of a stored block (RFC 1951, section 3.2.4).
const STORED: usize = 65_535;
/// The longest match (RFC 1951, section 3.2.5).
const MATCH: usize = 258;

/// A text, and what the encoder makes of it.
struct Member {
    name: String,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

#[test]
fn other_decoders_read_the_members() {
    let members: Vec<_> = texts().into_iter().flat_map(|(name, plain)| members(&name, &plain)).collect();
    assert!(members.len() > 1_000, "{}", members.len());
    for member in &members {
        let mut plain = Vec::new();
        GzDecoder::new(&member.packed[..]).read_to_end(&mut plain).expect(&member.name);
        assert!(plain == member.plain, "{}", member.name);
    }
    if let Some(file) = std::env::var_os("CODEC_MEMBERS") {
        fs::write(file, members.iter().flat_map(record).collect::<Vec<_>>()).unwrap();
    }
}

/// Name, text and member, each after its length: four bytes, the least significant first.
fn record(member: &Member) -> Vec<u8> {
    let parts = [member.name.as_bytes(), &member.plain, &member.packed];
    let sized = |part: &[u8]| [&u32::try_from(part.len()).unwrap().to_le_bytes(), part].concat();
    parts.into_iter().flat_map(sized).collect()
}

/// The text in one piece, and in pieces with and without flushes.
fn members(name: &str, plain: &[u8]) -> Vec<Member> {
    let mut ways = vec![
        ("whole", plain.len().max(1), 0),
        ("halves", plain.len() / 2 + 1, 0),
        ("flushed halves", plain.len() / 2 + 1, 1),
    ];
    if plain.len() <= 300 {
        ways.extend([("bytes", 1, 0), ("flushed bytes", 1, 1)]);
    }
    if plain.len() > 1_000 {
        ways.extend([
            ("pieces", 997, 0),
            ("pieces with flushes", 997, 3),
            ("windows", WINDOW, 0),
            ("flushed windows", WINDOW, 1),
        ]);
    }
    ways.into_iter()
        .map(|(way, step, flush)| Member {
            name: format!("{name}, {way}"),
            plain: plain.to_vec(),
            packed: packed(plain, step, flush),
        })
        .collect()
}

/// Compresses pieces of `step` bytes, with a flush behind each `flush` of them; 0 for none.
fn packed(plain: &[u8], step: usize, flush: usize) -> Vec<u8> {
    let (mut encoder, mut output) = (GzipEncoder::new(), Vec::new());
    for (count, piece) in plain.chunks(step).enumerate() {
        encoder.push(piece, &mut output);
        if flush > 0 && count % flush == 0 {
            encoder.flush(&mut output);
        }
    }
    encoder.finish(&mut output);
    output
}

fn texts() -> Vec<(String, Vec<u8>)> {
    let mut texts = samples();
    texts.extend((0..=300).map(|length| (format!("{length} letters"), letters(length))));
    texts.extend(lengths().map(|length| (format!("{length} random bytes"), noise(length))));
    texts.extend(lengths().map(|length| (format!("{length} equal bytes"), vec![b'a'; length])));
    texts.extend(lengths().map(|length| (format!("{length} bytes in pairs"), b"ab".repeat(length / 2))));
    texts.extend(
        (WINDOW - 3..=WINDOW + 3).map(|distance| (format!("again after {distance}"), again_after(distance))),
    );
    texts.push(("every byte".to_owned(), (0..=u8::MAX).collect()));
    texts.push((
        "letters, then random bytes, then letters".to_owned(),
        [letters(50_000), noise(100_000), letters(50_000)].concat(),
    ));
    texts.push(("a page".to_owned(), page(4_000)));
    texts
}

/// Documents of Graph's shape.
fn samples() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(graph().join("samples")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect()
}

/// Around the edges of a match, of the window, and of a stored block.
fn lengths() -> impl Iterator<Item = usize> {
    let around = |edge: usize| edge - 1..=edge + 1;
    [MATCH, WINDOW, 2 * WINDOW, STORED, 4 * WINDOW, 1 << 20].into_iter().flat_map(around)
}

/// Of sixteen letters, so that it compresses, but with few repetitions.
fn letters(length: usize) -> Vec<u8> {
    noise(length).into_iter().map(|byte| b'a' + byte % 16).collect()
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = Random(length as u64);
    (0..length).map(|_| random.below(256).to_le_bytes()[0]).collect()
}

/// Something that comes again at this distance.
fn again_after(distance: usize) -> Vec<u8> {
    let something = noise(1_000);
    [something.clone(), letters(distance - something.len()), something].concat()
}

/// A sanitized page: the same keys around values, some of which come again.
fn page(people: usize) -> Vec<u8> {
    let mut random = Random(1);
    let tokens: Vec<_> = (0..200).map(|_| String::from_utf8(letters(43)).unwrap()).collect();
    let person = |_| {
        let (token, id) = (&tokens[random.below(tokens.len())], random.below(1 << 30));
        format!(r#"{{"id":"{id}","from":{{"emailAddress":{{"address":"{token}@{id}.example"}}}}}}"#)
    };
    format!(r#"{{"value":[{}]}}"#, (0..people).map(person).collect::<Vec<_>>().join(",")).into_bytes()
}
