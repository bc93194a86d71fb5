//! `glassine diff`: what a change of the rules, or of a configuration, means for what leaves.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;
use zeroize::Zeroizing;

use super::error::Error;
use super::options::{self, EXAMPLE_DOMAIN};
use super::{ExitStatus, Streams, input};
use crate::config::{Config, Consumer};
use crate::service::read_config;
use glassine_core::diagnostic::line_and_column;
use glassine_core::pseudonym::{KeyRing, OwnDomain};
use glassine_core::statement::diff::{Difference, Side, Verdict, Witness, compare, compare_settings};

/// Compares two rules files, or two configurations, by what they let out.
///
/// Each difference is wider, narrower or neutral. What is wider comes with a request, and a response of Graph of which more
/// leaves than before. The exit code is 1 if anything is wider.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file before the change.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The file after the change.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// OLD and NEW are configurations: compare each consumer's settings and rules.
    #[arg(long)]
    config: bool,
    /// The format of the output.
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,
}

/// The format of the differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For scripts.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// Annotations of GitHub Actions.
    Github,
}

/// A rules file, with its text for line numbers.
struct File {
    path: PathBuf,
    text: Zeroizing<String>,
    side: Side,
}

/// All differences, and how many there are of each kind.
#[derive(Serialize)]
struct Comparison {
    wider: usize,
    narrower: usize,
    neutral: usize,
    differences: Vec<Shown>,
}

/// A difference, with every endpoint that it is about.
#[derive(Serialize)]
struct Shown {
    verdict: &'static str,
    /// Absent if rules files are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
    what: String,
    endpoints: Vec<String>,
    old: Vec<Place>,
    new: Vec<Place>,
    /// A request that is open now and was refused before.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<ShownWitness>,
}

/// A line of a file, from 1 on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Place {
    file: String,
    line: usize,
}

/// What shows that more leaves.
#[derive(Serialize)]
struct ShownWitness {
    request: String,
    graph: String,
    /// Absent if the request was refused.
    old: Option<String>,
    new: String,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    let all = if args.config {
        configurations(&args.old, &args.new)?
    } else {
        let domains: Vec<_> = OwnDomain::parse(EXAMPLE_DOMAIN).into_iter().collect();
        rules(None, &File::read(&args.old, &domains)?, &File::read(&args.new, &domains)?)
    };
    let comparison = Comparison::of(all);
    match args.format {
        DiffFormat::Json => streams.print_json(&comparison)?,
        DiffFormat::Text => streams.print(comparison.text().as_bytes())?,
        DiffFormat::Markdown => streams.print(comparison.markdown().as_bytes())?,
        DiffFormat::Github => streams.print(comparison.annotations().as_bytes())?,
    }
    Ok(if comparison.wider == 0 { ExitStatus::Yes } else { ExitStatus::No })
}

/// A difference with its lines.
struct Found {
    consumer: Option<String>,
    difference: Difference,
    old: Vec<Place>,
    new: Vec<Place>,
}

fn rules(consumer: Option<&str>, old: &File, new: &File) -> Vec<Found> {
    let found = |difference: Difference| Found {
        consumer: consumer.map(str::to_owned),
        old: old.places(&difference.old),
        new: new.places(&difference.new),
        difference,
    };
    compare(&old.side, &new.side).into_iter().map(found).collect()
}

/// Compares, consumer by consumer, what two configurations say about privacy, and the rules that they name.
fn configurations(old: &Path, new: &Path) -> Result<Vec<Found>, Error> {
    let ((_, _, before), (_, _, after)) = (read_config(old)?, read_config(new)?);
    let mut all = Vec::new();
    for consumer in after.consumers() {
        match before.consumers().iter().find(|earlier| earlier.name() == consumer.name()) {
            Some(earlier) => all.extend(consumers((&before, earlier), (&after, consumer))?),
            None => all.push(whole(consumer, Verdict::Wider, "is new: review all that it may ask")),
        }
    }
    let is_gone = |earlier: &&Consumer| after.consumers().iter().all(|it| it.name() != earlier.name());
    for gone in before.consumers().iter().filter(is_gone) {
        all.push(whole(gone, Verdict::Narrower, "is no longer served"));
    }
    Ok(all)
}

fn consumers(
    (before, earlier): (&Config, &Consumer),
    (after, consumer): (&Config, &Consumer),
) -> Result<Vec<Found>, Error> {
    let (old, new) = (before.setting(earlier), after.setting(consumer));
    let name = Some(consumer.name());
    let files = (
        File::read(earlier.rules().path(), old.tenant_domains)?,
        File::read(consumer.rules().path(), new.tenant_domains)?,
    );
    let settings = compare_settings(&old, &new, &files.1.side.plan).into_iter();
    let settings = settings.map(|difference| Found {
        consumer: name.map(str::to_owned),
        difference,
        old: Vec::new(),
        new: Vec::new(),
    });
    Ok(settings.chain(rules(name, &files.0, &files.1)).collect())
}

fn whole(consumer: &Consumer, verdict: Verdict, what: &str) -> Found {
    let difference = Difference::new(verdict, None, format!("the consumer {what}"));
    Found { consumer: Some(consumer.name().to_owned()), difference, old: Vec::new(), new: Vec::new() }
}

impl File {
    fn read(path: &Path, domains: &[OwnDomain]) -> Result<Self, Error> {
        let text = input::text(path)?;
        let plan = Arc::new(input::compile(path, &text)?);
        let addresses = options::addresses(Some(&plan), domains);
        let ring = KeyRing::parse(options::EXAMPLE_KEYS)
            .map_err(|error| Error::Keys { file: PathBuf::from("the example keys"), error })?;
        let keys = Arc::new(ring.pseudonyms(options::EXAMPLE_CONSUMER, &addresses));
        Ok(Self { path: path.to_owned(), text, side: Side { plan, keys } })
    }

    fn places(&self, lines: &[Range<usize>]) -> Vec<Place> {
        let file = self.path.display().to_string();
        let place =
            |at: &Range<usize>| Place { file: file.clone(), line: line_and_column(&self.text, at.start).0 };
        let mut places: Vec<_> = lines.iter().map(place).collect();
        places.sort();
        places.dedup();
        places
    }
}

impl Comparison {
    /// Endpoints often share a shape: a difference of several endpoints is shown once.
    fn of(all: Vec<Found>) -> Self {
        let mut shown: BTreeMap<_, Shown> = BTreeMap::new();
        for Found { consumer, difference, old, new } in all {
            let key =
                (difference.verdict, consumer.clone(), inside(&difference.what), old.clone(), new.clone());
            let entry = shown.entry(key).or_insert_with(|| Shown {
                verdict: name(difference.verdict),
                consumer,
                what: inside(&difference.what),
                endpoints: Vec::new(),
                old,
                new,
                request: difference.request,
                witness: None,
            });
            entry.endpoints.extend(difference.endpoint);
            if entry.witness.is_none() {
                entry.witness = difference.witness.as_ref().map(ShownWitness::of);
            }
        }
        let differences: Vec<_> = shown.into_values().collect();
        let count =
            |verdict: Verdict| differences.iter().filter(|shown| shown.verdict == name(verdict)).count();
        Self {
            wider: count(Verdict::Wider),
            narrower: count(Verdict::Narrower),
            neutral: count(Verdict::Neutral),
            differences,
        }
    }

    fn summary(&self) -> String {
        format!("wider {}, narrower {}, neutral {}\n", self.wider, self.narrower, self.neutral)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for shown in &self.differences {
            text.push_str(&format!("{:<9} {}\n", shown.verdict, shown.what));
            let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<10} {value}\n"));
            shown.consumer.iter().for_each(|consumer| line("consumer", consumer));
            if !shown.endpoints.is_empty() {
                line("endpoints", &shown.endpoints.join(", "));
            }
            shown.old.iter().for_each(|place| line("before", &place.to_string()));
            shown.new.iter().for_each(|place| line("now", &place.to_string()));
            shown.request.iter().for_each(|request| line("open now", request));
            if let Some(witness) = &shown.witness {
                line("request", &witness.request);
                line("Graph", &witness.graph);
                line("left", witness.old.as_deref().unwrap_or("nothing: the request was refused"));
                line("leaves", &witness.new);
            }
        }
        text + &self.summary()
    }

    fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", self.summary().trim_end());
        for shown in &self.differences {
            text.push_str(&format!("\n- **{}**: {}", shown.verdict, code_spans(&shown.what)));
            if !shown.endpoints.is_empty() {
                text.push_str(&format!(" ({})", shown.endpoints.join(", ")));
            }
            shown.new.iter().for_each(|place| text.push_str(&format!("; `{place}`")));
            if let Some(witness) = &shown.witness {
                let left = witness.old.as_deref().unwrap_or("refused");
                text.push_str(&format!(
                    "\n\n  ```text\n  {}\n  Graph   {}\n  left    {left}\n  leaves  {}\n  ```",
                    witness.request, witness.graph, witness.new
                ));
            }
        }
        text + "\n"
    }

    /// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
    fn annotations(&self) -> String {
        let mut text = String::new();
        for shown in &self.differences {
            let level = if shown.verdict == name(Verdict::Wider) { "error" } else { "notice" };
            let place = shown.new.first().or(shown.old.first());
            let place = place.map(|place| format!(" file={},line={}", property(&place.file), place.line));
            let message = format!("{}: {}", shown.verdict, shown.what);
            text.push_str(&format!("::{level}{}::{}\n", place.unwrap_or_default(), data(&message)));
        }
        text
    }
}

/// The place inside the object: whether a page is around it makes no difference.
fn inside(what: &str) -> String {
    what.strip_prefix("$.value[*]").map_or_else(|| what.to_owned(), |inside| format!("${inside}"))
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Wider => "wider",
        Verdict::Narrower => "narrower",
        Verdict::Neutral => "neutral",
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl ShownWitness {
    fn of(witness: &Witness) -> Self {
        let Witness { request, graph, old, new } = witness.clone();
        Self { request, graph, old, new }
    }
}

/// Paths hold characters that Markdown gives a meaning.
fn code_spans(what: &str) -> String {
    match what.split_once(": ") {
        Some((path, rest)) if path.starts_with('$') => format!("`{path}`: {rest}"),
        _ => what.to_owned(),
    }
}

/// Escapes a message of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
