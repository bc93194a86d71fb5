//! One test per pitfall of address canonicalisation.

use super::*;
use crate::pseudonym::OwnDomain;

fn parsed(raw: &str) -> Address<'_> {
    keeping(raw).unwrap()
}

/// Without own domains, and with plus tags.
fn keeping(raw: &str) -> Option<Address<'_>> {
    Address::parse(raw, Sameness { plus_tags: PlusTags::Keep, own: &OwnDomains::default() })
}

/// With `contoso.com`, `contoso.onmicrosoft.com` and everything below `contoso.com` as own domains.
fn at_contoso(raw: &str, plus_tags: PlusTags) -> String {
    let own = ["contoso.com", "*.contoso.com", "contoso.onmicrosoft.com"];
    let own = OwnDomains::new(&own.map(|domain| OwnDomain::parse(domain).unwrap()));
    written(Address::parse(raw, Sameness { plus_tags, own: &own }).unwrap())
}

fn written(address: Address<'_>) -> String {
    match address {
        Address::Mailbox { local, domain } => format!("{local}@{domain}"),
        other => format!("{other:?}"),
    }
}

fn mailbox_of(raw: &str) -> String {
    written(parsed(raw))
}

fn is_opaque(raw: &str) -> bool {
    matches!(parsed(raw), Address::Opaque(_))
}

#[test]
fn case() {
    assert_eq!(mailbox_of("Alice.Smith@CONTOSO.com"), "alice.smith@contoso.com");
}

#[test]
fn unicode_local_parts() {
    assert_eq!(mailbox_of("JOSE\u{301}@x.com"), "josé@x.com");
    assert_ne!(mailbox_of("\u{ff41}@x.com"), mailbox_of("a@x.com"));
    assert!(is_opaque("a\u{ff20}x.com"));
    assert_eq!(mailbox_of("DİLEK@x.com"), "dİlek@x.com");
}

#[test]
fn internationalised_domains() {
    for raw in
        ["a@BÜCHER.example", "a@bu\u{308}cher.example", "a@xn--bcher-kva.example", "a@XN--BCHER-KVA.example"]
    {
        assert_eq!(mailbox_of(raw), "a@xn--bcher-kva.example");
    }
    assert_eq!(mailbox_of("a@straße.example"), "a@xn--strae-oqa.example");
    assert_ne!(mailbox_of("a@straße.example"), mailbox_of("a@strasse.example"));
    assert_eq!(mailbox_of("a@x\u{3002}example"), "a@x.example");
}

#[test]
fn invalid_punycode_is_opaque() {
    assert!(is_opaque("a@xn--\u{e9}.example"));
    assert!(is_opaque("a@xn--zzzzzzz99999.example"));
}

#[test]
fn plus_tags() {
    let none = OwnDomains::default();
    let strip = |raw| Address::parse(raw, Sameness { plus_tags: PlusTags::Strip, own: &none }).unwrap();
    assert_eq!(mailbox_of("a+news@x.com"), "a+news@x.com");
    assert_eq!(strip("a+news+b@x.com"), parsed("a@x.com"));
    assert_eq!(strip("+news@x.com"), parsed("+news@x.com"));
}

#[test]
fn plus_tags_at_own_domains() {
    let strip = |raw| at_contoso(raw, PlusTags::StripOwn);
    for raw in ["a+news+b@contoso.com", "A+News@Contoso.com.", "SMTP:a+@contoso.com"] {
        assert_eq!(strip(raw), "a@contoso.com", "{raw}");
    }
    assert_eq!(strip("a+news@mail.contoso.com"), "a@mail.contoso.com");
    assert_eq!(strip("+news@contoso.com"), "+news@contoso.com");
    for raw in ["a+news@x.com", "a+news@evilcontoso.com", "a+news@contoso.com.evil.example"] {
        assert_eq!(strip(raw), raw);
    }
}

#[test]
fn a_guests_name_is_the_address_that_it_holds() {
    for plus_tags in [PlusTags::Keep, PlusTags::StripOwn, PlusTags::Strip] {
        for (name, address) in [
            ("bob_fabrikam.example#EXT#@contoso.onmicrosoft.com", "bob@fabrikam.example"),
            ("Bob_Fabrikam.Example#ext#@CONTOSO.onmicrosoft.com", "bob@fabrikam.example"),
            ("bob_b_brown_fabrikam.example#EXT#@contoso.com", "bob_b_brown@fabrikam.example"),
            ("bob_bücher.example#EXT#@mail.contoso.com", "bob@xn--bcher-kva.example"),
        ] {
            assert_eq!(at_contoso(name, plus_tags), address, "{name}");
        }
    }
    assert_eq!(at_contoso("b+x_y.example#EXT#@contoso.com", PlusTags::StripOwn), "b+x@y.example");
    assert_eq!(at_contoso("b+x_y.example#EXT#@contoso.com", PlusTags::Strip), "b@y.example");
}

/// Each would give somebody a token of their choice, or a token that is somebody else's.
#[test]
fn what_only_looks_like_a_guests_name_stays() {
    let long = format!("{}_fabrikam.co#ext#@contoso.com", "b".repeat(47));
    for name in [
        "alice_contoso.com#ext#@evil.example",
        "alice_contoso.com#ext#@evil.onmicrosoft.com",
        "alice_contoso.com#ext#@contoso.com.evil.example",
        "alice_contoso.com#ext#@contoso.onmicrosoft.com",
        "alice_mail.contoso.com#ext#@contoso.com",
        "a_fabrikam.example#ext#_contoso.com#ext#@contoso.com",
        "alice_fabrikam.example#ext#x@contoso.com",
        "alice_fabrikam.example@contoso.com",
        "alice_localhost#ext#@contoso.com",
        "_fabrikam.example#ext#@contoso.com",
        "alice_#ext#@contoso.com",
        "alice_fabri!kam.example#ext#@contoso.com",
        "alice.fabrikam.example#ext#@contoso.com",
        "#ext#@contoso.com",
        &long,
    ] {
        assert_eq!(at_contoso(name, PlusTags::Keep), name, "{name}");
        assert_eq!(mailbox_of(name), name, "{name}");
    }
    let shorter = long.replacen('b', "", 1);
    assert!(at_contoso(&shorter, PlusTags::Keep).ends_with("@fabrikam.co"), "{shorter}");
}

/// `alice+x#EXT#` must not become the member `alice`.
#[test]
fn a_guests_name_that_holds_no_address_is_no_members() {
    for name in ["alice+x#ext#@contoso.com", "alice+x_localhost#ext#@contoso.com"] {
        assert_eq!(at_contoso(name, PlusTags::StripOwn), name);
    }
}

#[test]
fn gmail_dots_and_routing_domains_are_not_joined() {
    assert_ne!(mailbox_of("a.b@gmail.com"), mailbox_of("ab@gmail.com"));
    assert_ne!(mailbox_of("a@googlemail.com"), mailbox_of("a@gmail.com"));
    assert_ne!(mailbox_of("a@contoso.mail.onmicrosoft.com"), mailbox_of("a@contoso.com"));
}

#[test]
fn quoted_local_parts() {
    assert_eq!(mailbox_of(r#""Alice"@x.com"#), "alice@x.com");
    assert_eq!(mailbox_of(r#""al\ice"@x.com"#), "alice@x.com");
    for raw in [r#""a b"@x.com"#, r#""a@b"@x.com"#, r#""a@x.com"#, r#""mailto:a"@x.com"#, r#"""@x.com"#] {
        assert!(is_opaque(raw), "{raw}");
    }
    assert!(is_opaque("\"/o=a\"@x.com"));
    assert!(is_opaque("\"\u{200b}a\"@x.com"));
}

#[test]
fn comments_second_at_signs_trailing_dots_and_literals() {
    assert!(is_opaque("a@x.com (home)"));
    assert!(is_opaque("a@b@x.com"));
    assert_eq!(mailbox_of("a@x.com."), "a@x.com");
    assert!(is_opaque("a@x.com.."));
    assert!(is_opaque("a@[192.0.2.1]"));
    assert_eq!(mailbox_of("a..b.@x.com"), "a..b.@x.com");
    assert!(is_opaque("@x.com"));
    assert!(is_opaque("a@"));
}

#[test]
fn display_forms() {
    for raw in [
        r#""Doe, J" <J@x.com>"#,
        r#""a <b@y>" <j@x.com>"#,
        "Doe < j@x.com >",
        "<j@x.com>",
        "mailto:j@x.com",
        "<mailto:j@x.com>",
        "mailto:<j@x.com>",
        "SMTP:j@x.com",
        "smtp:j@x.com",
        "sip:j@x.com",
        " \u{200b}j@x.com\u{a0}\n",
        "\u{feff}<\u{202a}j@x.com\u{202c}>",
    ] {
        assert_eq!(mailbox_of(raw), "j@x.com", "{raw}");
    }
}

#[test]
fn wrappers_nest_four_deep() {
    assert_eq!(mailbox_of("mailto:mailto:mailto:mailto:j@x.com"), "j@x.com");
    assert!(is_opaque("mailto:mailto:mailto:mailto:mailto:j@x.com"));
}

#[test]
fn x500_in_its_own_kind() {
    let name = "/o=ExchangeLabs/ou=Group (X)/cn=Recipients/cn=0a-Alice@home";
    let folded = Address::X500(name.to_lowercase());
    for raw in [name, &name.to_uppercase(), &format!("X500:{name}"), &format!("<{name}>")] {
        assert_eq!(parsed(raw), folded, "{raw}");
    }
    assert_eq!(folded.domain(), None);
}

#[test]
fn encapsulated_x500() {
    let wrapped = "IMCEAEX-_O=EXCHANGELABS_OU=GROUP+20+28X+29_CN=0A-Alice@namprd22.prod.outlook.com";
    assert_eq!(parsed(wrapped), Address::X500("/o=exchangelabs/ou=group (x)/cn=0a-alice".to_owned()));
    for ordinary in ["imceaex-alice@x.com", "imceaex-_o=a+2@x.com", "imceaex-_o=a++5@x.com"] {
        assert_eq!(mailbox_of(ordinary), ordinary);
    }
}

#[test]
fn junk_is_opaque_as_it_is() {
    assert_eq!(parsed("Alice Smith"), Address::Opaque("Alice Smith"));
    assert_ne!(parsed("alice smith"), parsed("Alice Smith"));
    assert_eq!(parsed("<>"), Address::Opaque("<>"));
    assert_eq!(parsed("a@under_score.com"), Address::Opaque("a@under_score.com"));
}

#[test]
fn nothing_is_nothing() {
    for raw in ["", " ", "\u{200b}\t"] {
        assert_eq!(keeping(raw), None);
    }
}

#[test]
fn too_long_is_digested_and_never_cut() {
    let local = |len| format!("{}@x.com", "a".repeat(len));
    assert!(matches!(parsed(&local(314)), Address::Mailbox { .. }));
    assert!(matches!(parsed(&local(315)), Address::Digest(_)));
    assert_ne!(parsed(&local(2000)), parsed(&local(2001)));
    let name = |len| format!("/o={}", "a".repeat(len));
    assert!(matches!(parsed(&name(1021)), Address::X500(_)));
    assert_eq!(parsed(&name(1022)), Address::Digest(sha256(name(1022).as_bytes())));
}

proptest::proptest! {
    #[test]
    fn the_canonical_form_is_its_own_canonical_form(
        raw in "(SMTP:|mailto:|x500:|/o=|IMCEAEX-_o=)?[ \"<>@a-cA-C+0-9._/ßΣİ\u{200b}\u{345}\u{301}]{0,16}(@[a-cäß.-]{1,8})?",
    ) {
        let canonical = match keeping(&raw) {
            Some(Address::Mailbox { local, domain }) => format!("{local}@{domain}"),
            Some(Address::X500(name)) => name,
            Some(Address::Opaque(_) | Address::Digest(_)) | None => return Ok(()),
        };
        proptest::prop_assert_eq!(keeping(&canonical), keeping(&raw));
    }

    /// Whatever stands in a name, reading it again changes nothing, and a member's address is nobody else's.
    #[test]
    fn reading_names_and_tags_twice_is_reading_them_once(
        raw in "[ab_+#.]{0,6}(_[ab]\\.c|_contoso\\.com|_mail\\.contoso\\.com)?(#EXT#|#ext#)?@(contoso\\.com|a\\.contoso\\.com|evil\\.example)",
    ) {
        let once = at_contoso(&raw, PlusTags::StripOwn);
        if !once.contains("Opaque") {
            proptest::prop_assert_eq!(&at_contoso(&once, PlusTags::StripOwn), &once);
        }
        for member in ["a", "b"].map(|name| format!("{name}@contoso.com")).iter().filter(|member| **member == once) {
            let is_own_spelling = raw == *member || raw.starts_with(&member.replace("@contoso.com", "+"));
            proptest::prop_assert!(is_own_spelling, "{} {}", raw, once);
        }
        proptest::prop_assert!(!raw.ends_with("evil.example") || once.ends_with("evil.example") || once.contains("Opaque"));
    }
}
