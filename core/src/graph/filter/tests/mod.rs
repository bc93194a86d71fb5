//! Tests of `$filter`: what is read, what is refused, and that what is written reads back.

mod properties;

use crate::graph::option::{MAX_FILTER_DEPTH, MAX_FILTER_TERMS, MAX_VALUE, filter};
use crate::graph::option_error::OptionErrorKind as Kind;

use super::*;

fn path(text: &str) -> PropertyPath {
    PropertyPath::parse(text).unwrap()
}

fn compare(text: &str, op: Operator, literal: Literal) -> Filter {
    Filter::Compare { path: path(text), op, literal }
}

fn flag(name: &str) -> Filter {
    compare(name, Operator::Eq, Literal::Boolean(true))
}

fn string(text: &str) -> Literal {
    Literal::String(text.to_owned())
}

#[test]
fn comparisons_are_read() {
    let date_time = |text: &str| Literal::DateTimeOffset(text.to_owned());
    for (value, expected) in [
        ("isRead eq true", compare("isRead", Operator::Eq, Literal::Boolean(true))),
        (" isRead  EQ  True ", compare("isRead", Operator::Eq, Literal::Boolean(true))),
        ("(((isRead eq true)))", compare("isRead", Operator::Eq, Literal::Boolean(true))),
        ("a/b ne null", compare("a/b", Operator::Ne, Literal::Null)),
        ("size ge -1.5e3", compare("size", Operator::Ge, Literal::Number("-1.5e3".to_owned()))),
        ("d lt 2024-02-29", compare("d", Operator::Lt, Literal::Date("2024-02-29".to_owned()))),
        ("d gt 2024-01-01T00:00:00z", compare("d", Operator::Gt, date_time("2024-01-01T00:00:00Z"))),
        (
            "d le 2024-01-01T00:00:00+01:00",
            compare("d", Operator::Le, date_time("2024-01-01T00:00:00+01:00")),
        ),
        ("a eq 'o''brien, (x) or y'", compare("a", Operator::Eq, string("o'brien, (x) or y"))),
        ("a eq ''", compare("a", Operator::Eq, string(""))),
        (
            "a has n.t'x,y'",
            compare(
                "a",
                Operator::Has,
                Literal::Enum { type_name: "n.t".to_owned(), value: "x,y".to_owned() },
            ),
        ),
        (
            "id eq ddfcd489-628b-40d7-b48b-57002df800e5",
            compare("id", Operator::Eq, Literal::Guid("ddfcd489-628b-40d7-b48b-57002df800e5".to_owned())),
        ),
    ] {
        assert_eq!(filter(value), Ok(expected), "{value}");
    }
}

#[test]
fn lists_calls_and_lambdas_are_read() {
    let call = |function, literal| Filter::Call { function, path: path("mail"), literal };
    assert_eq!(
        filter("importance in ('low', 'high')"),
        Ok(Filter::In { path: path("importance"), literals: vec![string("low"), string("high")] })
    );
    assert_eq!(filter("startsWith(mail, 'A')"), Ok(call(Function::StartsWith, string("A"))));
    assert_eq!(filter("endswith(mail,'A')"), Ok(call(Function::EndsWith, string("A"))));
    assert_eq!(filter("contains(mail,'A')"), Ok(call(Function::Contains, string("A"))));
    assert_eq!(
        filter("assignedLicenses/any()"),
        Ok(Filter::Any { path: path("assignedLicenses"), condition: None })
    );

    let address = compare("to/emailAddress/address", Operator::Eq, string("t"));
    let lambda = Filter::Any { path: path("to"), condition: Some(Box::new(address)) };
    assert_eq!(filter("to/any(r:r/emailAddress/address eq 't')"), Ok(lambda.clone()));
    assert_eq!(lambda.to_string(), "to/any(x:x/emailAddress/address eq 't')");

    let element = compare("proxyAddresses", Operator::Eq, string("t"));
    let lambda = Filter::Any { path: path("proxyAddresses"), condition: Some(Box::new(element)) };
    assert_eq!(filter("proxyAddresses/any(p:p eq 't')"), Ok(lambda));
}

#[test]
fn precedence_is_or_and_not_comparison() {
    let (a, b, c) = (flag("a"), flag("b"), flag("c"));
    let not = |filter: &Filter| Filter::Not(Box::new(filter.clone()));
    let and = |x: &Filter, y: &Filter| Filter::And(vec![x.clone(), y.clone()]);
    let or = |x: &Filter, y: &Filter| Filter::Or(vec![x.clone(), y.clone()]);
    for (value, expected) in [
        ("a eq true or b eq true and c eq true", or(&a, &and(&b, &c))),
        ("a eq true and b eq true or c eq true", or(&and(&a, &b), &c)),
        ("(a eq true or b eq true) and c eq true", and(&or(&a, &b), &c)),
        ("not a eq true and b eq true", and(&not(&a), &b)),
        ("not (a eq true and b eq true)", not(&and(&a, &b))),
        ("NOT(a eq true) or b eq true", or(&not(&a), &b)),
        ("not not a eq true", not(&not(&a))),
        ("a eq true and b eq true and c eq true", Filter::And(vec![a.clone(), b.clone(), c.clone()])),
        ("a eq true and (b eq true and c eq true)", and(&a, &and(&b, &c))),
    ] {
        assert_eq!(filter(value), Ok(expected), "{value}");
    }
    assert_eq!(filter("not a eq true").unwrap().to_string(), "not (a eq true)");
}

#[test]
fn other_expressions_are_refused() {
    for value in [
        "",
        "a",
        "a eq",
        "a eq b",
        "eq true",
        "true",
        "'a' eq a",
        "true eq a",
        "a eq true b",
        "a eq true and",
        "or a eq true",
        "(a eq true",
        "a eq true)",
        "not",
        "()",
        "a like 'b'",
        "a in ()",
        "a in 'b'",
        "a in ('b'",
        "a in ('b',)",
        "length(subject) gt 10",
        "tolower(a) eq 'b'",
        "contains(a)",
        "contains(a,b)",
        "contains('b',a)",
        "contains(a,1)",
        "contains(a,'b') eq true",
        "contains(a,'b','c')",
        "contains(a/any(),'b')",
        "concat(a,'b') eq 'c'",
        "isof(n.t)",
        "cast(a,Edm.String) eq 'b'",
        "attachments/$count gt 3",
        "a/$count eq 1",
        "$it/a eq 1",
        "a eq @p",
        "a add 1 eq 2",
        "a eq 1 div 0",
        "a eq -b",
        "a eq INF",
        "a eq duration'P1D'",
        "a eq 12:00:00",
        "a eq binary'AA'",
        "a eq importance'high'",
        "a eq n.t 'x'",
        "a eq n.t'x y'",
        "n.t/a eq 1",
        "a.b eq 1",
        "a/ eq 1",
        "/a eq 1",
        "a//b eq 1",
        "a eq 2023-02-29",
        "a eq 2024-01-01T00:00:00 01:00",
        "a/all(x:x/b eq 1)",
        "a/any(x:)",
        "a/any(x)",
        "a/any(x/b eq 1)",
        "a/any(x:b eq 1)",
        "a/any(x:X/b eq 1)",
        "a/any(x:a/b eq 1)",
        "a/any(x:x/b eq 1",
        "any(x:x eq 1)",
        "a/any(x:x/b/any(y:y eq 1))",
        "a/any(x:x/b/any())",
        "a/any(1:1 eq 1)",
        "a/any() eq true",
        "a/contains(b,'c')",
        "a;b",
        "a eq 'b",
        "a eq \u{2018}b\u{2019}",
        "a eq 'b'c",
        "a eq true;$top=1",
        "a eq *",
    ] {
        assert!(filter(value).is_err(), "{value}");
    }
}

#[test]
fn errors_say_what_was_expected_and_where() {
    for (value, kind, position) in [
        ("a eq true b", Kind::Expected("'and', 'or' or the end"), 10),
        ("subject eq", Kind::Expected("a literal"), 10),
        ("a eq 2023-02-29", Kind::InvalidLiteral, 5),
        ("a eq 'b", Kind::UnterminatedString, 5),
        ("a/any(x:b eq 1)", Kind::Expected("a path that begins with the lambda variable"), 8),
        ("a/any(x:x/b/any(y:y eq 1))", Kind::NestedLambda, 12),
        ("contains(a,1)", Kind::Expected("a quoted string"), 11),
        ("a is 1", Kind::Expected("a comparison operator or 'in'"), 2),
    ] {
        let error = filter(value).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position), "{value}");
    }
    let error = filter("a eq secret").unwrap_err();
    assert_eq!(error.code(), "invalidLiteral");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth: usize| format!("{}a eq 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(filter(&nested(MAX_FILTER_DEPTH)).is_ok());
    assert_eq!(filter(&nested(MAX_FILTER_DEPTH + 1)).unwrap_err().kind(), Kind::TooDeep);
    let negated = |depth: usize| format!("{}a eq 1", "not ".repeat(depth));
    assert!(filter(&filter(&negated(MAX_FILTER_DEPTH)).unwrap().to_string()).is_ok());
    assert_eq!(filter(&negated(MAX_FILTER_DEPTH + 1)).unwrap_err().kind(), Kind::TooDeep);
    assert_eq!(filter(&negated(2000)).unwrap_err().kind(), Kind::TooDeep);

    let terms = |count: usize| vec!["a eq 1"; count].join(" or ");
    assert!(filter(&terms(MAX_FILTER_TERMS)).is_ok());
    assert_eq!(filter(&terms(MAX_FILTER_TERMS + 1)).unwrap_err().kind(), Kind::TooManyTerms);
    let list = |count: usize| format!("a in ({})", vec!["1"; count].join(","));
    assert!(filter(&list(MAX_FILTER_TERMS)).is_ok());
    assert_eq!(filter(&list(MAX_FILTER_TERMS + 1)).unwrap_err().kind(), Kind::TooManyTerms);

    let long = |length: usize| format!("a eq '{}'", "b".repeat(length - 7));
    assert!(filter(&long(MAX_VALUE)).is_ok());
    assert_eq!(filter(&long(MAX_VALUE + 1)).unwrap_err().kind(), Kind::TooLong);
}
