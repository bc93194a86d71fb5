//! Entra's errors, by the codes in its `error_description`. The description holds names, ids and times, and anybody can
//! put one into a link. So the proxy searches it for a known code and never repeats it.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

/// Why Entra refused a sign-in or a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The person pressed *Cancel*.
    Declined,
    /// The person may not consent for the organisation.
    NotAdministrator,
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

const CODES: &[(u32, Refused)] = &[
    (50_011, Refused::RedirectUri),
    (50_020, Refused::OtherDirectory),
    (50_053, Refused::Policy),
    (50_076, Refused::Policy),
    (50_079, Refused::Policy),
    (50_105, Refused::NotAssigned),
    (50_177, Refused::OtherDirectory),
    (53_000, Refused::Policy),
    (53_003, Refused::Policy),
    (65_001, Refused::NotAdministrator),
    (65_004, Refused::Declined),
    (65_005, Refused::Permissions),
    (90_072, Refused::OtherDirectory),
    (90_093, Refused::NotAdministrator),
    (90_094, Refused::NotAdministrator),
    (500_011, Refused::Permissions),
    (500_113, Refused::RedirectUri),
    (650_052, Refused::Permissions),
    (650_053, Refused::Permissions),
    (650_056, Refused::Permissions),
    (700_016, Refused::Application),
    (900_941, Refused::NotAdministrator),
    (7_000_112, Refused::Application),
];

impl Refused {
    /// Reads the parameter `error` and the still percent-encoded parameter `error_description`.
    pub(super) fn of(error: &str, description: &str) -> Self {
        let known = code(description).and_then(|code| CODES.iter().find(|(known, _)| *known == code));
        match known {
            Some((_, refused)) => *refused,
            None if error == "access_denied" || error == "consent_required" => Self::Declined,
            None => Self::Other,
        }
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
        assert_eq!(Refused::of("server_error", "AADSTS99999999999999999999"), Refused::Other);
        assert_eq!(Refused::of("<script>", ""), Refused::Other);
    }

    #[test]
    fn the_codes_are_sorted_without_duplicates() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
