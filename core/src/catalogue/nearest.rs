//! Which name an author meant.

/// How many letters a misspelt name may differ in from the one that was meant.
const MAX_DISTANCE: usize = 2;

/// The name that differs least from `written`: in letter case only, or in at most two letters; `None` if none is so near.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let by_distance = names.into_iter().map(|name| (distance(written, name), name));
    // A name of three letters is two letters away from most others.
    let allowed = MAX_DISTANCE.min(written.chars().count() / 3);
    by_distance.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

/// The Damerau-Levenshtein distance in its form for neighbours ("optimal string alignment"), without regard to letter case.
fn distance(one: &str, other: &str) -> usize {
    let fold = |text: &str| -> Vec<char> { text.chars().map(|letter| letter.to_ascii_lowercase()).collect() };
    let (one, other) = (fold(one), fold(other));
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, other_letter) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&above, column) + usize::from(letter != other_letter);
            let mut least = replaced.min(at(&above, column + 1) + 1).min(at(&here, column) + 1);
            let swapped = column.checked_sub(1).filter(|left| {
                other.get(*left) == Some(letter)
                    && row.checked_sub(1).and_then(|up| one.get(up)) == Some(other_letter)
            });
            if let Some(left) = swapped {
                least = least.min(at(&before, left) + 1);
            }
            here.push(least);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_letters_that_are_changed_added_left_out_or_swapped() {
        for (one, other, expected) in [
            ("receivedDateTime", "receivedDateTime", 0),
            ("recievedDateTime", "receivedDateTime", 1),
            ("conversationID", "conversationId", 0),
            ("isread", "isRead", 0),
            ("subjct", "subject", 1),
            ("subjectt", "subject", 1),
            ("sender", "from", 6),
            ("", "id", 2),
            ("id", "", 2),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["id", "mail", "subject", "sentDateTime"];
        assert_eq!(nearest("sendDateTime", names), Some("sentDateTime"));
        assert_eq!(nearest("Subject", names), Some("subject"));
        assert_eq!(nearest("ID", names), Some("id"));
        for far in ["", "ab", "xy", "body", "receivedDateTime"] {
            assert_eq!(nearest(far, names), None, "{far}");
        }
    }
}
