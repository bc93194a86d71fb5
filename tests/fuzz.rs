//! The properties that are fuzzed (`fuzz/`) hold for each committed seed and for mutations of the seeds. The mutations are
//! the same in every run. A target without seeds, or seeds and programs without a target, fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::properties::{ALL, Property};
use crate::support::reading::Random;

/// The number of mutations for each property: enough for every seed in turn, in a few seconds without optimisation.
const MUTATIONS: usize = 300;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The names in a folder, without their endings.
fn names(folder: PathBuf) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The seeds of a target in the order of their names.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder("seeds").join(target)).unwrap().map(|entry| entry.unwrap().path());
    let mut seeds: Vec<_> = files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    seeds.sort();
    seeds
}

#[test]
fn each_target_has_a_property_a_program_and_seeds() {
    let targets = BTreeSet::from(ALL.map(|(target, _)| target.to_owned()));
    assert_eq!(targets.len(), ALL.len(), "a target comes twice");
    assert_eq!(names(folder("fuzz_targets")), targets);
    assert_eq!(names(folder("seeds")), targets);
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in targets {
        assert!(!seeds(&target).is_empty(), "{target} has no seeds");
        let program = fs::read_to_string(folder("fuzz_targets").join(&target).with_extension("rs")).unwrap();
        assert!(program.contains(&format!("properties::{target}(data)")), "{target}: {program}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is not built");
    }
}

/// The versions that a lock file names, by package.
fn locked(file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let value = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    let mut versions = BTreeMap::<_, BTreeSet<_>>::new();
    for package in text.split("[[package]]").skip(1) {
        let mut lines = package.trim_start().lines();
        let (name, version) = (value(lines.next().unwrap()), value(lines.next().unwrap()));
        versions.entry(name).or_default().insert(version);
    }
    versions
}

/// The packages that a manifest depends on at run time.
fn required(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
    let section = text.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
    names.map(|line| line.split([' ', '.']).next().unwrap().to_owned()).collect()
}

/// The packages that a package of the fuzzer's lock file depends on.
fn locked_for(package: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(folder("Cargo.lock")).unwrap();
    let entry =
        text.split("[[package]]").find(|entry| entry.contains(&format!("name = \"{package}\"\n"))).unwrap();
    let list = entry.split_once("dependencies = [").unwrap().1;
    list.lines().filter_map(|line| line.split('"').nth(1)?.split(' ').next()).map(str::to_owned).collect()
}

/// If the lock file lacks one of them, `fuzz/run` stops, because it builds with `--locked`.
#[test]
fn the_fuzzers_lock_file_has_each_dependency_of_the_program() {
    for (package, manifest) in [("glassine", "Cargo.toml"), ("glassine-core", "core/Cargo.toml")] {
        let required = required(manifest);
        assert!(required.len() > 10, "{manifest}: {required:?}");
        assert_eq!(locked_for(package), required, "run `cargo update --workspace` in fuzz/");
    }
}

/// The parts of a manifest's profile `release` that affect dependencies.
fn release_profile(manifest: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest)).unwrap();
    let sections = text.split("\n[").filter(|section| section.starts_with("profile.release"));
    let ours = |section: &str| section.starts_with("profile.release.package.glassine");
    let settings = |section: &str| -> String {
        section
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect::<Vec<_>>()
            .join("\n")
    };
    sections.filter(|section| !ours(section)).map(settings).collect()
}

/// What is fuzzed is what runs, and one build of the dependencies serves both.
#[test]
fn the_fuzzer_has_the_programs_dependencies_and_profile() {
    let program = locked("Cargo.lock");
    for (name, versions) in locked("fuzz/Cargo.lock") {
        let same = program.get(&name).is_none_or(|own| versions.is_subset(own));
        assert!(same, "{name} {versions:?}: run `cargo update` for fuzz/Cargo.toml");
    }
    let profile = release_profile("Cargo.toml");
    assert!(!profile.is_empty());
    assert_eq!(release_profile("fuzz/Cargo.toml"), profile);
}

#[test]
fn each_property_holds_for_its_seeds_and_for_mutations_of_them() {
    thread::scope(|scope| {
        for (target, property) in ALL {
            scope.spawn(move || holds_for_seeds_and_mutations(target, property));
        }
    });
}

fn holds_for_seeds_and_mutations(target: &str, property: Property) {
    let seeds = seeds(target);
    for (path, seed) in &seeds {
        assert!(catch_unwind(|| property(seed)).is_ok(), "{target} does not hold for {}", path.display());
    }
    let mut random = Random(0);
    for (path, seed) in seeds.iter().cycle().take(MUTATIONS) {
        let mutated = random.mutated(seed, &seeds);
        let held = catch_unwind(|| property(&mutated));
        assert!(
            held.is_ok(),
            "{target} does not hold for {}\nmade of {}",
            mutated.escape_ascii(),
            path.display()
        );
    }
}

impl Random {
    /// The seed after one to four changes.
    fn mutated(&mut self, seed: &[u8], seeds: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(4) {
            let (_, other) = &seeds[self.below(seeds.len())];
            bytes = self.changed(&bytes, other);
        }
        bytes
    }

    /// With one bit flipped, one byte replaced, cut, with a part twice, without one, or with a part of another seed.
    fn changed(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let (head, tail) = bytes.split_at(self.below(bytes.len() + 1));
        let (part, rest) = tail.split_at(self.below(tail.len().min(40) + 1));
        match (self.below(6), tail) {
            (0, [first, rest @ ..]) => [head, &[first ^ (1 << self.below(8))], rest].concat(),
            (1, [_, rest @ ..]) => [head, &[self.below(256).to_le_bytes()[0]], rest].concat(),
            (2, _) => head.to_vec(),
            (3, _) => [head, part, part, rest].concat(),
            (4, _) => [head, rest].concat(),
            _ => [head, self.part_of(other), tail].concat(),
        }
    }

    fn part_of<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let (_, tail) = bytes.split_at(self.below(bytes.len() + 1));
        &tail[..self.below(tail.len().min(60) + 1)]
    }
}
