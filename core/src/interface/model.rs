//! What a consumer may ask, and what it gets: one operation for each endpoint and API version.

use std::borrow::Cow;
use std::sync::Arc;

use super::value::{Lens, Value};
use crate::catalogue::{Resource, resolve, title};
use crate::graph::Version;
use crate::rules::Plan;
use crate::rules::plan::{Endpoint, Response};
use crate::rules::template::Part;

/// All operations of a plan, those of v1.0 first.
pub(super) struct Interface<'p> {
    /// The connector's name for people.
    pub(super) title: &'p str,
    pub(super) operations: Vec<Operation<'p>>,
    /// What leaves of objects: each shape once, in the order of the first operation that has it.
    pub(super) shapes: Vec<Arc<Shape>>,
}

/// One kind of request in one API version.
pub(super) struct Operation<'p> {
    pub(super) endpoint: &'p Endpoint,
    pub(super) version: Version,
    /// What the path leads to; `None` if the catalogue does not know.
    pub(super) resource: Option<Resource>,
    pub(super) gives: Gives,
}

/// What a response is.
pub(super) enum Gives {
    /// An object.
    One(Arc<Shape>),
    /// A page of objects; `around` is the page without them.
    Page { of: Arc<Shape>, around: Value },
    /// The number of objects, as text.
    Count,
}

/// What leaves of one kind of object.
///
/// Two endpoints can let out different properties of one type. Each then has its own shape, because a description of both together
/// would promise one endpoint's consumers what only the other one lets out.
pub(super) struct Shape {
    /// Unlike that of any other shape.
    pub(super) name: String,
    /// What people call the objects.
    pub(super) title: Cow<'static, str>,
    /// The name of the type in Graph, or what stands for it.
    base: String,
    pub(super) value: Value,
}

impl<'p> Interface<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let mut interface = Self { title: &plan.title, operations: Vec::new(), shapes: Vec::new() };
        for version in [Version::V1, Version::Beta] {
            let open = plan.all().filter(|endpoint| endpoint.versions().contains(&version));
            for endpoint in open {
                let operation = interface.operation(plan, endpoint, version);
                interface.operations.push(operation);
            }
        }
        interface
    }

    /// The operations of an API version.
    pub(super) fn of_version(&self, version: Version) -> impl Iterator<Item = &Operation<'p>> {
        self.operations.iter().filter(move |operation| operation.version == version)
    }

    /// Whether an endpoint opens this version.
    pub(super) fn has(&self, version: Version) -> bool {
        self.of_version(version).next().is_some()
    }

    fn operation(&mut self, plan: &Plan, endpoint: &'p Endpoint, version: Version) -> Operation<'p> {
        let resource = resolve(version, &endpoint.path());
        let lens = Lens { version, types: endpoint.types(), domains: plan.domains };
        let gives = match &endpoint.response {
            Response::Count(_) => Gives::Count,
            Response::Json(body) => {
                let value = Value::of(endpoint.inside(), &lens);
                let value = match &body.property {
                    Some(property) => value.alone(property),
                    None => value,
                };
                let of = self.shape(endpoint, version, resource.as_ref(), value);
                match body.automaton.page() {
                    Some(_) => Gives::Page { of, around: Value::of(endpoint.around(), &lens) },
                    None => Gives::One(of),
                }
            }
        };
        Operation { endpoint, version, resource, gives }
    }

    /// The shape with this value; a new one if there is none.
    fn shape(
        &mut self,
        endpoint: &Endpoint,
        version: Version,
        resource: Option<&Resource>,
        value: Value,
    ) -> Arc<Shape> {
        let fallback = endpoint.template.last_name().unwrap_or(&endpoint.name);
        let base = resource.map_or(fallback, |resource| resource.of.name).to_owned();
        if let Some(known) = self.shapes.iter().find(|shape| shape.base == base && shape.value == value) {
            return Arc::clone(known);
        }
        let shape = Arc::new(Shape {
            name: self.free_name(&base, endpoint, version),
            title: resource.map_or_else(|| Cow::Owned(base.clone()), title),
            base,
            value,
        });
        self.shapes.push(Arc::clone(&shape));
        shape
    }

    /// The first of these names that no shape has: `user` or `user-change`, the same with `-beta`, then with the endpoint.
    fn free_name(&self, base: &str, endpoint: &Endpoint, version: Version) -> String {
        let short = if endpoint.gives_changes() { format!("{base}-change") } else { base.to_owned() };
        let own = format!("{base}-{}", plain(&endpoint.name));
        let suffix = if version == Version::Beta { "-beta" } else { "" };
        let (short_of_version, own_of_version) = (format!("{short}{suffix}"), format!("{own}{suffix}"));
        let numbered = (2..=u32::MAX).map(|number| format!("{base}-{number}"));
        let mut names = [short, short_of_version, own, own_of_version].into_iter().chain(numbered);
        names.find(|name| self.shapes.iter().all(|shape| shape.name != *name)).unwrap_or_default()
    }
}

/// The text in the characters that a name of OpenAPI's components can have.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect()
}

impl Endpoint {
    fn gives_changes(&self) -> bool {
        self.response.body().delta
    }
}

impl Operation<'_> {
    /// What people call the objects.
    pub(super) fn title(&self) -> Cow<'_, str> {
        match &self.resource {
            Some(resource) => title(resource),
            None => Cow::Borrowed(self.endpoint.template.last_name().unwrap_or(&self.endpoint.name)),
        }
    }

    /// Whether the response is a page of changes.
    pub(super) fn gives_changes(&self) -> bool {
        self.endpoint.gives_changes()
    }

    /// What leaves of each object; `None` if only their number does.
    pub(super) fn shape(&self) -> Option<&Shape> {
        match &self.gives {
            Gives::One(of) | Gives::Page { of, around: _ } => Some(of),
            Gives::Count => None,
        }
    }

    /// The parts of the path, the version left out, each with what the path up to it leads to.
    pub(super) fn way(&self) -> Vec<(&Part, Resource)> {
        let mut path = String::new();
        let mut way = Vec::new();
        for part in &self.endpoint.template.parts {
            path = format!("{path}/{part}");
            way.extend(resolve(self.version, &path).map(|resource| (part, resource)));
        }
        way
    }
}
