//! The endpoints of the shipped connectors and what each may let out: written by hand, so that a change of the rules
//! has to be made here too, on purpose.

use crate::support::glassine::{Glassine, METADATA_ONLY, OUTLOOK_MAIL};

/// Raw ids in the paths for Graph.
pub(crate) const USER: &str = "0409a7eb-588d-4871-b629-e33de72b8b0d";
pub(crate) const GROUP: &str = "01cc3e7a-3e1b-40bd-b24d-9cfbcf119a14";
pub(crate) const FOLDER: &str =
    "AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OAAuAAAAAAAiQ8W967B7TKBjgx9rVEURAQ==";
pub(crate) const MESSAGE: &str =
    "AAMkAGVmMDEzMTM4LTZmYWUtNDdkNC1hMDZiLTU1OGY5OTZhYmY4OABGAAAAAAAiQ8W967B7TKBjgx9rVEURBwA=";

/// A shipped rules file.
pub(crate) struct Connector {
    pub(crate) name: &'static str,
    pub(crate) rules: &'static str,
    pub(crate) versions: &'static [&'static str],
    folder: &'static [&'static str],
}

pub(crate) const CONNECTORS: [Connector; 2] = [
    Connector {
        name: "outlook-mail-metadata-only",
        rules: METADATA_ONLY,
        versions: &["v1.0", "beta"],
        folder: &["wellKnownName", "childFolderCount", "totalItemCount", "unreadItemCount", "isHidden"],
    },
    Connector {
        name: "outlook-mail",
        rules: OUTLOOK_MAIL,
        versions: &["v1.0"],
        folder: &["childFolderCount", "totalItemCount", "unreadItemCount", "isHidden"],
    },
];

/// The form of a response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Entity,
    Collection,
    Delta,
}

/// A request that the rules open.
pub(crate) struct Endpoint {
    /// With `{user}`, `{group}`, `{folder}` and `{message}`.
    path: &'static str,
    pub(crate) form: Form,
    /// The type of the objects; objects of derived types come, too.
    pub(crate) type_name: &'static str,
    /// Paths of the leaves that leave unchanged; `[]` is any element, `page:` the page around the objects.
    pub(crate) kept: Vec<&'static str>,
}

const MESSAGE_KEPT: &[&str] = &[
    "@odata.type",
    "createdDateTime",
    "lastModifiedDateTime",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "importance",
    "inferenceClassification",
    "isRead",
    "isDraft",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "flag.flagStatus",
];
const USER_KEPT: &[&str] = &["accountEnabled", "userType", "createdDateTime"];
const GROUP_KEPT: &[&str] =
    &["groupTypes[]", "mailEnabled", "securityEnabled", "visibility", "createdDateTime"];
const MEMBER_KEPT: &[&str] = &["@odata.type"];
const CONTACT_KEPT: &[&str] = &["createdDateTime", "lastModifiedDateTime"];
const SETTINGS_KEPT: &[&str] = &[
    "timeZone",
    "workingHours.daysOfWeek[]",
    "workingHours.startTime",
    "workingHours.endTime",
    "workingHours.timeZone.name",
    "workingHours.timeZone.bias",
    "workingHours.timeZone.standardOffset.time",
    "workingHours.timeZone.standardOffset.dayOccurrence",
    "workingHours.timeZone.standardOffset.dayOfWeek",
    "workingHours.timeZone.standardOffset.month",
    "workingHours.timeZone.standardOffset.year",
    "workingHours.timeZone.daylightOffset.daylightBias",
    "workingHours.timeZone.daylightOffset.time",
    "workingHours.timeZone.daylightOffset.dayOccurrence",
    "workingHours.timeZone.daylightOffset.dayOfWeek",
    "workingHours.timeZone.daylightOffset.month",
    "workingHours.timeZone.daylightOffset.year",
    "automaticRepliesSetting.status",
    "automaticRepliesSetting.externalAudience",
    "automaticRepliesSetting.scheduledStartDateTime.dateTime",
    "automaticRepliesSetting.scheduledStartDateTime.timeZone",
    "automaticRepliesSetting.scheduledEndDateTime.dateTime",
    "automaticRepliesSetting.scheduledEndDateTime.timeZone",
    "userPurpose",
];
const COUNTED: &[&str] = &["page:@odata.count"];
const CHANGED: &[&str] = &["@removed.reason"];

impl Connector {
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        use Form::{Collection, Delta, Entity};
        let one = |path, form, type_name, kept: &[&[&'static str]]| Endpoint {
            path,
            form,
            type_name,
            kept: kept.concat(),
        };
        let folder = self.folder;
        vec![
            one("users", Collection, "user", &[USER_KEPT, COUNTED]),
            one("users/{user}", Entity, "user", &[USER_KEPT]),
            one("users/delta", Delta, "user", &[USER_KEPT, CHANGED]),
            one("groups", Collection, "group", &[GROUP_KEPT, COUNTED]),
            one("groups/{group}", Entity, "group", &[GROUP_KEPT]),
            one("groups/delta", Delta, "group", &[GROUP_KEPT, CHANGED]),
            one("groups/{group}/members", Collection, "directoryObject", &[MEMBER_KEPT, COUNTED]),
            one("groups/{group}/transitiveMembers", Collection, "directoryObject", &[MEMBER_KEPT, COUNTED]),
            one(
                "users/{user}/transitiveMemberOf/microsoft.graph.group",
                Collection,
                "group",
                &[GROUP_KEPT, COUNTED],
            ),
            one("users/{user}/contacts", Collection, "contact", &[CONTACT_KEPT, COUNTED]),
            one("users/{user}/mailboxSettings", Entity, "mailboxSettings", &[SETTINGS_KEPT]),
            one("users/{user}/mailFolders", Collection, "mailFolder", &[folder, COUNTED]),
            one("users/{user}/mailFolders/{folder}", Entity, "mailFolder", &[folder]),
            one(
                "users/{user}/mailFolders/{folder}/childFolders",
                Collection,
                "mailFolder",
                &[folder, COUNTED],
            ),
            one("users/{user}/mailFolders/delta", Delta, "mailFolder", &[folder, CHANGED]),
            one("users/{user}/messages", Collection, "message", &[MESSAGE_KEPT, COUNTED]),
            one("users/{user}/messages/{message}", Entity, "message", &[MESSAGE_KEPT]),
            one("users/{user}/mailFolders/inbox/messages", Collection, "message", &[MESSAGE_KEPT, COUNTED]),
            one("users/{user}/mailFolders/{folder}/messages/{message}", Entity, "message", &[MESSAGE_KEPT]),
            one(
                "users/{user}/mailFolders/{folder}/messages/delta",
                Delta,
                "message",
                &[MESSAGE_KEPT, CHANGED],
            ),
        ]
    }
}

/// The paths under `numbers`: the only ones of whose values a marker can be a part.
const NUMBERS: &[&str] = &[
    "childFolderCount",
    "totalItemCount",
    "unreadItemCount",
    "page:@odata.count",
    "workingHours.timeZone.bias",
    "workingHours.timeZone.standardOffset.dayOccurrence",
    "workingHours.timeZone.standardOffset.month",
    "workingHours.timeZone.standardOffset.year",
    "workingHours.timeZone.daylightOffset.daylightBias",
    "workingHours.timeZone.daylightOffset.dayOccurrence",
    "workingHours.timeZone.daylightOffset.month",
    "workingHours.timeZone.daylightOffset.year",
];

fn proper(path: &str) -> &'static str {
    match path {
        _ if NUMBERS.contains(&path) => "31",
        "@odata.type" => r##""#microsoft.graph.eventMessageRequest""##,
        "importance" => r#""high""#,
        "inferenceClassification" => r#""other""#,
        "flag.flagStatus" => r#""flagged""#,
        "userType" => r#""Guest""#,
        "groupTypes[]" => r#""Unified""#,
        "visibility" => r#""HiddenMembership""#,
        "userPurpose" => r#""shared""#,
        "wellKnownName" => r#""inbox""#,
        "@removed.reason" => r#""changed""#,
        "workingHours.daysOfWeek[]" => r#""monday""#,
        _ if path.ends_with("Offset.dayOfWeek") => r#""sunday""#,
        _ if path.ends_with("Offset.time") => r#""02:00:00.0000000""#,
        "workingHours.startTime" | "workingHours.endTime" => r#""08:30:00.0000000""#,
        "automaticRepliesSetting.status" => r#""scheduled""#,
        "automaticRepliesSetting.externalAudience" => r#""contactsOnly""#,
        _ if path.ends_with("imeZone") || path.ends_with("imeZone.name") => r#""W. Europe Standard Time""#,
        _ if path.ends_with("dateTime") => r#""2026-11-26T08:30:00.0000000""#,
        _ if path.ends_with("DateTime") => r#""2026-11-26T08:30:00Z""#,
        _ => "true",
    }
}

impl Endpoint {
    /// Whether a marker at this path leaves if it is a number.
    pub(crate) fn keeps_number(&self, path: &str) -> bool {
        self.kept.contains(&path) && NUMBERS.contains(&path)
    }

    /// What Graph could write at a kept path, as JSON.
    pub(crate) fn proper(&self, path: &str) -> &'static str {
        match path {
            "@odata.type" if self.type_name == "directoryObject" => r##""#microsoft.graph.user""##,
            _ => proper(path),
        }
    }

    /// The consumer's target.
    pub(crate) fn target(&self, version: &str, proxy: &Glassine) -> String {
        self.filled(version, |raw| proxy.id(raw))
    }

    /// The target for Graph.
    pub(crate) fn upstream(&self, version: &str) -> String {
        self.filled(version, str::to_owned)
    }

    fn filled(&self, version: &str, id: impl Fn(&str) -> String) -> String {
        let names = [("{user}", USER), ("{group}", GROUP), ("{folder}", FOLDER), ("{message}", MESSAGE)];
        let fill = |path: String, (name, raw): &(&str, &str)| path.replace(name, &id(raw));
        names.iter().fold(format!("/{version}/{}", self.path), fill)
    }
}
