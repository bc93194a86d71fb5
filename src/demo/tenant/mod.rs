//! The embedded sample tenant: a small, faithful look-alike of Microsoft Graph on a real socket.
//!
//! Some three hundred synthetic people, forty groups and tens of thousands of messages, all made from a seed, with the
//! property sets, id layouts, links, errors and headers that the real service has. It serves what the proxy lets
//! through, and just as much of what it must hide (bodies, `$search`, `$value`, attachments, filters on subjects), so
//! that a leak shows. There is nothing to protect here, and no code of it runs in the proxy itself.
//!
//! ```text
//! http ─▶ route ─▶ people, groups, contacts, settings, folders     the directory: kept
//!           │  └─▶ mailbox ─▶ letters ─▶ messages, prose           the mail: letter numbers kept, messages made when asked
//!           └─▶ odata, filter, paging, delta                       what every collection does
//! ```
//!
//! A letter is sent once; its copies in the author's sent items and the readers' folders share the internetMessageId and
//! the thread GUID, and have their own mailbox's ids.

mod contacts;
mod delta;
mod fault;
mod filter;
mod folders;
mod groups;
mod http;
mod ids;
mod letters;
mod mailbox;
mod messages;
mod odata;
mod paging;
mod people;
mod prose;
mod recipients;
mod rng;
mod route;
mod settings;
mod text;
mod token_endpoint;

use std::collections::HashMap;

pub use self::groups::{Group, GroupKind};
pub use self::http::serve;
pub use self::people::{Account, User};

use self::folders::{Counts, Folder, Slot};
use self::mailbox::Entry;
use self::messages::{Message, View};
use self::people::External;
use self::rng::Rng;

/// The sample tenant: equal seeds give equal tenants.
pub struct Tenant {
    directory: Directory,
    mailboxes: Vec<Vec<Entry>>,
    /// Places of users by lower-case object id and user principal name.
    keys: HashMap<String, usize>,
    id: String,
    client_id: String,
    client_secret: String,
    access_token: String,
    bearer_required: bool,
}

/// Everybody there is.
struct Directory {
    seed: u64,
    users: Vec<User>,
    groups: Vec<Group>,
    externals: Vec<External>,
    /// Places of the users that write letters.
    staff: Vec<usize>,
}

/// One account's mail.
struct Mailbox<'a> {
    tenant: &'a Tenant,
    owner: &'a User,
    entries: &'a [Entry],
}

impl Tenant {
    /// The tenant of this seed. Takes some milliseconds: who got which letter is worked out here.
    pub fn new(seed: u64) -> Tenant {
        let directory = Directory::new(seed);
        let mut rng = Rng::of(seed, "tenant", &[]);
        let (id, client_id) = (rng.guid(), rng.guid());
        let by_id = directory.users.iter().map(|user| (user.id().to_lowercase(), user.index));
        let by_name =
            directory.users.iter().map(|user| (user.user_principal_name().to_lowercase(), user.index));
        Tenant {
            mailboxes: mailbox::index(&directory),
            keys: by_id.chain(by_name).collect(),
            access_token: token_endpoint::issue(seed, &id, &client_id),
            client_secret: format!("sample~{:016x}", rng.draw()),
            bearer_required: false,
            directory,
            id,
            client_id,
        }
    }

    /// Requires this bearer token on every Graph request (and lets the token endpoint issue it).
    #[must_use]
    pub fn require_bearer(self, token: impl Into<String>) -> Tenant {
        Tenant { access_token: token.into(), bearer_required: true, ..self }
    }

    /// The tenant's mail domain.
    pub fn domain(&self) -> &str {
        text::DOMAIN
    }

    /// The tenant's (directory's) id, a GUID.
    pub fn tenant_id(&self) -> &str {
        &self.id
    }

    /// The application id that the token endpoint knows.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The secret that goes with [`Tenant::client_id`]. Synthetic, as everything here.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// The token that the token endpoint issues.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// All accounts, in the order in which `/users` lists them.
    pub fn users(&self) -> &[User] {
        &self.directory.users
    }

    /// All groups, in the order in which `/groups` lists them.
    pub fn groups(&self) -> &[Group] {
        &self.directory.groups
    }

    /// The account with this object id or user principal name, or `id@tenant` as Outlook writes it.
    pub fn user(&self, key: &str) -> Option<&User> {
        let key = key.to_lowercase();
        let bare = key.strip_suffix(&format!("@{}", self.id)).unwrap_or(&key);
        self.keys.get(bare).and_then(|place| self.directory.users.get(*place))
    }

    /// The id of the folder with this well-known name in the user's mailbox.
    pub fn folder_id(&self, user: &User, well_known_name: &str) -> Option<String> {
        let slot = folders::well_known_slot(well_known_name)?;
        user.has_mailbox().then(|| folders::folder_id(&user.key, slot))
    }

    /// The regular ids of the messages in the folder with this well-known name, oldest first.
    pub fn message_ids(&self, user: &User, well_known_name: &str) -> Vec<String> {
        let slot = folders::well_known_slot(well_known_name);
        let mailbox = self.mailbox(user);
        let entries = mailbox.iter().flat_map(|mailbox| mailbox.entries).filter(|it| Some(it.folder) == slot);
        entries.map(|entry| Message::new(self, user, *entry).id(View::default())).collect()
    }

    /// How many messages all mailboxes hold together.
    pub fn message_count(&self) -> usize {
        self.mailboxes.iter().map(Vec::len).sum()
    }

    fn required_bearer(&self) -> Option<&str> {
        self.bearer_required.then_some(self.access_token.as_str())
    }

    fn mailbox<'a>(&'a self, owner: &'a User) -> Option<Mailbox<'a>> {
        let entries = self.mailboxes.get(owner.index).filter(|_| owner.has_mailbox())?;
        Some(Mailbox { tenant: self, owner, entries })
    }
}

impl Directory {
    fn new(seed: u64) -> Directory {
        let externals = people::externals(seed);
        let users = people::users(seed, &externals);
        let groups = groups::groups(seed, &users);
        let staff = users.iter().filter(|user| user.is_staff()).map(|user| user.index).collect();
        Directory { seed, users, groups, externals, staff }
    }
}

impl<'a> Mailbox<'a> {
    fn message(&self, entry: Entry) -> Message<'a> {
        Message::new(self.tenant, self.owner, entry)
    }

    fn folders(&self) -> Vec<Folder> {
        folders::folders(self.tenant.directory.seed, self.owner.index)
    }

    /// What lies in this folder; child folders are not counted here.
    fn counts(&self, slot: Slot) -> Counts {
        let inside: Vec<&Entry> = self.entries.iter().filter(|entry| entry.folder == slot).collect();
        let unread = inside.iter().filter(|entry| !self.message(***entry).is_read()).count();
        Counts { total: inside.len(), unread, children: 0 }
    }
}
