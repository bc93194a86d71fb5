//! `/groups` and their members.

use serde_json::{Value, json};

use super::objects::Relation;
use super::segments::Segment;
use super::{Reply, Request, count, entity, objects};
use crate::demo::tenant::delta::{Part, Round, TrackedObjects};
use crate::demo::tenant::directory::Kind;
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::groups::{Group, Member, expand};
use crate::demo::tenant::odata::Shape;
use crate::demo::tenant::paging::{Page, directory_page};
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
            let members = members_of(request, key, |group| group.members.clone())?;
            objects::respond(request, &Relation { members, is_expanded: false }, rest)
        }
        [key, relation, rest @ ..] if relation.is("transitiveMembers") => {
            let all = &request.tenant.directory.groups;
            let members = members_of(request, key, |group| expand(all, group.index))?;
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

/// Nobody, if the members are hidden from the application: Graph leaves them out without an error
/// (<https://learn.microsoft.com/graph/api/group-list-members#permissions>).
fn members_of(
    request: &Request<'_>,
    key: &Segment,
    members: impl Fn(&Group) -> Vec<Member>,
) -> Result<Vec<Member>, Fault> {
    let group = find(request, key)?;
    Ok(if request.access.shows_members(group) { members(group) } else { Vec::new() })
}

fn changes(request: &Request<'_>) -> Result<Reply, Fault> {
    let round = Round::of(request, "groups", &KIND)?;
    let is_tracked = |group: &&Group| round.has(group.id());
    let groups: Vec<&Group> = request.tenant.directory.groups.iter().filter(is_tracked).collect();
    let tracked = TrackedObjects {
        scope: "groups",
        context: request.context("groups"),
        link: request.link("groups/delta"),
        items: &groups,
    };
    let selected = round.selected();
    let has_members = tracks_members(selected.as_deref());
    let render = |group: &&Group, part: Part| {
        let object = render(request, group, selected.as_deref());
        let shows_members = has_members && request.access.shows_members(group);
        if shows_members { with_members(request, group, (round.number(), part), object) } else { object }
    };
    Ok(Reply::Page(tracked.page(request, &round, render)))
}

/// Membership is tracked by default, and otherwise only if `$select` names it
/// (<https://learn.microsoft.com/graph/delta-query-overview#optional-query-parameters>).
fn tracks_members(selected: Option<&[String]>) -> bool {
    selected
        .is_none_or(|names| names.iter().any(|name| ["members", "*"].contains(&name.to_lowercase().as_str())))
}

/// All members in the first round, then who joined and who left.
fn with_members(
    request: &Request<'_>,
    group: &Group,
    (round, part): (usize, Part),
    mut object: Value,
) -> Value {
    let reference = |member| objects::reference(request, member);
    let references: Vec<Value> = if round == 0 {
        part.of_list(group.members.clone()).into_iter().map(reference).collect()
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
