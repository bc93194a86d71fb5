//! `/groups` and their members.

use serde_json::{Value, json};

use super::objects::Relation;
use super::segments::Segment;
use super::{Reply, Request, count, entity, objects};
use crate::demo::tenant::delta::{Tracked, of_directory};
use crate::demo::tenant::directory::Kind;
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::groups::{Group, expand};
use crate::demo::tenant::odata::Shape;
use crate::demo::tenant::paging::{DIRECTORY, Page, directory_page};
use crate::demo::tenant::properties;
use crate::demo::tenant::query::Query;

const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.group",
    default: None,
    select_only: &[],
    always: &[],
    properties: &properties::GROUP,
};
/// Groups in lists of the directory.
pub(super) const KIND: Kind =
    Kind { shape: &SHAPE, resource: "Group", sortable: &["displayName"], elsewhere: &[] };

pub(super) fn respond(request: &Request<'_>, segments: &[Segment]) -> Result<Reply, Fault> {
    match segments {
        [] => list(request).map(Reply::Page),
        [last] if last.is("$count") => {
            let query = Query::of_count(request, &KIND)?;
            Ok(count(matching(request, &query).len()))
        }
        [last] if last.is_qualified("delta") => changes(request),
        [key] => one(request, key),
        [key, relation, rest @ ..] if relation.is("members") => {
            let members = find(request, key)?.members.clone();
            objects::respond(request, &Relation { members, is_expanded: false }, rest)
        }
        [key, relation, rest @ ..] if relation.is("transitiveMembers") => {
            let members = expand(&request.tenant.directory.groups, find(request, key)?.index);
            objects::respond(request, &Relation { members, is_expanded: true }, rest)
        }
        [_, other, ..] => Err(other.unknown()),
    }
}

pub(super) fn render(request: &Request<'_>, group: &Group, selected: Option<&[String]>) -> Value {
    SHAPE.project(group.to_json(request.tenant.directory.seed), selected)
}

fn list(request: &Request<'_>) -> Result<Page, Fault> {
    let selected = request.selected(&SHAPE)?;
    let groups = matching(request, &Query::of(request, &KIND)?);
    let render = |group: &&Group| render(request, group, selected.as_deref());
    directory_page(request, request.context("groups"), &groups, |group| group.named(), render)
}

fn matching<'a>(request: &Request<'a>, query: &Query) -> Vec<&'a Group> {
    let directory = &request.tenant.directory;
    query.apply(directory.groups.iter().collect(), |group| group.to_json(directory.seed))
}

fn one(request: &Request<'_>, key: &Segment) -> Result<Reply, Fault> {
    let object = render(request, find(request, key)?, request.selected(&SHAPE)?.as_deref());
    Ok(entity(request.entity_context("groups"), object))
}

fn find<'a>(request: &Request<'a>, key: &Segment) -> Result<&'a Group, Fault> {
    let mut groups = request.tenant.directory.groups.iter();
    groups.find(|group| key.is(group.id())).ok_or_else(|| Fault::ResourceNotFound(key.text().to_owned()))
}

fn changes(request: &Request<'_>) -> Result<Reply, Fault> {
    let (state, ids) = of_directory(request, "groups", &KIND)?;
    let is_tracked = |group: &&Group| ids.has(group.id());
    let groups: Vec<&Group> = request.tenant.directory.groups.iter().filter(is_tracked).collect();
    let tracked = Tracked {
        scope: "groups".to_owned(),
        context: request.context("groups"),
        link: request.link("groups/delta"),
        page_size: DIRECTORY.preferred(request),
        items: &groups,
        named: |group| Some(group.named()),
    };
    let selected = objects::with_id(state.select());
    let has_members = tracks_members(selected.as_deref());
    let render = |group: &&Group| {
        let object = render(request, group, selected.as_deref());
        if has_members { with_members(request, group, state.round(), object) } else { object }
    };
    tracked.page(request, &state, render, |group| group.id().to_owned()).map(Reply::Page)
}

/// Membership is tracked by default, and otherwise only if `$select` names it
/// (<https://learn.microsoft.com/graph/delta-query-overview#optional-query-parameters>).
fn tracks_members(selected: Option<&[String]>) -> bool {
    selected
        .is_none_or(|names| names.iter().any(|name| ["members", "*"].contains(&name.to_lowercase().as_str())))
}

/// All members in the first round, then who joined and who left.
fn with_members(request: &Request<'_>, group: &Group, round: usize, mut object: Value) -> Value {
    let reference = |member| objects::reference(request, member);
    let references: Vec<Value> = if round == 0 {
        group.members.iter().copied().map(reference).collect()
    } else {
        let directory = &request.tenant.directory;
        let joined = group.joined(directory.seed, round, &directory.users).map(reference);
        let left = group.left(directory.seed, round).map(reference).map(removed);
        joined.into_iter().chain(left).collect()
    };
    if let Value::Object(members) = &mut object {
        members.insert("members@delta".to_owned(), Value::Array(references));
    }
    object
}

fn removed(mut reference: Value) -> Value {
    if let Value::Object(members) = &mut reference {
        members.insert("@removed".to_owned(), json!({ "reason": "deleted" }));
    }
    reference
}
