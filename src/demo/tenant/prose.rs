//! The text of a letter: the subject of its thread, and a body of plausible, private sentences.

use maud::{Markup, html};

use super::letters::{Kind, Letter, Reaction};
use super::people::number;
use super::rng::Rng;
use super::text;

/// Real `bodyPreview`s hold the first 255 characters.
const PREVIEW_CHARACTERS: usize = 255;

/// The subject line, with the prefix for the kind of letter.
pub(super) fn subject(seed: u64, letter: &Letter) -> String {
    let mut rng = Rng::of(seed, "subject", &[u64::from(letter.root)]);
    let topic = rng.pick(text::TOPICS);
    let project = rng.pick(text::PROJECTS);
    let thread = match rng.below(3) {
        0 => format!("Project {project}: {topic}"),
        1 => format!("{project} {topic}"),
        _ => capitalised(topic),
    };
    match letter.kind {
        Kind::Reaction => format!("{}: {thread}", said(letter.reaction(seed))),
        Kind::Automated => format!("[#{:05}] {thread}", letter.number),
        Kind::AutomaticReply => format!("Automatic reply: {thread}"),
        Kind::Personal if letter.is_reply() => format!("RE: {thread}"),
        Kind::Personal | Kind::Invitation | Kind::Draft => thread,
    }
}

fn said(reaction: Option<Reaction>) -> &'static str {
    match reaction {
        Some(Reaction::Tentative) => "Tentative",
        Some(Reaction::Declined) => "Declined",
        Some(Reaction::Accepted) | None => "Accepted",
    }
}

/// The paragraphs of the letter, signed by its author. A reaction has none.
pub(super) fn paragraphs(seed: u64, letter: &Letter, author: &str) -> Vec<String> {
    let mut rng = Rng::of(seed, "body", &[u64::from(letter.number)]);
    if letter.kind == Kind::Reaction {
        return Vec::new();
    }
    let greeting = format!("Dear {},", rng.pick(text::GIVEN_NAMES));
    let said = (0..2 + rng.below(4)).map(|_| {
        let sentences: Vec<&str> = (0..1 + rng.below(3)).map(|_| rng.pick(text::SENTENCES)).collect();
        sentences.join(" ")
    });
    let mut paragraphs: Vec<String> = std::iter::once(greeting).chain(said).collect();
    paragraphs.push(format!("{author}\r\n+49 40 555 {:04}", number(author.len()) * 37));
    paragraphs
}

pub(super) fn plain(paragraphs: &[String]) -> String {
    paragraphs.join("\r\n\r\n")
}

pub(super) fn preview(paragraphs: &[String]) -> String {
    plain(paragraphs).chars().take(PREVIEW_CHARACTERS).collect()
}

pub(super) fn html(paragraphs: &[String]) -> String {
    let page = html! {
        html {
            head {
                "\r\n"
                meta http-equiv="Content-Type" content="text/html; charset=utf-8";
            }
            body dir="ltr" {
                @for paragraph in paragraphs {
                    div { (lines(paragraph)) }
                    div { br; }
                }
            }
        }
    };
    page.into_string()
}

fn lines(paragraph: &str) -> Markup {
    html! {
        @for (at, line) in paragraph.split("\r\n").enumerate() {
            @if at > 0 { br; }
            (line)
        }
    }
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
