//! The embedded sample tenant: a small, faithful look-alike of Microsoft Graph on a real socket.
//!
//! It has some three hundred synthetic people, forty groups and tens of thousands of messages, all generated from a
//! seed, with the property sets, id layouts, links, errors and headers of Graph. It serves what the proxy lets through,
//! and also what the proxy must hide (bodies, `$search`, `$value`, attachments, filters on subjects), so that tests
//! detect a leak. It has nothing to protect, and the proxy runs none of its code.
//!
//! ```text
//! http ─▶ transport                                               what goes wrong on the way
//!  ├─▶ batch                                                      several requests in one
//!  └─▶ route ─▶ organization, people, groups                      the directory: kept
//!  │     │  └─▶ folders, contacts, settings                       mailboxes: their frame
//!  │     │  └─▶ mailbox ─▶ letters ─▶ messages, headers, prose    the mail: letter numbers kept, messages made when asked
//!  │     ├─▶ odata, properties, paging, page_token, delta         what all collections share
//!  │     └─▶ query ─▶ filter, order, search, directory            what lists may be asked
//!  ├─▶ access                                                     what a bearer token opens
//!  └─▶ entra                                                      who gets a token: applications, sign-in, consent
//! ```
//!
//! A request without a token sees everything, unless the tenant requires tokens. [`Tenant::entra`] is a small
//! look-alike of Microsoft Entra ID on the same socket.
//!
//! A letter is sent once; its copies in the author's sent items and the readers' folders share the internetMessageId and
//! the thread GUID, and have their own mailbox's ids.

mod access;
mod batch;
mod contacts;
mod delta;
mod directory;
mod entra;
mod fault;
mod filter;
mod folders;
mod groups;
mod headers;
mod http;
mod ids;
mod letters;
mod long_tokens;
mod mailbox;
mod messages;
mod odata;
mod order;
mod organization;
mod page_token;
mod paging;
mod people;
mod properties;
mod prose;
mod query;
mod recipients;
mod rng;
mod route;
mod search;
mod settings;
mod text;
mod transport;
mod visits;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ::http::HeaderValue;
use serde_json::Value;

pub use self::entra::{CertificateError, Entra, FederatedCredential, Person, Registration};
pub use self::groups::{Group, GroupKind};
pub use self::http::{serve, serve_connection};
pub use self::people::{Account, User};
pub use self::transport::TransportFault;

use self::access::Access;
use self::fault::Fault;
use self::folders::{Counts, Folder, Slot};
use self::mailbox::Entry;
use self::messages::{Message, View};
use self::people::{External, Hosting};
use self::rng::Rng;
use self::transport::Faults;
use self::visits::{Visit, Visits};

/// The sample tenant. Equal seeds give equal tenants.
pub struct Tenant {
    directory: Directory,
    mailboxes: Vec<Vec<Entry>>,
    /// Places of users by lower-case object id and user principal name.
    keys: HashMap<String, usize>,
    id: String,
    client_id: String,
    client_secret: String,
    entra: Entra,
    bearer_required: bool,
    visits: Option<Arc<Visits>>,
    /// See [`Tenant::with_tokens_of`].
    token_length: usize,
    faults: Faults,
    /// How often the directory has forgotten what its delta tokens stand for.
    resets: AtomicUsize,
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
    /// The tenant of this seed. Takes some milliseconds to compute who got which letter.
    pub fn new(seed: u64) -> Tenant {
        let directory = Directory::new(seed);
        let mut rng = Rng::of(seed, "tenant", &[]);
        let (id, client_id) = (rng.guid(), rng.guid());
        let by_id = directory.users.iter().map(|user| (user.id().to_lowercase(), user.index));
        let by_name =
            directory.users.iter().map(|user| (user.user_principal_name().to_lowercase(), user.index));
        let client_secret = format!("sample~{:016x}", rng.draw());
        Tenant {
            mailboxes: mailbox::index(&directory),
            keys: by_id.chain(by_name).collect(),
            entra: Entra::new(&directory, &id, &client_id, &client_secret),
            bearer_required: false,
            visits: None,
            token_length: 0,
            faults: Faults::new(&[], 1),
            resets: AtomicUsize::new(0),
            directory,
            id,
            client_id,
            client_secret,
        }
    }

    /// Requires a bearer token on every Graph request: one from the token endpoint, or this word, which becomes
    /// [`Tenant::access_token`].
    #[must_use]
    pub fn require_bearer(mut self, token: impl Into<String>) -> Tenant {
        self.entra.accept(token.into());
        self.require_token()
    }

    /// Requires a bearer token from the tenant's Entra on every Graph request.
    #[must_use]
    pub fn require_token(self) -> Tenant {
        Tenant { bearer_required: true, ..self }
    }

    /// Makes every response from a mailbox take this long, and refuses the fifth request at a time in one mailbox, as Exchange
    /// does.
    #[must_use]
    pub fn throttled(self, latency: Duration) -> Tenant {
        Tenant { visits: Some(Visits::new(latency)), ..self }
    }

    /// Makes one of `every` requests to Graph go wrong, in each of these ways in turn.
    #[must_use]
    pub fn unreliable(self, kinds: &[TransportFault], every: u64) -> Tenant {
        Tenant { faults: Faults::new(kinds, every), ..self }
    }

    /// Makes the directory refuse all delta tokens that it made before, as it does after maintenance
    /// (<https://learn.microsoft.com/graph/delta-query-overview#synchronization-reset>).
    pub fn reset_changes(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests were in progress at once in one mailbox, at most. Zero if the tenant is not
    /// [throttled](Tenant::throttled).
    pub fn most_at_once(&self) -> usize {
        self.visits.as_ref().map_or(0, |visits| visits.most())
    }

    /// The tenant's Entra: app registrations, keys, tokens.
    pub fn entra(&self) -> &Entra {
        &self.entra
    }

    /// The tenant's mail domain.
    pub fn domain(&self) -> &str {
        text::DOMAIN
    }

    /// The domain that the tenant began with: of some aliases and of guests' names.
    pub fn initial_domain(&self) -> &str {
        text::INITIAL_DOMAIN
    }

    /// The tenant's (directory's) id, a GUID.
    pub fn tenant_id(&self) -> &str {
        &self.id
    }

    /// The client id of the first application. Those of the connectors are in [`Tenant::entra`].
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret for [`Tenant::client_id`]. Synthetic, like everything here.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// A token of [`Tenant::client_id`] with its first permissions, without a request to the token endpoint.
    pub fn access_token(&self) -> &str {
        self.entra.standing()
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
        let mailbox = self.mailbox(user).ok();
        let entries = mailbox.iter().flat_map(|mailbox| mailbox.entries).filter(|it| Some(it.folder) == slot);
        entries.map(|entry| Message::new(self, user, *entry).id(View::default())).collect()
    }

    /// The access that the `Authorization` field of a request gives. If no token is required, a word that cannot be a
    /// token of this tenant counts as no token, so that a proxy with any word in its token file can be tried on this
    /// tenant.
    fn access(&self, authorization: Option<&HeaderValue>) -> Result<Access, Fault> {
        let token = match authorization.map(bearer) {
            None if self.bearer_required => return Err(Fault::TokenMissing),
            Some(None) if self.bearer_required => return Err(Fault::TokenInvalid),
            None | Some(None) => return Ok(Access::default()),
            Some(Some(token)) => token,
        };
        match self.entra.access(token) {
            None if !self.bearer_required && !looks_issued(token) => Ok(Access::default()),
            None => Err(Fault::TokenInvalid),
            Some(access) => access,
        }
    }

    fn resets(&self) -> usize {
        self.resets.load(Ordering::Relaxed)
    }

    /// Begins a request to `path`, if it is one to a mailbox and the tenant is throttled.
    fn visit(&self, path: &str) -> Result<Option<Visit>, Fault> {
        let Some(visits) = &self.visits else { return Ok(None) };
        let owner = route::mailbox_owner(path).and_then(|key| self.user(&key));
        owner.map(|owner| visits.begin(owner.index)).transpose()
    }

    fn mailbox<'a>(&'a self, owner: &'a User) -> Result<Mailbox<'a>, Fault> {
        match owner.hosting() {
            Hosting::Online => {
                let entries = self.mailboxes.get(owner.index).map(Vec::as_slice).unwrap_or_default();
                Ok(Mailbox { tenant: self, owner, entries })
            }
            Hosting::Elsewhere => Err(Fault::NoMailbox),
            Hosting::Undiscovered => Err(Fault::Undiscovered),
        }
    }
}

/// The token in `Bearer …` (RFC 6750 section 2.1).
fn bearer(field: &HeaderValue) -> Option<&str> {
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Whether a token has the form of this tenant's tokens.
fn looks_issued(token: &str) -> bool {
    token.split('.').count() == 3
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

    fn settings(&self) -> Result<Value, Fault> {
        if self.owner.hides_settings() {
            return Err(Fault::SettingsHidden);
        }
        Ok(settings::settings(self.tenant.directory.seed, self.owner))
    }

    fn folders(&self) -> Vec<Folder> {
        folders::folders(self.tenant.directory.seed, self.owner.index)
    }

    /// The messages in this folder, without those in its child folders.
    fn counts(&self, slot: Slot) -> Counts {
        let inside: Vec<&Entry> = self.entries.iter().filter(|entry| entry.folder == slot).collect();
        let unread = inside.iter().filter(|entry| !self.message(***entry).is_read()).count();
        Counts { total: inside.len(), unread, children: 0 }
    }
}
