//! `glassine pseudonym`.

use std::process::Command;

use serde_json::Value;

use super::{EXAMPLE, MISTAKES, OTHER_RULES, RULES, Ran, Scratch, glassine, glassine_reading, run_with};

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
    let sanitize = ["sanitize", "--tenant-domain", "contoso.com", "--request", request];
    let response = glassine_reading(&[&sanitize[..], &common].concat(), page).fine();
    for (options, value) in [
        (&["--as", "id", "--reversible"][..], "AAMk="),
        (&["--as", "message_id"], "<1@x>"),
        (&["--tenant-domain", "contoso.com"], "A@Contoso.com"),
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
        let common = ["pseudonym", "--keys", &keys, "--consumer", "acme", "--tenant-domain", "contoso.com"];
        let token = glassine(&[&common[..], &["--as", kind, value]].concat()).fine();
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
    run(&["--tenant-domain", "*.com", "a@b.example"]).fails(2, &["--tenant-domain", "*.contoso.com"]);
    run(&["--tenant-domain", "*.co.uk", "a@b.example"]).fails(2, &["strangers"]);
    run(&["--as", "name", "x"]).fails(2, &["message_id"]);
    run(&["--as", "id", "x", "-"]).fails(2, &["stands alone"]);
    for name in ["Acme", "acme ", ""] {
        glassine(&["pseudonym", "--keys", &keys, "--consumer", name, "--as", "id", "x"])
            .fails(2, &["lower-case"]);
    }
    run(&["--csv"]).fails(2, &["--column"]);
    run(&["--column", "email"]).fails(2, &["--csv"]);
    run(&["--csv", "--column", "email", "a@b.example"]).fails(2, &["cannot be used with"]);
    run(&["--config", "config.yaml", "a@b.example"]).fails(2, &["--config", "cannot be used with"]);
    glassine(&["pseudonym", "--consumer", "acme", "a@b.example"]).fails(2, &["--keys"]);
}

/// Exchange writes an X.500 address in place of a person whom it did not resolve. `proxyAddresses` says whose it is.
#[test]
fn an_unresolved_sender_joins_the_person_whose_address_it_is() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let sanitize = |rules: &str, request: &str, page: &str| -> Value {
        let common = ["sanitize", "--rules", rules, "--keys", &keys, "--tenant-domain", "contoso.com"];
        glassine_reading(&[&common[..], &["--request", request]].concat(), page).json()
    };
    let user = r#"{"value":[{"proxyAddresses":["SMTP:a@contoso.com","x500:/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0a1b-Alice","X500:/O=OLD/CN=Alice"]}]}"#;
    let senders = [
        "/O=EXCHANGELABS/OU=EXCHANGE ADMINISTRATIVE GROUP (FYDIBOHF23SPDLT)/CN=RECIPIENTS/CN=0A1B-ALICE",
        "IMCEAEX-_O=EXCHANGELABS_OU=EXCHANGE+20ADMINISTRATIVE+20GROUP+20+28FYDIBOHF23SPDLT+29_CN=RECIPIENTS_CN=0A1B-ALICE@namprd22.prod.outlook.com",
        "imceaex-_o=exchangelabs_ou=exchange+20administrative+20group+20+28FYDIBOHF23SPDLT+29_cn=recipients_cn=0a1b-alice@other.example",
        "/o=Old/cn=alice",
    ];
    for rules in [RULES, OTHER_RULES] {
        let user = sanitize(rules, "GET /v1.0/users", user);
        let addresses = &user["value"][0]["proxyAddresses"];
        for (sender, place, prefix) in [
            (senders[0], 1, "x500:"),
            (senders[1], 1, "x500:"),
            (senders[2], 1, "x500:"),
            (senders[3], 2, "X500:"),
        ] {
            let page = format!(r#"{{"value":[{{"from":{{"emailAddress":{{"address":"{sender}"}}}}}}]}}"#);
            let messages = sanitize(rules, "GET /v1.0/users/u/messages", &page);
            let token = messages["value"][0]["from"]["emailAddress"]["address"].as_str().unwrap();
            assert!(token.starts_with("t~") && !token.contains('@'), "{token}");
            assert_eq!(addresses[place], format!("{prefix}{token}"), "{sender}");
        }
    }
}

/// The configuration of a proxy with two consumers, one of which has a pseudonym domain of its own.
fn config(scratch: &Scratch) -> String {
    scratch.keys();
    let hash = |digit: &str| digit.repeat(64);
    let consumer = |name: &str, digit: &str, more: &str| {
        format!(
            "  - {{ name: {name}, rules: {RULES}, credential: {{ bearer_sha256: [{}] }}{more} }}\n",
            hash(digit)
        )
    };
    let consumers =
        [consumer("acme", "a", ", pseudonym_domain: study-7"), consumer("other", "b", "")].concat();
    let text = format!(
        "listen: 127.0.0.1:0\npublic_url: http://127.0.0.1:1\nupstream: {{ credential: {{ access_token_file: t }} }}\n\
         keys: {{ file: keys.yaml }}\ntenant_domains: [contoso.com, '*.contoso.com', contoso.onmicrosoft.com]\n\
         audit: {{ stdout: true }}\nconsumers:\n{consumers}"
    );
    scratch.write("config.yaml", text)
}

/// What the proxy lets out: the token after the sanitizer, with everything from the same configuration.
fn of_the_proxy(scratch: &Scratch, address: &str) -> String {
    let keys = scratch.path("keys.yaml");
    let options = ["--tenant-domain", "contoso.com", "--tenant-domain", "*.contoso.com"];
    let more = ["--tenant-domain", "contoso.onmicrosoft.com", "--consumer", "study-7"];
    let start = ["sanitize", "--rules", RULES, "--keys", &keys, "--request", "GET /v1.0/users/u/messages"];
    let page = format!(r#"{{"value":[{{"from":{{"emailAddress":{{"address":"{address}"}}}}}}]}}"#);
    let response = glassine_reading(&[&start[..], &options, &more].concat(), &page).json();
    response["value"][0]["from"]["emailAddress"]["address"].as_str().unwrap().to_owned()
}

#[test]
fn a_configuration_says_everything_about_the_tokens() {
    let scratch = Scratch::new();
    let config = config(&scratch);
    let values = [
        "Alice+news@contoso.com",
        "bob+news@fabrikam.example",
        "carol@mail.contoso.com",
        "bob_fabrikam.example#EXT#@contoso.onmicrosoft.com",
        "/o=ExchangeLabs/cn=alice",
    ];
    let common = ["pseudonym", "--config", &config, "--consumer", "acme"];
    let lines = glassine_reading(&common, &(values.join("\n") + "\n")).fine();
    assert_eq!(lines.lines().count(), values.len());
    for (value, token) in values.iter().zip(lines.lines()) {
        assert_eq!(token, of_the_proxy(&scratch, value), "{value}");
    }
    let other = glassine(&["pseudonym", "--config", &config, "--consumer", "other", values[0]]).fine();
    assert_ne!(other.trim(), lines.lines().next().unwrap(), "another pseudonym domain");
}

#[test]
fn a_consumer_has_to_be_in_the_configuration() {
    let scratch = Scratch::new();
    let config = config(&scratch);
    let of = |name: &str| glassine(&["pseudonym", "--config", &config, "--consumer", name, "a@b.example"]);
    of("acne").fails(2, &["config.yaml", "`acne`", "acme, other"]);
    assert!(!of("acne").stderr.contains("letter case"));
    of("Acme").fails(2, &["did you mean `acme`? letter case counts"]);
    of("study-7").fails(2, &["acme, other"]);
}

#[test]
fn who_forgets_the_own_domains_is_told() {
    let scratch = Scratch::new();
    let keys = scratch.keys();
    let run =
        |more: &[&str]| glassine(&[&["pseudonym", "--keys", &keys, "--consumer", "acme"], more].concat());
    let ran = run(&["a@contoso.com"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.starts_with("note: no `--tenant-domain`") && ran.stdout.contains("@d~"), "{ran:?}");
    run(&["--as", "id", "x"]).fine();
    let all =
        scratch.write("all.yaml", RULES_TEXT.replace("keep_listed", "drop").replace("strip_own", "keep"));
    run(&["--rules", &all, "a@contoso.com"]).fine();
}

const RULES_TEXT: &str = include_str!("../../rules/outlook-mail-metadata-only.yaml");

/// A run that reads `input`, with a key and an own domain.
fn reading(scratch: &Scratch, more: &[&str], input: impl AsRef<[u8]>) -> Ran {
    let keys = scratch.path("keys.yaml");
    let common = ["pseudonym", "--keys", &keys, "--consumer", "acme", "--tenant-domain", "contoso.com"];
    run_with(Command::new(env!("CARGO_BIN_EXE_glassine")).args(common).args(more), input.as_ref())
}

fn token(scratch: &Scratch, value: &str) -> String {
    reading(scratch, &[value], "").fine().trim().to_owned()
}

#[test]
fn each_line_of_standard_input_is_a_value() {
    let scratch = Scratch::new();
    scratch.keys();
    let (alice, bob) = (token(&scratch, "alice@contoso.com"), token(&scratch, "bob@x.example"));
    let lines = "alice@contoso.com\r\n\nbob@x.example\n \nalice@contoso.com";
    for more in [&[][..], &["-"]] {
        assert_eq!(
            reading(&scratch, more, lines).fine(),
            format!("{alice}\r\n\n{bob}\n \n{alice}"),
            "blank lines, line ends and the end stay"
        );
    }
    assert_eq!(reading(&scratch, &[], "").fine(), "");
    assert_eq!(reading(&scratch, &[], "\u{feff}bob@x.example\n").fine(), format!("\u{feff}{bob}\n"));
}

#[test]
fn a_line_that_cannot_be_used_is_named_and_not_shown() {
    let scratch = Scratch::new();
    scratch.keys();
    let ran = reading(&scratch, &["--as", "ip"], "192.0.2.1\n\nsecret-host\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("line 3: the value is not of the kind"), "{ran:?}");
    assert!(!ran.everything().contains("secret-host"));
    let ran = reading(&scratch, &[], b"a@x.example\nM\xfcller@x.example\n");
    assert!(ran.code == Some(2) && ran.stderr.contains("line 2: the value is not UTF-8"), "{ran:?}");
    let ran = reading(&scratch, &[], "a".repeat(2 << 20));
    assert!(ran.code == Some(2) && ran.stderr.contains("line 1: more than 1048576 bytes"), "{ran:?}");
}

#[test]
fn a_table_keeps_everything_but_the_named_cells() {
    let scratch = Scratch::new();
    let config = config(&scratch);
    let alice = of_the_proxy(&scratch, "alice@contoso.com");
    let bob = of_the_proxy(&scratch, "bob@x.example");
    let table = |alice: &str, quoted: &str, bob: &str| {
        format!(
            "\u{feff}\"id\",email,note,\"second, email\"\r\n\
             1,{alice},\"a \"\"quote\"\", a comma\r\nand a line\",\r\n\
             2,\"{quoted}\",  x\"y  ,\"\"\n\
             3,,'; -,{bob}\n\
             \n\
             \"4\",\" \",,{alice}"
        )
    };
    let ran = glassine_reading(
        &[
            "pseudonym",
            "--config",
            &config,
            "--consumer",
            "acme",
            "--csv",
            "--column",
            "second, email",
            "--column",
            "email",
        ],
        &table("Alice@contoso.com", "\"\"Smith, A\"\" <alice@contoso.com>", "bob@x.example"),
    );
    assert_eq!(ran.fine(), table(&alice, &alice, &bob));
}

#[test]
fn other_columns_can_have_any_bytes() {
    let scratch = Scratch::new();
    scratch.keys();
    let input = b"id,email\n\xff\xfe\x00,bob@x.example\n";
    let ran = reading(&scratch, &["--csv", "--column", "email"], input);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains(&token(&scratch, "bob@x.example")));
}

/// In each, an address could leave in clear text, or a row would silently join nothing.
#[test]
fn a_table_that_cannot_be_read_is_refused_with_its_row() {
    let scratch = Scratch::new();
    scratch.keys();
    for (table, told) in [
        ("", "begins with a header"),
        ("id,mail\n1,secret@x.example\n", "no column is called `email`; the columns are id, mail"),
        ("id,Email\n", "the columns are id, Email"),
        ("id;email\n1;secret@x.example\n", "the columns are id;email"),
        ("id,email\n1,a@x.example\nSmith, A,secret@x.example\n", "row 3: 3 cells, and the header has 2"),
        ("id,email\nsecret@x.example\n", "row 2: 1 cells, and the header has 2"),
        ("id,email\n1,\"secret@x.example\"x\n", "row 2: text stands behind the quote"),
        ("id,email\n1,\"secret@x.example\n2,b@x.example\n", "row 2: a cell begins with a quote"),
    ] {
        let ran = reading(&scratch, &["--csv", "--column", "email"], table);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(told), "{told}: {ran:?}");
        assert!(!ran.everything().contains("secret"), "{ran:?}");
    }
    let ran = reading(&scratch, &["--as", "ip", "--csv", "--column", "host"], "id,host\n1,\n2,secret\n");
    assert!(
        ran.code == Some(2) && ran.stderr.contains("row 3, column `host`: the value is not of"),
        "{ran:?}"
    );
    let ran = reading(&scratch, &["--csv", "--column", "email"], b"email\n\xff@x.example\n");
    assert!(ran.stderr.contains("row 2, column `email`: the value is not UTF-8"), "{ran:?}");
    let open = format!("email\n\"{}", "a\n".repeat(1 << 20));
    let ran = reading(&scratch, &["--csv", "--column", "email"], open);
    assert!(ran.stderr.contains("row 2: more than 1048576 bytes"), "{ran:?}");
}

/// Python's `csv` reads the same values from the output as from the input.
#[test]
fn another_program_reads_the_same_table() {
    let scratch = Scratch::new();
    scratch.keys();
    let cells = ["", "plain", "\"a, b\"", "\"a \"\"b\"\"\"", "\"a\nb\"", "x\"y", "\"\"", " s "];
    let rows =
        cells.iter().flat_map(|one| cells.iter().map(move |other| format!("{one},k@x.example,{other}\n")));
    let table = format!("one,email,other\n{}", rows.collect::<String>());
    let written = reading(&scratch, &["--csv", "--column", "email"], &table).fine();
    let (before, after) = (scratch.write("before.csv", &table), scratch.write("after.csv", &written));
    let script = "import csv, sys\n\
                  before, after = (list(csv.reader(open(name, newline=''))) for name in sys.argv[1:])\n\
                  assert len(before) == len(after) == 65\n\
                  for old, new in zip(before[1:], after[1:]):\n    assert [old[0], old[2]] == [new[0], new[2]] and new[1].startswith('t~'), (old, new)\n";
    let ran = Command::new("python3").args(["-c", script, &before, &after]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
