//! The review for a terminal.

use std::fmt::{Display, Write as _};

use super::shown::{asks, besides, forms, lines, names, place, value, verdict};
use glassine_core::statement::review::{
    Addresses, Consumer, Dropped, Finding, Level, Object, Permission, Request, Requests, Review, Row, Stays,
};

/// The widest cell that other cells are aligned with. A wider one shifts only its own line.
const WIDEST: usize = 64;

/// Selects red and bold letters (ECMA-48, SGR), and the usual ones again.
const RED: (&str, &str) = ("\u{1b}[31;1m", "\u{1b}[0m");

/// All reviews, one after the other.
pub(super) fn render(reviews: &[Review], colour: bool) -> String {
    let texts: Vec<_> = reviews.iter().map(|review| Page::of(review, colour)).collect();
    texts.join("\n\n")
}

struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn of(review: &Review, colour: bool) -> String {
        let mut page = Self { text: String::new(), colour };
        page.head(review);
        page.findings(review);
        page.section("what leaves");
        review.objects.iter().for_each(|object| page.object(object));
        page.around(review);
        page.section("what stays inside, of all that the catalogue knows");
        page.stays(&review.stays);
        page.section("what may be asked");
        page.line(1, "A {name} in a path takes a token that this consumer received, and nothing else, unless its line says so.");
        review.requests.iter().for_each(|requests| page.requests(requests));
        page.text
    }

    /// Adds a line. Control characters in it could change what a terminal shows.
    fn line(&mut self, depth: usize, text: impl Display) {
        let text = text.to_string().replace(char::is_control, "\u{fffd}");
        let indent = depth * 2;
        // Writing to a String cannot fail.
        let _infallible = writeln!(self.text, "{:indent$}{}", "", text.trim_end());
    }

    fn red(&mut self, depth: usize, text: &str) {
        let start = self.text.len();
        self.line(depth, text);
        if self.colour {
            let line = self.text.split_off(start);
            let (on, off) = RED;
            self.text.extend([on, line.trim_end_matches('\n'), off, "\n"]);
        }
    }

    fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.line(0, title.to_uppercase());
    }

    fn head(&mut self, review: &Review) {
        self.line(0, &review.title);
        self.line(0, &review.purpose);
        self.text.push('\n');
        self.facts([("file", review.file.as_str()), ("connector", review.connector.as_str())]);
        self.facts([("fingerprint", review.fingerprint.to_string().as_str())]);
        review.consumers.iter().for_each(|consumer| self.consumer(consumer));
        review.permissions.iter().for_each(|it| self.permission(it));
        self.addresses(&review.addresses);
    }

    fn facts<'t>(&mut self, facts: impl IntoIterator<Item = (&'t str, &'t str)>) {
        facts.into_iter().for_each(|(name, text)| self.line(1, format!("{name:<12} {text}")));
    }

    fn consumer(&mut self, consumer: &Consumer) {
        let Consumer { name, title, pseudonym_domain, shares_with: _, fingerprint } = consumer;
        let title = if title == name { String::new() } else { format!(" ({title})") };
        let text = format!("{name}{title}, pseudonym domain {pseudonym_domain}, statement {fingerprint}");
        self.facts([("for", text.as_str())]);
    }

    fn permission(&mut self, permission: &Permission) {
        let opens = permission.opens.map(|opens| format!(": may {opens}")).unwrap_or_default();
        self.facts([("permission", format!("{}{opens}", permission.any_of.join(" or ")).as_str())]);
    }

    fn addresses(&mut self, addresses: &Addresses) {
        self.facts([("addresses", addresses.domains.as_str()), ("", addresses.plus_tags)]);
        for example in &addresses.examples {
            let text = format!("{} → {}", value(&example.before), value(&example.after));
            self.facts([("", text.as_str())]);
        }
    }

    fn findings(&mut self, review: &Review) {
        self.section("findings");
        let has_red = review.findings_of(Level::Red).next().is_some();
        if has_red {
            self.red(1, &verdict(review))
        } else {
            self.line(1, verdict(review))
        }
        review.findings.iter().for_each(|finding| self.finding(finding));
    }

    fn finding(&mut self, finding: &Finding) {
        let code = finding.code.map(|code| format!(" {code}")).unwrap_or_default();
        let place = place(&finding.file, finding.line);
        match finding.level {
            Level::Red => self.red(1, &format!("RED{code}  {place}: {}", finding.what)),
            Level::Note => self.line(1, format!("note{code}  {place}: {}", finding.what)),
        }
        finding.properties.iter().for_each(|property| self.line(3, property));
        finding.advice.iter().for_each(|advice| self.line(3, format!("→ {advice}")));
    }

    fn object(&mut self, object: &Object) {
        self.line(1, &object.title);
        self.rows(&object.rows);
        for redacted in &object.redacted {
            self.line(2, format!("{}: dropped by {}", redacted.path, on_lines(&redacted.lines)));
        }
    }

    fn around(&mut self, review: &Review) {
        self.line(1, "Around the objects");
        self.rows(&review.around);
        self.line(2, besides(review));
    }

    fn rows(&mut self, rows: &[Row]) {
        let cells: Vec<_> = rows.iter().map(|row| [row.path.clone(), forms(row), example(row)]).collect();
        let widths = [0, 1, 2].map(|at| width(&cells, at));
        for (row, cells) in rows.iter().zip(&cells) {
            let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  "));
            let text = format!("{}{}", cells.collect::<String>(), on_lines(&row.lines));
            match &row.danger {
                Some(danger) => self.red(2, &format!("{text}  RED: {danger}")),
                None => self.line(2, text),
            }
        }
    }

    fn stays(&mut self, stays: &[Stays]) {
        for it in stays {
            self.line(1, format!("{}: {}", it.class.in_words(), it.in_words()));
            it.dropped.iter().for_each(|dropped| self.dropped(dropped));
        }
    }

    fn dropped(&mut self, Dropped { title, properties }: &Dropped) {
        self.line(2, format!("{title}: {}", names(properties)));
    }

    fn requests(&mut self, Requests { title, requests }: &Requests) {
        self.line(1, title);
        requests.iter().for_each(|request| self.request(request));
    }

    fn request(&mut self, request: &Request) {
        let text = format!("GET {}  {} ({})", request.path, request.gives, request.versions.join(", "));
        let text = format!("{text}  line {}", request.line);
        if request.takes_raw {
            self.red(2, &text)
        } else {
            self.line(2, text)
        }
        let asks = asks(request);
        if !asks.is_empty() {
            self.line(4, asks);
        }
    }
}

/// `line 34`, or `lines 34, 41`
fn on_lines(numbers: &[usize]) -> String {
    let word = if numbers.len() == 1 { "line" } else { "lines" };
    format!("{word} {}", lines(numbers))
}

fn example(row: &Row) -> String {
    let example = row.example.as_ref();
    example.map(|it| format!("{} → {}", value(&it.before), value(&it.after))).unwrap_or_default()
}

fn width<const N: usize>(cells: &[[String; N]], at: usize) -> usize {
    let widths = cells.iter().filter_map(|cells| cells.get(at)).map(|cell| cell.chars().count());
    widths.filter(|width| *width <= WIDEST).max().unwrap_or_default()
}
