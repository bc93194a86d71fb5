//! Tests of the option values other than `$filter`.

use proptest::prelude::*;

use super::*;

fn names(value: &str) -> Vec<String> {
    select(value).unwrap().iter().map(Selection::to_string).collect()
}

fn failure<T: std::fmt::Debug>(result: Result<T, OptionError>) -> (Kind, usize) {
    let error = result.unwrap_err();
    (error.kind(), error.position())
}

#[test]
fn select_is_a_list_of_paths() {
    assert_eq!(names("id,from/emailAddress"), ["id", "from/emailAddress"]);
    assert_eq!(names(" id , subject\t"), ["id", "subject"]);
    let cast = "microsoft.graph.eventMessage/meetingMessageType";
    assert_eq!(names(&format!("id, {cast}")), ["id", cast]);
    assert_eq!(select(cast).unwrap()[0].cast.as_deref(), Some("microsoft.graph.eventMessage"));
    assert_eq!(select("a/b").unwrap()[0].cast, None);
    let property = Kind::Expected("a property name");
    for (value, kind, position) in [
        ("", Kind::Expected("a name"), 0),
        ("id,", Kind::Expected("a name"), 3),
        (",id", Kind::Expected("a name"), 0),
        ("id, ,a", Kind::Expected("a name"), 4),
        ("*", Kind::Wildcard, 0),
        ("id,*", Kind::Wildcard, 3),
        ("id,a/*", Kind::Wildcard, 5),
        ("id;$expand=attachments", property, 0),
        ("id&$expand=attachments", property, 0),
        ("id, attachments($select=name)", property, 4),
        ("id,a b", property, 3),
        ("id,microsoft.graph.user", property, 3),
        ("id,microsoft.graph.user/", property, 24),
        ("id,microsoft..user/mail", property, 3),
        ("id,.user/mail", property, 3),
        ("id,microsoft.graph.user/microsoft.graph.user/mail", property, 24),
        ("microsoft.graph.user/*", Kind::Wildcard, 21),
        ("@odata.type", property, 0),
        ("\u{a0}id", property, 0),
        ("a(b", Kind::Expected("balanced parentheses"), 3),
        ("a)b(", Kind::Expected("balanced parentheses"), 4),
        ("'a", Kind::UnterminatedString, 2),
    ] {
        assert_eq!(failure(select(value)), (kind, position), "{value}");
    }
}

/// Found while the properties for fuzzing were written: Unicode white space was trimmed after a name, but not before
/// it.
#[test]
fn a_no_break_space_is_not_white_space_on_either_side() {
    assert_eq!(names("\t id \t"), ["id"]);
    for space in ['\u{a0}', '\u{85}', '\u{2003}', '\u{3000}', '\n'] {
        for item in [format!("{space}id"), format!("id{space}")] {
            assert!(select(&item).is_err() && select(&format!("{item},a")).is_err(), "{item:?}");
            assert!(order_by(&item).is_err() && expand(&item).is_err(), "{item:?}");
            assert!(nested(&format!("{item}=1")).is_err(), "{item:?}");
        }
        assert!(order_by(&format!("id {space}desc")).is_err() && order_by("id  desc").is_ok());
    }
}

#[test]
fn order_by_has_directions() {
    let item = |name, direction| (PropertyPath::parse(name).unwrap(), direction);
    assert_eq!(
        order_by("receivedDateTime desc, a/b,c  ASC").unwrap(),
        [
            item("receivedDateTime", Direction::Descending),
            item("a/b", Direction::Ascending),
            item("c", Direction::Ascending)
        ]
    );
    assert_eq!(failure(order_by("a,b down")), (Kind::Expected("'asc' or 'desc'"), 4));
    assert_eq!(failure(order_by("a desc asc")), (Kind::Expected("'asc' or 'desc'"), 2));
    assert_eq!(failure(order_by("length(a)")), (Kind::Expected("a property name"), 0));
    assert_eq!(failure(order_by("")), (Kind::Expected("a name"), 0));
}

#[test]
fn integers_are_digits() {
    assert_eq!(integer("0"), Ok(0));
    assert_eq!(integer("007"), Ok(7));
    assert_eq!(integer("4294967295"), Ok(u32::MAX));
    assert_eq!(failure(integer("4294967296")), (Kind::InvalidLiteral, 0));
    for value in ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "٣"] {
        assert_eq!(failure(integer(value)), (Kind::Expected("a number without sign"), 0), "{value}");
    }
}

#[test]
fn booleans_are_words() {
    assert_eq!(boolean("true"), Ok(true));
    assert_eq!(boolean("False"), Ok(false));
    for value in ["", "1", "yes", " true", "truetrue"] {
        assert_eq!(failure(boolean(value)), (Kind::Expected("'true' or 'false'"), 0), "{value}");
    }
}

#[test]
fn expand_splits_items_and_does_not_parse_their_options() {
    let item = |path: &str, options: Option<&str>| Expansion {
        path: path.to_owned(),
        options: options.map(str::to_owned),
    };
    for (value, expected) in [
        ("attachments", vec![item("attachments", None)]),
        ("a , b", vec![item("a", None), item("b", None)]),
        ("columns,items(expand=fields)", vec![item("columns", None), item("items", Some("expand=fields"))]),
        ("a($select=b,c;$expand=d($top=1))", vec![item("a", Some("$select=b,c;$expand=d($top=1)"))]),
        ("a($filter=id eq 'x)'','),b", vec![item("a", Some("$filter=id eq 'x)'','")), item("b", None)]),
        ("microsoft.graph.itemAttachment/item", vec![item("microsoft.graph.itemAttachment/item", None)]),
        ("members/$ref", vec![item("members/$ref", None)]),
    ] {
        assert_eq!(expand(value).unwrap(), expected, "{value}");
    }
    for (value, kind) in [
        ("*", Kind::Wildcard),
        ("a/*", Kind::Wildcard),
        ("a(b)c", Kind::Expected("','")),
        ("a(b", Kind::Expected("balanced parentheses")),
        ("a(b'", Kind::UnterminatedString),
        ("(a)", Kind::Expected("a navigation property")),
        ("a b", Kind::Expected("a navigation property")),
        ("a,", Kind::Expected("a name")),
    ] {
        assert_eq!(failure(expand(value)).0, kind, "{value}");
    }
}

#[test]
fn the_options_of_an_expansion_are_split_at_semicolons() {
    let option = |name, value: &str| QueryOption { name, value: value.to_owned() };
    assert_eq!(
        nested("$select=a,b; TOP=1;$filter=a eq 'x;y' and b in ('(',';');$expand=c($top=1;$skip=2)").unwrap(),
        [
            option(OptionName::Select, "a,b"),
            option(OptionName::Top, "1"),
            option(OptionName::Filter, "a eq 'x;y' and b in ('(',';')"),
            option(OptionName::Expand, "c($top=1;$skip=2)"),
        ]
    );
    for (options, kind, position) in [
        ("", Kind::Expected("a name"), 0),
        ("$top=1;", Kind::Expected("a name"), 7),
        ("$top", Kind::Expected("an option and its value"), 0),
        ("$top=1;top=2", Kind::Expected("each option once"), 7),
        ("@p=1", Kind::Expected("an option's name"), 0),
        ("$top=(1", Kind::Expected("balanced parentheses"), 7),
        ("$top='1", Kind::UnterminatedString, 7),
    ] {
        assert_eq!(failure(nested(options)), (kind, position), "{options}");
    }
}

#[test]
fn limits_hold_exactly() {
    let list = |count: usize| vec!["a"; count].join(",");
    assert_eq!(select(&list(MAX_ITEMS)).unwrap().len(), MAX_ITEMS);
    assert_eq!(failure(select(&list(MAX_ITEMS + 1))).0, Kind::TooManyItems);
    assert!(select(&"a".repeat(MAX_VALUE)).is_ok());
    assert_eq!(failure(select(&"a".repeat(MAX_VALUE + 1))).0, Kind::TooLong);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_select_reads_back(value in "[a-z, /*()']{0,24}|.{0,24}") {
        if let Ok(paths) = select(&value) {
            let written: Vec<_> = paths.iter().map(Selection::to_string).collect();
            prop_assert_eq!(select(&written.join(",")), Ok(paths));
        }
    }

    #[test]
    fn no_value_panics(value in any::<String>()) {
        let accepted = [order_by(&value).is_ok(), expand(&value).is_ok()];
        // `$orderby` is a list of properties and directions, without quotes or parentheses.
        prop_assert!(!accepted[0] || !value.contains(['\'', '(', ')']));
        prop_assert!(!accepted[1] || !value.is_empty());
    }
}
