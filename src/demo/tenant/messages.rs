//! A mailbox's copy of a letter as Graph's `message`, with every property of a real message.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Tenant;
use super::folders;
use super::headers::{self, message_id};
use super::ids::conversation_index;
use super::letters::{Kind, Letter, Reaction, letter};
use super::mailbox::Entry;
use super::odata::Shape;
use super::people::User;
use super::properties;
use super::prose;
use super::recipients::{Party, rng_of_copy};
use super::rng::Rng;
use super::text;

/// What `$select` does to a message.
pub(super) const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.message",
    default: None,
    select_only: &["uniqueBody", "internetMessageHeaders"],
    always: &["id"],
    properties: &properties::MESSAGE,
};
/// The property tag of the plain body as an extended property (\[MS-OXPROPS\] PidTagBody).
const BODY_TAG: &str = "String 0x1000";

/// How a message was requested.
#[derive(Clone, Copy, Default)]
pub(super) struct View {
    pub(super) beta: bool,
    pub(super) immutable_ids: bool,
}

/// One message of one mailbox.
pub(super) struct Message<'a> {
    pub(super) entry: Entry,
    pub(super) letter: Letter,
    tenant: &'a Tenant,
    owner: &'a User,
}

impl<'a> Message<'a> {
    pub(super) fn new(tenant: &'a Tenant, owner: &'a User, entry: Entry) -> Message<'a> {
        Message { entry, letter: letter(&tenant.directory, entry.letter), tenant, owner }
    }

    pub(super) fn id(&self, view: View) -> String {
        let item = self.entry.item();
        if view.immutable_ids {
            self.owner.key.immutable_id(item)
        } else {
            self.owner.key.item_id(folders::counter(self.entry.folder), item)
        }
    }

    /// One property without generating the others, for common filters. `null` if there is none.
    pub(super) fn property(&self, path: &str) -> Value {
        match path.to_ascii_lowercase().as_str() {
            "receiveddatetime" | "createddatetime" => json!(time(self.received())),
            "lastmodifieddatetime" => json!(time(self.last_modified())),
            "sentdatetime" => json!(time(self.letter.sent())),
            "isread" => json!(self.is_read()),
            "isdraft" => json!(self.letter.kind == Kind::Draft),
            "hasattachments" => json!(self.has_attachments()),
            "importance" => json!(self.importance()),
            "subject" => json!(self.subject()),
            _ => super::odata::at_path(&self.to_json(View::default()), path),
        }
    }

    pub(super) fn subject(&self) -> String {
        prose::subject(self.seed(), &self.letter)
    }

    pub(super) fn is_read(&self) -> bool {
        self.entry.sent || !self.chance("unread", 18)
    }

    /// The body's text.
    pub(super) fn text(&self) -> String {
        prose::plain(&self.paragraphs())
    }

    /// All properties, including those that Graph returns only if selected.
    pub(super) fn to_json(&self, view: View) -> Value {
        let mut message = self.identity(view);
        message.extend(self.times_and_flags());
        message.extend(self.content());
        message.extend(self.people());
        message.extend(self.meeting());
        if view.beta {
            message.extend(self.beta_only());
        }
        Value::Object(message)
    }

    /// The attachments in `$expand=attachments` and `/attachments`.
    pub(super) fn attachments(&self) -> Vec<Value> {
        let mut rng = Rng::of(self.seed(), "attachment", &[u64::from(self.letter.number)]);
        let file =
            text::ATTACHMENTS.get(rng.below(text::ATTACHMENTS.len())).filter(|_| self.has_attachments());
        let folder = folders::counter(self.entry.folder);
        let described = file.map(|[name, content_type]| {
            let content = format!("{name}: {}", rng.pick(text::SENTENCES));
            json!({
                "@odata.type": "#microsoft.graph.fileAttachment",
                "@odata.mediaContentType": content_type,
                "id": self.owner.key.attachment_id(folder, self.entry.item(), &rng.bytes()),
                "lastModifiedDateTime": time(self.letter.sent()),
                "name": name,
                "contentType": content_type,
                "size": content.len(),
                "isInline": false,
                "contentId": Value::Null,
                "contentLocation": Value::Null,
                "contentBytes": STANDARD.encode(content),
            })
        });
        described.into_iter().collect()
    }

    /// The properties in `$expand=singleValueExtendedProperties`: the body again, because such properties can leak it.
    pub(super) fn extended_properties(&self) -> Value {
        json!([{ "id": BODY_TAG, "value": self.text() }])
    }

    /// The message in MIME (RFC 5322), the response to `/$value`.
    pub(super) fn mime(&self) -> String {
        let (name, address) = self.tenant.directory.name_and_address(self.letter.from);
        format!(
            "From: \"{name}\" <{address}>\r\nSubject: {}\r\nMessage-ID: {}\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n",
            self.subject(),
            self.internet_message_id(),
            self.text(),
        )
    }

    fn identity(&self, view: View) -> Map<String, Value> {
        let key = &self.owner.key;
        let id = self.id(view);
        let thread = self.letter.thread(self.seed());
        let change_key = key.change_key(9, self.letter.number.wrapping_mul(3));
        let item = id.replace('-', "%2F").replace('_', "%2B").replace('=', "%3D");
        object(json!({
            "@odata.etag": format!("W/\"{change_key}\""),
            "id": id,
            "changeKey": change_key,
            "internetMessageId": self.internet_message_id(),
            "parentFolderId": folders::folder_id(key, self.entry.folder),
            "conversationId": key.conversation_id(&thread),
            "conversationIndex": conversation_index(&thread, &self.letter.times),
            "webLink": format!(
                "https://outlook.office365.com/owa/?ItemID={item}&exvsurl=1&viewmodel=ReadMessageItem"
            ),
        }))
    }

    fn times_and_flags(&self) -> Map<String, Value> {
        let automated = matches!(self.letter.kind, Kind::Automated | Kind::AutomaticReply);
        let flagged = self.chance("flag", 6);
        let categories: Vec<&str> = self
            .chance("categorised", 8)
            .then(|| self.rng("category").pick(text::CATEGORIES))
            .into_iter()
            .collect();
        object(json!({
            "createdDateTime": time(self.received()),
            "lastModifiedDateTime": time(self.last_modified()),
            "receivedDateTime": time(self.received()),
            "sentDateTime": time(self.letter.sent()),
            "categories": categories,
            "hasAttachments": self.has_attachments(),
            "importance": self.importance(),
            "inferenceClassification": if automated { "other" } else { "focused" },
            "isDeliveryReceiptRequested": if self.entry.sent { json!(false) } else { Value::Null },
            "isReadReceiptRequested": false,
            "isRead": self.is_read(),
            "isDraft": self.letter.kind == Kind::Draft,
            "flag": { "flagStatus": if flagged { "flagged" } else { "notFlagged" } },
        }))
    }

    fn content(&self) -> Map<String, Value> {
        let paragraphs = self.paragraphs();
        let html = prose::html(&paragraphs);
        object(json!({
            "subject": self.subject(),
            "bodyPreview": prose::preview(&paragraphs),
            "body": { "contentType": "html", "content": html },
            "uniqueBody": { "contentType": "html", "content": html },
            "internetMessageHeaders": self.internet_headers(),
        }))
    }

    fn people(&self) -> Map<String, Value> {
        let directory = &self.tenant.directory;
        let letter = &self.letter;
        let bcc = if self.entry.sent { letter.bcc.as_slice() } else { &[] };
        object(json!({
            "sender": directory.recipient_json(letter.sender),
            "from": directory.recipient_json(letter.from),
            "toRecipients": directory.recipients_json(&letter.to),
            "ccRecipients": directory.recipients_json(&letter.cc),
            "bccRecipients": directory.recipients_json(bcc),
            "replyTo": self.reply_to(),
        }))
    }

    /// The additional properties and the type of meeting messages.
    fn meeting(&self) -> Map<String, Value> {
        let (type_name, meeting_type) = match (self.letter.kind, self.letter.reaction(self.seed())) {
            (Kind::Invitation, _) => ("#microsoft.graph.eventMessageRequest", "meetingRequest"),
            (_, Some(reaction)) => ("#microsoft.graph.eventMessageResponse", meeting_type(reaction)),
            (_, None) => return Map::new(),
        };
        let start = self.letter.sent() - self.letter.sent() % 3600 + 4 * 86_400;
        let zoned = |seconds: i64| json!({ "dateTime": graph_local(seconds), "timeZone": "UTC" });
        let room = self.rng_of_letter("room").pick(text::ROOMS);
        object(json!({
            "@odata.type": type_name,
            "meetingMessageType": meeting_type,
            "type": "singleInstance",
            "isOutOfDate": false,
            "isAllDay": false,
            "isDelegated": false,
            "startDateTime": zoned(start),
            "endDateTime": zoned(start + 1800),
            "location": { "displayName": room, "locationType": "default", "uniqueIdType": "unknown" },
            "recurrence": Value::Null,
        }))
    }

    fn beta_only(&self) -> Map<String, Value> {
        let newsletter = self.letter.kind == Kind::Automated;
        let mailto = format!("mailto:unsubscribe+{:x}@weeklyfurrow.example", self.letter.number);
        object(json!({
            "mentionsPreview": { "isMentioned": self.chance("mentioned", 3) },
            "unsubscribeEnabled": newsletter,
            "unsubscribeData": if newsletter { json!([mailto]) } else { json!([]) },
        }))
    }

    /// What the letter came with. The author's copy did not come from anywhere, so it has no headers.
    fn internet_headers(&self) -> Value {
        if self.entry.sent {
            return Value::Null;
        }
        let subject = ("Subject", self.subject());
        let tenant = ("X-MS-Exchange-CrossTenant-Id", self.tenant.tenant_id().to_owned());
        let headers =
            headers::of_letter(&self.tenant.directory, &self.letter).into_iter().chain([subject, tenant]);
        headers.map(|(name, value)| json!({ "name": name, "value": value })).collect()
    }

    fn internet_message_id(&self) -> String {
        message_id(&self.tenant.directory, self.letter.number, self.letter.sender.party)
    }

    /// Some external people have replies sent to a private address.
    fn reply_to(&self) -> Value {
        let outside = matches!(self.letter.from.party, Party::External(_));
        if !(outside && self.rng_of_letter("reply to").chance(10)) {
            return json!([]);
        }
        let (name, address) = self.tenant.directory.name_and_address(self.letter.from);
        let local = address.split_once('@').map_or("", |(local, _)| local);
        json!([{ "emailAddress": { "name": name, "address": format!("{local}.home@freemail.example") } }])
    }

    fn paragraphs(&self) -> Vec<String> {
        let (author, _) = self.tenant.directory.name_and_address(self.letter.from);
        prose::paragraphs(self.seed(), &self.letter, &author)
    }

    /// Delivery takes some seconds. The author's copy is there at once.
    fn received(&self) -> i64 {
        let delay = if self.entry.sent { 0 } else { 1 + self.rng("delay").below(9) };
        self.letter.sent() + i64::try_from(delay).unwrap_or_default()
    }

    fn last_modified(&self) -> i64 {
        self.received() + 95
    }

    fn importance(&self) -> &'static str {
        if self.rng_of_letter("importance").chance(7) { "high" } else { "normal" }
    }

    fn has_attachments(&self) -> bool {
        matches!(self.letter.kind, Kind::Personal | Kind::Draft) && self.rng_of_letter("attached").chance(14)
    }

    fn seed(&self) -> u64 {
        self.tenant.directory.seed
    }

    /// Random numbers that differ from copy to copy.
    fn rng(&self, what: &str) -> Rng {
        rng_of_copy(self.seed(), what, self.letter.number, self.owner.index)
    }

    fn chance(&self, what: &str, percent: usize) -> bool {
        self.rng(what).chance(percent)
    }

    /// Random numbers that all copies share.
    fn rng_of_letter(&self, what: &str) -> Rng {
        Rng::of(self.seed(), what, &[u64::from(self.letter.number)])
    }
}

/// Graph's spelling, with its missing letter
/// (<https://learn.microsoft.com/graph/api/resources/eventmessage#properties>).
fn meeting_type(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Accepted => "meetingAccepted",
        Reaction::Tentative => "meetingTenativelyAccepted",
        Reaction::Declined => "meetingDeclined",
    }
}

/// Seconds as Graph writes them: `2026-01-05T08:00:00Z`.
pub(super) fn time(unix_seconds: i64) -> String {
    Timestamp::from_second(unix_seconds).unwrap_or_default().to_string()
}

/// A `dateTimeTimeZone`'s time: no offset, seven decimals.
fn graph_local(unix_seconds: i64) -> String {
    format!("{}.0000000", time(unix_seconds).trim_end_matches('Z'))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => Map::new(),
    }
}
