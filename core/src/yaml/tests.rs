use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    #[serde(default)]
    items: Vec<Recovered<Item>>,
    #[serde(default)]
    extra: Option<Kind>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    size: u32,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Of(u32),
}

fn places(source: &str) -> Vec<(String, String)> {
    load::<File>(source)
        .diagnostics
        .into_iter()
        .map(|d| (source.get(d.span.unwrap()).unwrap().to_owned(), d.message))
        .collect()
}

#[test]
fn values_carry_the_bytes_they_were_written_as() {
    let source = "name: \"a b\"\nitems: [{ size: 3 }]\nextra: { of: 4 }\n";
    let loaded = load::<File>(source);
    let file = loaded.value.unwrap();
    assert!(loaded.diagnostics.is_empty());
    assert_eq!(file.name.value, "a b");
    assert!(source.get(file.name.span).unwrap().contains("a b"));
    assert_eq!(file.items[0].0.as_ref().unwrap().size, 3);
    assert_eq!(file.extra, Some(Kind::Of(4)));
}

#[test]
fn every_mistake_is_reported_in_one_pass() {
    let found = places("name: x\nbogus: 1\nitems:\n- size: big\n- size: 2\n  colour: red\n- {}\n");
    let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
    assert_eq!(
        texts.iter().filter(|text| **text == "bogus" || **text == "colour" || **text == "big").count(),
        3
    );
    assert!(found.iter().any(|(_, message)| message.contains("missing field `size`")), "{found:?}");
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_broken_item_does_not_lose_its_neighbours() {
    let file = load::<File>("name: x\nitems: [{ size: big }, { size: 2 }]\n").value.unwrap();
    let sizes: Vec<_> = file.items.iter().map(|item| item.0.as_ref().map(|item| item.size)).collect();
    assert_eq!(sizes, [None, Some(2)]);
}

#[test]
fn duplicate_keys_merge_keys_and_alias_bombs_are_refused() {
    assert!(load::<File>("name: x\nname: y\n").value.is_none());
    assert!(load::<File>("a: &a { name: x }\n<<: *a\n").value.is_none());
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned()
        + &(0..8)
            .map(|i| {
                format!(
                    "b{i}: &b{i} [{}]\n",
                    vec![format!("*{}", if i == 0 { "a".into() } else { format!("b{}", i - 1) }); 10]
                        .join(",")
                )
            })
            .collect::<String>();
    assert!(load::<File>(&bomb).value.is_none());
    assert!(load::<File>("name: x\n").value.is_some());
}

#[test]
fn an_unknown_variant_names_the_known_ones() {
    let found = places("name: x\nextra: rounded\n");
    assert!(found[0].1.contains("plain") && found[0].1.contains("of"), "{found:?}");
}

#[test]
fn a_syntax_error_has_a_place() {
    let loaded = load::<File>("name: [x\nitems: }\n");
    assert!(loaded.value.is_none());
    assert!(loaded.diagnostics[0].span.is_some());
}

/// The error was taken for one about the line feed, and nothing was reported.
#[test]
fn a_syntax_error_at_the_end_of_a_line_is_reported() {
    for end in ["\n", "\r\n"] {
        let loaded = load::<File>(&format!("name: x{end}-{end}"));
        assert!(loaded.value.is_none());
        let codes: Vec<_> = loaded.diagnostics.iter().map(|found| found.code).collect();
        assert_eq!(codes, [MALFORMED]);
    }
}

#[test]
fn a_syntax_error_about_a_character_is_reported_once() {
    let found = load::<File>("name: x # a\u{7f}b\n").diagnostics;
    assert_eq!(found.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::CHARACTER]);
}
