//! Pages of one mailbox's messages, in the size and shape that Microsoft Graph gives them.
//!
//! The sample tenant's mail is made for reading, these pages for measuring. Everything that costs time is as in real
//! mail: the length of ids, how often an address repeats, how often a body has an escape. A message has 2.3 kB without
//! its body and 5.6 kB with it. 1,000 messages have about 6,270 addresses, about 570 of them different, from a dozen
//! folders and some 400 threads. A seed determines everything, so a page is the same every time.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The number of people in the mailbox.
const PEOPLE: usize = 600;
const FOLDERS: u64 = 12;
const THREADS: u64 = 450;
/// Lines of an average body. A line has about 85 bytes in JSON.
const BODY_LINES: u64 = 42;
const PREVIEW_LENGTH: usize = 255;
/// The mailbox's GUID in conversation ids.
const MAILBOX: &[u8] = b"00037ffe-aa10-c2f1-0000-000000000000";
/// 2026-01-05T08:00:00Z.
const EPOCH: i64 = 1_767_600_000;

const WORDS: &str = "the of and to in is for on that with as are this be at or from by have an we not can you will all was but if \
    please review attached numbers before meeting tomorrow customer contract draft budget quarter forecast shipment invoice \
    delivery schedule warehouse pricing proposal feedback questions regards thanks team update status project milestone \
    release München naïve café résumé Zürich";
const FIRST: &str = "alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil trent victor walter wendy";
const LAST: &str = "anders brown castillo dupont eriksen fischer garcia haddad ivanova jensen kowalski lindqvist moreau nakamura okafor patel";
const COMPANIES: &str = "fabrikam northwind adatum wingtip litware proseware lucerne woodgrove";
const TEAMS: &str = "Sales Operations Finance Legal Research Logistics Marketing";

/// The content of a page.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) messages: usize,
    pub(crate) bodies: bool,
}

/// The parts of the request that the page's links repeat.
pub(crate) struct Request<'a> {
    /// The origin of Graph: `https://graph.microsoft.com`.
    pub(crate) graph: &'a str,
    /// The id of the mailbox's owner.
    pub(crate) user: &'a str,
    /// The tenant's domain.
    pub(crate) domain: &'a str,
    /// The request's `$select`, for the link to the next page.
    pub(crate) select: &'a str,
}

/// The page as Graph would write it.
pub(crate) fn page(shape: Shape, request: &Request<'_>) -> String {
    let Request { graph, user, select, .. } = request;
    let mut mailbox = Mailbox { random: Random(7), domain: request.domain };
    let (messages, top) = (shape.messages, shape.messages);
    let value: Vec<Value> = (0..messages).map(|at| mailbox.message(at, shape.bodies)).collect();
    let select = if select.is_empty() { String::new() } else { format!("&$select={select}") };
    json!({
        "@odata.context": format!("{graph}/v1.0/$metadata#users('{user}')/messages"),
        "value": value,
        "@odata.nextLink": format!("{graph}/v1.0/users/{user}/messages?$top={top}{select}&$skip={top}"),
    })
    .to_string()
}

struct Mailbox<'a> {
    random: Random,
    domain: &'a str,
}

impl Mailbox<'_> {
    /// A message with the properties that Graph returns by default.
    fn message(&mut self, at: usize, body: bool) -> Value {
        let (folder, thread) = (self.random.skewed(FOLDERS), self.random.below(THREADS));
        let time = EPOCH - i64::try_from(at).unwrap() * 1_731;
        let (sent, received, changed) = (stamp(time), stamp(time + 2), stamp(time + 40));
        let (id, change) = (item_id(&mut self.random), self.random.base64(30));
        let (subject, text) = (self.sentence(6), self.sentence(60));
        let from = self.person();
        let mut message = json!({
            "@odata.etag": format!("W/\"{change}\""),
            "id": id,
            "createdDateTime": received,
            "lastModifiedDateTime": changed,
            "changeKey": change,
            "categories": [],
            "receivedDateTime": received,
            "sentDateTime": sent,
            "hasAttachments": at.is_multiple_of(5),
            "internetMessageId": format!("<{}.{}@mail.{}>", self.random.hex(32), at, self.domain),
            "subject": subject,
            "bodyPreview": text.chars().take(PREVIEW_LENGTH).collect::<String>(),
            "importance": "normal",
            "parentFolderId": folder_id(folder),
            "conversationId": conversation_id(thread),
            "conversationIndex": self.random.base64(22),
            "isDeliveryReceiptRequested": null,
            "isReadReceiptRequested": false,
            "isRead": !at.is_multiple_of(3),
            "isDraft": false,
            "webLink": format!("https://outlook.office365.com/owa/?ItemID={id}&exvsurl=1&viewmodel=ReadMessageItem"),
            "inferenceClassification": "focused",
            "sender": from,
            "from": from,
            "toRecipients": self.people(1, 4),
            "ccRecipients": self.people(0, 3),
            "bccRecipients": [],
            "replyTo": if at.is_multiple_of(4) { vec![&from] } else { Vec::new() },
            "flag": { "flagStatus": "notFlagged" },
        });
        if body {
            message["body"] = json!({ "contentType": "html", "content": self.body() });
        }
        message
    }

    fn people(&mut self, least: u64, most: u64) -> Vec<Value> {
        let count = least + self.random.below(most - least + 1);
        (0..count).map(|_| self.person()).collect()
    }

    /// One of the people, some much more often than others. Three in five are from the tenant.
    fn person(&mut self) -> Value {
        let at = usize::try_from(self.random.skewed(PEOPLE.try_into().unwrap())).unwrap();
        let (first, last) = (nth(FIRST, at), nth(LAST, at / 20));
        let domain =
            if at % 5 < 3 { self.domain.to_owned() } else { format!("{}.example", nth(COMPANIES, at)) };
        let name = format!("{} {} ({}, Europe)", capital(first), capital(last), nth(TEAMS, at));
        json!({ "emailAddress": { "name": name, "address": format!("{first}.{last}{}@{domain}", at / 320) } })
    }

    fn sentence(&mut self, words: u64) -> String {
        let count = WORDS.split_whitespace().count().try_into().unwrap();
        let pick = |_| nth(WORDS, usize::try_from(self.random.skewed(count)).unwrap());
        (0..words).map(pick).collect::<Vec<_>>().join(" ")
    }

    /// HTML as Outlook writes it: lines that end in CR LF, and attributes in quotes.
    fn body(&mut self) -> String {
        let mut text = String::from(
            "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head><body>\r\n",
        );
        for line in 0..BODY_LINES / 2 + self.random.below(BODY_LINES) {
            let open = if line % 4 == 0 { "<p class=\"MsoNormal\" style=\"margin:0\">" } else { "" };
            let words = if open.is_empty() { 14 } else { 8 };
            write!(text, "{open}{}\r\n", self.sentence(words)).unwrap();
        }
        text + "</body></html>\r\n"
    }
}

/// 150 characters, as ids of messages have; the first 110 name the mailbox and the folder.
fn item_id(random: &mut Random) -> String {
    format!("{}AABGAAAAAA{}", Random(1).base64(66), random.base64(39))
}

fn folder_id(folder: u64) -> String {
    format!("{}AAA{}=", Random(1).base64(66), Random(100 + folder).base64(21))
}

/// 59 octets in base64 with Exchange's layout: the mailbox's GUID as text, and the thread's in binary.
fn conversation_id(thread: u64) -> String {
    let guid = u128::from(Random(1_000 + thread).next()).to_be_bytes();
    let octets = [&[0, 4, 36, 0][..], MAILBOX, &[0, 16, 0], &guid].concat();
    STANDARD.encode(octets).replace('/', "-").replace('+', "_")
}

fn capital(word: &str) -> String {
    let (initial, rest) = word.split_at(1);
    initial.to_uppercase() + rest
}

fn stamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

fn nth(words: &'static str, at: usize) -> &'static str {
    let words: Vec<&str> = words.split_whitespace().collect();
    words[at % words.len()]
}

/// SplitMix64, which is random enough for such text.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Small numbers more often than large ones.
    fn skewed(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound))
    }

    fn base64(&mut self, octets: usize) -> String {
        const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..octets * 4 / 3).map(|_| char::from(LETTERS[usize::try_from(self.below(64)).unwrap()])).collect()
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from_digit(self.below(16).try_into().unwrap(), 16).unwrap()).collect()
    }
}
