//! Finds the described place of a value in a document, so that what a document shows can be compared with what the rules
//! let out.

use super::{Automaton, Leaf, Location, Node, NodeId, Step};
use crate::rules::plan::Transform;

impl Automaton {
    /// The place, as [`Automaton::describe`] writes it, that a way of names and indices leads to. `None` if the rules let
    /// nothing out there. What a transform makes has the place of the transform, as the names and values of headers.
    pub fn place_of(&self, way: &[Step]) -> Option<Location> {
        let mut open = vec![(self.root(), Location::default())];
        for step in way {
            let (at, here) = open.last()?;
            let Some((next, described)) = self.node(*at).follow(step) else {
                return self.node(*at).makes_containers().then(|| here.clone());
            };
            let place = here.child(described);
            // A description does not go around a circle a second time.
            match open.iter().position(|(own, _)| *own == next) {
                Some(outer) => open.truncate(outer.saturating_add(1)),
                None => open.push((next, place)),
            }
        }
        open.pop().map(|(_, place)| place)
    }
}

impl Node {
    /// Whether an object or array leaves in the place of a leaf.
    fn makes_containers(&self) -> bool {
        matches!(self.leaf, Leaf::Transform(Transform::Headers(_) | Transform::Digest))
    }

    /// Where a step leads, and how a description writes it.
    fn follow(&self, step: &Step) -> Option<(NodeId, Step)> {
        match step {
            Step::Name(name) => {
                let object = self.object.as_ref()?;
                match object.member(name) {
                    Some((_, member)) => Some((member.node?, step.clone())),
                    None => Some((object.other?, Step::OtherNames)),
                }
            }
            Step::Index(at) => {
                let array = self.array.as_ref()?;
                match array.first.get(usize::try_from(*at).ok()?) {
                    Some(first) => Some(((*first)?, step.clone())),
                    None => Some((array.rest?, Step::OtherElements)),
                }
            }
            Step::OtherNames => Some((self.object.as_ref()?.other?, Step::OtherNames)),
            Step::OtherElements => Some((self.array.as_ref()?.rest?, Step::OtherElements)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::compile;

    /// The place of a way in a response of the shape `item`; `shapes`: the lines below `shapes:`.
    fn place(shapes: &str, way: &[Step]) -> Option<String> {
        let file = format!(
            "version: 1\nconnector: c\ntitle: t\npurpose: p\npermissions: [User.Read.All]\nshapes:\n{shapes}\n\
             endpoints:\n  - {{ name: e, get: '/v1.0/users/{{u}}', params: {{ u: {{ token: id }} }}, response: {{ entity: item }} }}\n"
        );
        let compiled = compile("rules.yaml", &file);
        let plan = compiled.plan.unwrap_or_else(|| panic!("{}", compiled.report.render()));
        plan.endpoints[0].response.body().automaton.place_of(way).map(|place| place.to_string())
    }

    fn name(name: &str) -> Step {
        Step::Name(name.into())
    }

    #[test]
    fn names_and_elements_have_the_place_of_their_rule() {
        let shapes =
            "  item:\n    pseudonymize: [{ path: '$.a[1:]', as: email }, { path: '$.b.c', as: email }]\n";
        let element = |at| place(shapes, &[name("a"), Step::Index(at)]);
        assert_eq!(
            (element(0), element(1), element(7)),
            (None, Some("$.a[*]".into()), Some("$.a[*]".into()))
        );
        assert_eq!(place(shapes, &[name("b"), name("c")]), Some("$.b.c".to_owned()));
        assert_eq!(place(shapes, &[name("b"), name("d")]), None);
        assert_eq!(place(shapes, &[name("b"), Step::Index(0)]), None);
        assert_eq!(place(shapes, &[]), Some("$".to_owned()));
    }

    #[test]
    fn what_a_transform_makes_has_the_place_of_the_transform() {
        let shapes = "  item:\n    digest: [$.a]\n    pseudonymize: [{ path: $.b, as: email }]\n    headers: [{ path: $.h, flags: { f: [X] } }]\n";
        for way in [vec![name("h"), Step::Index(3), name("name")], vec![name("h")]] {
            assert_eq!(place(shapes, &way).as_deref(), Some("$.h"));
        }
        assert_eq!(place(shapes, &[name("a"), name("length")]).as_deref(), Some("$.a"));
        assert_eq!(place(shapes, &[name("b"), name("length")]), None);
    }

    #[test]
    fn a_way_around_a_circle_has_the_place_of_its_first_round() {
        let shapes = "  item:\n    pseudonymize: [{ path: $.id, as: id }]\n    nested: [{ paths: [$.child], shape: item }]\n";
        let (child, id) = (name("child"), name("id"));
        let once = place(shapes, &[child.clone(), id.clone()]);
        assert_eq!(place(shapes, &[child.clone(), child.clone(), child, id]), once);
        assert!(once.is_some());
    }

    /// Each described leaf is found again by its own place.
    #[test]
    fn every_described_leaf_is_its_own_place() {
        for source in [
            include_str!("../../../../rules/outlook-mail.yaml"),
            include_str!("../../../../rules/outlook-mail-metadata-only.yaml"),
        ] {
            for endpoint in compile("rules.yaml", source).plan.unwrap().endpoints {
                let automaton = &endpoint.response.body().automaton;
                for described in automaton.describe() {
                    if matches!(described.effect, super::super::Effect::Leaves(_)) {
                        assert_eq!(automaton.place_of(&described.at.0), Some(described.at));
                    }
                }
            }
        }
    }
}
