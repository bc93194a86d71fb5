//! One value per line.

use std::io::{BufWriter, Write};

use super::progress::Progress;
use super::row::{Input, Problem};
use super::{InputError, Maker};
use crate::cli::Streams;
use crate::cli::error::Error;

/// Writes the token of each line of standard input. A blank line stays as it is, and so does the end of each line.
pub(super) fn write(maker: &Maker, streams: &mut Streams<'_>) -> Result<(), Error> {
    let (mut input, mut out) = (Input::new(&mut *streams.input), BufWriter::new(&mut *streams.out));
    let mut progress = Progress::on_a_terminal("lines");
    let (mut line, mut token) = (Vec::new(), Vec::new());
    out.write_all(input.mark().map_err(Error::StandardInput)?).map_err(Error::Output)?;
    loop {
        line.clear();
        let number = progress.count().saturating_add(1);
        let refuse = |problem| InputError::Row { unit: "line", number, column: None, problem };
        if !input.read_line(&mut line, &refuse)? {
            break;
        }
        let (value, end) = super::row::split_end(&line);
        let text = std::str::from_utf8(value).map_err(|_| refuse(Problem::NotText))?;
        token.clear();
        maker.cell(text, &mut token).map_err(refuse)?;
        out.write_all(&token).and_then(|()| out.write_all(end)).map_err(Error::Output)?;
        progress.step(streams.err);
    }
    progress.finish(streams.err);
    out.flush().map_err(Error::Output)
}
