//! The messages of a mailbox or of one folder.

use serde_json::{Value, json};

use super::mail::{id_fault, user_key};
use super::segments::Segment;
use super::{Reply, Request, count, entity};
use crate::demo::tenant::Mailbox;
use crate::demo::tenant::delta::{DeltaState, Store, Tracked, check_messages};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::filter::Filter;
use crate::demo::tenant::folders::{self, Slot};
use crate::demo::tenant::ids::ItemId;
use crate::demo::tenant::mailbox::{Entry, entry_of};
use crate::demo::tenant::messages::{Message, SHAPE, View};
use crate::demo::tenant::odata::Options;
use crate::demo::tenant::order::Order;
use crate::demo::tenant::paging::{OUTLOOK, Page, Skipped, outlook_page};
use crate::demo::tenant::query::Query;

pub(super) fn respond(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    folder: Option<Slot>,
    segments: &[Segment],
) -> Result<Reply, Fault> {
    match segments {
        [] => list(request, mailbox, folder).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(matching(request, mailbox, folder)?.len())),
        [last] if last.is_qualified("delta") => {
            // Messages are tracked in folders only (dcblogdev/laravel-microsoft-graph#107).
            let folder = folder.ok_or(Fault::NotTracked(SHAPE.type_name))?;
            changes(request, mailbox, folder).map(Reply::Page)
        }
        [key] => {
            let message = find(mailbox, folder, key)?;
            let selected = request.selected(&SHAPE)?;
            let context = request.entity_context(&collection(mailbox, folder));
            Ok(entity(context, render(request, &message, selected.as_deref())))
        }
        [key, last] if last.is("$value") => Ok(Reply::Mime(find(mailbox, folder, key)?.mime())),
        [key, next, rest @ ..] if next.is("attachments") => {
            attachments(request, mailbox, &find(mailbox, folder, key)?, rest)
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

fn list(request: &Request<'_>, mailbox: &Mailbox<'_>, folder: Option<Slot>) -> Result<Page, Fault> {
    let selected = request.selected(&SHAPE)?;
    let entries = matching(request, mailbox, folder)?;
    let context = request.context(&collection(mailbox, folder));
    outlook_page(request, context, &entries, Skipped::Items, |entry| {
        render(request, &mailbox.message(*entry), selected.as_deref())
    })
}

/// The messages that match `$filter` and `$search`, in the order of `$orderby`, by default the newest first.
fn matching(request: &Request<'_>, mailbox: &Mailbox<'_>, folder: Option<Slot>) -> Result<Vec<Entry>, Fault> {
    let query = Query::of_mailbox(request, &SHAPE)?;
    let mut entries = filtered(mailbox, folder, &query.filter);
    if let Some(searched) = request.options.value("search") {
        let searched = searched.trim_matches('"').to_lowercase();
        entries.retain(|entry| {
            let message = mailbox.message(*entry);
            [message.subject(), message.text()].iter().any(|text| text.to_lowercase().contains(&searched))
        });
    }
    sort(mailbox, &mut entries, &query.order);
    Ok(entries)
}

fn filtered(mailbox: &Mailbox<'_>, folder: Option<Slot>, filter: &Filter) -> Vec<Entry> {
    let in_folder = |entry: &&Entry| folder.is_none_or(|folder| entry.folder == folder);
    let holds = |entry: &&Entry| {
        // Without a filter, no message has to be made.
        filter.is_empty() || {
            let message = mailbox.message(**entry);
            filter.matches(&|path| message.property(path))
        }
    };
    mailbox.entries.iter().filter(in_folder).filter(holds).copied().collect()
}

fn sort(mailbox: &Mailbox<'_>, entries: &mut [Entry], order: &Order) {
    if order.is_empty() {
        entries.reverse();
    }
    order.sort(entries, |entry, path| match path.to_ascii_lowercase().as_str() {
        // Letters are numbered in the order of time. The author's copy is there at once.
        "receiveddatetime" | "createddatetime" | "lastmodifieddatetime" => {
            json!(2 * u64::from(entry.letter) + u64::from(!entry.sent))
        }
        "sentdatetime" => json!(entry.letter),
        _ => mailbox.message(*entry).property(path),
    });
}

fn find<'a>(mailbox: &Mailbox<'a>, folder: Option<Slot>, key: &Segment) -> Result<Message<'a>, Fault> {
    let id = mailbox.owner.key.item_of(key.text()).map_err(id_fault)?;
    let (item, named) = match id {
        ItemId::Regular { folder, item } => (item, folders::slot_of(folder)),
        ItemId::Immutable { item } => (item, None),
    };
    let is_there = |entry: &Entry| {
        folder.is_none_or(|folder| entry.folder == folder) && named.is_none_or(|named| entry.folder == named)
    };
    let entry = entry_of(mailbox.entries, item).filter(is_there).ok_or(Fault::ItemNotFound)?;
    Ok(mailbox.message(entry))
}

fn view(request: &Request<'_>) -> View {
    View { beta: request.version.is_beta(), immutable_ids: request.headers.immutable_ids }
}

fn render(request: &Request<'_>, message: &Message<'_>, selected: Option<&[String]>) -> Value {
    let mut object = SHAPE.project(message.to_json(view(request)), selected);
    if let Value::Object(members) = &mut object {
        if request.options.expands("attachments") {
            members.insert("attachments".to_owned(), json!(message.attachments()));
        }
        if request.options.expands("singleValueExtendedProperties") {
            members.insert("singleValueExtendedProperties".to_owned(), message.extended_properties());
        }
    }
    request.access.hide_content(&mut object);
    object
}

/// The collection's name in a context URL.
fn collection(mailbox: &Mailbox<'_>, folder: Option<Slot>) -> String {
    let user = user_key(mailbox);
    match folder {
        Some(slot) => {
            format!("{user}/mailFolders('{}')/messages", folders::folder_id(&mailbox.owner.key, slot))
        }
        None => format!("{user}/messages"),
    }
}

fn attachments(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    message: &Message<'_>,
    rest: &[Segment],
) -> Result<Reply, Fault> {
    let all = message.attachments();
    let id = message.id(view(request));
    let context = request.context(&format!("{}/messages('{id}')/attachments", user_key(mailbox)));
    match rest {
        [] => outlook_page(request, context, &all, Skipped::Objects, Value::clone).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(all.len())),
        [key] => {
            let found = all.into_iter().find(|attachment| attachment.get("id") == Some(&json!(key.text())));
            found.map(|attachment| entity(context, attachment)).ok_or(Fault::ItemNotFound)
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

fn changes(request: &Request<'_>, mailbox: &Mailbox<'_>, folder: Slot) -> Result<Page, Fault> {
    let scope = format!("messages/{}/{folder}", mailbox.owner.index);
    let check = |options: &Options| {
        SHAPE.selected(options, request.version.is_beta())?;
        check_messages(options)
    };
    let state = DeltaState::of(request, &scope, Store::Outlook, check)?;
    let selected = state.select();
    let mut entries = filtered(mailbox, Some(folder), &Filter::parse(state.filter())?);
    entries.reverse();
    let (user, id) = (user_key(mailbox), folders::folder_id(&mailbox.owner.key, folder));
    let tracked = Tracked {
        scope,
        context: request.link("$metadata#Collection(message)"),
        link: request.link(&format!("{user}/mailfolders('{id}')/messages/delta")),
        page_size: OUTLOOK.of(request, state.top())?,
        items: &entries,
    };
    let render = |entry: &Entry| with_type(render(request, &mailbox.message(*entry), selected.as_deref()));
    tracked.page(request, &state, render, |entry| mailbox.message(*entry).id(view(request)))
}

/// A message in a delta has its type.
fn with_type(mut object: Value) -> Value {
    if let Value::Object(members) = &mut object {
        members.entry("@odata.type").or_insert_with(|| json!("#microsoft.graph.message"));
    }
    object
}
