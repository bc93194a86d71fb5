//! `/groups` and their members.

use serde_json::{Value, json};

use super::segments::Segment;
use super::{Reply, Request, count, entity, users};
use crate::demo::tenant::delta::{DeltaState, Tracked};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::filter::Filter;
use crate::demo::tenant::groups::{Group, Member, expand};
use crate::demo::tenant::odata::{Shape, at_path};
use crate::demo::tenant::page_token::Named;
use crate::demo::tenant::paging::{DIRECTORY, Page, directory_page};
use crate::demo::tenant::people::User;

const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.group",
    default: None,
    select_only: &[],
    always: &[],
    known: None,
    known_on_beta: &[],
};

pub(super) fn respond(request: &Request<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    match segments {
        [] => list(request).map(Reply::Page),
        [last] if last.is("$count") => Ok(count(matching(request)?.len())),
        [last] if last.is_qualified("delta") => changes(request),
        [key] => one(request, key),
        [key, relation, rest @ ..] if relation.is("members") => {
            members(request, find(request, key)?.members.clone(), rest)
        }
        [key, relation, rest @ ..] if relation.is("transitiveMembers") => {
            let group = find(request, key)?.index;
            members(request, expand(&request.tenant.directory.groups, group), rest)
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

fn list(request: &Request<'_>) -> Result<Page, Fault> {
    let selected = request.options.select();
    let groups = matching(request)?;
    let render = |group: &&Group| render(request, group, selected.as_deref());
    directory_page(request, request.context("groups"), &groups, |group| group.named(), render)
}

fn matching<'a>(request: &Request<'a>) -> Result<Vec<&'a Group>, Fault> {
    let filter = Filter::parse(request.options.value("filter"))?;
    let directory = &request.tenant.directory;
    let holds = |group: &&Group| filter.matches(|path| at_path(&group.to_json(directory.seed), path));
    Ok(directory.groups.iter().filter(holds).collect())
}

fn one(request: &Request<'_>, key: &Segment) -> Result<Reply, Fault> {
    let object = render(request, find(request, key)?, request.options.select().as_deref());
    Ok(entity(request.entity_context("groups"), object))
}

fn find<'a>(request: &Request<'a>, key: &Segment) -> Result<&'a Group, Fault> {
    let mut groups = request.tenant.directory.groups.iter();
    groups.find(|group| key.is(group.id())).ok_or_else(|| Fault::ResourceNotFound(key.text().to_owned()))
}

fn render(request: &Request<'_>, group: &Group, selected: Option<&[String]>) -> Value {
    SHAPE.project(group.to_json(request.tenant.directory.seed), selected)
}

/// Members with their types. A cast (`/microsoft.graph.user`) selects one type.
fn members(request: &Request<'_>, mut members: Vec<Member>, rest: &[Segment]) -> Result<Reply, Fault> {
    let rest = match rest {
        [cast, rest @ ..] if cast.is_qualified("user") => {
            members.retain(|member| matches!(member, Member::User(_)));
            rest
        }
        [cast, rest @ ..] if cast.is_qualified("group") => {
            members.retain(|member| matches!(member, Member::Group(_)));
            rest
        }
        rest => rest,
    };
    match rest {
        [] => {
            let selected = request.options.select();
            let context = request.context("directoryObjects");
            let render = |member: &Member| render_member(request, *member, selected.as_deref());
            directory_page(request, context, &members, |member| named(request, *member), render)
                .map(Reply::Page)
        }
        [last] if last.is("$count") => Ok(count(members.len())),
        [other, ..] => Err(other.unknown()),
    }
}

fn named<'a>(request: &Request<'a>, member: Member) -> Named<'a> {
    let directory = &request.tenant.directory;
    let named = match member {
        Member::User(user) => directory.users.get(user).map(User::named),
        Member::Group(group) => directory.groups.get(group).map(Group::named),
    };
    named.unwrap_or_default()
}

fn render_member(request: &Request<'_>, member: Member, selected: Option<&[String]>) -> Value {
    let directory = &request.tenant.directory;
    let (object, type_name) = match member {
        Member::User(user) => (
            directory.users.get(user).map(|user| users::render(request, user, selected)),
            users::V1.type_name,
        ),
        Member::Group(group) => {
            (directory.groups.get(group).map(|group| render(request, group, selected)), SHAPE.type_name)
        }
    };
    let mut object = object.unwrap_or_default();
    if let Value::Object(members) = &mut object {
        members.insert("@odata.type".to_owned(), json!(format!("#{type_name}")));
    }
    object
}

fn changes(request: &Request<'_>) -> Result<Reply, Fault> {
    let state = DeltaState::of(request, "groups")?;
    let tracked = Tracked {
        scope: "groups".to_owned(),
        context: request.context("groups"),
        link: request.link("groups/delta"),
        sizes: DIRECTORY,
        items: &request.tenant.directory.groups,
        named: |group| Some(group.named()),
    };
    let selected = state.select();
    let render = |group: &Group| with_members(request, group, render(request, group, selected.as_deref()));
    tracked.page(request, &state, render, |group| group.id().to_owned()).map(Reply::Page)
}

/// A group in a delta has its members.
fn with_members(request: &Request<'_>, group: &Group, mut object: Value) -> Value {
    let directory = &request.tenant.directory;
    let reference = |member: &Member| match member {
        Member::User(user) => json!({
            "@odata.type": "#microsoft.graph.user",
            "id": directory.users.get(*user).map(|user| user.id()),
        }),
        Member::Group(group) => json!({
            "@odata.type": "#microsoft.graph.group",
            "id": directory.groups.get(*group).map(Group::id),
        }),
    };
    if let Value::Object(members) = &mut object {
        members.insert("members@delta".to_owned(), group.members.iter().map(reference).collect());
    }
    object
}
