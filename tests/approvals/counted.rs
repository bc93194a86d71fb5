//! Which signatures count.

use super::crafted::{SecurityKey, TOUCHED};
use super::desk::{Desk, ONE, TWO};
use super::reviewer::{Reviewer, openssh_accepts};

#[test]
fn every_kind_of_key_that_ssh_keygen_makes_counts() {
    let kinds: [(&str, &[&str]); 6] = [
        ("ed25519", &["-t", "ed25519"]),
        ("p256", &["-t", "ecdsa", "-b", "256"]),
        ("p384", &["-t", "ecdsa", "-b", "384"]),
        ("p521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa2048", &["-t", "rsa", "-b", "2048"]),
        ("rsa3072", &["-t", "rsa", "-b", "3072"]),
    ];
    for (name, kind) in kinds {
        let reviewer = Reviewer::with_key("alice@contoso.com", kind);
        let desk = Desk::of_one(&reviewer);
        let statement = desk.statement();
        // A number of an ECDSA signature is shorter than the others now and then.
        for _ in 0..3 {
            let signature = reviewer.sign(&statement);
            desk.write("acme.sig", &signature);
            desk.is_approved_by("alice@contoso.com");
            assert!(openssh_accepts(&reviewer.line(""), reviewer.name, &signature, &statement), "{name}");
        }
        desk.write("acme.sig", &reviewer.sign(&(statement + "\n")));
        desk.check().fails(1, &["G0407", "over another text"]);
    }
}

/// There is no device here, so the test plays one. That `ssh-keygen` accepts the signatures shows that it plays well.
#[test]
fn security_keys_count_if_they_are_touched() {
    for key in [SecurityKey::ed25519(), SecurityKey::ecdsa()] {
        let desk = Desk::new(ONE, &["acme.sig"]);
        let (line, statement) = (key.line("alice@contoso.com"), desk.statement());
        desk.write("reviewers", &line);
        for _ in 0..3 {
            let signature = key.sign(&statement, TOUCHED);
            desk.write("acme.sig", &signature);
            desk.is_approved_by("alice@contoso.com");
            assert!(openssh_accepts(&line, "alice@contoso.com", &signature, &statement));
        }
        desk.write("acme.sig", &key.sign(&statement, 0));
        desk.check().fails(
            1,
            &["G0407", "alice@contoso.com, whose security key was not touched", "no-touch-required"],
        );
        desk.write("acme.sig", &key.sign("another text", TOUCHED));
        desk.check().fails(1, &["over another text"]);
    }
}

#[test]
fn people_count_and_not_signatures_or_keys() {
    let [phone, laptop, bob] =
        ["alice@contoso.com", "Alice@contoso.com", "bob@contoso.com"].map(Reviewer::new);
    let desk = Desk::new(TWO, &["one.sig", "two.sig"]);
    desk.write("reviewers", &(phone.line("") + &laptop.line("") + &bob.line("")));
    let statement = desk.statement();
    desk.write("one.sig", &phone.sign(&statement));
    let told =
        ["1 of 2 people have approved; approved: alice@contoso.com; could still approve: bob@contoso.com"];
    for again in [&phone, &laptop] {
        desk.write("two.sig", &again.sign(&statement));
        desk.check().fails(1, &told);
    }
    desk.write("two.sig", &bob.sign(&statement));
    desk.is_approved_by("alice@contoso.com and bob@contoso.com");
}

/// Each was two people to a count of lines.
#[test]
fn one_key_under_two_names_and_two_names_on_one_line_are_one_person() {
    let [alice, other] = ["alice@contoso.com", "bob@contoso.com"].map(Reviewer::new);
    let desk = Desk::new(TWO, &["one.sig", "two.sig"]);
    let statement = desk.statement();
    desk.write("one.sig", &alice.sign(&statement));
    desk.write("two.sig", &other.sign(&statement));
    let shared = format!("bob@contoso.com {}\n", alice.public());
    let both = format!("bob@contoso.com,alice@contoso.com {}\n", other.public());
    for reviewers in [alice.line("") + &shared + &other.line(""), alice.line("") + &both] {
        desk.write("reviewers", &reviewers);
        desk.check().fails(1, &["G0407", "1 of 2 people have approved"]);
    }
    desk.write("reviewers", &(alice.line("") + &other.line("")));
    desk.is_approved_by("alice@contoso.com and bob@contoso.com");
}

#[test]
fn a_signature_that_does_not_count_is_told_and_is_no_obstacle_if_the_others_are_enough() {
    let [alice, stranger] = ["alice@contoso.com", "stranger@contoso.com"].map(Reviewer::new);
    let desk = Desk::new(ONE, &["alice.sig", "stranger.sig", "lost.sig"]);
    desk.write("reviewers", &alice.line(""));
    let statement = desk.statement();
    desk.write("alice.sig", &alice.sign(&statement));
    desk.write("stranger.sig", &stranger.sign(&statement));
    let ran = desk.check();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let all = ran.everything();
    for part in [
        "warning[G0407]",
        "stranger.sig: this signature does not count",
        "warning[G0403]",
        "lost.sig: there is no such file",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
}

/// Comments and the order of lines have no part in a statement.
#[test]
fn a_comment_in_the_rules_needs_no_new_signature() {
    let alice = Reviewer::new("alice@contoso.com");
    let desk = Desk::of_one(&alice);
    desk.write("acme.sig", &alice.sign(&desk.statement()));
    desk.write("acme.yaml", &format!("{}# reviewed\n", desk.read("acme.yaml")));
    desk.is_approved_by("alice@contoso.com");
    desk.write("config.yaml", &desk.read("config.yaml").replace("[contoso.com]", "[contoso.com, gmail.com]"));
    desk.check().fails(1, &["G0407", "over another text"]);
}
