//! Properties: nothing panics, and what is written reads back.

use proptest::prelude::*;

use super::*;

fn any_path() -> impl Strategy<Value = PropertyPath> {
    "p[a-zA-Z0-9_]{0,3}(/q[a-z]{0,3}){0,2}".prop_map(|text| path(&text))
}

fn any_literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        "-?[0-9]{1,9}(\\.[0-9]{1,3})?(e-?[0-9]{1,2})?".prop_map(Literal::Number),
        "[0-9a-fA-F]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".prop_map(Literal::Guid),
        "20[0-9]{2}-0[1-9]-[12][0-8]".prop_map(Literal::Date),
        "20[0-9]{2}-0[1-9]-[12][0-8]T[01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,12})?(Z|[+-][01][0-9]:[0-5][0-9])"
            .prop_map(Literal::DateTimeOffset),
        "[a-z' (),éß:/\"]{0,8}".prop_map(Literal::String),
        any::<String>().prop_map(Literal::String),
        ("[a-z]{1,3}\\.[a-zA-Z]{1,3}", "[a-z]{1,3}(,[a-z]{1,3})?")
            .prop_map(|(type_name, value)| Literal::Enum { type_name, value }),
    ]
}

fn leaf() -> impl Strategy<Value = Filter> {
    let op = proptest::sample::select(Operator::ALL.to_vec());
    let function = proptest::sample::select(Function::ALL.to_vec());
    prop_oneof![
        (any_path(), op, any_literal()).prop_map(|(path, op, literal)| Filter::Compare { path, op, literal }),
        (any_path(), proptest::collection::vec(any_literal(), 1..4))
            .prop_map(|(path, literals)| Filter::In { path, literals }),
        (function, any_path(), ".{0,6}").prop_map(|(function, path, text)| Filter::Call {
            function,
            path,
            literal: Literal::String(text)
        }),
    ]
}

fn boolean_over(leaf: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Filter> {
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

fn under(filter: Filter, collection: &PropertyPath) -> Filter {
    let join =
        |path: PropertyPath| PropertyPath::from_names([collection.segments(), path.segments()].concat());
    let all = |parts: Vec<Filter>| parts.into_iter().map(|part| under(part, collection)).collect();
    match filter {
        Filter::And(parts) => Filter::And(all(parts)),
        Filter::Or(parts) => Filter::Or(all(parts)),
        Filter::Not(inner) => Filter::Not(Box::new(under(*inner, collection))),
        Filter::Call { function, path, literal } => Filter::Call { function, path: join(path), literal },
        Filter::Compare { path, op, literal } => Filter::Compare { path: join(path), op, literal },
        Filter::In { path, literals } => Filter::In { path: join(path), literals },
        Filter::Any { path, condition } => Filter::Any { path: join(path), condition },
    }
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let lambda = (any_path(), proptest::option::of(boolean_over(leaf()))).prop_map(|(path, condition)| {
        let condition = condition.map(|condition| Box::new(under(condition, &path)));
        Filter::Any { path, condition }
    });
    boolean_over(prop_oneof![3 => leaf(), 1 => lambda])
}

fn fragment() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "a/b",
        " ",
        " eq ",
        " in ",
        "(",
        ")",
        "'",
        "''",
        "'x'",
        ",",
        "/",
        ":",
        "not ",
        " and ",
        " or ",
        "any(",
        "any(r:r",
        "contains(",
        "1",
        "-",
        "true",
        "null",
        "2024-01-01",
        "T00:00:00Z",
        "n.t",
        "$",
        "@",
        "é",
        "\t",
    ];
    proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_written_filter_reads_back(expected in any_filter()) {
        let text = expected.to_string();
        match filter(&text) {
            Ok(actual) => prop_assert_eq!(actual, expected),
            Err(error) => prop_assert!(
                matches!(error.kind(), Kind::TooManyTerms | Kind::TooLong | Kind::TooDeep),
                "{}: {}", text, error
            ),
        }
    }

    #[test]
    fn no_value_panics_and_what_parses_reads_back(pieces in proptest::collection::vec(fragment(), 0..16)) {
        let value = pieces.concat();
        if let Ok(parsed) = filter(&value) {
            prop_assert_eq!(filter(&parsed.to_string()), Ok(parsed));
        }
    }

    #[test]
    fn no_text_panics(value in any::<String>()) {
        if let Ok(parsed) = filter(&value) {
            prop_assert_eq!(filter(&parsed.to_string()), Ok(parsed));
        }
    }
}
