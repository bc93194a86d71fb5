//! The word lists for people, subjects and letters. All are invented, and every domain is reserved (RFC 2606).

/// The organisation's name.
pub(super) const ORGANIZATION: &str = "Tallgrass Paper";
/// The tenant's mail domain.
pub(super) const DOMAIN: &str = "tallgrass.example";
/// The tenant's initial domain, used in guests' user principal names and some aliases (real ones end in
/// onmicrosoft.com).
pub(super) const INITIAL_DOMAIN: &str = "tallgrass.onmicrosoft.example";

pub(super) const GIVEN_NAMES: &[&str] = &[
    "Amara", "Bastian", "Celeste", "Dmitri", "Elodie", "Farid", "Greta", "Hamza", "Ingrid", "Jürgen",
    "Katalin", "Leandro", "Mireille", "Nadia", "Oskar", "Paloma", "Quentin", "Rosalind", "Søren", "Tamsin",
    "Ulrike", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoë", "Anselm", "Brigid", "Corin", "Delphine", "Emeka",
    "Freya", "Gideon", "Hyacinth", "Ivo", "Jolanda", "Kwame", "Linnea", "Marek", "Noor",
];

pub(super) const SURNAMES: &[&str] = &[
    "Abelard",
    "Brandvold",
    "Castellane",
    "Dorrien",
    "Eklund",
    "Fairweather",
    "Grünwald",
    "Hollander",
    "Ibarra",
    "Jankowski",
    "Kestrel",
    "Lindqvist",
    "Marchetti",
    "Nakagawa",
    "O'Dowd",
    "Pemberton",
    "Quayle",
    "Rasmussen",
    "Sandoval",
    "Thackeray",
    "Umarov",
    "Vandermeer",
    "Whitlock",
    "Xanthos",
    "Ybarra",
    "Zielinski",
    "Achterberg",
    "Bellweather",
    "Crane-Ashby",
    "D'Amico",
    "Estévez",
    "Fontaine",
    "Galloway",
    "Haverkamp",
    "Ives",
    "Juhász",
    "Kowalczyk",
    "Loveday",
    "Müller-Roth",
    "Norling",
];

pub(super) const DEPARTMENTS: &[&str] = &[
    "Research",
    "Sales",
    "Legal",
    "Finance",
    "Operations",
    "People and Culture",
    "Field Service",
    "Procurement",
    "Marketing",
    "Platform Engineering",
];

pub(super) const JOB_TITLES: &[&str] = &[
    "Analyst",
    "Senior Analyst",
    "Team Lead",
    "Director",
    "Specialist",
    "Engineer",
    "Counsel",
    "Coordinator",
    "Vice President",
    "Apprentice",
];

/// City, state, country, postal code, two-letter usage location and Windows time zone.
pub(super) const OFFICES: &[[&str; 6]] = &[
    ["Hamburg", "HH", "Germany", "20457", "DE", "W. Europe Standard Time"],
    ["Lisbon", "", "Portugal", "1100-148", "PT", "GMT Standard Time"],
    ["Portland", "OR", "United States", "97205", "US", "Pacific Standard Time"],
    ["Toronto", "ON", "Canada", "M5V 2T6", "CA", "Eastern Standard Time"],
    ["Pune", "MH", "India", "411001", "IN", "India Standard Time"],
];

pub(super) const ROOMS: &[&str] = &[
    "Room Heron",
    "Room Plover",
    "Room Curlew",
    "Room Avocet",
    "Room Dunlin",
    "Room Lapwing",
    "Room Godwit",
    "Room Sanderling",
    "Room Turnstone",
    "Room Whimbrel",
];

pub(super) const SHARED_MAILBOXES: &[&str] = &[
    "Front Desk",
    "Invoices",
    "Press Office",
    "Recruiting",
    "IT Helpdesk",
    "Data Protection",
    "Works Council",
    "Customer Care",
    "Facilities",
    "Board Secretary",
];

/// Domains of external people. The last two are one company, once in Unicode and once in Punycode.
pub(super) const EXTERNAL_DOMAINS: &[&str] = &[
    "brightharbor.example",
    "mail.kestrelworks.example",
    "northquay.example",
    "partner.osterlund.example",
    "quillandrook.example",
    "freemail.example",
    "stonebridge-law.example",
    "clinic-am-park.example",
    "bücher-müller.example",
    "xn--bcher-mller-thbg.example",
];

/// Programs that send mail: display name and address.
pub(super) const AUTOMATED_SENDERS: &[[&str; 2]] = &[
    ["Tallgrass Travel", "no-reply@travel.tallgrass.example"],
    ["Ledgerly Invoices", "noreply@ledgerly.example"],
    ["The Weekly Furrow", "newsletter@weeklyfurrow.example"],
    ["Buildbot", "buildbot+platform@ci.tallgrass.example"],
    ["Mail Delivery Subsystem", "MAILER-DAEMON@mx.tallgrass.example"],
    ["Calendar Reminder", "reminders@calendar.tallgrass.example"],
];

/// Texts in place of an address: nothing, or a name.
pub(super) const ODD_ADDRESSES: &[[&str; 2]] = &[
    ["Undisclosed Recipients", ""],
    ["Reception ground floor", "Reception ground floor"],
    ["Old Fax Gateway", "IMCEAFAX-+2B49+2040+20555010@tallgrass.example"],
];

pub(super) const LISTS: &[[&str; 2]] = &[
    ["Everyone", "everyone"],
    ["Hamburg Office", "hamburg"],
    ["Lisbon Office", "lisbon"],
    ["Portland Office", "portland"],
    ["Toronto Office", "toronto"],
    ["Pune Office", "pune"],
    ["Managers", "managers"],
];

pub(super) const PROJECTS: &[&str] = &[
    "Heron",
    "Larkspur",
    "Ember",
    "Saltmarsh",
    "Quarry",
    "Tidepool",
    "Juniper",
    "Lantern",
    "Moraine",
    "Oriel",
    "Piccolo",
    "Redwing",
    "Sextant",
];

pub(super) const TOPICS: &[&str] = &[
    "budget for next quarter",
    "supplier contract",
    "draft agreement",
    "onboarding plan",
    "site visit",
    "price list",
    "salary review",
    "incident last night",
    "release notes",
    "customer complaint",
    "travel to the fair",
    "audit findings",
    "sick leave cover",
    "redundancy list",
    "merger talks",
    "expense report",
    "\"confidential\" C:\\drafts 🚧",
];

pub(super) const SENTENCES: &[&str] = &[
    "Could you look at the figures before Thursday?",
    "I have attached the latest version, please do not pass it on.",
    "The customer asked again about the delivery date.",
    "We should keep this between us until the board has met.",
    "Thank you for the quick answer yesterday.",
    "The numbers for March look better than we feared.",
    "My doctor wants me to stay at home until Friday.",
    "Please call me when you are back at your desk.",
    "Legal has two remarks on clause seven.",
    "Let us move the workshop to the week after.",
    "The password for the archive comes in a second mail.",
    "I would rather not discuss his bonus in writing.",
    "The lawyer expects the divorce papers by the end of the month.",
    "Everyone did a great job at the fair.",
];

pub(super) const PRIVATE_FOLDERS: &[&str] = &[
    "Divorce lawyer",
    "Project Heron",
    "Family",
    "Doctor",
    "Job applications",
    "Customers",
    "House purchase",
    "Union matters",
];

pub(super) const CATEGORIES: &[&str] =
    &["Red category", "Personal", "Waiting for Jolanda", "Board only", "Client: Northquay"];

pub(super) const NOTES: &[&str] = &[
    "Met at the fair. Allergic to nuts, two daughters.",
    "Prefers to be called after five. Going through a divorce.",
    "Former colleague, left after the audit.",
    "",
];

pub(super) const STREETS: &[&str] =
    &["Speicherstrasse", "Rua das Flores", "Alder Street", "Queen's Quay", "Koregaon Road", "Mill Lane"];

pub(super) const ATTACHMENTS: &[[&str; 2]] = &[
    ["Salary review 2026.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ["Contract Northquay signed.pdf", "application/pdf"],
    ["Doctor's note.jpg", "image/jpeg"],
];
