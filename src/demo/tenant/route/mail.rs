//! The contents of a mailbox except messages: folders, contacts, settings.

use serde_json::{Value, json};

use super::segments::Segment;
use super::{Reply, Request, count, entity, messages};
use crate::demo::tenant::Mailbox;
use crate::demo::tenant::contacts;
use crate::demo::tenant::delta::{DeltaState, Tracked};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::filter::Filter;
use crate::demo::tenant::folders::{self, Counts, Folder, ROOT, Slot};
use crate::demo::tenant::ids::{IdError, ItemId};
use crate::demo::tenant::odata::{Shape, at_path};
use crate::demo::tenant::paging::{OUTLOOK, outlook_page};
use crate::demo::tenant::settings;

const FOLDER: Shape = Shape {
    type_name: "microsoft.graph.mailFolder",
    default: None,
    select_only: &[],
    always: &["id"],
    known: Some(&[
        "childFolderCount",
        "displayName",
        "id",
        "isHidden",
        "parentFolderId",
        "sizeInBytes",
        "totalItemCount",
        "unreadItemCount",
    ]),
    known_on_beta: &["wellKnownName"],
};

pub(super) fn respond(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    segments: &[Segment],
) -> Result<Reply, Fault> {
    match segments {
        [first, rest @ ..] if first.is("messages") => messages::respond(request, mailbox, None, rest),
        [first, rest @ ..] if first.is("mailFolders") => mail_folders(request, mailbox, ROOT, rest),
        [first, rest @ ..] if first.is("contacts") => contacts(request, mailbox, rest),
        [first, rest @ ..] if first.is("contactFolders") => contact_folders(request, mailbox, rest),
        [first, rest @ ..] if first.is("mailboxSettings") => mailbox_settings(request, mailbox, rest),
        [other, ..] => Err(other.unknown()),
        [] => Err(Fault::Segment(String::new())),
    }
}

/// The error for an id that does not open.
pub(super) fn id_fault(error: IdError) -> Fault {
    match error {
        IdError::Malformed => Fault::MalformedId,
        IdError::Foreign => Fault::ItemNotFound,
    }
}

/// The account's part of a context URL or a link.
pub(super) fn user_key(mailbox: &Mailbox<'_>) -> String {
    format!("users('{}')", mailbox.owner.id())
}

/// `mailFolders` and, below a folder, `childFolders`.
fn mail_folders(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    parent: Slot,
    segments: &[Segment],
) -> Result<Reply, Fault> {
    let shown = matching(request, mailbox, parent)?;
    match segments {
        [] => list_folders(request, mailbox, &shown),
        [last] if last.is("$count") => Ok(count(shown.len())),
        [last] if last.is_qualified("delta") => folder_changes(request, mailbox),
        [key, rest @ ..] => in_folder(request, mailbox, folder_slot(mailbox, key)?, rest),
    }
}

fn in_folder(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    slot: Slot,
    rest: &[Segment],
) -> Result<Reply, Fault> {
    match rest {
        [] => {
            let folder =
                mailbox.folders().into_iter().find(|it| it.slot == slot).ok_or(Fault::ItemNotFound)?;
            let context = request.entity_context(&format!("{}/mailFolders", user_key(mailbox)));
            let selected = request.options.select();
            FOLDER.check(selected.as_deref(), request.version.is_beta())?;
            Ok(entity(context, render_folder(request, mailbox, &folder, selected.as_deref())))
        }
        [next, rest @ ..] if next.is("messages") => messages::respond(request, mailbox, Some(slot), rest),
        [next, rest @ ..] if next.is("childFolders") => mail_folders(request, mailbox, slot, rest),
        [other, ..] => Err(other.unknown()),
    }
}

fn list_folders(request: &Request<'_>, mailbox: &Mailbox<'_>, shown: &[Folder]) -> Result<Reply, Fault> {
    let context = request.context(&format!("{}/mailFolders", user_key(mailbox)));
    let selected = request.options.select();
    FOLDER.check(selected.as_deref(), request.version.is_beta())?;
    let render = |folder: &Folder| render_folder(request, mailbox, folder, selected.as_deref());
    outlook_page(request, context, shown, render).map(Reply::Page)
}

/// The folders below `parent` that match `$filter`.
fn matching(request: &Request<'_>, mailbox: &Mailbox<'_>, parent: Slot) -> Result<Vec<Folder>, Fault> {
    let filter = Filter::parse(request.options.value("filter"))?;
    let object = |folder: &Folder| folder.to_json(&mailbox.owner.key, mailbox.counts(folder.slot), true);
    let holds = |folder: &Folder| filter.matches(|path| at_path(&object(folder), path));
    Ok(visible_children(request, mailbox, parent).into_iter().filter(holds).collect())
}

fn visible_children(request: &Request<'_>, mailbox: &Mailbox<'_>, parent: Slot) -> Vec<Folder> {
    let hidden_too = request.options.is_true("includehiddenfolders");
    let is_child = |folder: &Folder| folder.slot != ROOT && folder.parent == parent;
    mailbox.folders().into_iter().filter(|it| is_child(it) && (hidden_too || !it.hidden)).collect()
}

fn render_folder(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    folder: &Folder,
    selected: Option<&[String]>,
) -> Value {
    let children = visible_children(request, mailbox, folder.slot).len();
    let counts = Counts { children, ..mailbox.counts(folder.slot) };
    FOLDER.project(folder.to_json(&mailbox.owner.key, counts, request.version.is_beta()), selected)
}

fn folder_slot(mailbox: &Mailbox<'_>, key: &Segment) -> Result<Slot, Fault> {
    if let Some(slot) = folders::well_known_slot(key.text()) {
        return Ok(slot);
    }
    let counter = mailbox.owner.key.folder_of(key.text()).map_err(id_fault)?;
    let slot = folders::slot_of(counter).ok_or(Fault::ItemNotFound)?;
    mailbox.folders().iter().any(|folder| folder.slot == slot).then_some(slot).ok_or(Fault::ItemNotFound)
}

fn folder_changes(request: &Request<'_>, mailbox: &Mailbox<'_>) -> Result<Reply, Fault> {
    let scope = format!("mailFolders/{}", mailbox.owner.index);
    let state = DeltaState::of(request, &scope)?;
    let all: Vec<Folder> = mailbox.folders().into_iter().filter(|folder| folder.slot != ROOT).collect();
    let tracked = Tracked {
        scope,
        context: request.link("$metadata#Collection(mailFolder)"),
        link: request.link(&format!("{}/mailFolders/delta", user_key(mailbox))),
        sizes: OUTLOOK,
        items: &all,
        named: |_| None,
    };
    let selected = state.select();
    let render = |folder: &Folder| render_folder(request, mailbox, folder, selected.as_deref());
    let removed = |folder: &Folder| folders::folder_id(&mailbox.owner.key, folder.slot);
    tracked.page(request, &state, render, removed).map(Reply::Page)
}

fn contacts(request: &Request<'_>, mailbox: &Mailbox<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    let directory = &request.tenant.directory;
    let length = contacts::count(directory.seed, mailbox.owner.index);
    let places: Vec<usize> = (0..length).collect();
    let context = format!("{}/contacts", user_key(mailbox));
    let selected = request.options.select();
    let render = |place: &usize| render_contact(request, mailbox, *place, selected.as_deref());
    match segments {
        [] => outlook_page(request, request.context(&context), &places, render).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(length)),
        [last] if last.is_qualified("delta") => contact_changes(request, mailbox, &places),
        [key] => {
            let item = match mailbox.owner.key.item_of(key.text()).map_err(id_fault)? {
                ItemId::Regular { item, .. } | ItemId::Immutable { item } => item,
            };
            let place =
                contacts::place_of(item).filter(|place| *place < length).ok_or(Fault::ItemNotFound)?;
            Ok(entity(request.entity_context(&context), render(&place)))
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

fn contact_changes(request: &Request<'_>, mailbox: &Mailbox<'_>, places: &[usize]) -> Result<Reply, Fault> {
    let scope = format!("contacts/{}", mailbox.owner.index);
    let folder = folders::folder_id(&mailbox.owner.key, folders::CONTACTS);
    let state = DeltaState::of(request, &scope)?;
    let tracked = Tracked {
        scope,
        context: request.link("$metadata#Collection(contact)"),
        link: request.link(&format!("{}/contactFolders('{folder}')/contacts/delta", user_key(mailbox))),
        sizes: OUTLOOK,
        items: places,
        named: |_| None,
    };
    let selected = state.select();
    let render = |place: &usize| render_contact(request, mailbox, *place, selected.as_deref());
    tracked.page(request, &state, render, |place| contact_id(request, mailbox, *place)).map(Reply::Page)
}

fn render_contact(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    place: usize,
    selected: Option<&[String]>,
) -> Value {
    let beta = request.version.is_beta();
    let mut contact = contacts::contact(&request.tenant.directory, mailbox.owner, place, beta);
    if let Value::Object(members) = &mut contact {
        members.insert("id".to_owned(), json!(contact_id(request, mailbox, place)));
    }
    contacts::SHAPE.project(contact, selected)
}

fn contact_id(request: &Request<'_>, mailbox: &Mailbox<'_>, place: usize) -> String {
    let (key, item) = (&mailbox.owner.key, contacts::item(place));
    if request.prefer.immutable_ids {
        key.immutable_id(item)
    } else {
        key.item_id(folders::counter(folders::CONTACTS), item)
    }
}

fn contact_folders(request: &Request<'_>, mailbox: &Mailbox<'_>, rest: &[Segment]) -> Result<Reply, Fault> {
    let folder = contacts::folder(mailbox.owner, request.version.is_beta());
    let context = format!("{}/contactFolders", user_key(mailbox));
    match rest {
        [] => outlook_page(request, request.context(&context), &[folder], Value::clone).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(1)),
        [key, rest @ ..] => {
            let counter = mailbox.owner.key.folder_of(key.text()).map_err(id_fault)?;
            if folders::slot_of(counter) != Some(folders::CONTACTS) {
                return Err(Fault::ItemNotFound);
            }
            match rest {
                [] => Ok(entity(request.entity_context(&context), folder)),
                [next, rest @ ..] if next.is("contacts") => contacts(request, mailbox, rest),
                [other, ..] => Err(other.unknown()),
            }
        }
    }
}

/// The settings, or one of them: `/mailboxSettings/timeZone`.
fn mailbox_settings(request: &Request<'_>, mailbox: &Mailbox<'_>, rest: &[Segment]) -> Result<Reply, Fault> {
    let all = settings::settings(request.tenant.directory.seed, mailbox.owner);
    let context = format!("{}/mailboxSettings", user_key(mailbox));
    match rest {
        [] => {
            let shape =
                Shape { type_name: "microsoft.graph.mailboxSettings", always: &[], known: None, ..FOLDER };
            let selected = request.options.select();
            Ok(entity(request.context(&context), shape.project(all, selected.as_deref())))
        }
        [property] => match at_path(&all, property.text()) {
            Value::Null => Err(property.unknown()),
            object @ Value::Object(_) => Ok(entity(request.context(&context), object)),
            value => Ok(entity(request.context(&context), json!({ "value": value }))),
        },
        [_, other, ..] => Err(other.unknown()),
    }
}
