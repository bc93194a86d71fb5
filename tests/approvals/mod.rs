//! Approvals as reviewers and operators meet them: `ssh-keygen` signs, the program decides.
//!
//! | file | what |
//! |---|---|
//! | `desk` | a configuration that demands approvals |
//! | `reviewer` | people with keys that `ssh-keygen` made |
//! | `crafted` | signatures that `ssh-keygen` does not make: of security keys without a touch, with SHA-1 |
//! | `counted` | which signatures count |
//! | `refused` | which do not, and what is said about them |
//! | `days` | approvals that expire |
//! | `signers` | what the signers file may say |
//! | `served` | a running proxy: nothing is served that nobody approved |
//! | `walk` | a reviewer's walk, from a change to the record of who let it pass |
//! | `unsigned` | the property: no other statement than the one that was signed is ever served |

mod counted;
mod crafted;
mod days;
mod desk;
mod refused;
pub(crate) mod reviewer;
mod served;
mod signers;
mod unsigned;
mod walk;
