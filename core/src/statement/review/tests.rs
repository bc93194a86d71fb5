//! The model of a review, on small changes of the shipped rules.

use super::*;
use crate::catalogue::Class;
use crate::pseudonym::OwnDomain;
use crate::rules::compile;

const OUTLOOK_MAIL: &str = include_str!("../../../../rules/outlook-mail.yaml");

const METADATA_ONLY: &str = include_str!("../../../../rules/outlook-mail-metadata-only.yaml");

fn review(rules: &str) -> Review {
    let compiled = compile("rules.yaml", rules);
    let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
    Review::of(&plan, &compiled.report, None)
}

/// The shipped rules with this at the start of the shape for messages.
fn with(line: &str) -> Review {
    let changed = OUTLOOK_MAIL.replacen("  message:\n", &format!("  message:\n    {line}\n"), 1);
    assert_ne!(changed, OUTLOOK_MAIL);
    review(&changed)
}

fn messages(review: &Review) -> &Object {
    review.objects.iter().find(|object| object.title == "Messages").unwrap()
}

fn row<'r>(object: &'r Object, path: &str) -> Option<&'r Row> {
    object.rows.iter().find(|row| row.path == path)
}

fn form(object: &Object, path: &str) -> Option<(Kind, String)> {
    let [form] = &row(object, path)?.forms[..] else { panic!("{path} has several forms") };
    Some((form.kind, form.words.to_string()))
}

fn withholds(object: &Object, words: &str) -> bool {
    object.withheld.iter().any(|it| it == words)
}

fn stays(review: &Review, class: Class) -> String {
    review.stays.iter().find(|stays| stays.class == class).unwrap().in_words()
}

#[test]
fn what_leaves_follows_from_the_plan() {
    let review = review(OUTLOOK_MAIL);
    let messages = messages(&review);
    assert_eq!(form(messages, "isRead"), Some((Kind::AsItIs, "true or false".to_owned())));
    let address = Some((Kind::OneWay, "the address as a pseudonym".to_owned()));
    assert_eq!(form(messages, "from.emailAddress.address"), address);
    assert_eq!(form(messages, "id").map(|(kind, _)| kind), Some(Kind::OpensAgain));
    assert_eq!(form(messages, "subject"), None);
    for words in ["subjects", "texts", "attachments", "names of senders"] {
        assert!(withholds(messages, words), "{words}");
    }
    let titles: Vec<_> = review.objects.iter().map(|object| object.title.as_str()).collect();
    let expected = [
        "Users",
        "Groups",
        "Members of groups",
        "Groups of users",
        "Contacts",
        "Contact folders",
        "Mailbox settings",
        "Mail folders",
        "Messages",
    ];
    assert_eq!(titles, expected, "in the order of the file");
}

#[test]
fn a_property_that_leaves_is_not_withheld() {
    let digest = with("digest: [{ path: $.subject, reviewed: true }]");
    let found = messages(&digest);
    assert!(!withholds(found, "subjects") && withholds(found, "texts"));
    assert_eq!(form(found, "subject"), Some((Kind::Part, "length and number of words only".to_owned())));
    assert!(messages(&with("unlisted: keep")).withheld.is_empty());
}

#[test]
fn content_is_dropped_in_one_line() {
    assert!(stays(&review(METADATA_ONLY), Class::Content).starts_with("all "));
    // Headers that name other messages.
    assert!(stays(&review(OUTLOOK_MAIL), Class::Content).starts_with("1 leave as tokens only; "));
    let digest = with("digest: [{ path: $.subject, reviewed: true }]");
    let content = stays(&digest, Class::Content);
    assert!(content.starts_with("1 leave as tokens only, 1 leave readable, whole or in part; "), "{content}");
    let tokens = stays(&review(OUTLOOK_MAIL), Class::DirectIdentifier);
    assert!(tokens.contains("leave as tokens only; "), "{tokens}");
}

#[test]
fn what_leaves_by_a_blocklist_is_one_row() {
    let review = with("unlisted: keep");
    let open: Vec<_> = messages(&review).rows.iter().filter(|row| row.danger.is_some()).collect();
    let [row] = &open[..] else { panic!("{open:?}") };
    assert_eq!(
        (row.path.as_str(), row.example.as_ref().unwrap().after.as_str()),
        ("*", Some("Re: Alice's salary"))
    );
    assert!(messages(&review).is_open());
    let nested = OUTLOOK_MAIL.replacen("  recipient:\n", "  recipient:\n    unlisted: keep\n", 1);
    let nested = self::review(&nested);
    let open = messages(&nested).rows.iter().filter(|row| row.danger.is_some());
    let paths: Vec<_> = open.map(|row| row.path.as_str()).collect();
    let expected = [
        "bccRecipients[*].*",
        "ccRecipients[*].*",
        "from.*",
        "replyTo[*].*",
        "sender.*",
        "toRecipients[*].*",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_blocklists_named_exceptions_stay_inside() {
    let review = with(
        "unlisted: keep\n    redact: [$.body, $.uniqueBody, $.subject, $.bodyPreview, $.internetMessageHeaders]",
    );
    assert_eq!(
        stays(&review, Class::Content),
        stays(&with("redact: [$.internetMessageHeaders]"), Class::Content)
    );
    let redacted: Vec<_> = messages(&review).redacted.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(redacted, ["body", "bodyPreview", "internetMessageHeaders", "subject", "uniqueBody"]);
}

#[test]
fn a_container_of_which_nothing_leaves_still_tells_that_it_is_there() {
    let review = with("redact: [$.flag.flagStatus]");
    assert_eq!(form(messages(&review), "flag"), Some((Kind::Presence, "an empty object".to_owned())));
    let example = row(messages(&review), "flag").unwrap().example.as_ref().unwrap();
    assert_eq!(example.after, serde_json::json!({}));
    assert!(row(messages(&self::review(OUTLOOK_MAIL)), "flag").is_none());
}

#[test]
fn the_number_of_objects_is_all_that_a_count_gives() {
    let small = "version: 1\nconnector: c\ntitle: T\npurpose: P.\npermissions: [User.Read.All]\n\
                 shapes:\n  s: { keep: { booleans: [$.accountEnabled] } }\nendpoints:\n  - name: e\n    get: /v1.0/users";
    let count = review(&format!("{small}/$count\n    response: {{ count: s }}\n"));
    assert_eq!(count.objects[0].rows.len(), 0);
    assert_eq!(count.around.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["['$count']"]);
    assert_eq!(count.requests[0].requests[0].gives, "how many there are");
    let list = review(&format!("{small}\n    response: {{ collection: s }}\n"));
    assert_eq!(list.objects[0].rows.len(), 1);
    assert_eq!(list.around.iter().map(|row| row.path.as_str()).collect::<Vec<_>>(), ["['@odata.nextLink']"]);
}

#[test]
fn an_element_behind_the_first_ones_has_an_example_of_its_own() {
    let emails =
        "keep: { booleans: ['$.categories[0]'] }\n    pseudonymize: [{ path: '$.categories[1:]', as: text }]";
    let small = OUTLOOK_MAIL.split("shapes:").next().unwrap();
    let rules = format!(
        "{small}shapes:\n  s:\n    {emails}\nendpoints:\n  - name: e\n    get: /v1.0/users/{{user}}/messages\n    \
         params: {{ user: {{ token: id }} }}\n    response: {{ collection: s }}\n"
    );
    let review = review(&rules);
    let rows: Vec<_> =
        review.objects[0].rows.iter().map(|row| (row.path.as_str(), row.forms[0].kind)).collect();
    assert_eq!(rows, [("categories[0]", Kind::AsItIs), ("categories[*]", Kind::OneWay)]);
    assert!(review.objects[0].rows.iter().all(|row| row.example.is_some()));
}

#[test]
fn requests_are_in_plain_words() {
    let review = review(OUTLOOK_MAIL);
    let requests = review.requests.iter().flat_map(|requests| &requests.requests);
    let list = requests.clone().find(|request| request.name == "list-messages").unwrap();
    assert_eq!(
        (list.path.as_str(), list.gives, &list.versions[..]),
        ("/users/{user}/messages", "page by page", &["v1.0"][..])
    );
    assert!(list.params.is_empty() && !list.takes_raw, "a parameter that takes a token is not worth a word");
    for words in [
        "1 to 1000 on a page",
        "count all",
        "sort by createdDateTime, hasAttachments, isDeliveryReceiptRequested, isDraft, isRead, isReadReceiptRequested, lastModifiedDateTime, receivedDateTime, sentDateTime",
    ] {
        assert!(list.options.iter().any(|option| option == words), "{words}: {:?}", list.options);
    }
    let folder = requests.clone().find(|request| request.name == "get-mail-folder").unwrap();
    assert_eq!(
        folder.params,
        [
            "{folder}: inbox, sentitems, archive, drafts, deleteditems, junkemail, outbox, conversationhistory, msgfolderroot or a token"
        ]
    );
}

#[test]
fn addresses_are_shown_with_and_without_the_tenants_domains() {
    let plan = |domains: &str| {
        let rules = OUTLOOK_MAIL.replace("domains: keep_listed", &format!("domains: {domains}"));
        compile("rules.yaml", &rules).plan.unwrap()
    };
    let addresses = |domains: &str, own: Option<&[OwnDomain]>| {
        let plan = plan(domains);
        let scene = Scene::new(&plan, "", own);
        Addresses::of(&plan, own, &scene)
    };
    let own = ["tallgrass.example", "*.tallgrass.example"].map(|domain| OwnDomain::parse(domain).unwrap());
    let [only, below] = [&own[..1], &own[1..]];
    let listed = addresses("keep_listed", Some(only));
    assert_eq!(
        listed.domains,
        "The domain tallgrass.example stays readable; every other domain leaves as a token of its own."
    );
    let after: Vec<_> = listed.examples.iter().map(|it| it.after.as_str().unwrap()).collect();
    assert!(after[0].ends_with("@tallgrass.example") && after[1].contains("@d~"), "{after:?}");
    assert_eq!(listed.readable, Some(vec!["tallgrass.example".to_owned()]));
    let below = addresses("keep_listed", Some(below));
    assert!(
        below.domains.starts_with("Every domain below tallgrass.example stays readable;"),
        "{}",
        below.domains
    );
    assert!(below.examples[0].before.as_str().unwrap().ends_with("@mail.tallgrass.example"));
    let both = addresses("keep_listed", Some(&own)).domains;
    assert!(
        both.starts_with("The domains tallgrass.example, all below tallgrass.example stay readable"),
        "{both}"
    );
    assert!(addresses("keep_listed", Some(&[])).domains.starts_with("No domain stays readable"));
    assert!(addresses("keep_listed", None).domains.contains("`tenant_domains`"));
    assert_eq!(addresses("keep", None).readable, None);
    assert_eq!(addresses("drop", Some(&own)).readable, Some(Vec::new()));
    assert!(!addresses("drop", Some(&own)).examples[0].after.as_str().unwrap().contains('@'));
}
