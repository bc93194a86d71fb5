//! What the catalogue knows of the objects and the rules drop, by class.

use std::collections::BTreeMap;

use serde::Serialize;

use super::objects::{Object, Row};
use crate::catalogue::{Class, Type, type_named};
use crate::graph::Version;

/// Objects inside objects inside objects are followed so far. The catalogue's types are not deeper.
const MAX_DEPTH: usize = 6;

/// The properties of one class, of all kinds of objects.
#[derive(Debug, Serialize)]
pub struct Stays {
    /// The class.
    pub class: Class,
    /// How many properties leave as tokens only.
    pub as_tokens: usize,
    /// How many leave readable, whole or in part.
    pub otherwise: usize,
    /// Those of which nothing leaves.
    pub dropped: Vec<Dropped>,
}

/// The properties of one class and one kind of object of which nothing leaves.
#[derive(Debug, Serialize)]
pub struct Dropped {
    /// What people call the objects.
    pub title: String,
    /// The paths of the properties, without array steps.
    pub properties: Vec<String>,
}

/// What becomes of a property.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Dropped,
    Token,
    Otherwise,
}

impl Stays {
    /// How many properties are dropped.
    pub fn count(&self) -> usize {
        self.dropped.iter().map(|dropped| dropped.properties.len()).sum()
    }

    /// One line: `all 41 dropped`.
    pub fn in_words(&self) -> String {
        let leave = [(self.as_tokens, "as tokens only"), (self.otherwise, "readable, whole or in part")];
        let leave: Vec<_> = leave.iter().filter(|(count, _)| *count > 0).collect();
        let leave: Vec<_> = leave.iter().map(|(count, how)| format!("{count} leave {how}")).collect();
        match (leave.as_slice(), self.count()) {
            ([], dropped) => format!("all {dropped} dropped"),
            (leave, dropped) => format!("{}; {dropped} dropped", leave.join(", ")),
        }
    }
}

/// All classes of which the catalogue knows a property of these objects.
pub(super) fn of(objects: &[Object]) -> Vec<Stays> {
    let mut all: BTreeMap<Class, Stays> = BTreeMap::new();
    for object in objects {
        for (path, class) in known(object) {
            let empty = || Stays { class, as_tokens: 0, otherwise: 0, dropped: Vec::new() };
            let stays = all.entry(class).or_insert_with(empty);
            match object.fate(&path) {
                Fate::Token => stays.as_tokens += 1,
                Fate::Otherwise => stays.otherwise += 1,
                Fate::Dropped => stays.drop(&object.title, path),
            }
        }
    }
    all.into_values().collect()
}

impl Stays {
    fn drop(&mut self, title: &str, path: String) {
        match self.dropped.last_mut().filter(|last| last.title == title) {
            Some(last) => last.properties.push(path),
            None => self.dropped.push(Dropped { title: title.to_owned(), properties: vec![path] }),
        }
    }
}

impl Object {
    /// A line that drops the property is stricter than `unlisted: keep`.
    fn fate(&self, path: &str) -> Fate {
        let leaving = |row: &&Row| row.meets(path);
        let (open, named): (Vec<_>, Vec<_>) = self.rows.iter().filter(leaving).partition(|row| row.is_open());
        let is_redacted = || self.redacted.iter().any(|it| it.is_or_holds(path));
        match (named.as_slice(), open.as_slice()) {
            ([], []) => Fate::Dropped,
            ([], _) if is_redacted() => Fate::Dropped,
            ([], _) => Fate::Otherwise,
            (named, _) if named.iter().all(|row| row.is_token()) => Fate::Token,
            _ => Fate::Otherwise,
        }
    }
}

/// The properties of the object, with those of the objects inside it, each with its class.
fn known(object: &Object) -> BTreeMap<String, Class> {
    let mut found = Found { paths: BTreeMap::new(), open: Vec::new() };
    for (version, of) in &object.types {
        found.add(*version, of, "");
    }
    found.paths
}

struct Found {
    paths: BTreeMap<String, Class>,
    /// The types on the way here: they can hold each other in circles.
    open: Vec<&'static str>,
}

impl Found {
    fn add(&mut self, version: Version, of: &'static Type, prefix: &str) {
        self.open.push(of.name);
        for property in of.visible(version) {
            let path = format!("{prefix}{}", property.name);
            let parts = property.object().filter(|_| property.class == Class::Parts);
            match parts.and_then(|name| type_named(version, name)).filter(|of| self.enters(of)) {
                Some(of) => self.add(version, of, &format!("{path}.")),
                None => {
                    self.paths.entry(path).or_insert(property.class);
                }
            }
        }
        self.open.pop();
    }

    fn enters(&self, of: &Type) -> bool {
        self.open.len() < MAX_DEPTH && !self.open.contains(&of.name)
    }
}
