//! Approvals that expire: the day is part of what is signed.

use glassine::approvals::{Approval, Approver, Fault, Judge, Policy, Signers, text_to_sign};
use glassine_core::rules::compile;
use glassine_core::statement::Statement;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::desk::Desk;
use super::reviewer::Reviewer;
use crate::cli::glassine;
use crate::support::glassine::METADATA_ONLY;

const EXPIRING: &str = "approvals: { signers_file: reviewers, expire_days: 180 }";

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

fn days_ago(days: i32) -> String {
    today().checked_sub(days.days()).unwrap().to_string()
}

#[test]
fn the_text_to_sign_ends_with_the_day() {
    let alice = Reviewer::new("alice@contoso.com");
    let desk = Desk::of_one(&alice);
    let statement = desk.statement();
    desk.configure(EXPIRING, "approved_by: [acme.sig]");
    let config = desk.path("config.yaml");
    let (before, printed, after) = (today(), desk.statement(), today());
    let with = |day: Date| format!("{statement}\napproved on {day}\n");
    assert!(printed == with(before) || printed == with(after), "{printed}");
    let of = |day: &str| glassine(&["statement", "--config", &config, "--consumer", "acme", "--day", day]);
    assert_eq!(of("2027-01-31").fine(), with(date(2027, 1, 31)));
    of("yesterday").fails(2, &["--day"]);
    desk.write("acme.sig", &alice.sign(&printed));
    desk.is_approved_by("alice@contoso.com");
}

#[test]
fn an_approval_holds_for_its_days_and_its_end_is_told_a_month_ahead() {
    let alice = Reviewer::new("alice@contoso.com");
    let desk = Desk::of_one(&alice);
    let statement = desk.statement();
    desk.configure(EXPIRING, "approved_by: [acme.sig]");
    let sign =
        |ago| desk.write("acme.sig", &alice.sign(&format!("{statement}\napproved on {}\n", days_ago(ago))));
    for ago in [0, 1, 149] {
        sign(ago);
        desk.is_approved_by("alice@contoso.com");
    }
    for ago in [151, 180] {
        sign(ago);
        let ran = desk.check();
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let all = ran.everything();
        assert!(all.contains("warning[G0407]") && all.contains("the approvals of `acme` end at "), "{all}");
        assert!(all.contains("glassine statement --config"), "{all}");
    }
    for ago in [182, 400, 1_095] {
        sign(ago);
        let told = format!("the approval of alice@contoso.com is of {} and held for 180 days", days_ago(ago));
        desk.check().fails(1, &["error[G0407]", &told, "review the statement again"]);
    }
    for never in [-2, 1_200] {
        sign(never);
        desk.check().fails(1, &["error[G0407]", "over another text"]);
    }
    desk.write("acme.sig", &alice.sign(&statement));
    desk.check().fails(1, &["error[G0407]", "over the statement without a day", "its last line is the day"]);
}

/// What is signed is what `glassine statement` prints, with or without a day.
#[test]
fn where_approvals_do_not_expire_the_text_has_no_day() {
    let alice = Reviewer::new("alice@contoso.com");
    let desk = Desk::of_one(&alice);
    let statement = desk.statement();
    desk.write("acme.sig", &alice.sign(&format!("{statement}\napproved on {}\n", days_ago(0))));
    desk.check().fails(1, &["error[G0407]", "over another text"]);
    desk.write("acme.sig", &alice.sign(&statement));
    desk.is_approved_by("alice@contoso.com");
    let config = desk.path("config.yaml");
    glassine(&["statement", "--config", &config, "--consumer", "acme", "--day", "2027-01-31"])
        .fails(2, &["the text has no day", "leave `--day` out"]);
}

fn statement() -> Statement {
    Statement::of_rules(&compile("rules.yaml", METADATA_ONLY).plan.unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Decides at a time that the test chooses.
fn decide(
    signers: &str,
    signatures: &[&str],
    require: u32,
    expire_days: Option<u32>,
    now: &str,
) -> Result<Approval, Fault> {
    let policy = Policy {
        require: require.try_into().unwrap(),
        expire_days: expire_days.map(|days| days.try_into().unwrap()),
    };
    let judge = Judge { signers: Signers::parse(signers).unwrap(), policy, now: at(now) };
    let approvers = signatures.iter().map(|signature| judge.approver(signature, &statement()));
    Ok(judge.decide(approvers.collect::<Result<Vec<_>, _>>()?).unwrap())
}

#[test]
fn the_last_day_counts_to_its_last_second() {
    let alice = Reviewer::new("alice@contoso.com");
    let signature = alice.sign(&text_to_sign(&statement(), Some(date(2027, 1, 31))));
    let decide = |now| decide(&alice.line(""), &[&signature], 1, Some(10), now);
    let approval = decide("2027-01-31T12:00:00Z").unwrap();
    assert_eq!(approval.ends(), Some(at("2027-02-10T23:59:59Z")));
    assert_eq!(decide("2027-02-10T23:59:59Z"), Ok(approval.clone()));
    let expired = Fault::Expired("alice@contoso.com".to_owned(), date(2027, 1, 31), 10);
    assert_eq!(decide("2027-02-11T00:00:00Z"), Err(expired));
    // The reviewer's clock may be ahead, and is not believed further than a day.
    assert_eq!(decide("2027-01-30T00:00:00Z"), Ok(approval));
    assert!(matches!(decide("2027-01-29T23:59:59Z"), Err(Fault::OtherText(_))));
}

#[test]
fn a_signer_s_end_and_the_days_are_both_ends() {
    let alice = Reviewer::new("alice@contoso.com");
    let signature = alice.sign(&text_to_sign(&statement(), Some(date(2027, 1, 31))));
    for (before, end) in [("20270205Z", "2027-02-05T00:00:00Z"), ("20280101Z", "2027-02-10T23:59:59Z")] {
        let line = alice.line(&format!("valid-before=\"{before}\""));
        let approval = decide(&line, &[&signature], 1, Some(10), "2027-02-01T00:00:00Z").unwrap();
        assert_eq!(approval.ends(), Some(at(end)), "{before}");
    }
    let signature = alice.sign(&text_to_sign(&statement(), None));
    let unlimited = decide(&alice.line(""), &[&signature], 1, None, "2027-02-01T00:00:00Z").unwrap();
    assert_eq!((unlimited.ends(), unlimited.ends_soon(Timestamp::MAX)), (None, None));
}

/// The end is when the number of approvals falls below what is required, not when the first one ends.
#[test]
fn the_approvals_end_when_too_few_are_left() {
    let people = ["alice", "bob", "carol"].map(Reviewer::new);
    let text = text_to_sign(&statement(), None);
    let signatures = people.each_ref().map(|person| person.sign(&text));
    let signatures = signatures.each_ref().map(String::as_str);
    let line = |(person, end): (&Reviewer, &str)| person.line(&format!("valid-before=\"{end}\""));
    let signers: String = people.iter().zip(["20270301Z", "20270101Z", "20270201Z"]).map(line).collect();
    for (require, end) in
        [(1, "2027-03-01T00:00:00Z"), (2, "2027-02-01T00:00:00Z"), (3, "2027-01-01T00:00:00Z")]
    {
        let approval = decide(&signers, &signatures, require, None, "2026-11-01T00:00:00Z").unwrap();
        assert_eq!(approval.ends(), Some(at(end)), "{require}");
        let names: Vec<_> = approval.approvers().iter().map(Approver::name).collect();
        assert_eq!(names, ["alice", "bob", "carol"]);
    }
    let approval = decide(&signers, &signatures, 3, None, "2026-11-01T00:00:00Z").unwrap();
    assert_eq!(approval.ends_soon(at("2026-12-01T23:59:59Z")), None);
    assert_eq!(approval.ends_soon(at("2026-12-02T00:00:00Z")), approval.ends());
    assert_eq!(approval.next_notice(at("2026-11-01T00:00:00Z")), Some(at("2026-12-02T00:00:00Z")));
    assert_eq!(approval.next_notice(at("2026-12-02T00:00:00Z")), approval.ends());
}
