//! The internet headers of a letter (RFC 5322): its id, what it responds to, and whether a program or a list sent it.

use super::Directory;
use super::letters::{Kind, Letter};
use super::people::number;
use super::recipients::{Party, Recipient};
use super::rng::Rng;

/// Mail servers with their regions, which a message's internetMessageId shows.
const SERVERS: &[&str] = &["DB9PR07MB7110.eurprd07", "BLAPR19MB4482.namprd19", "PN3PR01MB6203.indprd01"];

/// The `Message-ID` of letter `number`: the same in every copy. Shows the sender's server.
pub(super) fn message_id(directory: &Directory, letter: u32, sender: Party) -> String {
    let mut rng = Rng::of(directory.seed, "message id", &[u64::from(letter)]);
    match sender {
        Party::User(_) | Party::Group(_) | Party::Odd(_) => {
            let server = rng.pick(SERVERS);
            let random = format!("{:016X}{:016X}", rng.draw(), rng.draw());
            format!("<{random}@{server}.prod.outlook.example>")
        }
        Party::Automated(_) => format!("<{:x}.{letter}@mta7.ledgerly.example>", rng.draw()),
        Party::External(_) => {
            let (_, address) = directory.name_and_address(Recipient::plain(sender));
            let domain = address.split_once('@').map_or("", |(_, domain)| domain).to_lowercase();
            format!("<CA{:016X}+{letter:08x}@mail.{domain}>", rng.draw())
        }
    }
}

/// The headers that a letter arrives with, without those of the copy.
pub(super) fn of_letter(directory: &Directory, letter: &Letter) -> Vec<(&'static str, String)> {
    let (_, address) = directory.name_and_address(letter.from);
    let received = "from mx3.tallgrass.example (198.51.100.23) by mail.tallgrass.example";
    let mut headers = vec![
        ("Received", received.to_owned()),
        ("Return-Path", address.clone()),
        ("Message-ID", message_id(directory, letter.number, letter.sender.party)),
    ];
    headers.extend(thread(directory, letter));
    headers.extend(automatic(letter.kind));
    headers.extend(list(&address));
    headers
}

/// What it responds to (RFC 5322 section 3.6.4).
fn thread(directory: &Directory, letter: &Letter) -> Vec<(&'static str, String)> {
    let ids = letter.ancestors.iter().map(|it| message_id(directory, it.number, it.sender));
    let ids: Vec<String> = ids.collect();
    let parent = ids.last().cloned();
    parent.map(|parent| vec![("In-Reply-To", parent), ("References", ids.join(" "))]).unwrap_or_default()
}

/// That no person wrote it (RFC 3834 section 5), and that no program should respond.
fn automatic(kind: Kind) -> Vec<(&'static str, String)> {
    let value = match kind {
        Kind::Automated => "auto-generated",
        Kind::AutomaticReply => "auto-replied",
        Kind::Personal | Kind::Invitation | Kind::Reaction | Kind::Draft => return Vec::new(),
    };
    vec![("Auto-Submitted", value.to_owned()), ("X-Auto-Response-Suppress", "All".to_owned())]
}

/// That a list sent it (RFC 2919, RFC 2369).
fn list(author: &str) -> Vec<(&'static str, String)> {
    let Some(domain) = author.strip_prefix("newsletter@") else { return Vec::new() };
    vec![
        ("List-Id", format!("The Weekly Furrow <weekly.{domain}>")),
        ("List-Unsubscribe", format!("<mailto:unsubscribe+{:x}@{domain}>", number(author.len()))),
        ("Precedence", "bulk".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::{message_id, of_letter};
    use crate::demo::tenant::Directory;
    use crate::demo::tenant::letters::{Kind, letter};

    #[test]
    fn a_reply_names_the_letter_that_it_responds_to() {
        let directory = Directory::new(1);
        let replies = (0..500).map(|number| letter(&directory, number)).filter(|it| it.is_reply());
        for reply in replies {
            let parent = letter(&directory, reply.ancestors.last().unwrap().number);
            let id = message_id(&directory, parent.number, parent.sender.party);
            let headers = of_letter(&directory, &reply);
            assert!(headers.contains(&("In-Reply-To", id.clone())));
            assert!(headers.iter().any(|(name, value)| *name == "References" && value.ends_with(&id)));
        }
    }

    #[test]
    fn programs_and_lists_say_what_they_are() {
        let directory = Directory::new(1);
        let letters: Vec<_> = (0..3_000).map(|number| letter(&directory, number)).collect();
        let has = |letter, name: &str| of_letter(&directory, letter).iter().any(|header| header.0 == name);
        for letter in &letters {
            let automatic = matches!(letter.kind, Kind::Automated | Kind::AutomaticReply);
            assert_eq!(has(letter, "Auto-Submitted"), automatic, "{}", letter.number);
        }
        let listed = letters.iter().filter(|letter| has(letter, "List-Id")).count();
        assert!(listed > 0 && listed < letters.iter().filter(|it| it.kind == Kind::Automated).count());
    }
}
