//! The columns of a CSV file.

use std::io::{BufWriter, Write};

use super::progress::Progress;
use super::row::{Input, Problem, Row};
use super::{InputError, Maker};
use crate::cli::Streams;
use crate::cli::error::Error;

/// Writes standard input with tokens in the named columns. Everything else stays as it is, byte for byte.
pub(super) fn write(maker: &Maker, names: &[String], streams: &mut Streams<'_>) -> Result<(), Error> {
    let (mut input, mut out) = (Input::new(&mut *streams.input), BufWriter::new(&mut *streams.out));
    let mut progress = Progress::on_a_terminal("rows");
    let (mut row, mut line) = (Row::default(), Vec::new());
    let mark = input.mark().map_err(Error::StandardInput)?;
    if !row.read(&mut input, &|problem| refused(1, None, problem))? {
        return Err(InputError::NoHeader.into());
    }
    let header: Vec<_> = row.texts().collect();
    let columns = columns(names, &header)?;
    out.write_all(mark).map_err(Error::Output)?;
    row.write(&[], maker, &mut line).map_err(|(_, problem)| refused(1, None, problem))?;
    loop {
        out.write_all(&line).map_err(Error::Output)?;
        line.clear();
        // A spreadsheet numbers the header, too.
        let number = progress.count().saturating_add(2);
        if !row.read(&mut input, &|problem| refused(number, None, problem))? {
            break;
        }
        // With other cells than the header has, an address could stand in a column that is not named.
        if row.len() != header.len() && !row.is_blank() {
            let (found, expected) = (row.len(), header.len());
            return Err(refused(number, None, Problem::Cells { found, expected }).into());
        }
        row.write(&columns, maker, &mut line)
            .map_err(|(column, problem)| refused(number, header.get(column).cloned(), problem))?;
        progress.step(streams.err);
    }
    progress.finish(streams.err);
    out.flush().map_err(Error::Output)
}

/// The places of the columns with these names, in order. A name that several columns have is the name of each.
fn columns(names: &[String], header: &[String]) -> Result<Vec<usize>, InputError> {
    if let Some(name) = names.iter().find(|name| !header.contains(name)) {
        return Err(InputError::NoColumn { name: name.clone(), columns: header.to_vec() });
    }
    let places = header.iter().enumerate().filter(|(_, column)| names.contains(column));
    Ok(places.map(|(place, _)| place).collect())
}

fn refused(number: u64, column: Option<String>, problem: Problem) -> InputError {
    InputError::Row { unit: "row", number, column, problem }
}
