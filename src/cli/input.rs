//! The files that commands read.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::Error;
use crate::config::files::{FileError, MAX_FILE_BYTES, MAX_SECRET_BYTES, read_once};
use glassine_core::pseudonym::KeyRing;
use glassine_core::rules::{self, Compiled, Plan};

/// The plan of a rules file.
///
/// # Errors
///
/// [`Error::Rules`] with every error in the file. Only `check` reports the warnings.
pub(super) fn rules(file: &Path) -> Result<Plan, Error> {
    compile(file, &text(file)?)
}

/// The plan of the text of a rules file.
///
/// # Errors
///
/// As [`rules()`].
pub(super) fn compile(file: &Path, text: &str) -> Result<Plan, Error> {
    let compiled = rules::compile(&file.display().to_string(), text);
    compiled.plan.ok_or_else(|| Error::Rules { file: file.to_owned(), report: compiled.report.render() })
}

/// Compiles all files or none.
///
/// # Errors
///
/// [`Error::Inputs`] with every file that cannot be read, not only the first.
pub(super) fn compile_all(files: &[PathBuf]) -> Result<Vec<Compiled>, Error> {
    let (mut compiled, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        match text(file) {
            Ok(text) => compiled.push(rules::compile(&file.display().to_string(), &text)),
            Err(error) => unreadable.push(error),
        }
    }
    if unreadable.is_empty() { Ok(compiled) } else { Err(Error::Inputs(unreadable)) }
}

/// The key ring of a key file.
///
/// # Errors
///
/// [`Error::Keys`] with the number of the line, never its text.
pub(super) fn keys(file: &Path) -> Result<KeyRing, Error> {
    let text = read_once(file, MAX_SECRET_BYTES)?;
    KeyRing::parse(&text).map_err(|error| Error::Keys { file: file.to_owned(), error })
}

/// The text of a file.
///
/// # Errors
///
/// [`FileError`] with the file's name.
pub(super) fn text(file: &Path) -> Result<Zeroizing<String>, FileError> {
    read_once(file, MAX_FILE_BYTES)
}
