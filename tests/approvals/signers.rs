//! What the signers file may say.

use glassine::approvals::Signers;

use super::desk::{Desk, ONE};
use super::reviewer::{Reviewer, openssh_accepts};

#[track_caller]
fn faults(text: &str) -> Vec<(String, &str)> {
    let faults = Signers::parse(text).expect_err(text);
    faults.into_iter().map(|fault| (fault.message, &text[fault.span])).collect()
}

#[test]
fn what_openssh_reads_is_read() {
    let alice = Reviewer::new("alice@contoso.com");
    let key = alice.public();
    let (name, _) = key.rsplit_once(' ').unwrap();
    let signature = alice.sign("a text");
    for line in [
        format!("alice@contoso.com {key}"),
        format!("alice@contoso.com {name}"),
        format!("  alice@contoso.com\t{name} a comment of several words"),
        format!("\"alice@contoso.com\" {key}"),
        format!("al,alice@contoso.com {key}"),
        format!("# a comment\n\n\t\nalice@contoso.com {key}\r\n"),
        format!("alice@contoso.com namespaces=\"glassine-rules\" {key}"),
        format!("alice@contoso.com NameSpaces=\"git,glassine-rules\",valid-after=\"20200101\" {key}"),
        format!("alice@contoso.com valid-after=\"20200101Z\",valid-before=\"20990101000000Z\"  {key}"),
    ] {
        Signers::parse(&line).unwrap_or_else(|faults| panic!("{line}: {faults:?}"));
        assert!(openssh_accepts(&line, "alice@contoso.com", &signature, "a text"), "{line}");
    }
}

#[test]
fn each_line_that_cannot_be_used_is_told() {
    let key = Reviewer::new("alice@contoso.com").public();
    for (line, told) in [
        (format!("alice cert-authority {key}"), "`cert-authority` is not accepted here"),
        (format!("alice Cert-Authority,namespaces=\"git\" {key}"), "`cert-authority` is not accepted here"),
        (format!("*@contoso.com {key}"), "`*@contoso.com` names no single person"),
        (format!("alice,!bob {key}"), "`!bob` names no single person"),
        (format!("alice, {key}"), "`` names no single person"),
        (format!("alice no-touch-required {key}"), "the option `no-touch-required` is unknown"),
        (format!("alice namespaces=git {key}"), "the value of `namespaces` is not in quotes"),
        (
            format!("alice namespaces=\"git\",namespaces=\"file\" {key}"),
            "the option `namespaces` comes twice",
        ),
        (format!("alice namespaces=\"git\", {key}"), "the options end with a comma"),
        (format!("alice namespaces=\"git\"x {key}"), "no comma stands behind `namespaces`"),
        (format!("alice valid-before=\"soon\" {key}"), "`valid-before` has no time"),
        (format!("alice valid-before {key}"), "`valid-before` has no time"),
        (
            format!("alice valid-after=\"20270101Z\",valid-before=\"20260101Z\" {key}"),
            "`valid-before` is not later",
        ),
        ("alice".to_owned(), "no person, or no public key"),
        (key, "no person, or no public key"),
        ("alice ssh-ed25519 AAAA".to_owned(), "the public key cannot be read"),
    ] {
        let [(message, at)] = &faults(&line)[..] else { panic!("{line}") };
        assert!(message.contains(told), "{line}: {message}");
        assert_eq!(*at, line, "the whole line is shown");
    }
}

#[test]
fn all_bad_lines_are_told_at_once_in_the_signers_file() {
    let alice = Reviewer::new("alice@contoso.com");
    let desk = Desk::of_one(&alice);
    desk.write("acme.sig", &alice.sign(&desk.statement()));
    desk.is_approved_by("alice@contoso.com");
    let bad = format!(
        "# who may approve\n{}*@x {}\nbob cert-authority {}\n",
        alice.line(""),
        alice.public(),
        alice.public()
    );
    desk.write("reviewers", &bad);
    desk.check().fails(
        1,
        &[
            "error[G0408]",
            "reviewers:3:1",
            "`*@x` names no single person",
            "reviewers:4:1",
            "list each reviewer's own key",
        ],
    );
    for empty in ["", "# nobody yet\n"] {
        desk.write("reviewers", empty);
        desk.check().fails(1, &["error[G0408]", "the file names nobody"]);
    }
    std::fs::remove_file(desk.path("reviewers")).unwrap();
    desk.check().fails(1, &["error[G0403]", "reviewers: there is no such file"]);
}

#[test]
fn keys_that_are_too_weak_are_refused_and_stronger_ones_are_not() {
    let desk = Desk::new(ONE, &["acme.sig"]);
    for (kind, is_good) in [(["-t", "rsa", "-b", "1024"], false), (["-t", "rsa", "-b", "2048"], true)] {
        let reviewer = Reviewer::with_key("alice@contoso.com", &kind);
        desk.write("reviewers", &reviewer.line(""));
        desk.write("acme.sig", &reviewer.sign(&desk.statement()));
        if is_good {
            desk.is_approved_by("alice@contoso.com");
        } else {
            desk.check().fails(
                1,
                &["error[G0408]", "signatures of this `ssh-rsa` key are not accepted", "2048 bits"],
            );
        }
    }
}
