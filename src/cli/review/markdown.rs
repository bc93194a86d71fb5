//! The review as Markdown (CommonMark with tables), for a pull request or a wiki.

use super::shown::{asks, besides, forms, lines, names, place, sentence, value, verdict};
use glassine_core::statement::review::{
    Consumer, Finding, Level, Object, Permission, Request, Requests, Review, Row, Stays,
};

/// All reviews, one after the other.
pub(super) fn render(reviews: &[Review]) -> String {
    let mut text = reviews.iter().map(page).collect::<Vec<_>>().join("\n\n");
    text.push('\n');
    text
}

fn page(review: &Review) -> String {
    let mut blocks = vec![format!("# {}", prose(&review.title)), prose(&review.purpose), facts(review)];
    blocks.push("## Findings".to_owned());
    blocks.push(format!("**{}**", prose(&verdict(review))));
    blocks.extend(list(review.findings.iter().map(finding)));
    blocks.push("## What leaves".to_owned());
    review.objects.iter().for_each(|it| object(it, &mut blocks));
    blocks.push("### Around the objects".to_owned());
    if !review.around.is_empty() {
        blocks.push(rows(&review.around));
    }
    blocks.push(prose(&besides(review)));
    blocks.push("## What stays inside, of all that the catalogue knows".to_owned());
    blocks.push(table(&["Class", "", "Dropped"], review.stays.iter().map(stays)));
    blocks.push("## What may be asked".to_owned());
    blocks.push("A `{name}` in a path takes a token that this consumer received, and nothing else, unless its line says so.".to_owned());
    review.requests.iter().for_each(|it| requests(it, &mut blocks));
    blocks.join("\n\n")
}

fn facts(review: &Review) -> String {
    let mut facts = vec![
        ["File".to_owned(), code(&review.file)],
        ["Connector".to_owned(), code(&review.connector)],
        ["Fingerprint".to_owned(), code(&review.fingerprint.to_string())],
    ];
    facts.extend(review.consumers.iter().map(|it| ["For".to_owned(), consumer(it)]));
    facts.extend(review.permissions.iter().map(|it| ["Permission".to_owned(), permission(it)]));
    let addresses = &review.addresses;
    facts.push(["Addresses".to_owned(), prose(&format!("{} {}", addresses.domains, addresses.plus_tags))]);
    let examples = addresses.examples.iter();
    let examples = examples
        .map(|it| [String::new(), format!("{} → {}", code(&value(&it.before)), code(&value(&it.after)))]);
    facts.extend(examples);
    table(&["", ""], facts.into_iter())
}

fn consumer(consumer: &Consumer) -> String {
    let Consumer { name, title, pseudonym_domain, shares_with: _, fingerprint } = consumer;
    let (name, domain, statement) = (code(name), code(pseudonym_domain), code(&fingerprint.to_string()));
    format!("{} ({name}), pseudonym domain {domain}, statement {statement}", prose(title))
}

fn permission(permission: &Permission) -> String {
    let names: Vec<_> = permission.any_of.iter().map(|name| code(name)).collect();
    let opens = permission.opens.map(|opens| format!(": may {}", prose(opens))).unwrap_or_default();
    format!("{}{opens}", names.join(" or "))
}

fn finding(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Red => "🔴 **Red**",
        Level::Note => "Note",
    };
    let code = finding.code.map(|code| format!(" {code}")).unwrap_or_default();
    let place = self::code(&place(&finding.file, finding.line));
    let properties = finding.properties.iter().map(|it| format!(" {}", self::code(it)));
    let advice = finding.advice.iter().map(|advice| format!(" *{}*", prose(&sentence(advice))));
    let details: String = properties.chain(advice).collect();
    format!("{level}{code} {place}: {}.{details}", prose(&sentence(&finding.what)))
}

fn object(object: &Object, blocks: &mut Vec<String>) {
    blocks.extend([format!("### {}", prose(&object.title)), rows(&object.rows)]);
    let redacted = object.redacted.iter();
    blocks
        .extend(list(redacted.map(|it| format!("dropped by line {}: {}", lines(&it.lines), code(&it.path)))));
}

fn rows(rows: &[Row]) -> String {
    table(&["Property", "Leaves", "Before", "After", "Line"], rows.iter().map(row))
}

fn row(row: &Row) -> [String; 5] {
    let example = row.example.as_ref();
    let danger = row.danger.iter().map(|danger| format!(" 🔴 **{}**", prose(danger)));
    [
        code(&row.path),
        format!("{}{}", prose(&forms(row)), danger.collect::<String>()),
        example.map(|it| code(&value(&it.before))).unwrap_or_default(),
        example.map(|it| code(&value(&it.after))).unwrap_or_default(),
        lines(&row.lines),
    ]
}

fn stays(stays: &Stays) -> [String; 3] {
    let dropped = stays.dropped.iter();
    let dropped = dropped.map(|it| format!("{}: {}", prose(&it.title), prose(&names(&it.properties))));
    [prose(stays.class.in_words()), prose(&stays.in_words()), dropped.collect::<Vec<_>>().join("; ")]
}

fn requests(Requests { title, requests }: &Requests, blocks: &mut Vec<String>) {
    blocks.push(format!("### Requests for {}", prose(&title.to_lowercase())));
    blocks.push(table(&["GET", "Response", "What may be asked", "Line"], requests.iter().map(request)));
}

fn request(request: &Request) -> [String; 4] {
    let raw = if request.takes_raw { "🔴 " } else { "" };
    [
        code(&request.path),
        format!("{} ({})", request.gives, request.versions.join(", ")),
        format!("{raw}{}", prose(&asks(request))),
        request.line.to_string(),
    ]
}

fn table<const N: usize>(head: &[&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let mut all = vec![line(&head.map(str::to_owned)), line(&[(); N].map(|()| "---".to_owned()))];
    all.extend(rows.map(|cells| line(&cells)));
    all.join("\n")
}

/// A list; nothing if it has no items.
fn list(items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<_> = items.map(|item| format!("- {item}")).collect();
    (!items.is_empty()).then(|| items.join("\n"))
}

/// A text in which nothing is markup but code between backticks.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let written =
        parts.map(|(at, part)| if at % 2 == 1 && !part.is_empty() { code(part) } else { plain(part) });
    written.collect()
}

/// A text in which nothing is markup.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' | '!' => {
                escaped.extend(['\\', character]);
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Code. A pipe would end the cell of a table, and the fence has to be longer than any row of backticks inside.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let text = text.replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_authors_are_no_markup() {
        assert_eq!(prose("<b> [x](y) *z* | \n_"), "\\<b\\> \\[x\\](y) \\*z\\* \\|  \\_");
        assert_eq!(prose("a `b_c` d_e"), "a `b_c` d\\_e");
        assert_eq!(code("a|b`c"), "``a\\|b`c``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("$.from"), "`$.from`");
    }
}
