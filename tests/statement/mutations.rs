//! Changes of the shipped rules, each of which lets something more out or in: every one changes the statement, and `diff`
//! calls every one wider.

use std::sync::Arc;

use glassine_core::rules::compile;
use glassine_core::statement::Statement;
use glassine_core::statement::diff::Verdict;

use super::compare_plans;
use crate::support::glassine::METADATA_ONLY;

/// What stands in the file, and what stands there instead.
const LOOSENED: [(&str, &str); 41] = [
    (
        "      booleans:\n        - $.hasAtt",
        "      text: [{ path: $.subject, reviewed: true }]\n      booleans:\n        - $.hasAtt",
    ),
    (
        "      booleans:\n        - $.hasAtt",
        "      text: [{ path: $.body.content, reviewed: true }]\n      booleans:\n        - $.hasAtt",
    ),
    (
        "      booleans:\n        - $.hasAtt",
        "      booleans:\n        - $.unsubscribeEnabled\n        - $.hasAtt",
    ),
    ("  message:\n    keep:", "  message:\n    unlisted: keep\n    keep:"),
    ("  message:\n    keep:", "  message:\n    digest: [{ path: $.subject, reviewed: true }]\n    keep:"),
    (
        "  message:\n    keep:",
        "  message:\n    domain: [{ path: $.from.emailAddress.name, reviewed: true }]\n    keep:",
    ),
    (
        "  recipient:\n    pseudonymize:",
        "  recipient:\n    keep: { text: [{ path: $.emailAddress.name, reviewed: true }] }\n    pseudonymize:",
    ),
    ("values: [low, normal, high]", "values: [low, normal, high, urgent]"),
    ("values: [Member, Guest]", "values: [Member, Guest, Alice]"),
    (
        "      booleans: [$.isHidden]\n",
        "      booleans: [$.isHidden]\n      text: [{ path: $.displayName, reviewed: true }]\n",
    ),
    ("{ path: $.conversationId,    as: thread }", "{ path: $.conversationId,    as: id, reversible: true }"),
    ("{ path: $.conversationId,    as: thread }", "{ path: $.conversationId,    as: text }"),
    (
        "{ path: $.internetMessageId, as: message_id }",
        "{ paths: [$.internetMessageId, $.subject], as: text }",
    ),
    ("domains: keep_listed", "domains: keep"),
    (
        "(?<prefix>SMTP:|smtp:|X500:|x500:)(?<address>.+)",
        "(?<prefix>SMTP:|smtp:|X500:|x500:|sip:)(?<address>.+)",
    ),
    ("(?<prefix>SMTP:|smtp:|X500:|x500:)(?<address>.+)", "(?<prefix>SMTP:|smtp:)(?<address>.+@.+)"),
    ("  - name: Mail.ReadBasic.All", "  - name: [Mail.ReadBasic.All, Mail.Read]"),
    ("  - name: Contacts.Read\n", "  - name: Calendars.Read\n    why: More.\n  - name: Contacts.Read\n"),
    ("      $top: { integer: { min: 1, max: 999 } }", "      $top: { integer: { min: 1, max: 9999 } }"),
    (
        "      $skip: { integer: { min: 0, max: 10000000 } }",
        "      $skip: { integer: { min: 0, max: 20000000 } }",
    ),
    ("      $count: boolean\n", "      $count: boolean\n      includeHiddenMessages: boolean\n"),
    ("      includeHiddenFolders: boolean\n", "      includeHiddenFolders: { pattern: '.*' }\n"),
    ("{ receivedDateTime: [ge, gt] }", "{ receivedDateTime: [ge, gt, eq] }"),
    ("{ id: [eq] }", "{ id: [eq], mail: [present] }"),
    ("{ id: [eq] }", "kept"),
    (
        "$orderby: { receivedDateTime: [desc] }",
        "$orderby: { receivedDateTime: [desc], createdDateTime: [desc] }",
    ),
    ("$orderby: { receivedDateTime: [desc] }", "$orderby: kept"),
    ("changeType: { one_of: [created, updated, deleted] }", "changeType: { pattern: '.*' }"),
    (
        "    query:\n      $select: kept\n    response: { entity: mail-folder }",
        "    query:\n      $select: kept\n      $top: { integer: { min: 1, max: 10 } }\n    response: { entity: mail-folder }",
    ),
    ("response: { property: mailbox-settings }", "response: { entity: mailbox-settings }"),
    ("      user: { token: id }\n", "      user: { raw: true }\n"),
    ("      user: { token: id }\n", "      user: { token: id, pattern: '[^@]+@contoso.com' }\n"),
    (
        "junkemail, outbox, conversationhistory, msgfolderroot]",
        "junkemail, outbox, conversationhistory, msgfolderroot, clutter]",
    ),
    ("      odata.maxpagesize: { min: 1, max: 1000 }\n", "      odata.maxpagesize: { min: 1, max: 5000 }\n"),
    ("    response: { entity: mail-folder }", "    response: { entity: message }"),
    ("    response: { collection: contact-folder }", "    response: { collection: contact }"),
    (
        "endpoints:\n",
        "endpoints:\n  - name: get-contact-folder\n    get: /v1.0/users/{user}/contactFolders/{folder}\n    params: { user: { token: id }, folder: { token: id } }\n    response: { entity: contact-folder }\n",
    ),
    (
        "endpoints:\n",
        "endpoints:\n  - name: count-user\n    get: /v1.0/users/{user}/mailFolders/delta/$count\n    params: { user: { token: id } }\n    response: { count: user }\n",
    ),
    (
        "    query: &message-query\n",
        "    query: &message-query\n      $expand: { attachments: { shape: contact-folder } }\n",
    ),
    ("plus_tags: strip_own", "plus_tags: keep"),
    ("plus_tags: strip_own", "plus_tags: strip"),
];

/// Fewer tokens tell people apart by their tags, so this one is narrower.
const NARROWER: &str = "plus_tags: strip";

#[test]
fn each_loosening_changes_the_statement_and_is_called_wider() {
    let shipped = Arc::new(compile("rules.yaml", METADATA_ONLY).plan.unwrap());
    let statement = Statement::of_rules(&shipped);
    for (from, to) in LOOSENED {
        let rules = METADATA_ONLY.replace(from, to);
        assert_ne!(rules, METADATA_ONLY, "{from}");
        let compiled = compile("rules.yaml", &rules);
        let report = compiled.report.render();
        let loosened = Arc::new(compiled.plan.unwrap_or_else(|| panic!("{to}: {report}")));
        assert_ne!(Statement::of_rules(&loosened).fingerprint(), statement.fingerprint(), "{to}");
        let expected = if to == NARROWER { Verdict::Narrower } else { Verdict::Wider };
        let verdict = |old, new| compare_plans(old, new).first().map(|difference| difference.verdict);
        assert_eq!(verdict(&shipped, &loosened), Some(expected), "{to}");
    }
}

#[test]
fn what_only_reads_differently_is_neutral_or_no_difference() {
    let shipped = Arc::new(compile("rules.yaml", METADATA_ONLY).plan.unwrap());
    for (from, to, differs) in [
        ("  recipient:", "  # another comment\n  recipient:", false),
        ("shape: recipient", "shape: correspondent", false),
        ("values: [low, normal, high]", "values: [high, low, normal]", false),
        ("title: Outlook Mail - Meta Data Only", "title: Another", true),
    ] {
        let mut rules = METADATA_ONLY.replace(from, to);
        if to.contains("correspondent") {
            rules = rules.replace("  recipient:\n", "  correspondent:\n");
        }
        let changed = Arc::new(compile("rules.yaml", &rules).plan.unwrap());
        let differences = compare_plans(&shipped, &changed);
        assert_eq!(!differences.is_empty(), differs, "{to}: {differences:?}");
        assert!(
            differences.iter().all(|difference| difference.verdict == Verdict::Neutral),
            "{differences:?}"
        );
        assert_eq!(Statement::of_rules(&changed) == Statement::of_rules(&shipped), !differs, "{to}");
    }
}
