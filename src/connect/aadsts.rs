//! Entra's errors, by the codes in its `error_description`. The description holds names, ids and times, and anybody can
//! put one into a link. So the proxy searches it for a known code and never repeats it.

use crate::aadsts::Meaning;

/// Why Entra refused a sign-in or a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The person pressed *Cancel*.
    Declined,
    /// The person may not consent for the organisation.
    NotAdministrator,
    /// The person asked an administrator for the consent, who has not decided yet.
    ApprovalPending,
    /// Entra wants fewer requests, or has a problem.
    Busy,
    /// Another consent is under way, or was undone some minutes ago.
    Collided,
    /// The app registration lacks the permission with which people sign in.
    SignInPermission,
    /// The person's account is in another directory.
    OtherDirectory,
    /// The person may not use the application.
    NotAssigned,
    /// A policy of the organisation blocks the sign-in.
    Policy,
    /// The app registration lacks the redirect URI.
    RedirectUri,
    /// The app registration is not in this directory, or is disabled.
    Application,
    /// The app registration's permissions cannot be granted.
    Permissions,
    /// Something else.
    Other,
}

impl Refused {
    /// Reads the parameter `error` and the still percent-encoded parameter `error_description`.
    pub(super) fn of(error: &str, description: &str) -> Self {
        match code(description).and_then(Meaning::of).and_then(Self::by) {
            Some(refused) => refused,
            // `permission_denied`: the administrator cancelled
            // (<https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>).
            None if ["access_denied", "consent_required", "permission_denied"].contains(&error) => {
                Self::Declined
            }
            // Both: "Retry the request"
            // (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#error-codes-for-authorization-endpoint-errors>).
            None if ["server_error", "temporarily_unavailable"].contains(&error) => Self::Busy,
            None => Self::Other,
        }
    }

    /// `None` for what is nothing to a person in a browser.
    fn by(meaning: Meaning) -> Option<Self> {
        Some(match meaning {
            Meaning::AccountElsewhere => Self::OtherDirectory,
            Meaning::ApplicationDisabled | Meaning::ApplicationUnknown => Self::Application,
            Meaning::ApprovalPending => Self::ApprovalPending,
            Meaning::TooOften | Meaning::Unavailable => Self::Busy,
            Meaning::ConsentCollided => Self::Collided,
            Meaning::ConsentMissing | Meaning::NotAdministrator => Self::NotAdministrator,
            Meaning::Declined => Self::Declined,
            Meaning::NotAssigned => Self::NotAssigned,
            Meaning::Permissions | Meaning::ResourceUnknown => Self::Permissions,
            Meaning::Policy => Self::Policy,
            Meaning::RedirectUri => Self::RedirectUri,
            Meaning::SignInPermission => Self::SignInPermission,
            Meaning::AccountUnknown
            | Meaning::AssertionNotNow
            | Meaning::CertificateUnknown
            | Meaning::CredentialMissing
            | Meaning::FederatedAudience
            | Meaning::FederatedIssuer
            | Meaning::FederatedNone
            | Meaning::FederatedSubject
            | Meaning::Scope
            | Meaning::SecretExpired
            | Meaning::SecretWrong
            | Meaning::TenantMalformed
            | Meaning::TenantUnknown => return None,
        })
    }
}

/// The first `AADSTS` number. Percent-encoding changes neither letters nor digits.
fn code(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(9).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_what_entra_writes() {
        let description = "AADSTS65004%3a+User+declined+to+consent+to+access+the+app.%0d%0aTrace+ID%3a+0";
        assert_eq!(Refused::of("access_denied", description), Refused::Declined);
        assert_eq!(
            Refused::of("access_denied", "AADSTS90094: Admin consent is required"),
            Refused::NotAdministrator
        );
        assert_eq!(Refused::of("access_denied", "no code"), Refused::Declined);
        assert_eq!(Refused::of("invalid_resource", "AADSTS99999999999999999999"), Refused::Other);
        assert_eq!(Refused::of("<script>", ""), Refused::Other);
        assert_eq!(Refused::of("permission_denied", "The+admin+canceled+the+request"), Refused::Declined);
        assert_eq!(Refused::of("temporarily_unavailable", ""), Refused::Busy);
        assert_eq!(Refused::of("server_error", "AADSTS50000: There is an issue"), Refused::Busy);
        for (number, expected) in [
            ("90095", Refused::ApprovalPending),
            ("90008", Refused::SignInPermission),
            ("650051", Refused::Collided),
            ("50196", Refused::Busy),
            ("90033", Refused::Busy),
        ] {
            assert_eq!(Refused::of("access_denied", &format!("AADSTS{number}: x")), expected, "{number}");
        }
    }
}
