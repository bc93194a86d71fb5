//! Entra's errors by their numbers, `AADSTS…`: the one list of what each means. What to do about a meaning depends on who is
//! asked: an operator (`upstream`, `doctor`) or an administrator in a browser (`connect`).
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

/// Why Entra refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The person's account is in another directory.
    AccountElsewhere,
    /// The account is not in the tenant.
    AccountUnknown,
    /// The application is disabled in the tenant.
    ApplicationDisabled,
    /// The application is not in the tenant.
    ApplicationUnknown,
    /// The person asked an administrator for the consent, who has not decided yet.
    ApprovalPending,
    /// The assertion is not valid now.
    AssertionNotNow,
    /// The application has no such certificate.
    CertificateUnknown,
    /// Two consents created the enterprise application at once, or it was deleted some minutes ago: its name is taken
    /// (<https://www.veeam.com/kb4871>).
    ConsentCollided,
    /// Nobody consented to the application's permissions.
    ConsentMissing,
    /// The request has no credential.
    CredentialMissing,
    /// The person pressed *Cancel*.
    Declined,
    /// No federated credential of the application has this audience.
    FederatedAudience,
    /// No federated credential of the application has this issuer.
    FederatedIssuer,
    /// No federated credential of the application fits the token.
    FederatedNone,
    /// No federated credential of the application has this subject.
    FederatedSubject,
    /// Only an administrator may consent.
    NotAdministrator,
    /// The person may not use the application.
    NotAssigned,
    /// The application registration's permissions cannot be granted.
    Permissions,
    /// A policy of the organisation blocks the sign-in.
    Policy,
    /// The application registration lacks the redirect URI.
    RedirectUri,
    /// Graph is not known in the tenant.
    ResourceUnknown,
    /// The scope is wrong.
    Scope,
    /// The application registration lacks the delegated permission with which people sign in.
    SignInPermission,
    /// The client secret has expired.
    SecretExpired,
    /// The client secret is wrong.
    SecretWrong,
    /// The tenant is neither an id nor a domain.
    TenantMalformed,
    /// The tenant does not exist.
    TenantUnknown,
    /// The application, or everybody in the tenant together, sent too many requests.
    TooOften,
    /// Entra has a problem that passes.
    Unavailable,
}

const NUMBERS: &[(u32, Meaning)] = &[
    (50_011, Meaning::RedirectUri),
    (50_020, Meaning::AccountElsewhere),
    (50_034, Meaning::AccountUnknown),
    (50_053, Meaning::Policy),
    (50_076, Meaning::Policy),
    (50_079, Meaning::Policy),
    (50_105, Meaning::NotAssigned),
    (50_177, Meaning::AccountElsewhere),
    (50_196, Meaning::TooOften),
    (53_000, Meaning::Policy),
    (53_003, Meaning::Policy),
    (65_001, Meaning::ConsentMissing),
    (65_004, Meaning::Declined),
    (65_005, Meaning::Permissions),
    (70_011, Meaning::Scope),
    (70_021, Meaning::FederatedNone),
    (90_002, Meaning::TenantUnknown),
    (90_008, Meaning::SignInPermission),
    (90_024, Meaning::Unavailable),
    (90_033, Meaning::Unavailable),
    (90_055, Meaning::TooOften),
    (90_072, Meaning::AccountElsewhere),
    (90_093, Meaning::NotAdministrator),
    (90_094, Meaning::NotAdministrator),
    (90_095, Meaning::ApprovalPending),
    (500_011, Meaning::ResourceUnknown),
    (500_113, Meaning::RedirectUri),
    (650_051, Meaning::ConsentCollided),
    (650_052, Meaning::Permissions),
    (650_053, Meaning::Permissions),
    (650_056, Meaning::Permissions),
    (700_016, Meaning::ApplicationUnknown),
    (700_024, Meaning::AssertionNotNow),
    (700_027, Meaning::CertificateUnknown),
    (700_211, Meaning::FederatedIssuer),
    (700_212, Meaning::FederatedAudience),
    (700_213, Meaning::FederatedSubject),
    (900_023, Meaning::TenantMalformed),
    (900_941, Meaning::NotAdministrator),
    (7_000_112, Meaning::ApplicationDisabled),
    (7_000_215, Meaning::SecretWrong),
    (7_000_216, Meaning::CredentialMissing),
    (7_000_218, Meaning::CredentialMissing),
    (7_000_222, Meaning::SecretExpired),
];

impl Meaning {
    /// What a number means, if this list has it.
    pub(crate) fn of(number: u32) -> Option<Self> {
        NUMBERS.iter().find(|(known, _)| *known == number).map(|(_, meaning)| *meaning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_sorted_without_duplicates() {
        assert!(NUMBERS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(Meaning::of(70_021), Some(Meaning::FederatedNone));
        assert_eq!(Meaning::of(1), None);
    }
}
