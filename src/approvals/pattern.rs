//! OpenSSH's pattern lists (ssh_config(5), PATTERNS): patterns with commas between them, `*` for any text, `?` for any
//! character, `!` in front of a pattern for what it excludes.

/// Whether the list has a pattern that matches the text, and none that excludes it.
pub(super) fn admits(list: &str, text: &str) -> bool {
    let mut admitted = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(excluded) if matches(excluded, text) => return false,
            Some(_) => {}
            None => admitted |= matches(pattern, text),
        }
    }
    admitted
}

/// Keeps which prefixes of the text the pattern reaches so far. The time is that of the two lengths multiplied, however
/// many stars there are.
fn matches(pattern: &str, text: &str) -> bool {
    let nothing_yet = std::iter::repeat_n(false, text.len());
    let mut reached: Vec<bool> = std::iter::once(true).chain(nothing_yet).collect();
    for wanted in pattern.bytes() {
        reached = if wanted == b'*' { onward(&reached) } else { one_further(&reached, wanted, text) };
    }
    reached.last().copied().unwrap_or_default()
}

fn onward(reached: &[bool]) -> Vec<bool> {
    let mut any = false;
    let mut from_here = |reached: &bool| {
        any |= reached;
        any
    };
    reached.iter().map(&mut from_here).collect()
}

fn one_further(reached: &[bool], wanted: u8, text: &str) -> Vec<bool> {
    let step = |(reached, byte): (&bool, u8)| *reached && (wanted == b'?' || wanted == byte);
    std::iter::once(false).chain(reached.iter().zip(text.bytes()).map(step)).collect()
}

#[cfg(test)]
mod tests {
    use super::admits;

    #[test]
    fn a_list_admits_what_a_pattern_matches_and_none_excludes() {
        for list in
            ["glassine-rules", "git,glassine-rules", "*", "glassine-*", "glass?ne*s", "**-rules", "!git,*"]
        {
            assert!(admits(list, "glassine-rules"), "{list}");
        }
        for list in [
            "",
            "git",
            "glassine",
            "glassine-rules2",
            "Glassine-rules",
            "*,!glassine-*",
            "!git",
            "glassine-rules?",
            "?",
        ] {
            assert!(!admits(list, "glassine-rules"), "{list}");
        }
    }

    #[test]
    fn many_stars_cost_no_more_than_their_number() {
        assert!(!admits(&"*a".repeat(10_000), "glassine-rules"));
    }
}
