//! Properties of pseudonyms that hold for every value.

use glassine_core::pseudonym::{AddressPolicy, Class, DomainMode, KeyRing, Outcome, PlusTags, Pseudonyms};
use proptest::prelude::*;
use std::sync::LazyLock;

/// Two rings of different keys under the same ids, and the first one after a rotation.
struct Rings {
    ours: KeyRing,
    theirs: KeyRing,
    rotated: KeyRing,
}

static RINGS: LazyLock<Rings> = LazyLock::new(|| {
    let created = "2026-01-01T00:00:00Z";
    let ring = |seed| KeyRing::parse(&KeyRing::render_new(&master(seed), 'A', created)).unwrap();
    let ours = ring(1);
    let rotated =
        KeyRing::parse(&ours.rotated(&master(3), created.parse().unwrap()).unwrap().render()).unwrap();
    Rings { ours, theirs: ring(2), rotated }
});

static OURS: LazyLock<Pseudonyms> = LazyLock::new(|| made_for(&RINGS.ours, "acme"));
static OTHER_CONSUMER: LazyLock<Pseudonyms> = LazyLock::new(|| made_for(&RINGS.ours, "other"));
static OTHER_KEY: LazyLock<Pseudonyms> = LazyLock::new(|| made_for(&RINGS.theirs, "acme"));
static ROTATED: LazyLock<Pseudonyms> = LazyLock::new(|| made_for(&RINGS.rotated, "acme"));

fn master(seed: u8) -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap().wrapping_mul(31).wrapping_add(seed * 7))
}

fn made_for(ring: &KeyRing, domain: &str) -> Pseudonyms {
    ring.pseudonyms(domain, &policy(DomainMode::Keep))
}

fn policy(domains: DomainMode) -> AddressPolicy {
    AddressPolicy { domains, own: vec![], plus_tags: PlusTags::Keep }
}

fn written(make: impl Fn(&mut Vec<u8>) -> Outcome) -> Option<String> {
    let mut out = Vec::new();
    let outcome = make(&mut out);
    assert_eq!(outcome == Outcome::Written, !out.is_empty());
    (outcome == Outcome::Written).then(|| String::from_utf8(out).unwrap())
}

fn email(raw: &str) -> Option<String> {
    written(|out| OURS.email(raw, out))
}

fn reversible(raw: &str) -> Option<String> {
    written(|out| OURS.reversible(Class::Id, raw, out))
}

fn is_token(text: &str) -> bool {
    let tag = text.get(3..).unwrap_or_default();
    text.starts_with("t~A")
        && tag.len() == 32
        && tag.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
}

fn label() -> impl Strategy<Value = String> {
    "[a-zäöüéñ]{1,12}"
}

fn local() -> impl Strategy<Value = String> {
    "[a-z0-9äßéσ][a-z0-9.+_-]{0,20}"
}

/// Strings that look like addresses often enough to reach every branch.
fn almost_address() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \"<>@:;,.+_/=()\\\\a-cA-CßΣİ\u{200b}-]{0,24}",
        "(SMTP:|mailto:|x500:|/o=|IMCEAEX-_o=)?[ \"<>@a-c+0-9._/]{0,16}@[a-cäß.-]{0,8}",
    ]
}

#[test]
fn makers_of_pseudonyms_are_shared_between_threads() {
    const fn shared<T: Send + Sync>() {}
    shared::<Pseudonyms>();
    shared::<KeyRing>();
}

/// Graph's ids of one kind do not all have one length. The tokens of one kind do.
#[test]
fn the_length_of_a_token_does_not_tell_the_length_of_the_id() {
    let lengths = |octets: std::ops::RangeInclusive<usize>| {
        let token = |length| reversible(&format!("AAMk{}", "x".repeat(length - 4))).unwrap().len();
        let mut lengths: Vec<_> = octets.map(token).collect();
        lengths.dedup();
        lengths
    };
    assert_eq!(lengths(34..=47), [3 + 86], "GUIDs");
    assert_eq!(lengths(48..=95), [3 + 150], "immutable ids, chats");
    assert_eq!(lengths(96..=127), [3 + 192], "folders");
    assert_eq!(lengths(145..=184), [3 + 278], "messages: 40 lengths");
    assert_eq!(lengths(192..=255), [3 + 363], "longer ids");
    assert_eq!(lengths(500..=520), [3 + 704, 3 + 1046], "steps of 256 octets");
}

proptest! {
    #[test]
    fn u_labels_and_a_labels_are_one(local in local(), label in label()) {
        let ascii = idna::domain_to_ascii(&label).unwrap();
        let token = email(&format!("{local}@{label}.example"));
        prop_assert_eq!(&token, &email(&format!("{local}@{ascii}.example")));
        prop_assert_eq!(&token, &email(&format!("{local}@{}.EXAMPLE", ascii.to_uppercase())));
        let suffix = format!("@{ascii}.example");
        prop_assert!(token.unwrap().ends_with(&suffix));
    }

    #[test]
    fn case_and_wrappers_are_one(local in "[a-z][a-z0-9.+_-]{0,20}", label in "[a-z]{1,12}") {
        let address = format!("{local}@{label}.com");
        for writing in [
            address.to_uppercase(),
            format!("SMTP:{address}"),
            format!("<mailto:{address}>"),
            format!("\"Some, One <x@y.z>\" <{address}>"),
            format!("\u{feff} {address}.\u{200b}"),
            format!("\"{local}\"@{label}.com"),
        ] {
            prop_assert_eq!(email(&writing), email(&address), "{}", writing);
        }
        prop_assert_eq!(written(|out| OURS.email_list(&address, out)), email(&address));
        prop_assert_ne!(email(&format!("x{address}")), email(&address));
    }

    #[test]
    fn any_value_gives_a_token_of_the_published_alphabet(raw in almost_address()) {
        for make in [Pseudonyms::id, Pseudonyms::text, Pseudonyms::thread, Pseudonyms::message_id] {
            prop_assert!(written(|out| make(&OURS, &raw, out)).is_none_or(|token| is_token(&token)));
        }
        let address = email(&raw).unwrap_or_else(|| format!("t~A{}", "a".repeat(32)));
        let (token, domain) = address.split_once('@').unwrap_or((&address, "none"));
        prop_assert!(is_token(token), "{}", address);
        prop_assert!(domain.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.".contains(&c)));
        let list = written(|out| OURS.email_list(&raw, out)).unwrap_or_default();
        prop_assert!(list.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_~@., ".contains(&c)), "{}", list);
    }

    #[test]
    fn the_tag_does_not_depend_on_how_domains_are_written(raw in almost_address()) {
        let all = [DomainMode::Keep, DomainMode::KeepListed, DomainMode::Pseudonymize, DomainMode::Drop];
        let tags = all.map(|mode| {
            let pseudonyms = RINGS.ours.pseudonyms("acme", &policy(mode));
            written(|out| pseudonyms.email(&raw, out)).map(|token| token.split('@').next().unwrap().to_owned())
        });
        prop_assert!(tags.iter().all(|tag| *tag == tags[0]), "{:?}", tags);
    }

    #[test]
    fn consumers_keys_and_classes_have_nothing_in_common(raw in ".{1,40}") {
        let token = written(|out| OURS.text(&raw, out));
        prop_assert_ne!(&token, &written(|out| OTHER_CONSUMER.text(&raw, out)));
        prop_assert_ne!(&token, &written(|out| OTHER_KEY.text(&raw, out)));
        prop_assert_ne!(&token, &written(|out| OURS.id(&raw, out)));
        prop_assert_ne!(&token, &written(|out| OURS.message_id(&raw, out)));
    }

    /// Recent tokens are cached: one maker has all earlier values in its cache, the other none.
    #[test]
    fn a_token_is_the_same_whether_it_is_made_or_found(raw in almost_address(), class in prop::sample::select(&Class::ALL)) {
        let fresh = made_for(&RINGS.ours, "acme");
        for _ in 0..3 {
            prop_assert_eq!(email(&raw), written(|out| fresh.email(&raw, out)));
            let found = written(|out| OURS.reversible(class, &raw, out));
            prop_assert_eq!(found, written(|out| fresh.reversible(class, &raw, out)));
        }
    }

    #[test]
    fn reversible_tokens_open_for_whom_they_were_made(raw in any::<String>()) {
        prop_assume!(!raw.is_empty());
        let token = reversible(&raw).unwrap();
        prop_assert!(OURS.open(Class::Id, &token).is_some_and(|opened| *opened == raw));
        prop_assert!(ROTATED.open(Class::Id, &token).is_some_and(|opened| *opened == raw));
        for class in Class::ALL.into_iter().filter(|class| *class != Class::Id) {
            prop_assert!(OURS.open(class, &token).is_none());
        }
        prop_assert!(OTHER_CONSUMER.open(Class::Id, &token).is_none());
        prop_assert!(OTHER_KEY.open(Class::Id, &token).is_none());
        let renewed = written(|out| ROTATED.reversible(Class::Id, &raw, out)).unwrap();
        prop_assert!(renewed.starts_with("p~B") && OURS.open(Class::Id, &renewed).is_none());
    }

    #[test]
    fn a_changed_token_opens_nothing(raw in ".{1,40}", at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut token = reversible(&raw).unwrap().into_bytes();
        let at = at.index(token.len());
        token[at] ^= 1_u8 << bit;
        let changed = String::from_utf8_lossy(&token);
        prop_assert!(OURS.open(Class::Id, &changed).is_none());
    }

    #[test]
    fn junk_opens_nothing(token in "(p~)?A?[A-Za-z0-9_=~-]{0,60}", text in any::<String>()) {
        prop_assert!(OURS.open(Class::Id, &token).is_none());
        prop_assert!(OURS.open(Class::Id, &text).is_none());
        prop_assert!(OURS.unseal("link", &text).is_none());
    }

    #[test]
    fn sealed_values_open_for_their_purpose_on_any_replica(plain in prop::collection::vec(any::<u8>(), 0..80)) {
        let sealed = OURS.seal("link", &plain);
        let replica = made_for(&RINGS.ours, "acme");
        prop_assert!(replica.unseal("link", &sealed).is_some_and(|opened| *opened == plain));
        prop_assert!(ROTATED.unseal("link", &sealed).is_some_and(|opened| *opened == plain));
        prop_assert!(OURS.unseal("cookie", &sealed).is_none());
        prop_assert!(OTHER_CONSUMER.unseal("link", &sealed).is_none());
        prop_assert!(OTHER_KEY.unseal("link", &sealed).is_none());
        let as_token = format!("p~{sealed}");
        prop_assert!(OURS.open(Class::Id, &as_token).is_none());
    }
}
