//! Signatures that do not count, and what is said about them. Each test has the legitimate form beside it.

use ssh_key::Algorithm;

use super::crafted::relabelled;
use super::desk::{Desk, ONE, TWO};
use super::reviewer::Reviewer;
use crate::cli::glassine;

fn alice() -> Reviewer {
    Reviewer::new("alice@contoso.com")
}

/// The good signature of Alice, and what is said if another text is in its place.
#[track_caller]
fn refuses(alice: &Reviewer, spoil: impl FnOnce(&str, &str) -> String, parts: &[&str]) {
    let desk = Desk::of_one(alice);
    let statement = desk.statement();
    let good = alice.sign(&statement);
    desk.write("acme.sig", &good);
    desk.is_approved_by("alice@contoso.com");
    desk.write("acme.sig", &spoil(&good, &statement));
    let always =
        ["error[G0407]", "acme.sig: this signature does not count", "0 of 1 people have approved", "help:"];
    desk.check().fails(1, &[&always, parts].concat());
}

#[test]
fn a_signature_for_another_purpose() {
    let alice = alice();
    for namespace in ["git", "file", "glassine-rules2", "Glassine-Rules"] {
        let told = format!("for the namespace `{namespace}`, not for `glassine-rules`");
        refuses(&alice, |_, statement| alice.sign_for(namespace, statement), &[&told, "-n glassine-rules"]);
    }
}

#[test]
fn a_signature_over_another_text_is_told_with_the_fingerprint_that_would_run() {
    let alice = alice();
    let desk = Desk::of_one(&alice);
    let digits: String = {
        use sha2::Digest as _;
        sha2::Sha256::digest(desk.statement()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    for spoil in [
        |text: &str| format!("{text}\n"),
        |text: &str| text.trim().to_owned(),
        |text: &str| text.replace('\n', "\r\n"),
    ] {
        let told = format!("over another text than the statement with the fingerprint {digits}");
        refuses(
            &alice,
            |_, statement| alice.sign(&spoil(statement)),
            &[&told, "glassine statement --config", "--consumer acme"],
        );
    }
}

#[test]
fn a_key_that_the_signers_file_does_not_have() {
    let (alice, stranger) = (alice(), Reviewer::new("alice@contoso.com"));
    refuses(
        &alice,
        |_, statement| stranger.sign(statement),
        &["of the key SHA256:", "which the signers file does not have"],
    );
}

#[test]
fn what_is_no_whole_signature() {
    let alice = alice();
    let told = ["this is not an SSH signature", "ssh-keygen -Y sign"];
    refuses(&alice, |good, _| good.lines().take(3).collect::<Vec<_>>().join("\n"), &told);
    refuses(&alice, |good, _| good[..good.len() / 2].to_owned(), &told);
    refuses(&alice, |good, _| good.replace("SSH SIGNATURE", "PGP SIGNATURE"), &told);
    refuses(&alice, |_, _| alice.public(), &told);
    refuses(&alice, |_, statement| statement.to_owned(), &told);
    refuses(&alice, |_, _| String::new(), &told);
}

#[test]
fn an_rsa_signature_with_sha_1() {
    let alice = Reviewer::with_key("alice@contoso.com", &["-t", "rsa", "-b", "2048"]);
    let sha_1 = Algorithm::Rsa { hash: None };
    refuses(
        &alice,
        |good, _| relabelled(good, sha_1),
        &["signatures of the algorithm `ssh-rsa` are not accepted", "SHA-2"],
    );
}

#[test]
fn a_signer_who_may_not_sign_now_or_for_this() {
    let alice = alice();
    let desk = Desk::of_one(&alice);
    desk.write("acme.sig", &alice.sign(&desk.statement()));
    for good in [
        "",
        "namespaces=\"glassine-rules\"",
        "namespaces=\"git,glassine-*\"",
        "valid-after=\"20200101\",valid-before=\"20991231Z\"",
        "VALID-AFTER=\"202001010000Z\"",
    ] {
        desk.write("reviewers", &alice.line(good));
        desk.is_approved_by("alice@contoso.com");
    }
    for (bad, told) in [
        (
            "namespaces=\"git\"",
            "alice@contoso.com, whose `namespaces` in the signers file lack `glassine-rules`",
        ),
        ("namespaces=\"*,!glassine-*\"", "whose `namespaces`"),
        (
            "valid-before=\"20200101Z\"",
            "alice@contoso.com, whose key counted until 2020-01-01T00:00:00Z (`valid-before`",
        ),
        (
            "valid-after=\"20991231Z\"",
            "alice@contoso.com, whose key counts only from 2099-12-31T00:00:00Z on (`valid-after`",
        ),
    ] {
        desk.write("reviewers", &alice.line(bad));
        desk.check().fails(
            1,
            &[
                "error[G0407]",
                told,
                "0 of 1 people have approved; approved: nobody; could still approve: nobody",
            ],
        );
    }
    // Another line of the same key, as during a renewal.
    desk.write("reviewers", &(alice.line("valid-before=\"20200101Z\"") + &alice.line("")));
    desk.is_approved_by("alice@contoso.com");
}

#[test]
fn a_section_with_nobody_who_signed() {
    let alice = alice();
    let desk = Desk::of_one(&alice);
    let told = [
        "error[G0407]",
        "what `acme` would get is not approved, fingerprint ",
        "0 of 1 people have approved",
        "could still approve: alice@contoso.com",
        "ssh-keygen -Y sign",
    ];
    for nobody in ["approved_by: []", "approved_by:", "approved_by: null", ""] {
        desk.configure(ONE, nobody);
        desk.check().fails(1, &told);
        assert!(!desk.statement().is_empty(), "the text to sign comes before the first signature");
        glassine(&["serve", "--config", &desk.path("config.yaml")]).fails(2, &told);
    }
    desk.write("acme.sig", &alice.sign(&desk.statement()));
    desk.configure(ONE, "approved_by: [acme.sig]");
    desk.is_approved_by("alice@contoso.com");
}

/// The presence of the section decides, not what is in it.
#[test]
fn a_section_that_is_empty_or_wrong_is_still_a_section() {
    let alice = alice();
    let desk = Desk::of_one(&alice);
    desk.write("acme.sig", &alice.sign(&desk.statement()));
    for section in [
        "approvals:",
        "approvals: ~",
        "approvals: {}",
        "approvals: []",
        "approvals: false",
        "approvals: { require: 1 }",
        "approvals: { signers_file: reviewers, require: 0 }",
        "approvals: { signers_file: reviewers, require: -1 }",
        "approvals: { signers_file: reviewers, expire_days: 0 }",
        "approvals: { signers_file: reviewers, expire_days: 1097 }",
        "approvals: { signers_file: '' }",
        "approvals: { signers_file: reviewers, required: 2 }",
    ] {
        for approved_by in ["approved_by: [acme.sig]", "approved_by: []", ""] {
            desk.configure(section, approved_by);
            let ran = desk.check();
            assert_eq!(ran.code, Some(1), "{section} {approved_by}: {ran:?}");
        }
    }
    desk.configure(ONE, "approved_by: [acme.sig]");
    desk.is_approved_by("alice@contoso.com");
}

#[test]
fn signatures_that_nobody_verifies_are_a_mistake() {
    let desk = Desk::new("", &["acme.sig"]);
    desk.check().fails(1, &["G0401", "nobody verifies these signatures", "add `approvals: {"]);
    desk.configure("", "");
    assert!(!desk.check().fine().contains("approved"));
}

#[test]
fn a_start_says_what_is_wrong_with_each_signature() {
    let [alice, bob] = ["alice@contoso.com", "bob@contoso.com"].map(Reviewer::new);
    let desk = Desk::new(TWO, &["alice.sig", "bob.sig", "lost.sig"]);
    desk.write("reviewers", &(alice.line("") + &bob.line("")));
    desk.write("alice.sig", &alice.sign(&desk.statement()));
    desk.write("bob.sig", &bob.sign_for("file", &desk.statement()));
    glassine(&["serve", "--config", &desk.path("config.yaml")]).fails(
        2,
        &[
            "bob.sig: this signature does not count: the signature is for the namespace `file`",
            "lost.sig: there is no such file",
            "1 of 2 people have approved; approved: alice@contoso.com; could still approve: bob@contoso.com",
        ],
    );
}

#[test]
fn a_statement_needs_a_consumer_that_there_is() {
    let desk = Desk::new(ONE, &[]);
    let (config, rules) = (desk.path("config.yaml"), desk.path("acme.yaml"));
    let statement = |args: &[&str]| glassine(&[&["statement"], args].concat());
    let told = ["there is no consumer `other`", "there are: acme"];
    statement(&["--config", &config, "--consumer", "other"]).fails(2, &told);
    for wrong in [
        &["--config", &config][..],
        &["--consumer", "acme"],
        &[],
        &["--rules", &rules, "--consumer", "acme"],
        &["--rules", &rules, "--day", "2027-01-31"],
    ] {
        statement(wrong).fails(2, &["--"]);
    }
    desk.write("acme.yaml", &desk.read("acme.yaml").replace("version: 1", "version: 2"));
    statement(&["--config", &config, "--consumer", "acme"]).fails(2, &["G0002", "acme.yaml"]);
}

/// The rules alone are nobody's statement, so a signature of theirs approves nothing.
#[test]
fn a_signature_of_the_rules_is_no_approval() {
    let alice = alice();
    let desk = Desk::of_one(&alice);
    let of_rules = glassine(&["statement", "--rules", &desk.path("acme.yaml")]).fine();
    desk.write("acme.sig", &alice.sign(&of_rules));
    desk.check().fails(1, &["error[G0407]", "over another text"]);
    let settings = ["consumer \"acme\"", "own domains: \"contoso.com\""];
    let statement = desk.statement();
    assert!(settings.iter().all(|line| statement.contains(line) && !of_rules.contains(line)), "{statement}");
}
