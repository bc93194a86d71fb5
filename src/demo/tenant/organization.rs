//! The tenant itself: `/organization`.

use serde_json::{Value, json};

use super::Tenant;
use super::odata::Shape;
use super::properties;
use super::text;

/// What `$select` does to the organisation.
pub(super) const SHAPE: Shape = Shape {
    type_name: "microsoft.graph.organization",
    default: None,
    select_only: &[],
    always: &[],
    properties: &properties::ORGANIZATION,
};

/// All properties of the organisation.
pub(super) fn organization(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.tenant_id(),
        "deletedDateTime": Value::Null,
        "businessPhones": ["+49 40 555 0100"],
        "city": "Hamburg",
        "country": Value::Null,
        "countryLetterCode": "DE",
        "createdDateTime": "2017-03-14T09:12:44Z",
        "defaultUsageLocation": Value::Null,
        "displayName": text::ORGANIZATION,
        "marketingNotificationEmails": [],
        "onPremisesLastSyncDateTime": Value::Null,
        "onPremisesSyncEnabled": Value::Null,
        "partnerTenantType": Value::Null,
        "postalCode": "20457",
        "preferredLanguage": "en",
        "privacyProfile": Value::Null,
        "securityComplianceNotificationMails": [],
        "securityComplianceNotificationPhones": [],
        "state": Value::Null,
        "street": "Kehrwieder 9",
        "technicalNotificationMails": [format!("it-helpdesk@{}", text::DOMAIN)],
        "tenantType": "AAD",
        "assignedPlans": [],
        "provisionedPlans": [],
        "verifiedDomains": [
            domain(text::INITIAL_DOMAIN, true),
            domain(text::DOMAIN, false),
        ],
    })
}

fn domain(name: &str, initial: bool) -> Value {
    json!({
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": !initial,
        "isInitial": initial,
        "name": name,
        "type": "Managed",
    })
}
