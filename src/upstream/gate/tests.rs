use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use super::*;
use glassine_core::graph::Mailbox;

const SECOND: Duration = Duration::from_secs(1);

fn mailbox(name: &str) -> Lane {
    Lane::Mailbox(Mailbox::of(&format!("/v1.0/users/{name}/messages")).unwrap())
}

fn gate(mailbox: usize, application: usize) -> Arc<Gate> {
    Gate::new(GateLimits { mailbox, application })
}

fn open(gate: &Arc<Gate>, lane: &Lane) -> Pass {
    match gate.enter(lane.clone()) {
        Entry::Open(pass) => pass,
        Entry::Busy(place) => panic!("{:?}", place.closed()),
    }
}

fn busy(gate: &Arc<Gate>, lane: &Lane) -> Place {
    match gate.enter(lane.clone()) {
        Entry::Open(_) => panic!("{lane:?} is open"),
        Entry::Busy(place) => place,
    }
}

/// Whether the request may pass now.
async fn passes(place: Place) -> Option<Pass> {
    place.turn(Duration::ZERO).await.ok()
}

fn is_empty(gate: &Gate) -> bool {
    gate.lock().lanes.len() == (0, 0)
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_takes_four_at_a_time_and_the_first_to_come_passes_first() {
    let (gate, lane) = (Gate::new(GateLimits::default()), mailbox("a"));
    let mut passed: Vec<_> = (0..4).map(|_| open(&gate, &lane)).collect();
    let (first, second) = (busy(&gate, &lane), busy(&gate, &lane));
    assert_eq!((first.closed(), second.closed()), (Closed::Mailbox, Closed::Mailbox));
    let other = open(&gate, &mailbox("b"));
    let directory: Vec<_> = (0..100).map(|_| open(&gate, &Lane::Directory)).collect();
    drop(passed.pop());
    let mut second = pin!(second.turn(SECOND));
    assert!(poll_fn(|cx| Poll::Ready(second.as_mut().poll(cx).is_pending())).await);
    let first = passes(first).await.unwrap();
    drop((first, other, directory));
    assert!(second.await.is_ok());
    drop(passed);
    assert!(is_empty(&gate));
}

/// The pure part: 1,000 requests of one mailbox wait, and one of another mailbox comes last.
#[tokio::test(start_paused = true)]
async fn a_mailbox_with_a_thousand_waiting_requests_delays_no_other() {
    let now = Instant::now();
    let (crowd, late) = (mailbox("crowd"), mailbox("late"));
    let mut lanes = Lanes::new(GateLimits { mailbox: 4, application: 8 });
    for _ in 0..4 {
        lanes.enter(&crowd, now).unwrap();
    }
    for number in 0..1_000 {
        lanes.wait(&crowd, number, number, now);
    }
    assert_eq!(lanes.next(now), None, "the mailbox is full");
    lanes.enter(&late, now).unwrap();

    // The application is full, too: three more of others take its last places.
    let others: Vec<_> = ["x", "y", "z"].map(mailbox).into_iter().collect();
    others.iter().for_each(|lane| lanes.enter(lane, now).unwrap());
    assert_eq!(lanes.enter(&late, now), Err(Closed::Application));
    lanes.wait(&late, 2_000, 2_000, now);
    lanes.leave(&crowd, 5_000, now);
    assert_eq!(lanes.next(now), Some(2_000), "the other mailbox has been in line for longer");
    lanes.leave(&others[0], 5_001, now);
    assert_eq!((lanes.next(now), lanes.next(now)), (Some(0), None));
}

#[tokio::test(start_paused = true)]
async fn mailboxes_take_turns_for_the_places_of_the_application() {
    let gate = gate(4, 4);
    let (a, b) = (mailbox("a"), mailbox("b"));
    let passed: Vec<_> = (0..4).map(|_| open(&gate, &Lane::Directory)).collect();
    assert_eq!(busy(&gate, &a).closed(), Closed::Application);
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    for (name, lane, count) in [("a", &a, 6), ("b", &b, 2), ("directory", &Lane::Directory, 2)] {
        for _ in 0..count {
            let (place, done) = (busy(&gate, lane), done.clone());
            tokio::spawn(async move {
                let pass = place.turn(SECOND).await.unwrap_or_else(|closed| panic!("{name}: {closed:?}"));
                done.send(name).unwrap();
                tokio::task::yield_now().await;
                drop(pass);
            });
        }
    }
    for pass in passed {
        drop(pass);
        tokio::task::yield_now().await;
    }
    let mut seen = Vec::new();
    for _ in 0..10 {
        seen.push(order.recv().await.unwrap());
    }
    assert_eq!(seen[..6], ["a", "b", "directory", "a", "b", "directory"], "{seen:?}");
    assert_eq!(seen[6..], ["a"; 4]);
}

/// Fault: a client leaves while its request waits for a turn at Graph. Outcome: those behind it move up, and nothing is left of it.
#[tokio::test(start_paused = true)]
async fn who_leaves_gives_up_its_place_and_who_leaves_with_a_pass_gives_it_back() {
    let (gate, lane) = (gate(1, 1), mailbox("a"));
    let pass = open(&gate, &lane);
    let (gone, next) = (busy(&gate, &lane), busy(&gate, &lane));
    drop(gone);
    // Called, but gone before it hears it.
    let called = busy(&gate, &mailbox("b"));
    drop(pass);
    drop(called);
    drop(passes(next).await.unwrap());
    assert!(is_empty(&gate));
    drop(open(&gate, &lane));
}

#[tokio::test(start_paused = true)]
async fn those_who_leave_a_full_gate_leave_nothing_behind() {
    let gate = gate(4, 1);
    let _pass = open(&gate, &Lane::Directory);
    for number in 0..1_000 {
        let lane = mailbox(&number.to_string());
        drop((busy(&gate, &lane), busy(&gate, &lane)));
    }
    assert_eq!(gate.lock().lanes.len(), (1, 0));
}

/// Fault: a request gets no turn at Graph in its time. Outcome: it learns what it waited for, and those behind it still pass.
#[tokio::test(start_paused = true)]
async fn waiting_has_an_end_and_says_what_for() {
    let (gate, lane) = (gate(1, 2), mailbox("a"));
    let pass = open(&gate, &lane);
    let came = Instant::now();
    assert_eq!(busy(&gate, &lane).turn(3 * SECOND).await.err(), Some(Closed::Mailbox));
    assert_eq!(came.elapsed().as_secs(), 3);
    let _other = open(&gate, &mailbox("b"));
    assert_eq!(busy(&gate, &mailbox("c")).turn(SECOND).await.err(), Some(Closed::Application));
    drop(pass);
    gate.pause(&lane, 10 * SECOND);
    assert_eq!(busy(&gate, &lane).turn(SECOND).await.err(), Some(Closed::Paused));
}

/// Fault: Graph asks to wait. Outcome: nobody is sent to that mailbox before the time is over; other mailboxes go on.
#[tokio::test(start_paused = true)]
async fn a_pause_closes_one_lane_and_the_repeated_request_passes_first() {
    let (gate, lane) = (gate(1, 8), mailbox("a"));
    let pass = open(&gate, &lane);
    let behind = busy(&gate, &lane);
    let (arrival, came) = (pass.arrival(), Instant::now());
    gate.pause(&lane, 2 * SECOND);
    gate.pause(&lane, SECOND);
    drop(pass);
    let again = gate.enter_again(lane.clone(), arrival);
    drop((open(&gate, &mailbox("b")), open(&gate, &Lane::Directory)));
    let mut behind = pin!(behind.turn(10 * SECOND));
    assert!(poll_fn(|cx| Poll::Ready(behind.as_mut().poll(cx).is_pending())).await);
    let again = again.turn(10 * SECOND).await.ok().unwrap();
    assert!(came.elapsed() >= 2 * SECOND && came.elapsed() < 3 * SECOND, "{:?}", came.elapsed());
    assert!(poll_fn(|cx| Poll::Ready(behind.as_mut().poll(cx).is_pending())).await, "it came later");
    drop(again);
    assert!(behind.await.is_ok());
    assert!(is_empty(&gate));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_nobody_waits_for_is_forgotten() {
    let gate = gate(4, 8);
    gate.pause(&mailbox("a"), SECOND);
    assert!(!is_empty(&gate));
    sleep(2 * SECOND).await;
    assert!(is_empty(&gate));
    // Somebody waits from before the pause, and nobody else moves.
    let pass = open(&gate, &Lane::Directory);
    gate.pause(&Lane::Directory, SECOND);
    let waiting = busy(&gate, &Lane::Directory);
    drop(pass);
    assert!(waiting.turn(2 * SECOND).await.is_ok());
}

/// Random requests: never more than the bounds, nobody is forgotten, nothing is left.
#[tokio::test(start_paused = true)]
async fn random_crowds_keep_the_bounds_and_all_pass() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let gate = gate(3, 7);
    let lanes: Vec<_> =
        (0..5).map(|at| if at == 0 { Lane::Directory } else { mailbox(&at.to_string()) }).collect();
    let inside: Arc<Vec<AtomicUsize>> = Arc::new((0..5).map(|_| AtomicUsize::new(0)).collect());
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    let mut tasks = Vec::new();
    for _ in 0..400 {
        let at = usize::try_from(random(5)).unwrap();
        let (start, length, patience) =
            (random(500), 1 + random(40), if random(4) == 0 { random(30) } else { 100_000 });
        let (gate, lane, inside) = (Arc::clone(&gate), lanes[at].clone(), Arc::clone(&inside));
        tasks.push(tokio::spawn(async move {
            sleep(Duration::from_millis(start)).await;
            let turn = match gate.enter(lane.clone()) {
                Entry::Open(pass) => Ok(pass),
                Entry::Busy(place) => place.turn(Duration::from_millis(patience)).await,
            };
            let Ok(pass) = turn else { return patience < 100_000 };
            let now = inside[at].fetch_add(1, Ordering::SeqCst) + 1;
            let all: usize = inside.iter().map(|count| count.load(Ordering::SeqCst)).sum();
            assert!(all <= 7 && (at == 0 || now <= 3), "{all} {now}");
            sleep(Duration::from_millis(length)).await;
            inside[at].fetch_sub(1, Ordering::SeqCst);
            if length % 10 == 0 {
                gate.pause(&lane, Duration::from_millis(length));
            }
            drop(pass);
            true
        }));
    }
    for task in tasks {
        assert!(task.await.unwrap());
    }
    sleep(SECOND).await;
    assert!(is_empty(&gate));
}
