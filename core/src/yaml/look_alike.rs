//! Names that are easily taken for each other.

/// Whether a reader easily takes one name for the other: they differ in letter case, or in signs that look alike in many
/// fonts (`l`, `I` and `1`, `O` and `0`, `rn` and `m`). Names are ASCII; other letters are refused where they stand.
pub fn look_alike(one: &str, other: &str) -> bool {
    one != other && skeleton(one) == skeleton(other)
}

fn skeleton(name: &str) -> String {
    let shown = |letter: char| match letter {
        'l' | 'I' | '1' | '|' => 'l',
        'O' | '0' => 'o',
        '_' => '-',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(shown).collect::<String>().replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike() {
        for (one, other) in
            [("user-1", "user-l"), ("mail", "maiI"), ("form", "forrn"), ("to", "t0"), ("a_b", "A-b")]
        {
            assert!(look_alike(one, other), "{one} {other}");
        }
        for (one, other) in [("user", "user"), ("user", "users"), ("group", "member"), ("user-1", "user-2")] {
            assert!(!look_alike(one, other), "{one} {other}");
        }
    }
}
