//! Replicas do not get a new key file at the same moment. While they differ, each must open what the other one makes.

use glassine_core::pseudonym::{AddressPolicy, Class, KeyRing, Outcome, Pseudonyms};
use jiff::Timestamp;

use crate::support::glassine::{Glassine, Setup};
use crate::support::upstream::{FakeUpstream, Script};

const USERS: &str = "/v1.0/users";
const PAGE: &str = r#"{"value":[{"id":"u1"}]}"#;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn master(seed: u8) -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at * at % 251).unwrap().wrapping_mul(31).wrapping_add(seed))
}

/// The files of a rotation in their order, as rings: before it, staged, promoted, retired.
fn steps(ring: &KeyRing) -> [KeyRing; 4] {
    let staged = ring.staged(&master(7), time("2026-03-01T00:00:00Z")).unwrap();
    let promoted = staged.promoted(None, time("2026-03-08T00:00:00Z")).unwrap();
    let (retired, _) = promoted.retired(time("2026-06-08T00:00:00Z"));
    let files = [ring, &staged, &promoted, &retired].map(KeyRing::render);
    files.map(|file| KeyRing::parse(&file).unwrap())
}

fn token(keys: &Pseudonyms) -> String {
    let mut token = Vec::new();
    assert_eq!(keys.reversible(Class::Id, "u1", &mut token), Outcome::Written);
    String::from_utf8(token).unwrap()
}

/// Of what each of two replicas makes, how much one of them does not open.
fn refused(rings: [&KeyRing; 2]) -> usize {
    let replicas = rings.map(|ring| ring.pseudonyms("acme", &AddressPolicy::default()));
    let sealers = rings.map(KeyRing::connection_sealer);
    let made: Vec<_> = replicas.iter().map(|keys| (token(keys), keys.seal("link", b"x"))).collect();
    let tickets = sealers.each_ref().map(|sealer| sealer.seal("signing-in", b"x"));
    let tokens =
        made.iter().flat_map(|(token, _)| replicas.iter().map(|it| it.open(Class::Id, token).is_none()));
    let links = made.iter().flat_map(|(_, link)| replicas.iter().map(|it| it.unseal("link", link).is_none()));
    let tickets =
        tickets.iter().flat_map(|it| sealers.iter().map(|sealer| sealer.open("signing-in", it).is_none()));
    // A response to a link of a key is made with that key, on each replica (`Rotation`).
    let led = replicas.iter().flat_map(|keys| rings.iter().map(|ring| ring.led_by(keys.key()).is_none()));
    tokens.chain(links).chain(tickets).chain(led).filter(|is_refused| *is_refused).count()
}

/// Fault: replicas get each file of a rotation (staged, promoted, retired) at different moments. Outcome: each opens what the others make.
/// Fault: a key is promoted before every replica has it. Outcome: replicas without it do not open its tokens and links (404, 410).
#[test]
fn in_every_order_of_replicas_each_step_opens_what_its_neighbour_makes() {
    let old = KeyRing::parse(&KeyRing::render_new(&master(3), 'A', "2026-01-01T00:00:00Z")).unwrap();
    let steps = steps(&old);
    for pair in steps.windows(2) {
        let [earlier, later] = pair else { unreachable!() };
        for rings in [[earlier, later], [later, earlier], [earlier, earlier], [later, later]] {
            assert_eq!(refused(rings), 0);
        }
    }
    let at_once = old.rotated(&master(7), time("2026-03-01T00:00:00Z")).unwrap();
    assert_eq!(refused([&old, &at_once]), 4, "a token, a link, a ticket and the key of a response");
    assert_eq!(refused([&steps[0], &steps[2]]), 4, "staged nowhere but where it is promoted");
    assert_eq!(refused([&steps[1], &steps[3]]), 4, "retired before it was promoted everywhere");
}

/// Two proxies in front of one Graph.
struct Pair {
    _graph: FakeUpstream,
    one: Glassine,
    other: Glassine,
}

impl Pair {
    async fn start() -> Self {
        let graph = FakeUpstream::start(|request| {
            Script::json(if request.path().contains("/u1") { r#"{"id":"u1"}"# } else { PAGE })
        })
        .await;
        // Links are not followed here, so two addresses do no harm.
        let (one, other) = (Setup::scripted(&graph).start().await, Setup::scripted(&graph).start().await);
        Self { _graph: graph, one, other }
    }

    /// Each replica makes a token; the statuses of the requests that each gets by each token.
    async fn statuses(&self) -> Vec<u16> {
        let mut statuses = Vec::new();
        for maker in [&self.one, &self.other] {
            let page = maker.get(USERS).await;
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            let target = format!("{USERS}/{}", page["value"][0]["id"].as_str().unwrap());
            for opener in [&self.one, &self.other] {
                statuses.push(opener.get(&target).await.status);
            }
        }
        statuses
    }
}

/// Replaces a proxy's keys, and waits until it says that it has them.
async fn deploy(proxy: &Glassine, ring: &KeyRing) {
    proxy.write("keys.yaml", &ring.render());
    let keys = ring.fingerprint();
    let lines: String = keys
        .iter()
        .map(|key| format!("key {}: {}, fingerprint {}\n", key.id, key.standing, key.fingerprint))
        .collect();
    for _ in 0..160 {
        if proxy.admin_get("/readyz?verbose").await.text().ends_with(&lines) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("never: {lines}");
}

#[tokio::test]
async fn a_rotation_step_by_step_fails_no_request_of_two_replicas() {
    let pair = Pair::start().await;
    let ring = KeyRing::parse(&pair.one.read("keys.yaml")).unwrap();
    let steps = steps(&ring);
    for (at, step) in steps[1..].iter().enumerate() {
        let (first, second) = if at % 2 == 0 { (&pair.one, &pair.other) } else { (&pair.other, &pair.one) };
        for proxy in [first, second] {
            deploy(proxy, step).await;
            assert_eq!(pair.statuses().await, [200; 4], "step {at}");
        }
    }
    let metrics = pair.one.admin_get("/metrics").await.text();
    let info: Vec<_> = metrics.lines().filter(|line| line.starts_with("glassine_key_info{")).collect();
    let first = &steps[3].fingerprint()[0];
    assert_eq!(
        info,
        [format!(
            "glassine_key_info{{key=\"{}\",fingerprint=\"{}\",standing=\"first\"}} 1",
            first.id, first.fingerprint
        )]
    );
}

#[tokio::test]
async fn a_key_that_one_replica_has_alone_fails_on_the_other() {
    let pair = Pair::start().await;
    let ring = KeyRing::parse(&pair.one.read("keys.yaml")).unwrap();
    assert_eq!(pair.statuses().await, [200; 4]);
    deploy(&pair.one, &ring.rotated(&master(7), time("2026-03-01T00:00:00Z")).unwrap()).await;
    assert_eq!(
        pair.statuses().await,
        [200, 404, 200, 200],
        "its own tokens open on the other replica only later"
    );
}
