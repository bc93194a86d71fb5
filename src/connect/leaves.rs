//! What leaves and what never leaves under a connector's rules, for the administrator who grants its permissions.
//! Computed from the compiled plan that the sanitizer runs, so the page always matches what happens.

use std::borrow::Cow;
use std::collections::BTreeMap;

use glassine_core::catalogue::{self, Withheld};
use glassine_core::rules::Plan;
use glassine_core::rules::automaton::{Effect, Leaf, Location, Step};
use glassine_core::rules::plan::{Endpoint, Permission, Transform};

/// One permission, and what leaves of the objects that it opens.
pub(super) struct Opened<'a> {
    pub(super) permission: &'a Permission,
    pub(super) objects: Vec<Object>,
}

/// One kind of object.
pub(super) struct Object {
    /// Its name for people, such as `Messages`.
    pub(super) title: String,
    /// The properties that leave, by their paths.
    pub(super) properties: Vec<Property>,
    /// Personal data and content of such an object that never leaves.
    pub(super) withheld: Vec<Cow<'static, str>>,
}

/// What leaves through the endpoints of one kind of object, and the personal data and content of such objects.
#[derive(Default)]
struct Kind {
    properties: BTreeMap<String, Vec<Leaf>>,
    sensitive: Vec<Withheld>,
}

/// A property that leaves.
pub(super) struct Property {
    /// Its path in the object, as people write it: `from.emailAddress.address`.
    pub(super) path: String,
    /// The forms in which it leaves. More than one if endpoints differ.
    forms: Vec<Leaf>,
}

/// The plan's permissions in their order, each with what leaves of the objects that it opens. If the catalogue knows no
/// permission for a path, what leaves there is listed under each permission: any of them may open it.
pub(super) fn opened(plan: &Plan) -> Vec<Opened<'_>> {
    let opened = |permission| Opened { permission, objects: objects(plan, permission) };
    plan.permissions.iter().map(opened).collect()
}

fn objects(plan: &Plan, permission: &Permission) -> Vec<Object> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for endpoint in plan.endpoints.iter().filter(|endpoint| permission.opens(endpoint) != Some(false)) {
        kinds.entry(title(endpoint)).or_default().add(endpoint);
    }
    kinds.into_iter().map(|(title, kind)| Object::new(title, kind)).collect()
}

fn title(endpoint: &Endpoint) -> String {
    match endpoint.resource() {
        Some((_, resource)) => catalogue::title(&resource).into_owned(),
        None => endpoint.template.last_name().unwrap_or(&endpoint.name).to_owned(),
    }
}

/// The properties that leave through an endpoint, in the order of their paths. Omits links to this proxy.
pub(super) fn leaving(endpoint: &Endpoint) -> impl Iterator<Item = (String, Leaf)> {
    let places = endpoint.response.body().automaton.describe().into_iter();
    places.filter_map(|place| match place.effect {
        Effect::Leaves(Leaf::Transform(Transform::Link(_))) => None,
        Effect::Leaves(leaf) => Some((property(&place.at)?, leaf)),
        Effect::Object | Effect::Array | Effect::Dropped | Effect::Repeats(_) => None,
    })
}

/// The path in the object, as people write it.
fn property(at: &Location) -> Option<String> {
    let inside = match at.0.as_slice() {
        [Step::Name(value), Step::OtherElements, inside @ ..] if &**value == "value" => inside,
        inside => inside,
    };
    let path: Vec<_> = Location(inside.to_vec()).names().map(str::to_owned).collect();
    Some(path.join(".")).filter(|path| !path.is_empty())
}

impl Kind {
    fn add(&mut self, endpoint: &Endpoint) {
        for (path, leaf) in leaving(endpoint) {
            let forms = self.properties.entry(path).or_default();
            if !forms.contains(&leaf) {
                forms.push(leaf);
            }
        }
        let sensitive =
            endpoint.resource().map(|(version, resource)| catalogue::withheld(version, &resource));
        for withheld in sensitive.into_iter().flatten() {
            if !self.sensitive.contains(&withheld) {
                self.sensitive.push(withheld);
            }
        }
    }
}

impl Object {
    fn new(title: String, Kind { properties, sensitive }: Kind) -> Self {
        let leaves = |withheld: &Withheld| properties.keys().any(|leaving| meet(leaving, withheld.path));
        let withheld = sensitive.into_iter().filter(|it| !leaves(it)).map(|it| it.words).collect();
        let properties = properties.into_iter().map(|(path, forms)| Property { path, forms }).collect();
        Self { title, properties, withheld }
    }

    /// How many properties leave unchanged, and how many in another form.
    pub(super) fn counts(&self) -> (usize, usize) {
        let unchanged = self.properties.iter().filter(|property| property.is_unchanged()).count();
        (unchanged, self.properties.len().saturating_sub(unchanged))
    }
}

impl Property {
    /// The form in which it leaves, in plain words.
    pub(super) fn form(&self) -> String {
        self.forms.iter().map(form).collect::<Vec<_>>().join("; ")
    }

    /// Whether it leaves unchanged.
    fn is_unchanged(&self) -> bool {
        self.forms.iter().any(|form| matches!(form, Leaf::Keep(_)))
    }
}

fn form(leaf: &Leaf) -> Cow<'static, str> {
    match leaf {
        Leaf::Drop => "nothing".into(),
        Leaf::Keep(kept) => kept.in_words(),
        Leaf::Transform(transform) => transform.in_words(),
    }
}

/// Whether a part of `withheld` leaves with `leaving`: one path contains the other, or a wildcard matches.
fn meet(leaving: &str, withheld: &str) -> bool {
    let pairs = leaving.split('.').zip(withheld.split('.'));
    pairs.into_iter().all(|(one, other)| one == other || one.contains('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassine_core::rules::compile;

    const OUTLOOK_MAIL: &str = include_str!("../../rules/outlook-mail.yaml");

    fn object(rules: &str, title: &str) -> Object {
        let plan = compile("rules.yaml", rules).plan.unwrap();
        opened(&plan)
            .into_iter()
            .flat_map(|opened| opened.objects)
            .find(|object| object.title == title)
            .unwrap()
    }

    fn form_of(object: &Object, path: &str) -> Option<String> {
        object.properties.iter().find(|property| property.path == path).map(Property::form)
    }

    fn withholds(object: &Object, words: &str) -> bool {
        object.withheld.iter().any(|it| it == words)
    }

    #[test]
    fn what_leaves_follows_from_the_plan() {
        let messages = object(OUTLOOK_MAIL, "Messages");
        assert_eq!(form_of(&messages, "isRead").as_deref(), Some("true or false"));
        assert_eq!(
            form_of(&messages, "from.emailAddress.address").as_deref(),
            Some("the address as a pseudonym")
        );
        assert_eq!(form_of(&messages, "subject"), None);
        assert!(
            ["subjects", "texts", "attachments", "names of senders"]
                .iter()
                .all(|it| withholds(&messages, it))
        );
    }

    #[test]
    fn a_rule_that_lets_a_property_out_removes_it_from_the_withheld_ones() {
        let digest =
            OUTLOOK_MAIL.replace("  message:\n    keep:", "  message:\n    digest: [$.subject]\n    keep:");
        let messages = object(&digest, "Messages");
        assert!(!withholds(&messages, "subjects") && withholds(&messages, "texts"));
        assert_eq!(form_of(&messages, "subject").as_deref(), Some("length and number of words only"));
        let all = OUTLOOK_MAIL.replace("  message:\n    keep:", "  message:\n    unlisted: keep\n    keep:");
        assert!(object(&all, "Messages").withheld.is_empty());
    }

    #[test]
    fn every_endpoint_is_behind_a_permission() {
        let plan = compile("rules.yaml", OUTLOOK_MAIL).plan.unwrap();
        let behind = |endpoint: &Endpoint| plan.permissions.iter().any(|it| it.opens(endpoint) == Some(true));
        assert!(plan.endpoints.iter().all(|endpoint| behind(endpoint)));
        assert!(opened(&plan).iter().all(|opened| !opened.objects.is_empty()));
    }
}
