//! `glassine diff`.

use std::fs;

use super::{RULES, Scratch, glassine};

/// The shipped rules with a change, beside the shipped ones.
fn changed(scratch: &Scratch, from: &str, to: &str) -> String {
    let rules = fs::read_to_string(RULES).unwrap();
    assert!(rules.contains(from), "{from}");
    scratch.write("new.yaml", rules.replacen(from, to, 1))
}

const KEPT: (&str, &str) = (
    "      booleans:\n        - $.hasAttachments",
    "      text: [{ path: $.subject, reviewed: true }]\n      booleans:\n        - $.hasAttachments",
);

#[test]
fn what_widens_is_told_once_with_its_line_and_a_witness() {
    let scratch = Scratch::new();
    let new = changed(&scratch, KEPT.0, KEPT.1);
    let ran = glassine(&["diff", RULES, &new]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{ran:?}");
    let line =
        1 + fs::read_to_string(&new).unwrap().lines().position(|line| line.contains("$.subject")).unwrap();
    for part in [
        "wider     $.subject: keep text now, nothing leaves before\n",
        "endpoints  list-messages, get-message, list-folder-messages, get-folder-message, folder-messages-delta\n",
        &format!("now        {new}:{line}\n"),
        r#"Graph      {"value":[{"subject":"Alice Smith is ill"}]}"#,
        r#"left       {"value":[{}]}"#,
        r#"leaves     {"value":[{"subject":"Alice Smith is ill"}]}"#,
        "wider 1, narrower 0, neutral 0\n",
    ] {
        assert!(ran.stdout.contains(part), "{part:?} missing: {ran:?}");
    }
}

#[test]
fn what_does_not_widen_is_0() {
    let scratch = Scratch::new();
    assert_eq!(glassine(&["diff", RULES, RULES]).fine(), "wider 0, narrower 0, neutral 0\n");
    let narrower = changed(&scratch, "      booleans: [$.accountEnabled]\n", "");
    let text = glassine(&["diff", RULES, &narrower]).fine();
    assert!(
        text.starts_with("narrower  $.accountEnabled: nothing leaves now, keep booleans before\n"),
        "{text}"
    );
}

#[test]
fn a_wider_request_is_shown_and_is_open_only_now() {
    let scratch = Scratch::new();
    let wider = "$orderby: { receivedDateTime: [desc], createdDateTime: [asc] }";
    let new = changed(&scratch, "$orderby: { receivedDateTime: [desc] }", wider);
    let json = glassine(&["diff", "--format", "json", RULES, &new]).json();
    let request = json["differences"][0]["request"].as_str().unwrap();
    assert!(request.ends_with("/messages/delta()?$orderby=createdDateTime"), "{request}");
    assert_eq!(glassine(&["explain", "--rules", &new, request]).code, Some(0), "{request}");
    assert_eq!(glassine(&["explain", "--rules", RULES, request]).code, Some(1), "{request}");
}

#[test]
fn each_format_has_the_same_differences() {
    let scratch = Scratch::new();
    let new = changed(&scratch, KEPT.0, KEPT.1);
    let json = glassine(&["diff", "--format", "json", RULES, &new]).json();
    assert_eq!((&json["wider"], &json["differences"][0]["verdict"]), (&1.into(), &"wider".into()), "{json}");
    let annotation = glassine(&["diff", "--format", "github", RULES, &new]).stdout;
    assert!(annotation.starts_with(&format!("::error file={new},line=")), "{annotation}");
    let markdown = glassine(&["diff", "--format", "markdown", RULES, &new]).stdout;
    assert!(markdown.contains("- **wider**: `$.subject`: keep text now"), "{markdown}");
}

#[test]
fn a_file_that_cannot_be_used_is_2() {
    let scratch = Scratch::new();
    let bad = changed(&scratch, "version: 1", "version: 2");
    glassine(&["diff", RULES, &bad]).fails(2, &["new.yaml", "G0002"]);
    glassine(&["diff", RULES, "nowhere.yaml"]).fails(2, &["nowhere.yaml"]);
}

const CONFIG: &str = "\
listen: 127.0.0.1:8080
public_url: http://127.0.0.1:8080
upstream:
  graph: https://graph.microsoft.com
  credential: { access_token_file: access-token }
keys: { file: keys.yaml }
tenant_domains: [contoso.com]
consumers:
  - name: acme
    rules: RULES
    pseudonym_domain: acme
    credential: { bearer_sha256: [a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90] }
audit: { file: audit.jsonl }
";

/// Each lets more out, although the rules stay as they are.
#[test]
fn what_a_configuration_widens_is_wider() {
    let scratch = Scratch::new();
    let config = CONFIG.replace("RULES", RULES);
    let old = scratch.write("old.yaml", &config);
    assert_eq!(glassine(&["diff", "--config", &old, &old]).fine(), "wider 0, narrower 0, neutral 0\n");
    for (from, to, what) in [
        ("[contoso.com]", "[contoso.com, gmail.com]", "`gmail.com` leaves readable where own domains do"),
        (
            "pseudonym_domain: acme",
            "pseudonym_domain: shared",
            "tokens are those of the pseudonym domain `shared`",
        ),
        ("https://graph.microsoft.com", "http://127.0.0.1:9", "requests go to http://127.0.0.1:9"),
        (
            "{ access_token_file: access-token }",
            "{ forward: true }",
            "the consumer's own access token is forwarded",
        ),
        ("- name: acme\n", "- name: other\n", "the consumer is new: review all that it may ask"),
    ] {
        let new = scratch.write("new.yaml", config.replace(from, to));
        let ran = glassine(&["diff", "--config", &old, &new]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{to}: {ran:?}");
        assert!(ran.stdout.starts_with(&format!("wider     {what}")), "{ran:?}");
    }
}

/// Without the domain, its addresses with plus tags have tokens of their own, if the rules strip tags at own domains.
#[test]
fn an_own_domain_less_is_narrower_unless_its_tags_count_again() {
    let scratch = Scratch::new();
    let kept = changed(&scratch, "plus_tags: strip_own", "plus_tags: keep");
    for (rules, code, told) in [
        (
            kept.as_str(),
            0,
            "narrower  `contoso.com` no longer leaves readable\n  consumer   acme\nwider 0, narrower 1",
        ),
        (
            RULES,
            1,
            "wider     `contoso.com` no longer leaves readable, and its plus tags count\n  consumer   acme\nwider 1",
        ),
    ] {
        let config = CONFIG.replace("RULES", rules);
        let old = scratch.write("old.yaml", &config);
        let new = scratch.write("config.yaml", config.replace("[contoso.com]", "[]"));
        let ran = glassine(&["diff", "--config", &old, &new]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""), "{ran:?}");
        assert!(ran.stdout.starts_with(told), "{ran:?}");
    }
}

#[test]
fn a_wildcard_is_compared_by_what_it_means() {
    let scratch = Scratch::new();
    let config = CONFIG.replace("RULES", RULES);
    let told = |before: &str, after: &str| {
        let old = scratch.write("old.yaml", config.replace("[contoso.com]", before));
        let new = scratch.write("config.yaml", config.replace("[contoso.com]", after));
        glassine(&["diff", "--config", &old, &new]).stdout
    };
    let (exact, wildcard) = ("[a.contoso.com]", "['*.contoso.com']");
    let wider = told(exact, wildcard);
    assert!(wider.starts_with("wider     `*.contoso.com` leaves readable where own domains do"), "{wider}");
    assert!(
        wider.contains("neutral   `a.contoso.com` is no longer listed, and `*.contoso.com` covers it"),
        "{wider}"
    );
    let more = told(wildcard, "['*.contoso.com', a.contoso.com]");
    assert!(
        more.starts_with("neutral   `a.contoso.com` is listed, which `*.contoso.com` covered before"),
        "{more}"
    );
    assert!(told(wildcard, "['*.contoso.com', contoso.com]").starts_with("wider     `contoso.com` leaves"));
}

#[test]
fn what_the_rules_of_a_consumer_widen_is_told_with_its_name() {
    let scratch = Scratch::new();
    let rules = changed(&scratch, KEPT.0, KEPT.1);
    let old = scratch.write("old.yaml", CONFIG.replace("RULES", RULES));
    let new = scratch.write("config.yaml", CONFIG.replace("RULES", &rules));
    let ran = glassine(&["diff", "--config", &old, &new]);
    assert!(ran.stdout.starts_with("wider     $.subject: keep text now"), "{ran:?}");
    assert!(ran.stdout.contains("  consumer   acme\n"), "{ran:?}");
}
