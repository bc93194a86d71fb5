//! The order of lines in a rules file never changes what leaves, nor the fingerprint.

use proptest::prelude::*;

use glassine_core::statement::Statement;

use crate::support::sanitizing::{plan, pseudonyms, sanitize, with_body};

const HEAD: &str =
    "version: 1\nconnector: test\ntitle: Test\npurpose: Tests.\npermissions: [User.Read.All, Mail.Read]\n";

/// Lines that stand under `  s:`, in any order.
const SHAPE: &[&str] = &[
    "    keep: { text: [$.a, $.b, $.flag.status, '$.list[*].k'] }\n",
    "    redact: [$.b, $..secret]\n",
    "    digest: [$.c]\n",
    "    pseudonymize: [{ path: $.id, as: id, reversible: true }, { path: $.mail, as: email }]\n",
    "    nested: [{ path: $.from, shape: t }, { path: '$.list[*]', shape: t }]\n",
];

const SHAPES: &[&str] = &[
    "  t: { keep: { text: [$.k, $.secret] }, nested: [{ path: $.up, shape: t }] }\n",
    "  u: { keep: { text: [$.z] } }\n",
];

const QUERY: &[&str] = &[
    "      $top: { integer: { min: 1, max: 9 } }\n",
    "      $filter: { a: [eq, ne], flag/status: [eq], id: [ne, eq] }\n",
    "      kind: { one_of: [all, some] }\n",
    "      depth: boolean\n",
    "      $orderby: [a, flag/status]\n",
];

const ENDPOINTS: &[&str] = &[
    "  - { name: other, get: /v1.0/groups, response: { collection: u } }\n",
    "  - { name: third, get: '/v1.0/users/{user}', params: { user: { one_of: [x, y], token: id } }, response: { entity: t } }\n",
];

fn file(shape: &[&str], shapes: &[&str], query: &[&str], endpoints: &[&str], list_first: bool) -> String {
    let list = format!(
        "  - name: list\n    get: /v1.0/users\n    query:\n{}    response: {{ entity: s }}\n",
        query.concat()
    );
    let s = format!("  s:\n{}", shape.concat());
    let order =
        |one: String, rest: &[&str]| if list_first { one + &rest.concat() } else { rest.concat() + &one };
    format!(
        "{}shapes:\n{}endpoints:\n{}",
        HEAD.replace("User.Read.All", "User.Read.All, GroupMember.Read.All"),
        order(s, shapes),
        order(list, endpoints)
    )
}

const DOCUMENT: &str = r#"{"a":1,"b":2,"c":"three","id":"x","mail":"alice@contoso.com","secret":4,"flag":{"status":5,"x":6},
"from":{"k":7,"secret":8,"up":{"up":{"k":9,"x":10}}},"list":[{"k":11,"x":12},13],"z":14}"#;

fn outcome(source: &str) -> (String, String) {
    let plan = plan(source);
    let list = plan.endpoints.iter().find(|endpoint| endpoint.name == "list").unwrap();
    let body = with_body(list.response.body().clone());
    (Statement::of_rules(&plan).fingerprint().full(), sanitize(&body, DOCUMENT).unwrap().0)
}

#[test]
fn as_written() {
    let mut token = Vec::new();
    assert_eq!(
        pseudonyms().email("alice@contoso.com", &mut token),
        glassine_core::pseudonym::Outcome::Written
    );
    let expected = format!(
        r#"{{"a":1,"c":{{"length":5,"words":1}},"id":"p~AINdjg_TAU2Zxx6oV2-mn2NLU8BU7N4gWJ80mv72zVKCBsP7STOd2NXCqWIbhaVz7HmTlUF93fSLDC9upwyzaFA","mail":"{}","flag":{{"status":5}},"from":{{"k":7,"up":{{"up":{{"k":9}}}}}},"list":[{{"k":11}}]}}"#,
        String::from_utf8(token).unwrap()
    );
    assert_eq!(outcome(&file(SHAPE, SHAPES, QUERY, ENDPOINTS, true)).1, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order(
        shape in Just(SHAPE.to_vec()).prop_shuffle(),
        shapes in Just(SHAPES.to_vec()).prop_shuffle(),
        query in Just(QUERY.to_vec()).prop_shuffle(),
        endpoints in Just(ENDPOINTS.to_vec()).prop_shuffle(),
        list_first in any::<bool>(),
    ) {
        let shuffled = outcome(&file(&shape, &shapes, &query, &endpoints, list_first));
        prop_assert_eq!(shuffled, outcome(&file(SHAPE, SHAPES, QUERY, ENDPOINTS, true)));
    }
}

#[test]
fn a_line_less_changes_the_fingerprint() {
    let whole = outcome(&file(SHAPE, SHAPES, QUERY, ENDPOINTS, true)).0;
    let without = |lines: &[&'static str], at: usize| [&lines[..at], &lines[at + 1..]].concat();
    // The query uses what the other two lines let out.
    for left_out in [1, 2, 4] {
        let shape = without(SHAPE, left_out);
        assert_ne!(outcome(&file(&shape, SHAPES, QUERY, ENDPOINTS, true)).0, whole, "{left_out}");
    }
    for left_out in 0..QUERY.len() {
        let query = without(QUERY, left_out);
        assert_ne!(outcome(&file(SHAPE, SHAPES, &query, ENDPOINTS, true)).0, whole, "{left_out}");
    }
}
