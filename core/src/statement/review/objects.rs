//! What leaves, by kind of object and property.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::example::{Example, Scene};
use super::form::{Form, Kind};
use crate::catalogue::{self, Class, Property, Type, Withheld};
use crate::diagnostic::{self, Code};
use crate::graph::Version;
use crate::rules::automaton::{Described, Effect, Leaf, Location, Step};
use crate::rules::plan::{Endpoint, Kept, Response};
use crate::rules::{Exposure, codes, identifies};

/// One kind of object, and all that leaves of it.
#[derive(Debug, Serialize)]
pub struct Object {
    /// Its name for people, such as `Messages`.
    pub title: String,
    /// What leaves, ordered by path.
    pub rows: Vec<Row>,
    /// What a line of the rules names and drops.
    pub redacted: Vec<Redacted>,
    /// Personal data and content of such objects of which nothing leaves, in plain words.
    #[serde(skip)]
    pub withheld: Vec<Cow<'static, str>>,
    /// What the catalogue knows of such objects, by version.
    #[serde(skip)]
    pub(super) types: Vec<(Version, &'static Type)>,
}

/// A property that leaves, or a part of it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its path from the object on: `from.emailAddress.address`.
    pub path: String,
    /// The forms in which it leaves. More than one if endpoints differ.
    pub forms: Vec<Form>,
    /// What the property tells; `None` if the catalogue does not know it.
    pub class: Option<Class>,
    /// Why a reviewer must look at it; `None` if it cannot tell who somebody is or what somebody wrote.
    pub danger: Option<String>,
    /// The code for it.
    #[serde(skip)]
    pub(super) code: Option<Code>,
    /// A value of Graph, and what leaves of it.
    pub example: Option<Example>,
    /// The lines of the file that decide it.
    pub lines: Vec<usize>,
    /// The places in the file that decide it.
    #[serde(skip)]
    pub(super) places: Vec<Range<usize>>,
    /// The names on the way, without array steps.
    #[serde(skip)]
    pub(super) names: Vec<String>,
}

/// A property that a line names and drops.
#[derive(Debug, Serialize)]
pub struct Redacted {
    /// Its path from the object on.
    pub path: String,
    /// The lines of the file that decide it.
    pub lines: Vec<usize>,
    /// The names on the way, without array steps.
    #[serde(skip)]
    pub(super) names: Vec<String>,
}

/// What leaves through these endpoints, by kind of object, in the order of the file.
pub fn objects<'e>(endpoints: impl IntoIterator<Item = &'e Arc<Endpoint>>, scene: &Scene<'_>) -> Vec<Object> {
    let mut kinds: Vec<(String, Vec<&Arc<Endpoint>>)> = Vec::new();
    for endpoint in endpoints {
        let title = title(endpoint);
        match kinds.iter_mut().find(|(own, _)| *own == title) {
            Some((_, same)) => same.push(endpoint),
            None => kinds.push((title, vec![endpoint])),
        }
    }
    kinds.into_iter().map(|(title, endpoints)| Object::new(title, &endpoints, scene)).collect()
}

/// What leaves around the objects of these endpoints: links to further pages, and numbers of objects.
pub fn around<'e>(endpoints: impl IntoIterator<Item = &'e Arc<Endpoint>>, scene: &Scene<'_>) -> Vec<Row> {
    let mut places = Places::default();
    for endpoint in endpoints {
        match &endpoint.response {
            Response::Json(_) => {
                let leaves = endpoint.around().filter(|place| matches!(place.effect, Effect::Leaves(_)));
                leaves.for_each(|place| places.add(place, endpoint));
            }
            Response::Count(_) => places.add(count(endpoint), endpoint),
        }
    }
    places.rows(scene)
}

/// The name of the objects at an endpoint's path.
pub(super) fn title(endpoint: &Endpoint) -> String {
    match endpoint.resource() {
        Some((_, resource)) => catalogue::title(&resource).into_owned(),
        None => endpoint.template.last_name().unwrap_or(&endpoint.name).to_owned(),
    }
}

impl Object {
    fn new(title: String, endpoints: &[&Arc<Endpoint>], scene: &Scene<'_>) -> Self {
        let (mut leaves, mut drops) = (Places::default(), Places::default());
        // The response to `/$count` has no objects.
        for endpoint in endpoints.iter().filter(|endpoint| matches!(endpoint.response, Response::Json(_))) {
            leaving(endpoint.inside()).for_each(|place| leaves.add(place, endpoint));
            let dropped = endpoint.inside().filter(|place| place.effect == Effect::Dropped);
            dropped.for_each(|place| drops.add(place, endpoint));
        }
        let rows = leaves.rows(scene);
        let redacted = drops.0.into_iter().filter(|(_, place)| !place.lines.is_empty());
        Self {
            withheld: withheld(endpoints, &rows),
            redacted: redacted.map(|(at, place)| Redacted::new(&at, &place, scene)).collect(),
            types: types(endpoints),
            title,
            rows,
        }
    }

    /// How many properties leave in a form of this kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.rows.iter().filter(|row| row.forms.iter().any(|form| form.kind == kind)).count()
    }

    /// Whether properties leave that no line names.
    pub fn is_open(&self) -> bool {
        self.rows.iter().any(Row::is_open)
    }
}

/// Personal data and content of which nothing leaves.
fn withheld(endpoints: &[&Arc<Endpoint>], rows: &[Row]) -> Vec<Cow<'static, str>> {
    let mut all: Vec<Withheld> = Vec::new();
    for (version, resource) in endpoints.iter().filter_map(|endpoint| endpoint.resource()) {
        catalogue::withheld(version, &resource).into_iter().for_each(|it| add(it, &mut all));
    }
    let stays = all.into_iter().filter(|it| rows.iter().all(|row| !row.meets(it.path)));
    stays.map(|it| it.words).collect()
}

fn types(endpoints: &[&Arc<Endpoint>]) -> Vec<(Version, &'static Type)> {
    let mut all: Vec<(Version, &'static Type)> = Vec::new();
    for endpoint in endpoints {
        let new = endpoint.types();
        let is_known = |(version, of): &(Version, &Type)| {
            all.iter().any(|(own, known)| own == version && known.name == of.name)
        };
        let new: Vec<_> = new.iter().filter(|it| !is_known(it)).collect();
        all.extend(new);
    }
    all
}

/// The places where something leaves. An object or array is one of them if nothing inside it is: it still tells that it
/// is there.
fn leaving(places: impl Iterator<Item = Described>) -> impl Iterator<Item = Described> {
    let places: Vec<_> = places.collect();
    let mut inner: Option<Location> = None;
    let mut kept = Vec::new();
    // Places are ordered, and what is inside a container follows it.
    for place in places.into_iter().rev() {
        let holds = inner.as_ref().is_some_and(|inner| is_inside(inner, &place.at));
        let leaves = match &place.effect {
            Effect::Leaves(_) => true,
            // What leaves at any depth under `*` is one row.
            Effect::Repeats(_) => !place.at.0.contains(&Step::OtherNames),
            Effect::Object | Effect::Array => !holds,
            Effect::Dropped => false,
        };
        if leaves || matches!(place.effect, Effect::Repeats(_)) {
            inner = Some(place.at.clone());
        }
        kept.extend(leaves.then_some(place));
    }
    kept.into_iter().rev()
}

fn is_inside(inner: &Location, outer: &Location) -> bool {
    inner.0.len() > outer.0.len() && inner.0.starts_with(&outer.0)
}

/// The number that is the whole response to `/$count`.
fn count(endpoint: &Endpoint) -> Described {
    let at = Location(vec![Step::Name("$count".into())]);
    let effect = Effect::Leaves(Leaf::Keep(Kept::Number));
    Described { at, effect, lines: vec![endpoint.places.endpoint.clone()] }
}

/// Places of several endpoints.
#[derive(Default)]
struct Places<'e>(BTreeMap<Location, Place<'e>>);

struct Place<'e> {
    effects: Vec<Effect>,
    lines: Vec<Range<usize>>,
    /// The first endpoint that has it.
    endpoint: &'e Arc<Endpoint>,
}

impl<'e> Places<'e> {
    fn add(&mut self, Described { at, effect, lines }: Described, endpoint: &'e Arc<Endpoint>) {
        let empty = || Place { effects: Vec::new(), lines: Vec::new(), endpoint };
        let place = self.0.entry(at).or_insert_with(empty);
        add(effect, &mut place.effects);
        lines.into_iter().for_each(|line| add(line, &mut place.lines));
    }

    fn rows(mut self, scene: &Scene<'_>) -> Vec<Row> {
        self.merge_open();
        self.0.into_iter().map(|(at, place)| Row::new(&at, &place, scene)).collect()
    }
}

impl Places<'_> {
    /// Leaves one place of all that leave by the same `unlisted: keep`, the one for properties that no line names.
    fn merge_open(&mut self) {
        let open: Vec<_> = self.0.iter().filter_map(|(at, place)| Open::of(at, place)).collect();
        let is_part = |at: &Location, place: &Place<'_>| open.iter().any(|open| open.holds(at, place));
        let parts = self.0.iter().filter(|(at, place)| is_part(at, place));
        let parts: BTreeSet<_> = parts.map(|(at, _)| at.clone()).collect();
        let repeats = |effect: &Effect| matches!(effect, Effect::Repeats(outer) if parts.contains(outer));
        self.0.retain(|at, place| !parts.contains(at) && !place.effects.iter().all(repeats));
    }
}

/// What leaves by an `unlisted: keep`: everything in the object at this place.
struct Open {
    object: Location,
    line: Range<usize>,
}

impl Open {
    fn of(at: &Location, place: &Place<'_>) -> Option<Self> {
        match (at.0.as_slice(), place.lines.as_slice()) {
            ([object @ .., Step::OtherNames], [line]) => {
                Some(Self { object: Location(object.to_vec()), line: line.clone() })
            }
            _ => None,
        }
    }

    /// Whether the place is part of this, and not this itself.
    fn holds(&self, at: &Location, place: &Place<'_>) -> bool {
        let is_itself = *at == self.object.child(Step::OtherNames);
        !is_itself && at.0.starts_with(&self.object.0) && place.lines.as_slice() == [self.line.clone()]
    }
}

fn add<T: PartialEq>(item: T, all: &mut Vec<T>) {
    if !all.contains(&item) {
        all.push(item);
    }
}

impl Row {
    fn new(at: &Location, place: &Place<'_>, scene: &Scene<'_>) -> Self {
        let property = place.endpoint.types().properties(at).first().map(|(_, property)| *property);
        let (code, danger) = danger(at, place, property).unzip();
        Self {
            path: path(at),
            forms: place.effects.iter().filter_map(Form::of).collect(),
            class: property.map(|property| property.class),
            danger,
            code,
            example: place
                .effects
                .iter()
                .find_map(|effect| scene.example(place.endpoint, at, effect, property)),
            lines: numbers(&place.lines, scene),
            places: place.lines.clone(),
            names: at.names().map(str::to_owned).collect(),
        }
    }

    /// Whether the property, or a part of it, is the one at this path without array steps.
    pub(super) fn meets(&self, path: &str) -> bool {
        let mut pairs = self.names.iter().zip(path.split('.'));
        !self.names.is_empty() && pairs.all(|(own, other)| own == other || own == "*")
    }

    /// Whether it stands for properties that no line names.
    pub(super) fn is_open(&self) -> bool {
        self.names.iter().any(|name| name == "*")
    }

    /// Whether it leaves as a token only.
    pub fn is_token(&self) -> bool {
        self.forms.iter().all(|form| form.kind.is_token())
    }
}

impl Redacted {
    /// Whether the property at this path without array steps is dropped with it.
    pub(super) fn is_or_holds(&self, path: &str) -> bool {
        let mut steps = path.split('.');
        self.names.iter().all(|name| steps.next() == Some(name))
    }

    fn new(at: &Location, place: &Place<'_>, scene: &Scene<'_>) -> Self {
        let names = at.names().map(str::to_owned).collect();
        Self { path: path(at), lines: numbers(&place.lines, scene), names }
    }
}

/// The place as rules spell it, without the object itself in front.
fn path(at: &Location) -> String {
    let text = at.to_string();
    match text.strip_prefix("$.").or_else(|| text.strip_prefix('$')) {
        Some("") | None => "(the object)".to_owned(),
        Some(inside) => inside.to_owned(),
    }
}

/// Why a reviewer must look at it, and the code of what `check` has against it.
fn danger(at: &Location, place: &Place<'_>, property: Option<&Property>) -> Option<(Code, String)> {
    if at.0.contains(&Step::OtherNames) {
        return Some((codes::UNLISTED_KEEP, "everything that no line names leaves, as written".to_owned()));
    }
    let leaves = place.effects.iter().filter_map(|effect| match effect {
        Effect::Leaves(leaf) => Some(leaf),
        _ => None,
    });
    if let Some((exposure, what)) =
        property.and_then(|property| leaves.clone().find_map(|it| identifies(property, it)))
    {
        let code = if exposure == Exposure::Value { codes::IDENTIFYING } else { codes::DERIVED };
        return Some((code, what));
    }
    let is_text = leaves.into_iter().any(|leaf| *leaf == Leaf::Keep(Kept::Text));
    is_text.then(|| (codes::KEPT_TEXT, "leaves as written, also if a person wrote it".to_owned()))
}

fn numbers(places: &[Range<usize>], scene: &Scene<'_>) -> Vec<usize> {
    let mut lines: Vec<_> = places.iter().map(|place| diagnostic::line(scene.source, place.start)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}
