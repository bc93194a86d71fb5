//! The project's files. Rules see a Rust source without its tests, comments and string contents, so that they judge
//! code only.

use std::path::{Path, PathBuf};

/// A Rust file of either package, without what is compiled for tests only.
pub(crate) struct Source {
    /// Relative to the project's folder, with forward slashes.
    pub(crate) path: String,
    /// The code: without comments, with empty strings.
    pub(crate) code: String,
    /// As written.
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = without_tests(&without_comments_and_texts(text));
        Self { path: path.to_owned(), code, text: text.to_owned() }
    }

    /// The top-level module: `core::sanitize` for `core/src/sanitize/gate.rs`, `proxy` for `src/proxy/head.rs`.
    pub(crate) fn module(&self) -> String {
        let inside = self.path.split_once("src/").map_or(&*self.path, |(_, inside)| inside);
        let first = inside.split('/').next().unwrap_or_default();
        let module = first.strip_suffix(".rs").unwrap_or(first);
        if self.is_core() && module != "lib" { format!("core::{module}") } else { module.to_owned() }
    }

    /// Whether the file is of the package that decides what leaves.
    pub(crate) fn is_core(&self) -> bool {
        self.path.starts_with("core/")
    }
}

/// Every Rust file of both packages except tests.
pub(crate) fn rust_sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("tests.rs");
    let relative = |file: &PathBuf| file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let files = ["src", "core/src"].map(|folder| files(&root.join(folder), &|_| true));
    files
        .iter()
        .flatten()
        .filter(|file| file.extension().is_some_and(|it| it == "rs") && !is_test(&relative(file)))
        .map(|file| Source::new(&relative(file), &std::fs::read_to_string(file).unwrap()))
        .collect()
}

/// Folders that are not part of the sources: build output, git's data, and a fuzzer's inputs.
const NOT_OURS: [&str; 4] = ["target", ".git", "fuzz/corpus", "fuzz/artifacts"];

/// Every text file of the project, with its path.
pub(crate) fn project_files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_ours = |path: &Path| !NOT_OURS.iter().any(|name| path.ends_with(name));
    let readable = |file: &PathBuf| {
        // In a worktree, `.git` is a file.
        let text = std::fs::read_to_string(file).ok().filter(|_| is_ours(file))?;
        Some((file.strip_prefix(root).unwrap().display().to_string(), text))
    };
    files(root, &is_ours).iter().filter_map(readable).collect()
}

fn files(folder: &Path, enter: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let under = |path: PathBuf| match path.is_dir() {
        true if enter(&path) => files(&path, enter),
        true => Vec::new(),
        false => vec![path],
    };
    entries.flat_map(under).collect()
}

/// Blanks comments and the content of string literals. Knows raw strings, and characters such as `'"'`.
fn without_comments_and_texts(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (kept, length) = match rest {
            _ if rest.starts_with("//") => ("", rest.find('\n').unwrap_or(rest.len())),
            _ if rest.starts_with("/*") => ("", rest.find("*/").map_or(rest.len(), |at| at + 2)),
            _ if rest.starts_with("r\"") || rest.starts_with("r#") => raw_text(rest),
            _ if c == '"' => ("\"\"", text_length(rest)),
            _ if rest.starts_with("'\\") => {
                ("' '", rest[2..].find('\'').map_or(rest.len(), |at| at.max(1) + 3))
            }
            _ if c == '\'' && rest.chars().nth(2) == Some('\'') => {
                ("' '", rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at))
            }
            _ => (&rest[..c.len_utf8()], c.len_utf8()),
        };
        out.push_str(kept);
        rest = &rest[length..];
    }
    out
}

/// A raw string, or a raw identifier that looks like the start of one.
fn raw_text(rest: &str) -> (&str, usize) {
    let hashes = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return (&rest[..1], 1);
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    ("\"\"", rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    let end = rest.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    end.map_or(rest.len(), |(at, _)| at + 1)
}

/// Drops each item behind `#[cfg(test)]`: up to its closing brace, or its semicolon if that comes first.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        out.push_str(before);
        rest = match (after.find('{'), after.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|it| it > open) => {
                &after[block_end(after, open)..]
            }
            (_, Some(semicolon)) => &after[semicolon + 1..],
            _ => "",
        };
    }
    out + rest
}

fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::Source;

    fn code(text: &str) -> String {
        Source::new("a/b.rs", text).code
    }

    #[test]
    fn comments_and_texts_are_not_code() {
        let text = "let a = \"std::fs \\\" // x\"; // std::env\n/* tokio */ let b = r#\"hyper \" \"#; let c = '\"'; let d = '\\''; e";
        assert_eq!(code(text), "let a = \"\"; \n let b = \"\"; let c = ' '; let d = ' '; e");
        assert_eq!(code("fn f<'a>(x: &'a str, r#type: u8) {}"), "fn f<'a>(x: &'a str, r#type: u8) {}");
    }

    #[test]
    fn tests_are_not_code() {
        assert_eq!(code("a\n#[cfg(test)]\nmod tests { use std::fs; fn f() { } }\nb"), "a\n\nb");
        assert_eq!(code("a\n#[cfg(test)]\n#[path = \"x\"]\nmod tests;\nb"), "a\n\nb");
        assert_eq!(code("#[cfg(test)]\nuse std::fs;\nuse std::env;"), "\nuse std::env;");
    }
}
