//! Secrets in memory. They come from a file or the environment, never from the configuration itself.

use std::path::{Path, PathBuf};
use std::{env, fmt, io};

use subtle::ConstantTimeEq;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use glassine_core::graph::without_byte_order_mark;

/// The longest secret, in bytes. Access tokens with many roles have some KiB.
pub(crate) const MAX_SECRET: usize = 32 * 1024;

/// A secret text: wiped when dropped, compared in constant time, never printed.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of a secret text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads a secret as a file or a variable has it. Trims white space and a byte order mark, which editors and shells add.
    ///
    /// # Errors
    /// [`SecretError`], which does not repeat the content.
    pub(crate) fn read(raw: &[u8]) -> Result<Self, SecretError> {
        if raw.len() > MAX_SECRET {
            return Err(SecretError::TooLong);
        }
        // Editors write the mark, as they end files with a newline; no secret begins with it.
        match without_byte_order_mark(raw).trim_ascii() {
            [] => Err(SecretError::Empty),
            bytes => visible(bytes).map(|text| Self::new(text.to_owned())).ok_or(SecretError::Characters),
        }
    }

    /// The secret itself, for the code that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Where a secret comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SecretSource {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path.
    File(PathBuf),
}

/// Why a secret cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SecretError {
    /// The secret has a blank, a control character or anything else outside visible ASCII. Usually it is the wrong
    /// file.
    #[error("the secret has characters other than visible ASCII: is it the right file?")]
    Characters,
    /// The secret has only white space, or nothing.
    #[error("the secret is empty: write it into its file, or into its environment variable")]
    Empty,
    /// The secret is longer than [`MAX_SECRET`].
    #[error("the secret is longer than {MAX_SECRET} bytes: is it the right file?")]
    TooLong,
    /// The file cannot be read.
    #[error("the secret's file cannot be read ({0}): check its path and its owner")]
    Unreadable(io::ErrorKind),
    /// The environment variable is not set.
    #[error("the secret's environment variable is not set")]
    Unset,
}

impl SecretSource {
    /// Reads the secret, as [`Secret::read`].
    ///
    /// # Errors
    /// [`SecretError`], which does not repeat the content.
    pub async fn read(&self) -> Result<Secret, SecretError> {
        let raw = match self {
            Self::Env(name) => env::var_os(name).ok_or(SecretError::Unset)?.into_encoded_bytes().into(),
            Self::File(path) => {
                read_file(path).await.map_err(|error| SecretError::Unreadable(error.kind()))?
            }
        };
        Secret::read(&raw)
    }
}

/// The file's bytes, at most one more than allowed. The buffer has its full size at once: growing would leave copies of
/// the secret in memory.
pub(super) async fn read_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut raw = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 1));
    let mut file = File::open(path).await?;
    while raw.len() <= MAX_SECRET && (&mut file).take(room(&raw)).read_buf(&mut *raw).await? > 0 {}
    Ok(raw)
}

fn room(raw: &[u8]) -> u64 {
    u64::try_from((MAX_SECRET + 1).saturating_sub(raw.len())).unwrap_or_default()
}

/// The bytes as text; `None` unless all are visible ASCII, as in every token and client secret (RFC 6749 appendix A).
pub(super) fn visible(bytes: &[u8]) -> Option<&str> {
    let visible = bytes.iter().all(u8::is_ascii_graphic);
    str::from_utf8(bytes).ok().filter(|_| visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn from_file(content: &[u8]) -> Result<Secret, SecretError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        SecretSource::File(file.path().to_owned()).read().await
    }

    #[tokio::test]
    async fn a_file_is_trimmed_and_checked() {
        assert_eq!(from_file(b" s3cret~\r\n").await.unwrap().expose(), "s3cret~");
        assert_eq!(from_file(b"\n\t ").await, Err(SecretError::Empty));
        assert_eq!(from_file(b"\xef\xbb\xbfs3cret~\r\n").await.unwrap().expose(), "s3cret~");
        assert_eq!(from_file(b"\xef\xbb\xbf\n").await, Err(SecretError::Empty));
        for odd in [&b"two words"[..], b"a\0b", b"a\nb", b"caf\xc3\xa9", b"a\xef\xbb\xbfb", b"\xff\xfea\0"] {
            assert_eq!(from_file(odd).await, Err(SecretError::Characters), "{odd:?}");
        }
    }

    #[tokio::test]
    async fn the_length_is_bounded_to_the_byte() {
        assert_eq!(from_file(&[b'a'; MAX_SECRET]).await.unwrap().expose().len(), MAX_SECRET);
        assert_eq!(from_file(&[b'a'; MAX_SECRET + 1]).await, Err(SecretError::TooLong));
    }

    #[tokio::test]
    async fn a_missing_secret_is_named_by_its_kind() {
        let nowhere = SecretSource::File("/nonexistent/secret".into());
        assert_eq!(nowhere.read().await, Err(SecretError::Unreadable(io::ErrorKind::NotFound)));
        assert_eq!(SecretSource::Env("GLASSINE_NO_SUCH".into()).read().await, Err(SecretError::Unset));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".into())), "Secret(..)");
    }
}
