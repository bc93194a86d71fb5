//! `/users`, and the directory's data about one account.

use serde_json::Value;

use super::objects::Relation;
use super::segments::Segment;
use super::{Reply, Request, count, entity, mail, objects};
use crate::demo::tenant::delta::{Part, Round, TrackedObjects};
use crate::demo::tenant::directory::Kind;
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::groups::{Group, Member, containing, containing_transitively};
use crate::demo::tenant::odata::Shape;
use crate::demo::tenant::paging::{Page, directory_page};
use crate::demo::tenant::people::User;
use crate::demo::tenant::properties;
use crate::demo::tenant::query::Query;
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
    properties: &properties::USER,
};
/// beta returns nearly everything.
const BETA: Shape = Shape {
    default: None,
    select_only: &["aboutMe", "birthday", "interests", "mailboxSettings", "mySite", "signInActivity"],
    ..V1
};
/// Users in lists of the directory.
pub(super) const KIND: Kind = Kind {
    shape: &V1,
    resource: "User",
    sortable: &["displayName", "userPrincipalName"],
    elsewhere: &["aboutMe", "birthday", "interests", "mailboxSettings", "mySite"],
};
/// The segments that lead to a mailbox.
const MAILBOX_SEGMENTS: &[&str] =
    &["contactFolders", "contacts", "mailFolders", "mailboxSettings", "messages"];

pub(super) fn respond(request: &Request<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    match segments {
        [] => list(request).map(Reply::Page),
        [last] if last.is("$count") => {
            let query = Query::of_count(request, &KIND)?;
            Ok(count(matching(request, &query).len()))
        }
        [last] if last.is_qualified("delta") => changes(request),
        [key] => one(request, key),
        [key, relation, rest @ ..] if relation.is("memberOf") => groups_of(request, key, containing, rest),
        [key, relation, rest @ ..] if relation.is("transitiveMemberOf") => {
            groups_of(request, key, containing_transitively, rest)
        }
        [key, resource, ..] if is_of_mailbox(resource) => {
            let user =
                request.tenant.user(key.text()).ok_or_else(|| Fault::InvalidUser(key.text().to_owned()))?;
            let mailbox = request.tenant.mailbox(user)?;
            request.access.check_mailbox(user)?;
            mail::respond(request, &mailbox, segments.split_first().map(|(_, rest)| rest).unwrap_or_default())
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

pub(super) fn is_of_mailbox(resource: &Segment) -> bool {
    MAILBOX_SEGMENTS.iter().any(|name| resource.is(name))
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

fn list(request: &Request<'_>) -> Result<Page, Fault> {
    let selected = request.selected(&V1)?;
    let users = matching(request, &Query::of(request, &KIND)?);
    let render = |user: &&User| render(request, user, selected.as_deref());
    directory_page(request, request.context("users"), &users, |user| user.named(), render)
}

fn matching<'a>(request: &Request<'a>, query: &Query) -> Vec<&'a User> {
    let directory = &request.tenant.directory;
    query.apply(directory.users.iter().collect(), |user| user.to_json(directory.seed))
}

fn one(request: &Request<'_>, key: &Segment) -> Result<Reply, Fault> {
    let user = find(request, key)?;
    let selected = request.selected(&V1)?;
    if selected.iter().flatten().any(|name| name.eq_ignore_ascii_case("mailboxSettings")) {
        // Whoever selects the settings of a mailbox that is not there gets its error (msgraph-sdk-powershell#3531).
        request.tenant.mailbox(user)?.settings()?;
    }
    let object = render(request, user, selected.as_deref());
    Ok(entity(request.entity_context("users"), object))
}

fn find<'a>(request: &Request<'a>, key: &Segment) -> Result<&'a User, Fault> {
    request.tenant.user(key.text()).ok_or_else(|| Fault::ResourceNotFound(key.text().to_owned()))
}

/// A group with hidden members is left out (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/12552>).
fn groups_of(
    request: &Request<'_>,
    key: &Segment,
    containing: fn(&[Group], Member) -> Vec<usize>,
    rest: &[Segment],
) -> Result<Reply, Fault> {
    let user = Member::User(find(request, key)?.index);
    let all = &request.tenant.directory.groups;
    let shown = |place: &usize| all.get(*place).is_some_and(|group| request.access.shows_members(group));
    let members = containing(all, user).into_iter().filter(shown).map(Member::Group).collect();
    objects::respond(request, &Relation { members, is_expanded: false }, rest)
}

fn changes(request: &Request<'_>) -> Result<Reply, Fault> {
    let round = Round::of(request, "users", &KIND)?;
    let is_tracked = |user: &&User| round.has(user.id());
    let users: Vec<&User> = request.tenant.directory.users.iter().filter(is_tracked).collect();
    let tracked = TrackedObjects {
        scope: "users",
        context: request.context("users"),
        link: request.link("users/delta"),
        items: &users,
    };
    let selected = round.selected();
    let render = |user: &&User, part: Part| part.of_properties(render(request, user, selected.as_deref()));
    Ok(Reply::Page(tracked.page(request, &round, render)))
}
