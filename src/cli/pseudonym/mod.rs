//! `glassine pseudonym`: the tokens of known values, of lines, or of the columns of a table. No command turns a token back
//! into its value.
//!
//! Lines and tables are written as they are read, because they can have more rows than fit into memory.

mod lines;
mod progress;
mod row;
mod table;
mod whose;

use clap::ValueEnum;

use super::error::Error;
use super::{ExitStatus, Streams};
use glassine_core::pseudonym::{Class, Outcome, Pseudonyms};
use whose::Whose;

pub(super) use whose::{NoName, UnknownConsumer};

/// Print the pseudonyms of addresses or other values, one per line, as one consumer gets them.
///
/// Values come from the command line, or one per line from standard input, or from the columns of a CSV file there.
/// Values on the command line show in the list of processes (`ps`) and in the shell's history: use standard input for real
/// people.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
    /// The kind of the values.
    #[arg(long = "as", value_enum, default_value_t, value_name = "KIND")]
    kind: Kind,
    /// Make `p~` tokens, which this consumer can use in requests. For ids only.
    #[arg(long)]
    reversible: bool,
    /// Read a CSV file with a header from standard input, and write it with tokens in the columns that `--column` names.
    #[arg(long, requires = "columns", conflicts_with = "values")]
    csv: bool,
    /// A column of the CSV file, as the header calls it. May be repeated.
    #[arg(long = "column", value_name = "NAME", requires = "csv")]
    columns: Vec<String>,
    /// The values. Without any, or with `-` alone: the lines of standard input.
    #[arg(value_name = "ADDRESS")]
    values: Vec<String>,
}

/// The kinds of values, named as in rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    #[default]
    Email,
    Id,
    Thread,
    MessageId,
    Text,
    Ip,
    Domain,
}

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

/// Makes the tokens of one kind.
struct Maker {
    pseudonyms: Pseudonyms,
    kind: Kind,
    is_reversible: bool,
}

/// Why lines or a table cannot be written to the end. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// `-` among other values.
    #[error("`-` is standard input and stands alone; it is no value")]
    Dash,
    /// The table has no header.
    #[error("standard input is empty: a CSV file begins with a header")]
    NoHeader,
    /// The header has no such column.
    #[error("no column is called `{name}`; the columns are {}", columns.join(", "))]
    NoColumn {
        /// The name that was asked for.
        name: String,
        /// The names in the header.
        columns: Vec<String>,
    },
    /// A row cannot be used.
    #[error("{unit} {number}{}: {problem}; the output ends before it", column.as_ref().map(|it| format!(", column `{it}`")).unwrap_or_default())]
    Row {
        /// `line` or `row`.
        unit: &'static str,
        /// From 1, the header included.
        number: u64,
        /// The column, if it is about one.
        column: Option<String>,
        /// What is wrong with it.
        problem: row::Problem,
    },
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Error> {
    if args.reversible && args.kind != Kind::Id {
        return Err(Error::Reversible);
    }
    let (pseudonyms, policy) = args.whose.pseudonyms()?;
    let maker = Maker { pseudonyms, kind: args.kind, is_reversible: args.reversible };
    if let Some(note) = args.whose.note(&policy).filter(|_| maker.is_of_addresses()) {
        streams.remark(note)?;
    }
    match args.values.as_slice() {
        _ if args.csv => table::write(&maker, &args.columns, streams)?,
        [] => lines::write(&maker, streams)?,
        [only] if only == STANDARD_INPUT => lines::write(&maker, streams)?,
        values if values.iter().any(|value| value == STANDARD_INPUT) => return Err(InputError::Dash.into()),
        values => streams.print(&maker.all(values)?)?,
    }
    Ok(ExitStatus::Yes)
}

impl Maker {
    /// The tokens of all values or of none, each with a line feed.
    fn all(&self, values: &[String]) -> Result<Vec<u8>, Error> {
        let mut tokens = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if self.make(value, &mut tokens) != Outcome::Written {
                return Err(Error::Value(index.saturating_add(1)));
            }
            tokens.push(b'\n');
        }
        Ok(tokens)
    }

    fn make(&self, value: &str, out: &mut Vec<u8>) -> Outcome {
        match self.kind {
            Kind::Email => self.pseudonyms.email(value, out),
            Kind::Id if self.is_reversible => self.pseudonyms.reversible(Class::Id, value, out),
            Kind::Id => self.pseudonyms.id(value, out),
            Kind::Thread => self.pseudonyms.thread(value, out),
            Kind::MessageId => self.pseudonyms.message_id(value, out),
            Kind::Text => self.pseudonyms.text(value, out),
            Kind::Ip => self.pseudonyms.ip(value, out),
            Kind::Domain => self.pseudonyms.domain(value, out),
        }
    }

    /// Whether own domains have a part in the tokens.
    fn is_of_addresses(&self) -> bool {
        matches!(self.kind, Kind::Email | Kind::Domain)
    }
}
