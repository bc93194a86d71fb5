//! Descriptions of small rules: what the shipped files do not have.

use serde_json::{Value as Json, json};

use super::*;
use crate::rules::compile;

const HEAD: &str = "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [User.Read.All, Mail.ReadBasic.All, Mail.Read]\nshapes:\n";

fn plan(rules: &str) -> Plan {
    let compiled = compile("rules.yaml", &format!("{HEAD}{rules}"));
    compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()))
}

fn openapi(rules: &str) -> Json {
    serde_json::from_str(Document::openapi(&plan(rules), About::default()).text()).unwrap()
}

fn csdl(rules: &str) -> String {
    Document::csdl(&plan(rules), Version::V1).unwrap().text().to_owned()
}

/// Messages with this shape, by one endpoint with these lines more.
fn messages(shape: &str, more: &str) -> String {
    format!(
        "  s:\n{shape}\nendpoints:\n  - name: e\n    get: /v1.0/users/{{user}}/messages\n    \
         params: {{ user: {{ token: id }} }}\n{more}    response: {{ collection: s }}\n"
    )
}

fn message_schema(shape: &str) -> Json {
    openapi(&messages(shape, ""))["components"]["schemas"]["message"]["properties"].clone()
}

/// The line of the property in the CSDL document.
fn declared(csdl: &str, name: &str) -> String {
    let start = format!("<Property Name=\"{name}\"");
    let line = csdl.lines().find(|line| line.trim_start().starts_with(&start));
    line.unwrap_or_else(|| panic!("no {name} in {csdl}")).trim().trim_end_matches(['/', '>']).to_owned()
}

#[test]
fn a_digest_is_an_object_and_a_truncated_time_a_time() {
    let shape = "    digest: [{ path: $.subject, reviewed: true }]\n    truncate_time: [{ path: $.sentDateTime, to: hour }]";
    let schema = message_schema(shape);
    assert_eq!(schema["subject"]["type"], json!(["object", "null"]));
    assert_eq!(schema["subject"]["required"], json!(["length", "words"]));
    assert_eq!(schema["sentDateTime"]["format"], "date-time");
    assert_eq!(schema["sentDateTime"]["description"], "the time, cut to the hour");
    let csdl = csdl(&messages(shape, ""));
    assert_eq!(declared(&csdl, "subject"), "<Property Name=\"subject\" Type=\"glassine.digest\"");
    assert_eq!(
        declared(&csdl, "sentDateTime"),
        "<Property Name=\"sentDateTime\" Type=\"Edm.DateTimeOffset\""
    );
    assert!(csdl.contains("<Schema Namespace=\"glassine\""));
    let without = super::tests::csdl(&messages("    keep: { booleans: [$.isRead] }", ""));
    assert!(!without.contains("glassine"));
}

#[test]
fn what_leaves_as_written_has_graphs_type() {
    let shape = "    keep: { text: [$.importance, $.isRead, { path: $.subject, reviewed: true }] }";
    let csdl = csdl(&messages(shape, ""));
    for (name, of) in
        [("importance", "microsoft.graph.importance"), ("isRead", "Edm.Boolean"), ("subject", "Edm.String")]
    {
        assert_eq!(declared(&csdl, name), format!("<Property Name=\"{name}\" Type=\"{of}\""));
    }
    assert!(csdl.contains("<Member Name=\"low\"/>"));
    let schema = message_schema(shape);
    assert_eq!(schema["isRead"]["type"], json!(["boolean", "null"]));
    assert_eq!(schema["subject"]["description"], "as written, whatever it says");
}

#[test]
fn a_blocklist_is_an_open_type() {
    let rules = messages("    unlisted: keep\n    redact: [$.subject]", "    query: { $select: kept }\n");
    let openapi = openapi(&rules);
    let schema = &openapi["components"]["schemas"]["message"];
    // Where an object is expected, a text would leave too.
    let ways = schema["anyOf"].as_array().unwrap();
    assert!(
        ways.iter().any(|way| way["type"] == "object" && way["additionalProperties"] == true),
        "{schema}"
    );
    assert!(!openapi.to_string().contains("subject"), "the name of what is dropped");
    let select = openapi["paths"]["/v1.0/users/{user}/messages"]["get"]["parameters"].as_array().unwrap();
    let select = select.iter().find(|it| it["name"] == "$select").unwrap();
    assert_eq!(select["schema"]["items"], json!({ "type": "string" }));
    let csdl = csdl(&rules);
    assert!(csdl.contains("<EntityType Name=\"message\" OpenType=\"true\""), "{csdl}");
    assert!(!csdl.contains("subject"));
}

#[test]
fn shapes_in_a_circle_refer_to_themselves() {
    let rules = "  s:\n    pseudonymize: [{ path: $.id, as: id }]\n    nested: [{ paths: ['$.childFolders[*]'], shape: s }]\n\
                 endpoints:\n  - { name: e, get: '/v1.0/users/{u}/mailFolders', params: { u: { token: id } }, response: { collection: s } }\n";
    let schemas = openapi(rules)["components"]["schemas"].clone();
    let items = &schemas["mailFolder"]["properties"]["childFolders"]["items"];
    assert_eq!(*items, json!({ "$ref": "#/components/schemas/mailFolder" }));
    let csdl = csdl(rules);
    let navigation =
        "<NavigationProperty Name=\"childFolders\" Type=\"Collection(microsoft.graph.mailFolder)\"";
    assert_eq!(csdl.matches(navigation).count(), 1, "{csdl}");
}

/// The types of the two elements differ, and so do the forms.
#[test]
fn two_forms_at_one_place_are_both_there() {
    let shape = "    keep: { booleans: ['$.categories[0]'] }\n    pseudonymize: [{ path: '$.categories[1:]', as: text }]";
    let schema = message_schema(shape);
    let ways = schema["categories"]["items"]["anyOf"].as_array().unwrap();
    assert_eq!(ways.len(), 2);
    let csdl = csdl(&messages(shape, ""));
    assert_eq!(
        declared(&csdl, "categories"),
        "<Property Name=\"categories\" Type=\"Collection(Edm.Untyped)\""
    );
    assert!(csdl.contains("Version=\"4.01\""));
}

#[test]
fn containers_of_which_nothing_leaves_are_empty() {
    let shape = "    keep: { one_of: [{ path: $.flag.flagStatus, values: [complete] }, { path: '$.categories[*]', values: [a] }] }\n    \
                 redact: [$.flag.flagStatus, '$.categories[*]']";
    let schema = message_schema(shape);
    assert_eq!(schema["flag"], json!({ "type": "object", "additionalProperties": false }));
    assert_eq!(schema["categories"], json!({ "type": "array", "maxItems": 0 }));
    let csdl = csdl(&messages(shape, ""));
    assert!(csdl.contains("<ComplexType Name=\"followupFlag\"/>"), "{csdl}");
    assert!(!csdl.contains("flagStatus"));
}

/// A folder's name and a token in one place of a path are two endpoints, which OpenAPI cannot tell apart by their parameters.
#[test]
fn endpoints_with_one_path_have_a_path_for_each_name() {
    let endpoint = |name: &str, param: &str, of: &str| {
        format!(
            "  - {{ name: {name}, get: '/v1.0/users/{{u}}/mailFolders/{{{param}}}', params: {{ u: {{ token: id }}, {param}: {of} }}, \
             response: {{ entity: s }} }}\n"
        )
    };
    let rules = format!(
        "  s: {{ keep: {{ booleans: [$.isHidden] }} }}\nendpoints:\n{}{}",
        endpoint("named", "name", "{ one_of: [inbox, drafts] }"),
        endpoint("any", "folder", "{ token: id }")
    );
    let openapi = openapi(&rules);
    let paths = openapi["paths"].as_object().unwrap();
    let ids: Vec<_> = paths
        .iter()
        .filter_map(|(path, it)| Some((path.as_str(), it["get"]["operationId"].as_str()?)))
        .collect();
    for expected in [
        ("/v1.0/users/{u}/mailFolders/inbox", "named-inbox.v1.0"),
        ("/v1.0/users/{u}/mailFolders/drafts", "named-drafts.v1.0"),
        ("/v1.0/users/{u}/mailFolders/{folder}", "any.v1.0"),
    ] {
        assert!(ids.contains(&expected), "{ids:?}");
    }
    assert_eq!(ids.iter().filter(|(path, _)| path.contains("mailFolders")).count(), 3);
}

#[test]
fn a_number_of_objects_is_a_text_and_its_collection_can_be_counted() {
    let rules = "  s: { keep: { booleans: [$.accountEnabled] } }\nendpoints:\n  - name: e\n    get: /v1.0/users/$count\n    \
                 query: { $filter: { accountEnabled: [eq] } }\n    response: { count: s }\n";
    let openapi = openapi(rules);
    let get = &openapi["paths"]["/v1.0/users/$count"]["get"];
    assert_eq!(get["responses"]["200"]["content"]["text/plain"]["schema"]["type"], "string");
    assert!(get["responses"]["410"].is_null(), "a number has no links");
    let schemas = openapi["components"]["schemas"].as_object().unwrap();
    assert!(!schemas.contains_key("user"), "no object leaves");
    let csdl = csdl(rules);
    assert!(csdl.contains("<PropertyValue Property=\"Countable\" Bool=\"true\"/>"));
    assert!(!csdl.contains("accountEnabled\" Type"), "no property leaves");
    assert!(!csdl.contains("<Key>"));
}

#[test]
fn the_path_to_a_collection_that_is_not_open_cannot_be_read() {
    let csdl = csdl(&messages("    pseudonymize: [{ path: $.id, as: id, reversible: true }]", ""));
    assert!(csdl.contains("<EntitySet Name=\"users\" EntityType=\"microsoft.graph.user\"/>"));
    let users = csdl.split("GraphService/users\"").nth(1).unwrap();
    assert!(users.contains("<PropertyValue Property=\"Readable\" Bool=\"false\"/>"));
    assert!(
        users
            .split("NavigationRestrictions")
            .nth(1)
            .unwrap()
            .contains("<PropertyValue Property=\"Readable\" Bool=\"true\"/>")
    );
}

#[test]
fn comparisons_and_orders_are_told_with_their_operators() {
    let more = "    query: { $filter: { isRead: [eq], sentDateTime: [ge, lt] }, $orderby: { sentDateTime: [desc] } }\n";
    let rules =
        messages("    keep: { booleans: [$.isRead], times: [$.sentDateTime, $.createdDateTime] }", more);
    let openapi = openapi(&rules);
    let parameters = openapi["paths"]["/v1.0/users/{user}/messages"]["get"]["parameters"].as_array().unwrap();
    let named = |name: &str| parameters.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(
        named("$filter")["description"],
        "Compares isRead (eq); sentDateTime (ge, lt), joined by and, or, not."
    );
    assert_eq!(named("$orderby")["schema"]["items"]["enum"], json!(["sentDateTime desc"]));
    let csdl = csdl(&rules);
    for (property, paths) in
        [("NonFilterableProperties", 1), ("DescendingOnlyProperties", 1), ("NonSortableProperties", 2)]
    {
        let list = csdl.split(&format!("\"{property}\"")).nth(1).unwrap_or_else(|| panic!("{property}"));
        let list = list.split("</Collection>").next().unwrap();
        assert_eq!(list.matches("<PropertyPath>").count(), paths, "{property}: {list}");
    }
    assert!(csdl.contains("String=\"SingleValue\"") && csdl.contains("String=\"MultiRange\""));
}

#[test]
fn what_the_catalogue_does_not_know_is_in_the_openapi_document_only() {
    let rules = "  s: { keep: { booleans: [$.isRead] } }\nendpoints:\n  - { name: e, get: /v1.0/glaciers, response: { collection: s } }\n";
    let schema = openapi(rules)["components"]["schemas"]["glaciers"].clone();
    assert_eq!(schema["properties"]["isRead"]["type"], json!(["boolean", "null"]));
    assert!(!csdl(rules).contains("glaciers"));
}

#[test]
fn a_version_that_nothing_opens_has_no_document() {
    let plan = plan(&messages("    keep: { booleans: [$.isRead] }", ""));
    assert!(Document::csdl(&plan, Version::V1).is_some());
    assert_eq!(Document::csdl(&plan, Version::Beta), None);
}

#[test]
fn the_url_is_there_only_if_it_is_given() {
    let plan = plan(&messages("    keep: { booleans: [$.isRead] }", ""));
    let url = BaseUrl::parse("https://graph.contoso.com/proxy/").unwrap();
    let with = Document::openapi(&plan, About { revision: "r", url: Some(&url) });
    let with: Json = serde_json::from_str(with.text()).unwrap();
    assert_eq!(with["servers"], json!([{ "url": "https://graph.contoso.com/proxy" }]));
    let without = Document::openapi(&plan, About { revision: "r", url: None });
    assert!(!without.text().contains("servers"));
}
