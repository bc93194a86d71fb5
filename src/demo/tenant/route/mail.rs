//! The contents of a mailbox except messages and settings: folders and contacts.

use serde_json::{Value, json};

use super::segments::Segment;
use super::{Reply, Request, count, entity, messages, settings};
use crate::demo::tenant::Mailbox;
use crate::demo::tenant::contacts;
use crate::demo::tenant::delta::{DeltaState, Store, Tracked, check_others};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::folders::{self, Counts, Folder, ROOT, Slot};
use crate::demo::tenant::ids::{IdError, ItemId};
use crate::demo::tenant::odata::{Options, Shape};
use crate::demo::tenant::paging::{OUTLOOK, Skipped, outlook_page};
use crate::demo::tenant::properties;
use crate::demo::tenant::query::Query;

const FOLDER: Shape = Shape {
    type_name: "microsoft.graph.mailFolder",
    default: None,
    select_only: &[],
    always: &["id"],
    properties: &properties::MAIL_FOLDER,
};
const CONTACT_FOLDER: Shape =
    Shape { type_name: "microsoft.graph.contactFolder", properties: &properties::CONTACT_FOLDER, ..FOLDER };

pub(super) fn respond(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    segments: &[Segment],
) -> Result<Reply, Fault> {
    match segments {
        [first, rest @ ..] if first.is("messages") => messages::respond(request, mailbox, None, rest),
        [first, rest @ ..] if first.is("mailFolders") => mail_folders(request, mailbox, ROOT, rest),
        [first, rest @ ..] if first.is("contacts") => contacts(request, mailbox, "", rest),
        [first, rest @ ..] if first.is("contactFolders") => contact_folders(request, mailbox, rest),
        [first, rest @ ..] if first.is("mailboxSettings") => settings::respond(request, mailbox, rest),
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
    match segments {
        [] => list_folders(request, mailbox, &matching(request, mailbox, parent)?),
        [last] if last.is("$count") => Ok(count(matching(request, mailbox, parent)?.len())),
        [last] if last.is_qualified("delta") && parent == ROOT => folder_changes(request, mailbox),
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
            let selected = request.selected(&FOLDER)?;
            Ok(entity(context, render_folder(request, mailbox, &folder, selected.as_deref())))
        }
        [next, rest @ ..] if next.is("messages") => messages::respond(request, mailbox, Some(slot), rest),
        [next, rest @ ..] if next.is("childFolders") => mail_folders(request, mailbox, slot, rest),
        [other, ..] => Err(other.unknown()),
    }
}

fn list_folders(request: &Request<'_>, mailbox: &Mailbox<'_>, shown: &[Folder]) -> Result<Reply, Fault> {
    let context = request.context(&format!("{}/mailFolders", user_key(mailbox)));
    let selected = request.selected(&FOLDER)?;
    let render = |folder: &Folder| render_folder(request, mailbox, folder, selected.as_deref());
    outlook_page(request, context, shown, Skipped::Objects, render).map(Reply::Page)
}

/// The folders below `parent` that match `$filter`, in the order of `$orderby`.
fn matching(request: &Request<'_>, mailbox: &Mailbox<'_>, parent: Slot) -> Result<Vec<Folder>, Fault> {
    let query = Query::of_mailbox(request, &FOLDER)?;
    let object = |folder: &Folder| folder.to_json(&mailbox.owner.key, mailbox.counts(folder.slot), true);
    Ok(query.apply(visible_children(request, mailbox, parent), object))
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
    if folders::is_well_known(key.text()) {
        return Err(Fault::ItemNotFound);
    }
    let counter = mailbox.owner.key.folder_of(key.text()).map_err(id_fault)?;
    let slot = folders::slot_of(counter).ok_or(Fault::ItemNotFound)?;
    mailbox.folders().iter().any(|folder| folder.slot == slot).then_some(slot).ok_or(Fault::ItemNotFound)
}

fn folder_changes(request: &Request<'_>, mailbox: &Mailbox<'_>) -> Result<Reply, Fault> {
    let scope = format!("mailFolders/{}", mailbox.owner.index);
    let state = DeltaState::of(request, &scope, Store::Outlook, |options| {
        check_tracked(request, options, &FOLDER, "Folders")
    })?;
    let all: Vec<Folder> = mailbox.folders().into_iter().filter(|folder| folder.slot != ROOT).collect();
    let tracked = Tracked {
        scope,
        context: request.link("$metadata#Collection(mailFolder)"),
        link: request.link(&format!("{}/mailFolders/delta", user_key(mailbox))),
        page_size: OUTLOOK.preferred(request),
        items: &all,
    };
    let selected = state.select();
    let render = |folder: &Folder| render_folder(request, mailbox, folder, selected.as_deref());
    let removed = |folder: &Folder| folders::folder_id(&mailbox.owner.key, folder.slot);
    tracked.page(request, &state, render, removed).map(Reply::Page)
}

/// Refuses what a delta cannot be asked, and properties that the type does not have.
fn check_tracked(
    request: &Request<'_>,
    options: &Options,
    shape: &Shape,
    resource: &'static str,
) -> Result<(), Fault> {
    check_others(options, resource)?;
    shape.selected(options, request.version.is_beta()).map(|_| ())
}

/// The contacts of the default folder. `within` is the part of links that names the folder, if the path does.
fn contacts(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    within: &str,
    segments: &[Segment],
) -> Result<Reply, Fault> {
    let directory = &request.tenant.directory;
    let length = contacts::count(directory.seed, mailbox.owner.index);
    let context = format!("{}/contacts", user_key(mailbox));
    let selected = request.selected(&contacts::SHAPE)?;
    let render = |place: &usize| render_contact(request, mailbox, *place, selected.as_deref());
    match segments {
        [] => {
            let places = matching_contacts(request, mailbox, length)?;
            outlook_page(request, request.context(&context), &places, Skipped::Objects, render)
                .map(Reply::Page)
        }
        [last] if last.is("$count") => Ok(count(matching_contacts(request, mailbox, length)?.len())),
        [last] if last.is_qualified("delta") => {
            contact_changes(request, mailbox, within, &(0..length).collect::<Vec<_>>())
        }
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

fn matching_contacts(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    length: usize,
) -> Result<Vec<usize>, Fault> {
    let query = Query::of_mailbox(request, &contacts::SHAPE)?;
    Ok(query.apply((0..length).collect(), |place| render_contact(request, mailbox, *place, None)))
}

fn contact_changes(
    request: &Request<'_>,
    mailbox: &Mailbox<'_>,
    within: &str,
    places: &[usize],
) -> Result<Reply, Fault> {
    let scope = format!("contacts/{}", mailbox.owner.index);
    let state = DeltaState::of(request, &scope, Store::Outlook, |options| {
        check_tracked(request, options, &contacts::SHAPE, "Contacts")
    })?;
    let tracked = Tracked {
        scope,
        context: request.link("$metadata#Collection(contact)"),
        link: request.link(&format!("{}{within}/contacts/delta", user_key(mailbox))),
        page_size: OUTLOOK.preferred(request),
        items: places,
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
    if request.headers.immutable_ids {
        key.immutable_id(item)
    } else {
        key.item_id(folders::counter(folders::CONTACTS), item)
    }
}

fn contact_folders(request: &Request<'_>, mailbox: &Mailbox<'_>, rest: &[Segment]) -> Result<Reply, Fault> {
    let folder = contacts::folder(mailbox.owner, request.version.is_beta());
    let context = format!("{}/contactFolders", user_key(mailbox));
    let project = |folder: &Value| -> Result<Value, Fault> {
        let selected = request.selected(&CONTACT_FOLDER)?;
        Ok(CONTACT_FOLDER.project(folder.clone(), selected.as_deref()))
    };
    match rest {
        [] => {
            let own = [project(&folder)?];
            outlook_page(request, request.context(&context), &own, Skipped::Objects, Value::clone)
                .map(Reply::Page)
        }
        [last] if last.is("$count") => Ok(count(1)),
        [key, rest @ ..] => {
            let counter = mailbox.owner.key.folder_of(key.text()).map_err(id_fault)?;
            if folders::slot_of(counter) != Some(folders::CONTACTS) {
                return Err(Fault::ItemNotFound);
            }
            match rest {
                [] => Ok(entity(request.entity_context(&context), project(&folder)?)),
                [next, rest @ ..] if next.is("contacts") => {
                    let id = folders::folder_id(&mailbox.owner.key, folders::CONTACTS);
                    contacts(request, mailbox, &format!("/contactFolders('{id}')"), rest)
                }
                [other, ..] => Err(other.unknown()),
            }
        }
    }
}
