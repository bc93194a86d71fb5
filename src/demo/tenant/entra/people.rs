//! The people who can sign in: one of each kind that matters to an application.

use crate::demo::tenant::people::{Account, User};
use crate::demo::tenant::rng::Rng;

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub(super) id: String,
    pub(super) object_id: String,
    pub(super) name: String,
    pub(super) user_name: String,
    pub(super) tenant_id: String,
    /// The description on the sign-in page.
    pub(super) role: &'static str,
    pub(super) is_administrator: bool,
}

impl Person {
    /// The id in the sample tenant's directory, which the form of the sign-in page sends.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `oid` in id_tokens: the id in the person's home directory.
    pub fn object_id(&self) -> &str {
        &self.object_id
    }

    /// The display name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The sign-in name.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// `tid` in id_tokens: the person's home directory.
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }

    /// Whether the person may consent for the organisation.
    pub fn is_administrator(&self) -> bool {
        self.is_administrator
    }
}

/// An administrator, an ordinary user, and a guest with an account in another directory.
pub(super) fn people(seed: u64, tenant_id: &str, users: &[User]) -> Vec<Person> {
    let mut staff = users.iter().filter(|user| user.is_staff() && user.is_enabled());
    let guest = users.iter().find(|user| user.account() == Account::Guest && user.is_enabled());
    let own = |user: &User, role, is_administrator| Person {
        id: user.id().to_owned(),
        object_id: user.id().to_owned(),
        name: user.display_name().to_owned(),
        user_name: user.user_principal_name().to_owned(),
        tenant_id: tenant_id.to_owned(),
        role,
        is_administrator,
    };
    let administrator = staff.next().map(|user| own(user, "Global Administrator", true));
    let ordinary = staff.next().map(|user| own(user, "User", false));
    let mut rng = Rng::of(seed, "home tenant", &[]);
    let guest = guest.map(|user| Person {
        object_id: rng.guid(),
        tenant_id: rng.guid(),
        user_name: user.mail().unwrap_or_default().to_owned(),
        ..own(user, "Guest, of another organisation", false)
    });
    administrator.into_iter().chain(ordinary).chain(guest).collect()
}
