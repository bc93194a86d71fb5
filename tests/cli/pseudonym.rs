//! `glassine pseudonym`.

use super::{EXAMPLE, MISTAKES, Scratch, glassine, glassine_reading};

#[test]
fn one_token_per_value_in_their_order() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let text = glassine(&[
        "pseudonym",
        "--keys",
        &keys,
        "--consumer",
        "acme",
        "--tenant-domain",
        "Contoso.COM",
        "Alice@contoso.com",
        "bob@fabrikam.com",
        "SMTP:alice@contoso.com",
    ])
    .fine();
    let [alice, bob, again] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(alice.starts_with("t~A") && alice.ends_with("@contoso.com"), "{alice}");
    assert!(bob.contains("@d~A"), "{bob}");
    assert_eq!(alice, again);
}

#[test]
fn consumers_get_different_tokens() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let token = |consumer| {
        glassine(&["pseudonym", "--keys", &keys, "--consumer", consumer, "--as", "id", "same"]).fine()
    };
    assert_eq!(token("acme"), token("acme"));
    assert_ne!(token("acme"), token("other"));
}

#[test]
fn the_command_makes_the_same_tokens_as_responses_have() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let page = r#"{"value":[{"id":"AAMk=","internetMessageId":"<1@x>","from":{"emailAddress":{"address":"a@contoso.com"}}}]}"#;
    let request = "/v1.0/users/u/mailFolders/inbox/messages";
    let common = ["--rules", EXAMPLE, "--keys", &keys, "--consumer", "acme"];
    let response =
        glassine_reading(&[&["sanitize", "--request", request][..], &common].concat(), page).fine();
    for (options, value) in [
        (&["--as", "id", "--reversible"][..], "AAMk="),
        (&["--as", "message_id"], "<1@x>"),
        (&[], "A@Contoso.com"),
    ] {
        let token = glassine(&[&["pseudonym"][..], &common, options, &[value]].concat()).fine();
        assert!(response.contains(&format!("\"{}\"", token.trim())), "{value}: {token} in {response}");
    }
}

#[test]
fn every_kind_has_a_token() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    for (kind, value, prefix) in [
        ("email", "a@b.example", "t~"),
        ("id", "x", "t~"),
        ("thread", "x", "t~"),
        ("message_id", "<x@y>", "t~"),
        ("text", "x", "t~"),
        ("ip", "192.0.2.1", "t~"),
        ("domain", "a@b.example", "d~"),
    ] {
        let token =
            glassine(&["pseudonym", "--keys", &keys, "--consumer", "acme", "--as", kind, value]).fine();
        assert!(token.starts_with(prefix), "{kind}: {token}");
    }
}

#[test]
fn bad_input_is_2_and_nothing_is_written() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let run =
        |rest: &[&str]| glassine(&[&["pseudonym", "--keys", &keys, "--consumer", "acme"], rest].concat());
    let ran = run(&["--as", "ip", "192.0.2.1", "secret-host"]);
    ran.fails(2, &["value 2"]);
    assert!(!ran.stderr.contains("secret-host"));
    run(&[""]).fails(2, &["value 1"]);
    run(&["--reversible", "a@b.example"]).fails(2, &["--as id"]);
    run(&["--tenant-domain", "not a domain", "a@b.example"]).fails(2, &["--tenant-domain", "contoso.com"]);
    run(&["--rules", MISTAKES, "a@b.example"]).fails(2, &["G0002"]);
    run(&["--as", "name", "x"]).fails(2, &["message_id"]);
    run(&[]).fails(2, &["ADDRESS"]);
}
