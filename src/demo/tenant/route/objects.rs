//! Collections of users and groups together: who is in a group, and which groups somebody is in.

use serde_json::{Value, json};

use super::segments::Segment;
use super::{Reply, Request, count, groups, users};
use crate::demo::tenant::directory::{Kind, is_advanced};
use crate::demo::tenant::fault::Fault;
use crate::demo::tenant::groups::{Group, Member};
use crate::demo::tenant::odata::Shape;
use crate::demo::tenant::page_token::Named;
use crate::demo::tenant::paging::directory_page;
use crate::demo::tenant::people::User;
use crate::demo::tenant::properties;
use crate::demo::tenant::query::Query;

/// What users and groups have in common. Requests may name the properties of both.
const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.directoryObject",
    default: None,
    select_only: &[],
    always: &[],
    properties: &properties::USER_OR_GROUP,
};
const KIND: Kind =
    Kind { shape: &SHAPE, resource: "DirectoryObject", sortable: &["displayName"], elsewhere: &[] };

/// The objects at the other end of a navigation property.
pub(super) struct Relation {
    pub(super) members: Vec<Member>,
    /// Whether they are the members of members, too.
    pub(super) is_expanded: bool,
}

/// What a path's last segments make of the relation.
struct View<'a> {
    members: Vec<Member>,
    /// The one type that a cast (`/microsoft.graph.user`) leaves.
    cast: Option<&'a Kind>,
}

pub(super) fn respond(request: &Request<'_>, relation: &Relation, rest: &[Segment]) -> Result<Reply, Fault> {
    let (view, rest) = relation.view(request, rest)?;
    match rest {
        [] => view.list(request),
        [last] if last.is("$count") => {
            let query = Query::of_count(request, view.kind())?;
            Ok(count(view.matching(request, &query).len()))
        }
        [other, ..] => Err(other.unknown()),
    }
}

/// The member as deltas refer to it.
pub(super) fn reference(request: &Request<'_>, member: Member) -> Value {
    let type_name = kind_of(member).shape.type_name;
    json!({ "@odata.type": format!("#{type_name}"), "id": named(request, member).id })
}

impl Relation {
    /// A cast of `transitiveMembers` to groups works in advanced queries only; the other casts always do
    /// (<https://github.com/microsoftgraph/microsoft-graph-docs/issues/19672>).
    fn view<'s>(
        &self,
        request: &Request<'_>,
        rest: &'s [Segment],
    ) -> Result<(View<'static>, &'s [Segment]), Fault> {
        let members = |wanted: fn(&Member) -> bool| self.members.iter().copied().filter(wanted).collect();
        match rest {
            [cast, rest @ ..] if cast.is_qualified("user") => {
                let members = members(|member| matches!(member, Member::User(_)));
                Ok((View { members, cast: Some(&users::KIND) }, rest))
            }
            [cast, ..] if cast.is_qualified("group") && self.is_expanded && !is_advanced(request) => {
                Err(Fault::ReferenceCast)
            }
            [cast, rest @ ..] if cast.is_qualified("group") => {
                let members = members(|member| matches!(member, Member::Group(_)));
                Ok((View { members, cast: Some(&groups::KIND) }, rest))
            }
            rest => Ok((View { members: self.members.clone(), cast: None }, rest)),
        }
    }
}

impl View<'_> {
    fn list(&self, request: &Request<'_>) -> Result<Reply, Fault> {
        if request.options.value("filter").is_some() && !is_advanced(request) {
            return Err(Fault::ReferenceFilter);
        }
        let selected = request.selected(self.kind().shape)?;
        let query = Query::of(request, self.kind())?;
        let members = self.matching(request, &query);
        let render = |member: &Member| self.render(request, *member, selected.as_deref());
        let context = request.context(self.collection());
        directory_page(request, context, &members, |member| named(request, *member), render).map(Reply::Page)
    }

    fn matching(&self, request: &Request<'_>, query: &Query) -> Vec<Member> {
        query.apply(self.members.clone(), |member| everything(request, *member))
    }

    fn kind(&self) -> &Kind {
        self.cast.unwrap_or(&KIND)
    }

    fn collection(&self) -> &'static str {
        match self.cast.map(|kind| kind.resource) {
            Some("User") => "users",
            Some(_) => "groups",
            None => "directoryObjects",
        }
    }

    /// Without a cast, each object says its type.
    fn render(&self, request: &Request<'_>, member: Member, selected: Option<&[String]>) -> Value {
        let directory = &request.tenant.directory;
        let object = match member {
            Member::User(user) => {
                directory.users.get(user).map(|user| users::render(request, user, selected))
            }
            Member::Group(group) => {
                directory.groups.get(group).map(|group| groups::render(request, group, selected))
            }
        };
        let mut object = object.unwrap_or_default();
        if let (None, Value::Object(members)) = (self.cast, &mut object) {
            let type_name = kind_of(member).shape.type_name;
            members.insert("@odata.type".to_owned(), json!(format!("#{type_name}")));
        }
        object
    }
}

fn kind_of(member: Member) -> &'static Kind {
    match member {
        Member::User(_) => &users::KIND,
        Member::Group(_) => &groups::KIND,
    }
}

fn everything(request: &Request<'_>, member: Member) -> Value {
    let directory = &request.tenant.directory;
    let object = match member {
        Member::User(user) => directory.users.get(user).map(|user| user.to_json(directory.seed)),
        Member::Group(group) => directory.groups.get(group).map(|group| group.to_json(directory.seed)),
    };
    object.unwrap_or_default()
}

fn named<'a>(request: &Request<'a>, member: Member) -> Named<'a> {
    let directory = &request.tenant.directory;
    let named = match member {
        Member::User(user) => directory.users.get(user).map(User::named),
        Member::Group(group) => directory.groups.get(group).map(Group::named),
    };
    named.unwrap_or_default()
}
