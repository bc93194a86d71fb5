//! The organisation's correspondence: letter `n` is a pure function of the seed and `n`.
//!
//! A letter is sent once; the copies in mailboxes are made from it (see `mailbox`). Later letters have greater numbers,
//! so a mailbox keeps only numbers, and sorting by number sorts by time. A reply picks an earlier letter and generates
//! it again to reply to it. The chance to reply is below one half at each step, so chains stay short, and generating a
//! letter costs about as much as generating two.

use super::Directory;
use super::recipients::{Form, Party, Recipient};
use super::rng::Rng;
use super::text;

/// 2026-01-05T00:00:00Z, a Monday. Fixed, so that responses do not change with the day of a test run.
const FIRST_DAY: i64 = 1_767_571_200;
const DAY_SECONDS: i64 = 86_400;
const WEEKS: u32 = 20;
const WORKDAY_LETTERS: u32 = 160;
const WEEKEND_LETTERS: u32 = 8;
const WEEK_LETTERS: u32 = 5 * WORKDAY_LETTERS + 2 * WEEKEND_LETTERS;
/// The number of letters. With several recipients each, there are about four times as many messages.
pub(super) const LETTERS: u32 = WEEKS * WEEK_LETTERS;
/// A reply is to one of this many letters before it: about two working days.
const REPLY_WINDOW: u32 = 300;
/// The most letters in a thread.
const LONGEST_THREAD: usize = 9;
/// The day as pairs of (share of the day's letters sent, minutes since midnight): few at night, most in office hours.
const DAY_CURVE: [(i64, i64); 5] = [(0, 300), (8, 480), (55, 780), (88, 1080), (100, 1435)];

/// The kind of a letter, which determines its type and its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A person wrote to people.
    Personal,
    /// A meeting request.
    Invitation,
    /// What somebody said to a meeting request.
    Reaction,
    /// Mail from a program.
    Automated,
    /// An out-of-office reply.
    AutomaticReply,
    /// Not sent yet.
    Draft,
}

/// What the author of a [`Kind::Reaction`] said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    Accepted,
    Tentative,
    Declined,
}

/// A letter that another one of its thread responds to, directly or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ancestor {
    pub(super) number: u32,
    pub(super) sender: Party,
}

/// A sent letter, or a draft, with its recipients.
pub(super) struct Letter {
    pub(super) number: u32,
    pub(super) kind: Kind,
    /// The times at which the thread's letters were sent, in Unix seconds, from the first one to this one.
    pub(super) times: Vec<i64>,
    /// The thread's letters before this one, from the first one to the one that this one responds to.
    pub(super) ancestors: Vec<Ancestor>,
    /// The thread's first letter.
    pub(super) root: u32,
    pub(super) from: Recipient,
    /// The person who sent it. Differs from `from` if that is a shared mailbox.
    pub(super) sender: Recipient,
    pub(super) to: Vec<Recipient>,
    pub(super) cc: Vec<Recipient>,
    pub(super) bcc: Vec<Recipient>,
}

impl Letter {
    /// When it was sent, in Unix seconds.
    pub(super) fn sent(&self) -> i64 {
        self.times.last().copied().unwrap_or(FIRST_DAY)
    }

    /// The thread GUID, the same in every mailbox.
    pub(super) fn thread(&self, seed: u64) -> [u8; 16] {
        Rng::of(seed, "thread", &[u64::from(self.root)]).bytes()
    }

    /// What its author said to the meeting request, if it is a reaction to one.
    pub(super) fn reaction(&self, seed: u64) -> Option<Reaction> {
        let said = match Rng::of(seed, "reaction", &[u64::from(self.number)]).below(10) {
            0..7 => Reaction::Accepted,
            7 => Reaction::Tentative,
            _ => Reaction::Declined,
        };
        (self.kind == Kind::Reaction).then_some(said)
    }

    pub(super) fn is_reply(&self) -> bool {
        self.times.len() > 1
    }

    /// All recipients.
    pub(super) fn addressees(&self) -> impl Iterator<Item = &Recipient> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// Letter number `number` of this organisation.
pub(super) fn letter(directory: &Directory, number: u32) -> Letter {
    let mut rng = Rng::of(directory.seed, "letter", &[u64::from(number)]);
    let reply = rng.chance(48).then(|| any_reply(directory, number, &mut rng)).flatten();
    reply.unwrap_or_else(|| opening(directory, number, &mut rng))
}

/// A reply to an earlier letter. `None` if nobody replies to the picked one's kind.
fn any_reply(directory: &Directory, number: u32, rng: &mut Rng) -> Option<Letter> {
    let window = usize::try_from(number.min(REPLY_WINDOW)).ok().filter(|window| *window > 0)?;
    let back = u32::try_from(1 + rng.below(window)).ok()?;
    let parent = letter(directory, number.checked_sub(back)?);
    let kind = match parent.kind {
        Kind::Personal if rng.chance(4) => Kind::AutomaticReply,
        Kind::Personal => Kind::Personal,
        Kind::Invitation => Kind::Reaction,
        Kind::Reaction | Kind::Automated | Kind::AutomaticReply | Kind::Draft => return None,
    };
    (parent.times.len() < LONGEST_THREAD).then(|| reply(directory, number, &parent, kind, rng)).flatten()
}

fn reply(directory: &Directory, number: u32, parent: &Letter, kind: Kind, rng: &mut Rng) -> Option<Letter> {
    let people: Vec<Party> =
        parent.to.iter().map(|it| it.party).filter(|it| directory.replies(*it)).collect();
    let author = Recipient::plain(*people.get(rng.below(people.len()))?);
    let everyone = kind == Kind::Personal && rng.chance(60);
    let others = parent.to.iter().chain(&parent.cc).filter(|it| it.party != author.party);
    let mut times = parent.times.clone();
    times.push(sent_time(directory.seed, number));
    let mut ancestors = parent.ancestors.clone();
    ancestors.push(Ancestor { number: parent.number, sender: parent.sender.party });
    Some(Letter {
        number,
        kind,
        times,
        ancestors,
        root: parent.root,
        from: author,
        sender: author,
        to: vec![parent.from],
        cc: if everyone { others.copied().collect() } else { Vec::new() },
        bcc: Vec::new(),
    })
}

fn opening(directory: &Directory, number: u32, rng: &mut Rng) -> Letter {
    let author = Recipient::plain(Party::User(directory.some_staff(rng)));
    let mut letter = Letter {
        number,
        kind: Kind::Personal,
        times: vec![sent_time(directory.seed, number)],
        ancestors: Vec::new(),
        root: number,
        from: author,
        sender: author,
        to: Vec::new(),
        cc: Vec::new(),
        bcc: Vec::new(),
    };
    match rng.below(100) {
        0..12 => automated(&mut letter, directory, rng),
        12..28 => from_outside(&mut letter, directory, rng),
        28..34 => to_a_list(&mut letter, directory, rng),
        34..46 => invitation(&mut letter, directory, rng),
        46..50 => draft(&mut letter, directory, rng),
        50..54 => for_a_shared_mailbox(&mut letter, directory, rng),
        _ => among_people(&mut letter, directory, rng),
    }
    letter
}

fn automated(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.kind = Kind::Automated;
    letter.from = Recipient::plain(Party::Automated(rng.below(text::AUTOMATED_SENDERS.len())));
    letter.sender = letter.from;
    letter.to = vec![directory.odd_form(Party::User(directory.some_staff(rng)), rng)];
}

fn from_outside(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.from = directory.odd_form(directory.some_external(rng), rng);
    letter.sender = letter.from;
    letter.to = directory.some_colleagues(letter.number, rng, 2);
}

fn to_a_list(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.to = vec![Recipient::plain(directory.some_mail_group(rng))];
    letter.cc = directory.some_colleagues(letter.number, rng, 1);
}

fn invitation(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.kind = Kind::Invitation;
    letter.to = directory.some_colleagues(letter.number, rng, 5);
    letter.to.extend(directory.some_room(rng).map(Recipient::plain));
}

fn draft(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.kind = Kind::Draft;
    letter.to = directory.some_colleagues(letter.number, rng, 2);
}

fn for_a_shared_mailbox(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.from = directory.some_shared_mailbox(rng).map_or(letter.sender, Recipient::plain);
    letter.to = vec![directory.odd_form(directory.some_external(rng), rng)];
}

fn among_people(letter: &mut Letter, directory: &Directory, rng: &mut Rng) {
    letter.to = directory.some_colleagues(letter.number, rng, 3);
    if rng.chance(25) {
        letter.to.push(directory.odd_form(directory.some_external(rng), rng));
    }
    if rng.chance(30) {
        letter.cc = directory.some_colleagues(letter.number, rng, 3);
    }
    if rng.chance(4) {
        letter.bcc = directory.some_colleagues(letter.number, rng, 1);
    }
    if rng.chance(3) {
        letter
            .cc
            .push(Recipient { party: Party::Odd(rng.below(text::ODD_ADDRESSES.len())), form: Form::Plain });
    }
}

/// When letter `number` is sent: a place in the week, then in the day, then up to a minute of chance.
fn sent_time(seed: u64, number: u32) -> i64 {
    let (week, place) = (number / WEEK_LETTERS, number % WEEK_LETTERS);
    let workdays = 5 * WORKDAY_LETTERS;
    let (day, place, in_day) = if place < workdays {
        (place / WORKDAY_LETTERS, place % WORKDAY_LETTERS, WORKDAY_LETTERS)
    } else {
        let place = place - workdays;
        (5 + place / WEEKEND_LETTERS, place % WEEKEND_LETTERS, WEEKEND_LETTERS)
    };
    let jitter = Rng::of(seed, "second", &[u64::from(number)]).below(60);
    let day_start = FIRST_DAY + (i64::from(week) * 7 + i64::from(day)) * DAY_SECONDS;
    day_start + second_of_day(i64::from(place), i64::from(in_day)) + i64::try_from(jitter).unwrap_or_default()
}

/// The day curve, read at `place` of `in_day`.
fn second_of_day(place: i64, in_day: i64) -> i64 {
    let segments = DAY_CURVE.iter().zip(DAY_CURVE.iter().skip(1));
    let share = place * 100 / in_day;
    let segment = segments.into_iter().find(|(_, end)| share < end.0);
    segment.map_or(0, |((share_start, minute_start), (share_end, minute_end))| {
        let into = place * 100 - share_start * in_day;
        minute_start * 60 + into * (minute_end - minute_start) * 60 / ((share_end - share_start) * in_day)
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, LETTERS, Letter, Reaction, letter};
    use crate::demo::tenant::Directory;

    #[test]
    fn later_letters_are_later() {
        let directory = Directory::new(1);
        let times: Vec<i64> = (0..2_000).map(|number| letter(&directory, number).sent()).collect();
        assert!(times.windows(2).all(|pair| pair[0] + 60 < pair[1]));
    }

    #[test]
    fn a_letter_is_the_same_every_time() {
        let directory = Directory::new(1);
        let (one, two) = (letter(&directory, LETTERS - 1), letter(&directory, LETTERS - 1));
        assert_eq!((one.kind, one.times, one.to), (two.kind, two.times, two.to));
    }

    #[test]
    fn every_kind_is_written_and_threads_have_several_letters() {
        let directory = Directory::new(1);
        let letters: Vec<_> = (0..3_000).map(|number| letter(&directory, number)).collect();
        use Kind::{Automated, AutomaticReply, Draft, Invitation, Personal};
        for kind in [Personal, Invitation, Kind::Reaction, Automated, AutomaticReply, Draft] {
            assert!(letters.iter().any(|letter| letter.kind == kind), "{kind:?}");
        }
        assert!(letters.iter().any(|letter| letter.times.len() > 3));
        assert!(letters.iter().any(|letter| letter.from != letter.sender));
        for said in [Reaction::Accepted, Reaction::Tentative, Reaction::Declined] {
            assert!(letters.iter().any(|letter| letter.reaction(1) == Some(said)), "{said:?}");
        }
    }

    #[test]
    fn a_letter_knows_the_letters_before_it() {
        let directory = Directory::new(1);
        for reply in (0..3_000).map(|number| letter(&directory, number)).filter(Letter::is_reply) {
            let parent = letter(&directory, reply.ancestors.last().unwrap().number);
            assert_eq!(parent.times, reply.times[..reply.times.len() - 1]);
            assert_eq!(parent.ancestors, reply.ancestors[..reply.ancestors.len() - 1]);
            assert_eq!(reply.ancestors[0].number, reply.root);
        }
    }
}
