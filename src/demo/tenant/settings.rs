//! A mailbox's settings: the time zone and working hours that an analysis needs, and the reply texts that must not
//! leave.

use maud::html;
use serde_json::{Value, json};

use super::folders::{self, ARCHIVE};
use super::people::{Account, User, number};
use super::rng::Rng;
use super::text;

/// All properties of `mailboxSettings`.
pub(super) fn settings(seed: u64, owner: &User) -> Value {
    let mut rng = Rng::of(seed, "settings", &[number(owner.index)]);
    let [.., zone] = text::OFFICES.get(owner.office).copied().unwrap_or_default();
    let purpose = match owner.account() {
        Account::Member | Account::Guest => "user",
        Account::Room => "room",
        Account::Shared => "shared",
    };
    let start = 7 + rng.below(3);
    json!({
        "archiveFolder": folders::folder_id(&owner.key, ARCHIVE),
        "timeZone": if is_custom(owner) { CUSTOM } else { zone },
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": purpose,
        "automaticRepliesSetting": automatic_replies(owner, &mut rng),
        "language": { "locale": "en-US", "displayName": "English (United States)" },
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": format!("{start:02}:00:00.0000000"),
            "endTime": format!("{:02}:00:00.0000000", start + 9),
            "timeZone": if is_custom(owner) { custom_zone() } else { json!({ "name": zone }) },
        },
    })
}

/// What Exchange writes for a time zone without a name of its own: desktop Outlook makes such zones
/// (<https://learn.microsoft.com/graph/api/resources/event>, originalStartTimeZone).
const CUSTOM: &str = "tzone://Microsoft/Custom";

/// Every 40th owner has made a time zone.
fn is_custom(owner: &User) -> bool {
    owner.index % 40 == 13
}

/// The zone of the working hours, with the minutes and days that say what its name does not
/// (<https://learn.microsoft.com/graph/api/user-update-mailboxsettings>, example 2).
fn custom_zone() -> Value {
    json!({
        "@odata.type": "#microsoft.graph.customTimeZone",
        "bias": -200,
        "name": "Customized Time Zone",
        "standardOffset": {
            "time": "02:00:00.0000000", "dayOccurrence": 4, "dayOfWeek": "sunday", "month": 5, "year": 0,
        },
        "daylightOffset": {
            "daylightBias": 100,
            "time": "02:00:00.0000000", "dayOccurrence": 2, "dayOfWeek": "sunday", "month": 10, "year": 0,
        },
    })
}

fn automatic_replies(owner: &User, rng: &mut Rng) -> Value {
    let status = rng.pick(&["disabled", "disabled", "alwaysEnabled", "scheduled"]);
    let deputy = rng.pick(text::GIVEN_NAMES);
    json!({
        "status": status,
        "externalAudience": rng.pick(&["none", "contactsOnly", "all"]),
        "internalReplyMessage": message(&format!(
            "I am at the hospital with my daughter, {deputy} knows. Yours, {}",
            owner.display_name
        )),
        "externalReplyMessage": message(&format!("I am out of office. Please call {deputy}.")),
        "scheduledStartDateTime": { "dateTime": "2026-04-01T16:00:00.0000000", "timeZone": "UTC" },
        "scheduledEndDateTime": { "dateTime": "2026-04-12T16:00:00.0000000", "timeZone": "UTC" },
    })
}

fn message(text: &str) -> String {
    html! { html { body { (text) } } }.into_string()
}
