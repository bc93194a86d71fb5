//! The rules one by one: the events, what is refused and where, the limits at their bounds.

use super::*;

/// Writes the events down, one letter or token each, with runs merged.
#[derive(Default)]
struct Transcript {
    text: String,
    /// The addresses of what was handed over, to see what was borrowed.
    addresses: Vec<*const u8>,
    refuse_key: Option<&'static str>,
    refuse_strings: bool,
}

impl Handler for Transcript {
    type Violation = &'static str;

    fn begin_object(&mut self) -> Result<(), Self::Violation> {
        self.write("{")
    }

    fn end_object(&mut self) -> Result<(), Self::Violation> {
        self.write("}")
    }

    fn begin_array(&mut self) -> Result<(), Self::Violation> {
        self.write("[")
    }

    fn end_array(&mut self) -> Result<(), Self::Violation> {
        self.write("]")
    }

    fn key(&mut self, key: Key<'_>) -> Result<(), Self::Violation> {
        let name = key.unescaped();
        if self.refuse_key.is_some() && self.refuse_key == name.as_deref() {
            return Err("refused");
        }
        self.addresses.push(key.raw().as_ptr());
        self.write(&format!("{}={}:", key.raw(), name.as_deref().unwrap_or("(lone)")))
    }

    fn begin_string(&mut self) -> Result<(), Self::Violation> {
        if self.refuse_strings {
            return Err("refused");
        }
        self.write("<")
    }

    fn string_run(&mut self, run: &str) -> Result<(), Self::Violation> {
        self.addresses.push(run.as_ptr());
        self.write(run)
    }

    fn string_escape(&mut self, raw: &str, decoded: char) -> Result<(), Self::Violation> {
        self.write(&format!("({raw}={})", u32::from(decoded)))
    }

    fn lone_surrogate(&mut self, raw: &str) -> Result<(), Self::Violation> {
        self.write(&format!("({raw} alone)"))
    }

    fn end_string(&mut self) -> Result<(), Self::Violation> {
        self.write(">")
    }

    fn number(&mut self, text: &str) -> Result<(), Self::Violation> {
        self.addresses.push(text.as_ptr());
        self.write(&format!("#{text};"))
    }

    fn literal(&mut self, literal: Literal) -> Result<(), Self::Violation> {
        self.write(&format!("{literal:?};"))
    }
}

impl Transcript {
    fn write(&mut self, text: &str) -> Result<(), &'static str> {
        self.text.push_str(text);
        Ok(())
    }
}

type Outcome = (String, Result<(), Halt<&'static str>>);

fn read_chunks<'c>(chunks: impl Iterator<Item = &'c [u8]>, limits: Limits) -> Outcome {
    let mut tokenizer = Tokenizer::new(limits);
    let mut transcript = Transcript::default();
    for chunk in chunks {
        if let Err(halt) = tokenizer.feed(chunk, &mut transcript) {
            return (transcript.text, Err(halt));
        }
    }
    let outcome = tokenizer.finish(&mut transcript);
    (transcript.text, outcome)
}

/// Reads a document at once, byte by byte, and cut in two at every place: the outcome must be the same.
fn read_with(document: impl AsRef<[u8]>, limits: Limits) -> Outcome {
    let bytes = document.as_ref();
    let whole = read_chunks([bytes].into_iter(), limits);
    assert_eq!(read_chunks(bytes.chunks(1), limits), whole, "byte by byte");
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(read_chunks([head, tail].into_iter(), limits), whole, "cut at {cut}");
    }
    whole
}

fn read(document: impl AsRef<[u8]>) -> Outcome {
    read_with(document, Limits::default())
}

fn events(document: impl AsRef<[u8]>) -> String {
    let (events, outcome) = read(document);
    assert_eq!(outcome, Ok(()));
    events
}

fn error_with(document: impl AsRef<[u8]>, limits: Limits) -> (SyntaxErrorKind, u64) {
    match read_with(document, limits).1 {
        Err(Halt::Syntax(error)) => (error.kind, error.position),
        other => panic!("not a syntax error: {other:?}"),
    }
}

fn error(document: impl AsRef<[u8]>) -> (SyntaxErrorKind, u64) {
    error_with(document, Limits::default())
}

#[test]
fn hands_over_what_a_document_holds() {
    assert_eq!(
        events(r#" {"a" : [1 , -2.5e+3,{}, []],"b":{"c":null, "d":"x" }, "":true,"e":false} "#),
        "{a=a:[#1;#-2.5e+3;{}[]]b=b:{c=c:Null;d=d:<x>}=:True;e=e:False;}"
    );
}

#[test]
fn reads_each_kind_of_value_alone() {
    for (document, expected) in [
        ("0", "#0;"),
        ("\t-1e400\r\n", "#-1e400;"),
        ("null", "Null;"),
        ("\"\"", "<>"),
        ("[]", "[]"),
        ("{}", "{}"),
    ] {
        assert_eq!(events(document), expected, "{document}");
    }
}

#[test]
fn hands_over_escapes_raw_and_decoded() {
    assert_eq!(
        events(r#""a\n\u0041\uD83D\uDE00é\u0000""#),
        r"<a(\n=10)(\u0041=65)(\uD83D\uDE00=128512)é(\u0000=0)>"
    );
}

#[test]
fn hands_over_keys_whole_with_their_name() {
    assert_eq!(events(r#"{"bo\u0064y":1,"\uD83D\uDE00é":2}"#), r"{bo\u0064y=body:#1;\uD83D\uDE00é=😀é:#2;}");
}

#[test]
fn leaves_duplicate_keys_to_the_handler() {
    assert_eq!(events(r#"{"a":1,"a":2}"#), "{a=a:#1;a=a:#2;}");
}

#[test]
fn keeps_numbers_as_written() {
    let text = "-123456789012345678901234567890.000E-0099";
    assert_eq!(events(format!("[{text}]")), format!("[#{text};]"));
}

/// Fault: a document breaks the grammar of JSON at any place. Outcome: the document is refused at this byte.
#[test]
fn refuses_broken_structure_at_the_byte() {
    use SyntaxErrorKind::*;
    for (document, kind, position) in [
        ("", UnexpectedEnd, 0),
        ("  ", UnexpectedEnd, 2),
        ("[", UnexpectedEnd, 1),
        ("{\"a\":", UnexpectedEnd, 5),
        ("\"a", UnexpectedEnd, 2),
        ("\"\\uD800", UnexpectedEnd, 7),
        ("tru", UnexpectedEnd, 3),
        ("-", UnexpectedEnd, 1),
        ("1e", UnexpectedEnd, 2),
        ("[1", UnexpectedEnd, 2),
        ("]", ExpectedValue, 0),
        ("[1,]", ExpectedValue, 3),
        ("[,1]", ExpectedValue, 1),
        ("{\"a\":}", ExpectedValue, 5),
        ("[NaN]", ExpectedValue, 1),
        ("['a']", ExpectedValue, 1),
        ("[+1]", ExpectedValue, 1),
        ("[.5]", ExpectedValue, 1),
        ("/**/1", ExpectedValue, 0),
        ("\u{feff}{}", ExpectedValue, 0),
        ("\0", ExpectedValue, 0),
        ("{1:2}", ExpectedKey, 1),
        ("{,}", ExpectedKey, 1),
        ("{\"a\":1,}", ExpectedKey, 7),
        ("{\"a\" 1}", ExpectedColon, 5),
        ("{\"a\",1}", ExpectedColon, 4),
        ("[1 2]", ExpectedCommaOrEnd, 3),
        ("[01]", ExpectedCommaOrEnd, 2),
        ("[1}", ExpectedCommaOrEnd, 2),
        ("{\"a\":1]", ExpectedCommaOrEnd, 6),
        ("{\"a\":1:2}", ExpectedCommaOrEnd, 6),
        ("[1\u{a0}]", ExpectedCommaOrEnd, 2),
        ("[1\u{c}]", ExpectedCommaOrEnd, 2),
        ("{}{}", TrailingBytes, 2),
        ("1 2", TrailingBytes, 2),
        ("[]]", TrailingBytes, 2),
        ("null\0", TrailingBytes, 4),
        ("True", ExpectedValue, 0),
        ("nulL", InvalidLiteral, 3),
        ("[trUe]", InvalidLiteral, 3),
        ("[nul]", InvalidLiteral, 4),
        ("[-]", InvalidNumber, 2),
        ("[1.]", InvalidNumber, 3),
        ("[1e+]", InvalidNumber, 4),
        ("[-Infinity]", InvalidNumber, 2),
    ] {
        assert_eq!(error(document), (kind, position), "{document:?}");
    }
}

/// In values and in keys alike: what is dropped later is read as strictly as what is kept.
#[test]
fn refuses_broken_strings_at_the_byte() {
    use SyntaxErrorKind::*;
    let cases: &[(&[u8], SyntaxErrorKind, u64)] = &[
        (b"\n", ControlCharacter, 0),
        (b"ab\0", ControlCharacter, 2),
        (b"\x1f", ControlCharacter, 0),
        (b"a\\x", InvalidEscape, 1),
        (b"\\u12G4", InvalidEscape, 0),
        (b"\\\n", InvalidEscape, 0),
        (b"\\uD800\\ux", InvalidEscape, 6),
        (b"\\uD800\\x", InvalidEscape, 6),
        (b"\\uD800\\ud83x", InvalidEscape, 6),
        (b"\\uD800\n", ControlCharacter, 6),
        (b"\\uD800\xff", InvalidUtf8, 6),
        (b"\xc0\xaf", InvalidUtf8, 0),
        (b"ab\xe0\x80\x80", InvalidUtf8, 2),
        (b"\xed\xa0\x80", InvalidUtf8, 0),
        (b"\xf4\x90\x80\x80", InvalidUtf8, 0),
        (b"\xff", InvalidUtf8, 0),
        (b"\xc3\xa9\x80", InvalidUtf8, 2),
        (b"a\xe2\x82", InvalidUtf8, 1),
        (b"\xe2\x82\\n", InvalidUtf8, 0),
        (b"\xf0\x9f\x98\n", InvalidUtf8, 0),
    ];
    for (content, kind, offset) in cases {
        let value = [b"[\"", *content, b"\"]"].concat();
        assert_eq!(error(&value), (*kind, 2 + offset), "{}", value.escape_ascii());
        let key = [b"{\"", *content, b"\":1}"].concat();
        assert_eq!(error(&key), (*kind, 2 + offset), "{}", key.escape_ascii());
    }
}

/// The grammar of RFC 8259 allows them, and any sender of a mail can write one.
#[test]
fn hands_over_surrogates_without_their_other_half() {
    for (content, text) in [
        (r"\uDC00", r"(\uDC00 alone)"),
        (r"a\uD800", r"a(\uD800 alone)"),
        (r"\uD800b", r"(\uD800 alone)b"),
        (r"\uD800\uD800\uDC00", r"(\uD800 alone)(\uD800\uDC00=65536)"),
        (r"\uDC00\uD800", r"(\uDC00 alone)(\uD800 alone)"),
        (r"\uD800\n", r"(\uD800 alone)(\n=10)"),
        (r"\uD800\u0041", r"(\uD800 alone)(\u0041=65)"),
        (r"\uD800é", "(\\uD800 alone)é"),
    ] {
        assert_eq!(events(format!("\"{content}\"")), format!("<{text}>"));
        assert_eq!(events(format!("{{\"{content}\":1}}")), format!("{{{content}=(lone):#1;}}"));
    }
}

/// UTF-8 is checked ahead of reading. A byte that is not UTF-8 must not be refused before its turn, nor for another
/// reason.
/// Fault: a document has a byte that is not UTF-8. Outcome: the document is refused at this byte.
#[test]
fn refuses_invalid_utf8_in_its_turn() {
    use SyntaxErrorKind::{
        ExpectedCommaOrEnd, ExpectedValue, InvalidEscape, InvalidLiteral, InvalidUtf8, TrailingBytes,
    };
    let cases: [(&[u8], SyntaxErrorKind, u64); 8] = [
        (b"[\"\xc3\xa9\" \xff]", ExpectedCommaOrEnd, 6),
        (b"{\"\xc3\xa9\":\xc3\xa9}", ExpectedValue, 6),
        (b"[\"a\",\"b\xff\"]", InvalidUtf8, 7),
        (b"[\"a\",b\"\xff\"]", ExpectedValue, 5),
        (b"{\"a\":\"b\"}\xff", TrailingBytes, 9),
        (b"[1\xff]", ExpectedCommaOrEnd, 2),
        (b"[tr\xff]", InvalidLiteral, 3),
        (b"[\"\\\xff\"]", InvalidEscape, 2),
    ];
    for (document, kind, position) in cases {
        assert_eq!(error(document), (kind, position), "{}", document.escape_ascii());
    }
}

#[test]
fn accepts_the_neighbours_of_refused_characters() {
    for content in [
        " ",
        "\u{7f}",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{feff}",
    ] {
        assert_eq!(events(format!("\"{content}\"")), format!("<{content}>"));
    }
}

#[test]
fn borrows_tokens_that_are_wholly_in_the_chunk() {
    let document = br#"{"key":["a run",12,"b"]}"#;
    let mut transcript = Transcript::default();
    Tokenizer::new(Limits::default()).feed(document, &mut transcript).unwrap();
    let borrowed = document.as_ptr_range();
    assert_eq!(transcript.addresses.len(), 4);
    assert!(transcript.addresses.iter().all(|address| borrowed.contains(address)));
}

/// Fault: a document is nested more deeply than the limit. Outcome: the document is refused at the byte that is one level too deep.
#[test]
fn limits_depth() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    let limits = Limits { depth: 3, ..Limits::default() };
    assert_eq!(read_with(nested(3), limits).1, Ok(()));
    assert_eq!(error_with(nested(4), limits), (SyntaxErrorKind::TooDeep, 3));
    assert_eq!(read_with(r#"[[[],{}],[[]]]"#, limits).1, Ok(()), "depth is not a count");
    assert_eq!(error_with(r#"{"a":[{"b":{}}]}"#, limits), (SyntaxErrorKind::TooDeep, 11));
    assert_eq!(read(nested(64)).1, Ok(()));
    assert_eq!(error(nested(65)), (SyntaxErrorKind::TooDeep, 64));
    let beyond = Limits { depth: u32::MAX, ..Limits::default() };
    assert_eq!(read_with(nested(128), beyond).1, Ok(()));
    assert_eq!(error_with(nested(129), beyond), (SyntaxErrorKind::TooDeep, 128));
}

/// Fault: a property name is longer than the limit. Outcome: the document is refused at this name.
#[test]
fn limits_keys_as_written() {
    let limits = Limits { key_length: 6, ..Limits::default() };
    for key in ["", "abcdef", "\\u0041", "abcdé", "ab\u{1f600}", "a\\nb\\n"] {
        assert_eq!(read_with(format!("{{\"{key}\":1}}"), limits).1, Ok(()), "{key}");
    }
    for key in ["abcdefg", "a\\u0041", "abcdeé", "abc\u{1f600}", "abcdefghijkl\\x\n"] {
        let document = format!("[{{\"{key}\":1}}]");
        assert_eq!(error_with(document, limits), (SyntaxErrorKind::KeyTooLong, 3), "{key}");
    }
    assert_eq!(read_with("\"a string value\"", limits).1, Ok(()));
}

/// Fault: a number is longer than the limit. Outcome: the document is refused at this number.
#[test]
fn limits_numbers_as_written() {
    let limits = Limits { number_length: 5, ..Limits::default() };
    for number in ["12345", "-1.25", "1e+99"] {
        assert_eq!(read_with(format!("[{number}]"), limits).1, Ok(()), "{number}");
        assert_eq!(read_with(number, limits).1, Ok(()), "{number}");
    }
    for number in ["123456", "-1.255", "1.00e+x"] {
        assert_eq!(
            error_with(format!("[{number}]"), limits),
            (SyntaxErrorKind::NumberTooLong, 1),
            "{number}"
        );
    }
    assert_eq!(error_with("123456", limits), (SyntaxErrorKind::NumberTooLong, 0));
}

/// Fault: a document is longer than the limit. Outcome: the document is refused at the limit.
#[test]
fn limits_the_document() {
    let limits = Limits { document_length: 4, ..Limits::default() };
    for document in ["1234", "\"ab\"", "[1] "] {
        assert_eq!(read_with(document, limits).1, Ok(()), "{document}");
    }
    for document in ["12345", "\"abc\"", "[1]  ", "[\"a\\n"] {
        assert_eq!(error_with(document, limits), (SyntaxErrorKind::DocumentTooLong, 4), "{document}");
    }
    assert_eq!(error_with("[1]]]]", limits), (SyntaxErrorKind::TrailingBytes, 3), "the first error counts");
}

#[test]
fn returns_its_first_error_for_ever() {
    let mut tokenizer = Tokenizer::new(Limits::default());
    let mut transcript = Transcript::default();
    let expected = Err(Halt::Syntax(SyntaxError::new(SyntaxErrorKind::ExpectedCommaOrEnd, 3)));
    assert_eq!(tokenizer.feed(b"[1 2", &mut transcript), expected);
    assert_eq!(tokenizer.feed(b",3]", &mut transcript), expected);
    assert_eq!(tokenizer.feed(b"", &mut transcript), expected);
    assert_eq!(tokenizer.finish(&mut transcript), expected);
    assert_eq!(tokenizer.position, 3);
    assert_eq!(transcript.text, "[#1;");
}

#[test]
fn stops_for_good_when_the_handler_refuses() {
    let mut tokenizer = Tokenizer::new(Limits::default());
    let mut transcript = Transcript { refuse_key: Some("b"), ..Transcript::default() };
    assert_eq!(tokenizer.feed(br#"{"a":1,"\u0062":2}"#, &mut transcript), Err(Halt::Violation("refused")));
    let stopped = Err(Halt::Syntax(SyntaxError::new(SyntaxErrorKind::Stopped, 15)));
    assert_eq!(tokenizer.feed(b"", &mut transcript), stopped);
    assert_eq!(tokenizer.finish(&mut transcript), stopped);
    assert_eq!(transcript.text, "{a=a:#1;");
}

/// The position of a refused string is that of its first byte, however much of it the chunk had.
#[test]
fn a_refusal_has_the_same_position_in_any_chunks() {
    for (document, position) in [(r#""abc""#, 1), (r#"["abc"]"#, 2), (r#"{"a": "b\n"}"#, 7)] {
        for size in 1..=document.len() {
            let mut tokenizer = Tokenizer::new(Limits::default());
            let mut transcript = Transcript { refuse_strings: true, ..Transcript::default() };
            let mut chunks = document.as_bytes().chunks(size);
            let refused = chunks.find_map(|chunk| tokenizer.feed(chunk, &mut transcript).err());
            assert_eq!(refused, Some(Halt::Violation("refused")), "{document} by {size}");
            assert_eq!(tokenizer.position, position, "{document} by {size}");
        }
    }
}

#[test]
fn stays_finished() {
    let mut tokenizer = Tokenizer::new(Limits::default());
    let mut transcript = Transcript::default();
    tokenizer.feed(b"12", &mut transcript).unwrap();
    tokenizer.finish(&mut transcript).unwrap();
    tokenizer.finish(&mut transcript).unwrap();
    let halt = tokenizer.feed(b"3", &mut transcript).unwrap_err();
    assert_eq!(halt, Halt::Syntax(SyntaxError::new(SyntaxErrorKind::TrailingBytes, 2)));
    assert_eq!(transcript.text, "#12;");
}

#[test]
fn counts_positions() {
    let mut tokenizer = Tokenizer::new(Limits::default());
    let mut transcript = Transcript::default();
    for (chunk, position) in [("[\"\u{e9}", 4), ("\\uD8", 8), ("", 8), ("3D\\uDE00\"]\n", 19)] {
        tokenizer.feed(chunk.as_bytes(), &mut transcript).unwrap();
        assert_eq!(tokenizer.position, position);
    }
}

/// The position must not be where reading of the chunk stopped: it would depend on the chunks.
#[test]
fn stays_at_the_position_of_an_error() {
    let mut tokenizer = Tokenizer::new(Limits { number_length: 3, ..Limits::default() });
    let mut transcript = Transcript::default();
    tokenizer.feed(b"[12", &mut transcript).unwrap();
    assert_eq!(tokenizer.position, 3);
    tokenizer.feed(b"34]", &mut transcript).unwrap_err();
    assert_eq!(tokenizer.position, 1);
}

#[test]
fn says_what_and_where_but_never_the_data() {
    let (_, outcome) = read("{\"secret\":\"hidden\\x\"}");
    let text = outcome.unwrap_err().to_string();
    assert_eq!(text, "invalid escape in a string at byte 17");
}
