//! The outcome of each connection: a small JSON file that is always replaced as a whole, and that only the proxy's
//! account can read.
//!
//! The file has names from the operator's files, permissions, times and a pseudonym of the tenant, but no names of
//! people. Replicas share a file or have one each; then a replica shows what its own last check saw. Only Entra knows the true
//! state.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::file_system::{Look, folder_of, replace};

/// Ample: each consumer takes a few hundred bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The version of the file's format.
const VERSION: u32 = 1;

/// What the last check of a connection saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    /// The name of the connector in the rules at that time.
    pub(super) connector: String,
    /// The state of the connection.
    pub(super) state: ConnectionState,
    /// When a check first saw this state: RFC 3339, UTC.
    pub(super) since: String,
    /// The consumer's pseudonym for the tenant.
    pub(super) tenant: String,
    /// Needed permissions that were not granted.
    #[serde(default)]
    pub(super) missing: Vec<String>,
    /// Granted permissions that were not needed.
    #[serde(default)]
    pub(super) excess: Vec<String>,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ConnectionState {
    /// Exactly what the rules need was granted.
    Connected,
    /// What the rules need was granted, and more.
    OverPrivileged,
    /// Something that the rules need was not granted.
    ConsentMissing,
    /// Requests succeed. What is granted cannot be read.
    GrantedUnverified,
}

impl ConnectionState {
    /// The name of the state in the file, the audit log and the result.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::OverPrivileged => "over_privileged",
            Self::ConsentMissing => "consent_missing",
            Self::GrantedUnverified => "granted_unverified",
        }
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// The file cannot be read or written.
    #[error("the file of connections cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The folder of the file does not exist.
    #[error("the folder of the file of connections does not exist: create {}, writable by this program", .0.display())]
    Folder(PathBuf),
    /// The task that writes the file was stopped: the program is about to end.
    #[error("the file of connections was not written: the program is about to end")]
    Interrupted,
    /// The file was not written by this program, or by another version of it.
    #[error("this is not a file of connections: name a new one, or move this one away")]
    Form,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    connections: BTreeMap<String, Connection>,
}

/// The file and what is in it. Several replicas may share the file.
pub(super) struct Store {
    path: PathBuf,
    held: Mutex<Held>,
}

/// What was in the file when it was last read or written.
struct Held {
    connections: BTreeMap<String, Connection>,
    look: Option<Look>,
}

impl Store {
    /// Reads the file. A missing file counts as empty, but its folder has to be there: an administrator should not be the
    /// first to learn that the result of a consent cannot be stored.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let held = Held::read(path)?;
        if held.look.is_none() {
            existing_folder_of(path)?;
        }
        Ok(Self { path: path.to_owned(), held: Mutex::new(held) })
    }

    /// The last known state of a consumer's connection with this connector, perhaps written by another replica.
    pub(super) fn get(&self, consumer: &str, connector: &str) -> Option<Connection> {
        let mut held = self.lock();
        // A file that cannot be read now hides nothing that was known before.
        if let Err(error) = held.refresh(&self.path) {
            tracing::warn!(%error, "the file of connections cannot be read; the pages show what it said before");
        }
        held.connections.get(consumer).filter(|it| it.connector == connector).cloned()
    }

    /// Stores a connection, beside those that other replicas stored. If nothing changed, the connection keeps its date. Waits
    /// for the disk.
    pub(super) fn put(&self, consumer: &str, mut connection: Connection) -> Result<Connection, StoreError> {
        let mut held = self.lock();
        let _alone = alone(&self.path)?;
        // Not by a look: a network file system shows what another replica wrote only to who opens the file.
        *held = Held::read(&self.path)?;
        if let Some(before) = held.connections.get(consumer) {
            let dated = Connection { since: before.since.clone(), ..connection.clone() };
            if dated == *before {
                connection = dated;
            }
        }
        let mut all = held.connections.clone();
        all.insert(consumer.to_owned(), connection.clone());
        let contents = Contents { version: VERSION, connections: all.clone() };
        replace(&self.path, &serde_json::to_vec_pretty(&contents).map_err(|_| StoreError::Form)?)?;
        *held = Held { connections: all, look: Look::at(&self.path) };
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn read(path: &Path) -> Result<Self, StoreError> {
        // Before the file is read: a change in between is seen the next time.
        let look = Look::at(path);
        let connections = match File::open(path) {
            Ok(file) => read(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { connections, look })
    }

    /// Reads the file again if another replica has replaced it.
    fn refresh(&mut self, path: &Path) -> Result<(), StoreError> {
        if Look::at(path) != self.look {
            *self = Self::read(path)?;
        }
        Ok(())
    }
}

/// Keeps other replicas from writing the file meanwhile, by a lock on a file beside it, which stays. A lock on the file itself
/// would be on the one that is replaced, and one on the folder would not leave this machine: the file systems of networks lock
/// files only (`nfs_dir_operations` of Linux has no `flock`). `None` on a file system without locks, on which replicas must not
/// share the file.
fn alone(path: &Path) -> Result<Option<File>, StoreError> {
    existing_folder_of(path)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    let lock =
        options.write(true).create(true).truncate(false).mode(0o600).open(path.with_file_name(name))?;
    Ok(lock.lock().is_ok().then_some(lock))
}

/// The file's folder, which has to exist.
fn existing_folder_of(file: &Path) -> Result<&Path, StoreError> {
    let folder = folder_of(file);
    if folder.is_dir() { Ok(folder) } else { Err(StoreError::Folder(folder.to_owned())) }
}

fn read(file: File) -> Result<BTreeMap<String, Connection>, StoreError> {
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text)?;
    let contents: Contents = serde_json::from_str(&text).map_err(|_| StoreError::Form)?;
    if contents.version == VERSION { Ok(contents.connections) } else { Err(StoreError::Form) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn connection(state: ConnectionState, since: &str) -> Connection {
        Connection {
            connector: "mail".to_owned(),
            state,
            since: since.to_owned(),
            tenant: "t~x".to_owned(),
            missing: Vec::new(),
            excess: Vec::new(),
        }
    }

    #[test]
    fn a_connection_is_kept_with_its_first_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connections.json");
        let store = Store::open(&path).unwrap();
        assert_eq!(store.get("acme", "mail"), None);
        store.put("acme", connection(ConnectionState::Connected, "2026-01-01T00:00:00Z")).unwrap();
        let again =
            store.put("acme", connection(ConnectionState::Connected, "2026-02-01T00:00:00Z")).unwrap();
        assert_eq!(again.since, "2026-01-01T00:00:00Z");
        let worse =
            store.put("acme", connection(ConnectionState::ConsentMissing, "2026-03-01T00:00:00Z")).unwrap();
        assert_eq!(worse.since, "2026-03-01T00:00:00Z");
        let reopened = Store::open(&path).unwrap();
        assert_eq!(reopened.get("acme", "mail"), Some(worse));
        assert_eq!(reopened.get("acme", "another-connector"), None);
        assert_eq!(reopened.get("other", "mail"), None);
    }

    #[test]
    fn replicas_that_share_the_file_see_and_keep_each_others_connections() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connections.json");
        let (one, other) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let connected = connection(ConnectionState::Connected, "2026-01-01T00:00:00Z");
        let missing = connection(ConnectionState::ConsentMissing, "2026-01-02T00:00:00Z");
        one.put("acme", connected.clone()).unwrap();
        assert_eq!(other.get("acme", "mail"), Some(connected.clone()));
        other.put("zeta", missing.clone()).unwrap();
        assert_eq!((one.get("zeta", "mail"), one.get("acme", "mail")), (Some(missing), Some(connected)));
        let again =
            one.put("zeta", connection(ConnectionState::ConsentMissing, "2026-01-03T00:00:00Z")).unwrap();
        assert_eq!(again.since, "2026-01-02T00:00:00Z", "the date is the other replica's");
        std::fs::write(&path, "no file of connections").unwrap();
        assert!(one.get("zeta", "mail").is_some(), "what was known stays");
        assert!(one.put("zeta", again).is_err(), "and a foreign file is not overwritten");
    }

    #[test]
    fn replicas_that_write_at_the_same_time_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connections.json");
        std::thread::scope(|scope| {
            for replica in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let store = Store::open(path).unwrap();
                    for at in 0..10 {
                        let name = format!("consumer-{replica}-{at}");
                        store.put(&name, connection(ConnectionState::Connected, "x")).unwrap();
                    }
                });
            }
        });
        let store = Store::open(&path).unwrap();
        assert_eq!(store.lock().connections.len(), 40);
    }

    /// Fault: two replicas on a network file system write the shared file of connections at once. Outcome: one waits for the other.
    /// Regression: the lock was on the folder, which no network file system locks for other machines.
    #[test]
    fn a_replica_waits_for_the_lock_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connections.json");
        let other = File::create(folder.path().join("connections.json.lock")).unwrap();
        other.lock().unwrap();
        let (store, (done, written)) = (Store::open(&path).unwrap(), mpsc::channel());
        let writing = thread::spawn(move || {
            store.put("acme", connection(ConnectionState::Connected, "x")).unwrap();
            done.send(()).unwrap();
        });
        assert!(written.recv_timeout(Duration::from_millis(100)).is_err(), "the other replica is not done");
        assert!(!path.exists());
        other.unlock().unwrap();
        writing.join().unwrap();
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("connections.json");
        Store::open(&path).unwrap().put("acme", connection(ConnectionState::Connected, "x")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["connections.json", "connections.json.lock"]);
    }

    /// Fault: the configured file of connections is a file of something else. Outcome: the file is refused and not changed.
    #[test]
    fn another_file_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.yaml");
        for text in ["version: 1\n", "{\"version\":2,\"connections\":{}}", "{}"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Store::open(&path), Err(StoreError::Form)), "{text}");
        }
    }

    #[test]
    fn a_missing_folder_is_found_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nowhere").join("connections.json");
        let error = Store::open(&file).err().unwrap().to_string();
        assert!(error.contains("nowhere") && error.contains("create"), "{error}");
        std::fs::create_dir(dir.path().join("nowhere")).unwrap();
        assert!(Store::open(&file).is_ok());
    }
}
