//! Markers: texts that occur only where a test put them, each with a note of the place.

use std::collections::BTreeSet;

use super::detector::{self, Needle};

/// What the canary tests plant. In hexadecimal digits, so that a marker fits into a GUID.
pub(crate) const PLANTED: Needle = Needle { text: "7d0bad", number: "730194" };

/// The markers of one response, and the place of each. Numbers continue from one response to the next, so that a marker
/// that is found late is not taken for another one.
pub(crate) struct Registry {
    needle: Needle,
    first: usize,
    places: Vec<Place>,
}

struct Place {
    path: String,
    kept: bool,
}

impl Registry {
    pub(crate) fn new(needle: Needle) -> Self {
        Self { needle, first: 1, places: Vec::new() }
    }

    /// Forgets the places of the last response.
    pub(crate) fn begin(&mut self) {
        self.first += self.places.len();
        self.places.clear();
    }

    /// A marker in the form of a text: 12 hexadecimal digits.
    pub(crate) fn text(&mut self, path: &str, kept: bool) -> String {
        let id = self.plant(path, kept);
        format!("{}{id:06x}", self.needle.text)
    }

    /// A marker in the form of a number.
    pub(crate) fn number(&mut self, path: &str, kept: bool) -> String {
        let id = self.plant(path, kept);
        format!("{}{id:08}", self.needle.number)
    }

    fn plant(&mut self, path: &str, kept: bool) -> usize {
        self.places.push(Place { path: path.to_owned(), kept });
        self.first + self.places.len() - 1
    }

    /// The places whose markers are in `bytes`, in any encoding, and must not be.
    pub(crate) fn leaks(&self, bytes: &[u8]) -> BTreeSet<String> {
        let known = |id: &usize| self.place(*id).is_some_and(|place| place.kept);
        let name = |id: usize| self.place(id).map_or(format!("an older marker {id}"), |it| it.path.clone());
        detector::find(bytes, self.needle).into_iter().filter(|id| !known(id)).map(name).collect()
    }

    /// The places whose markers have to be in `bytes` and are not.
    pub(crate) fn missing(&self, bytes: &[u8]) -> BTreeSet<String> {
        let found = detector::find(bytes, self.needle);
        let is_missing = |(at, place): &(usize, &Place)| place.kept && !found.contains(&(self.first + at));
        self.places.iter().enumerate().filter(is_missing).map(|(_, place)| place.path.clone()).collect()
    }

    /// The places whose markers are kept.
    pub(crate) fn kept(&self) -> BTreeSet<String> {
        self.places.iter().filter(|place| place.kept).map(|place| place.path.clone()).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The number of markers so far, including those of earlier responses.
    pub(crate) fn planted(&self) -> usize {
        self.first - 1 + self.places.len()
    }

    fn place(&self, id: usize) -> Option<&Place> {
        self.places.get(id.checked_sub(self.first)?)
    }
}
