//! `/users`, and the directory's data about one account.

use serde_json::Value;

use super::segments::Segment;
use super::{Reply, Request, count, entity, mail};
use crate::demo::tenant::delta::{DeltaState, Tracked};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::filter::Filter;
use crate::demo::tenant::odata::{Shape, at_path};
use crate::demo::tenant::paging::{DIRECTORY, directory_page};
use crate::demo::tenant::people::User;
use crate::demo::tenant::settings;

/// v1.0 returns eleven properties by default (<https://learn.microsoft.com/graph/api/user-list>).
pub(super) const V1: Shape = Shape {
    type_name: "microsoft.graph.user",
    default: Some(&[
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ]),
    select_only: &[],
    always: &[],
    known: None,
    known_on_beta: &[],
};
/// beta returns nearly everything.
const BETA: Shape = Shape {
    default: None,
    select_only: &["aboutMe", "birthday", "interests", "mailboxSettings", "mySite", "signInActivity"],
    ..V1
};
/// The segments that lead to a mailbox.
const MAILBOX_SEGMENTS: &[&str] =
    &["contactFolders", "contacts", "mailFolders", "mailboxSettings", "messages"];

pub(super) fn respond(request: &Request<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    match segments {
        [] => list(request).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(matching(request)?.len())),
        [last] if last.is_qualified("delta") => changes(request),
        [key] => one(request, key),
        [key, resource, ..] if MAILBOX_SEGMENTS.iter().any(|name| resource.is(name)) => {
            let user =
                request.tenant.user(key.text()).ok_or_else(|| Fault::InvalidUser(key.text().to_owned()))?;
            let mailbox = request.tenant.mailbox(user).ok_or(Fault::NoMailbox)?;
            request.access.check_mailbox(user)?;
            mail::respond(request, &mailbox, segments.split_first().map(|(_, rest)| rest).unwrap_or_default())
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

/// The account with the properties that the request selects.
pub(super) fn render(request: &Request<'_>, user: &User, selected: Option<&[String]>) -> Value {
    let seed = request.tenant.directory.seed;
    let mut object = user.to_json(seed);
    if let (true, Value::Object(members)) = (user.has_mailbox(), &mut object) {
        members.insert("mailboxSettings".to_owned(), settings::settings(seed, user));
    }
    shape(request).project(object, selected)
}

fn shape(request: &Request<'_>) -> &'static Shape {
    if request.version.is_beta() { &BETA } else { &V1 }
}

fn list(request: &Request<'_>) -> Result<super::Page, Fault> {
    let selected = request.options.select();
    let users = matching(request)?;
    let render = |user: &&User| render(request, user, selected.as_deref());
    directory_page(request, request.context("users"), &users, |user| user.named(), render)
}

fn matching<'a>(request: &Request<'a>) -> Result<Vec<&'a User>, Fault> {
    let filter = Filter::parse(request.options.value("filter"))?;
    let directory = &request.tenant.directory;
    let holds = |user: &&User| filter.matches(|path| at_path(&user.to_json(directory.seed), path));
    Ok(directory.users.iter().filter(holds).collect())
}

fn one(request: &Request<'_>, key: &Segment) -> Result<Reply, Fault> {
    let not_found = || Fault::ResourceNotFound(key.text().to_owned());
    let user = request.tenant.user(key.text()).ok_or_else(not_found)?;
    let object = render(request, user, request.options.select().as_deref());
    Ok(entity(request.entity_context("users"), object))
}

fn changes(request: &Request<'_>) -> Result<Reply, Fault> {
    let state = DeltaState::of(request, "users")?;
    let tracked = Tracked {
        scope: "users".to_owned(),
        context: request.context("users"),
        link: request.link("users/delta"),
        sizes: DIRECTORY,
        items: &request.tenant.directory.users,
        named: |user| Some(user.named()),
    };
    let selected = state.select();
    let render = |user: &User| render(request, user, selected.as_deref());
    tracked.page(request, &state, render, |user| user.id().to_owned()).map(Reply::Page)
}
