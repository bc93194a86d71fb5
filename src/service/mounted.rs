//! Files that are mounted alone into a container. Such a mount keeps the file that it was made with. Editors and `git` do not change
//! a file: they put a new one in its place, which the container never sees.

use std::ops::Range;
use std::path::Path;

use super::reload::named_files;
use crate::config::{Config, FileRef, codes};
use crate::file_system::{Mounts, is_replaced};
use glassine_core::diagnostic::Diagnostic;

const HINT: &str = "mount the folder that the file is in, and start the container anew";

/// A warning for each file that is mounted alone, and an error for each that was replaced since: this program reads the old one.
pub(crate) fn findings(file: &Path, config: &Config) -> Vec<Diagnostic> {
    let mounts = Mounts::read();
    let secrets = secret_files(config);
    let named = named_files(config).into_iter().chain(&secrets).map(|it| (it.path(), it.span().clone()));
    let all = std::iter::once((file, 0..0)).chain(named);
    all.filter(|(path, _)| mounts.are_of(path)).map(|(path, span)| finding(path, span)).collect()
}

fn finding(file: &Path, span: Range<usize>) -> Diagnostic {
    let path = file.display();
    let found = if is_replaced(file) {
        let message = format!(
            "{path}: the file was replaced outside of the container, and its mount still leads to the old one"
        );
        Diagnostic::error(codes::CONFIG_MOUNT, span, message)
    } else {
        let message = format!(
            "{path}: the file is mounted alone, so the container does not see a new file in its place"
        );
        Diagnostic::warning(codes::CONFIG_MOUNT, span, message)
    };
    found.hint(HINT)
}

/// The files with secrets, which are read when they are used.
fn secret_files(config: &Config) -> Vec<FileRef> {
    let secrets = config.credentials().filter_map(|credential| credential.secret());
    secrets.filter_map(|(_, source)| source.file().cloned()).collect()
}
