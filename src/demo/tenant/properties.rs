//! The names of the properties that each type has, navigation properties included, as `$select`, `$filter` and `$orderby`
//! may use them. From the metadata documents of Graph (`https://graph.microsoft.com/{v1.0,beta}/$metadata`).

/// The properties of one type, or of several: names separated by white space.
pub(super) struct Properties {
    both: &'static str,
    v1: &'static str,
    beta: &'static str,
    more: &'static [Properties],
}

impl Properties {
    /// Whether the type has this property, in any letter case. Customers' own properties begin with `extension`.
    pub(super) fn has(&self, name: &str, beta: bool) -> bool {
        let version = if beta { self.beta } else { self.v1 };
        let mut known = self.both.split_whitespace().chain(version.split_whitespace());
        known.any(|known| known.eq_ignore_ascii_case(name))
            || name.starts_with("extension")
            || self.more.iter().any(|more| more.has(name, beta))
    }
}

/// `microsoft.graph.contact`.
pub(super) const CONTACT: Properties = Properties {
    both: "assistantName birthday categories changeKey children companyName createdDateTime department \
           displayName emailAddresses extensions fileAs generation givenName id imAddresses initials \
           jobTitle lastModifiedDateTime manager middleName multiValueExtendedProperties nickName \
           officeLocation parentFolderId personalNotes photo primaryEmailAddress profession \
           secondaryEmailAddress singleValueExtendedProperties spouseName surname tertiaryEmailAddress \
           title yomiCompanyName yomiGivenName yomiSurname",
    v1: "businessAddress businessHomePage businessPhones homeAddress homePhones mobilePhone \
           otherAddress",
    beta: "flag gender isFavorite phones postalAddresses websites weddingAnniversary",
    more: &[],
};

/// `microsoft.graph.contactFolder`.
pub(super) const CONTACT_FOLDER: Properties = Properties {
    both: "childFolders contacts displayName id multiValueExtendedProperties parentFolderId \
           singleValueExtendedProperties",
    v1: "",
    beta: "wellKnownName",
    more: &[],
};

/// `microsoft.graph.group`.
pub(super) const GROUP: Properties = Properties {
    both: "acceptedSenders accessType allowExternalSenders appRoleAssignments assignedLabels \
           assignedLicenses autoSubscribeNewMembers calendar calendarView classification conversations \
           createdDateTime createdOnBehalfOf creationOptions deletedDateTime description displayName \
           drive drives events expirationDateTime extensions groupLifecyclePolicies groupTypes \
           hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients id infoCatalogs \
           isArchived isAssignableToRole isFavorite isManagementRestricted isSubscribedByMail \
           licenseProcessingState mail mailEnabled mailNickname memberOf members membersWithLicenseErrors \
           membershipRule membershipRuleProcessingState onPremisesDomainName \
           onPremisesExtensionAttributes onPremisesLastSyncDateTime onPremisesNetBiosName \
           onPremisesProvisioningErrors onPremisesSamAccountName onPremisesSecurityIdentifier \
           onPremisesSyncBehavior onPremisesSyncEnabled onenote organizationId owners permissionGrants \
           photo photos planner preferredDataLocation preferredLanguage proxyAddresses rejectedSenders \
           renewedDateTime resourceBehaviorOptions resourceProvisioningOptions securityEnabled \
           securityIdentifier serviceProvisioningErrors settings sites team theme threads \
           transitiveMemberOf transitiveMembers uniqueName unseenConversationsCount unseenCount \
           unseenMessagesCount visibility welcomeMessageEnabled",
    v1: "",
    beta: "cloudLicensing createdByAppId endpoints membershipRuleProcessingStatus writebackConfiguration",
    more: &[],
};

/// `microsoft.graph.mailFolder`. `sizeInBytes` is in responses, and not in the published schema.
pub(super) const MAIL_FOLDER: Properties = Properties {
    both: "childFolderCount childFolders displayName id isHidden messageRules messages \
           multiValueExtendedProperties parentFolderId singleValueExtendedProperties sizeInBytes \
           totalItemCount unreadItemCount",
    v1: "",
    beta: "operations userConfigurations wellKnownName",
    more: &[],
};

/// `microsoft.graph.mailboxSettings`.
pub(super) const MAILBOX_SETTINGS: Properties = Properties {
    both: "archiveFolder automaticRepliesSetting dateFormat delegateMeetingMessageDeliveryOptions \
           language timeFormat timeZone userPurpose workingHours",
    v1: "",
    beta: "userPurposeV2",
    more: &[],
};

/// `microsoft.graph.message`.
pub(super) const MESSAGE: Properties = Properties {
    both: "attachments bccRecipients body bodyPreview categories ccRecipients changeKey conversationId \
           conversationIndex createdDateTime extensions flag from hasAttachments id importance \
           inferenceClassification internetMessageHeaders internetMessageId isDeliveryReceiptRequested \
           isDraft isRead isReadReceiptRequested lastModifiedDateTime multiValueExtendedProperties \
           parentFolderId receivedDateTime replyTo sender sentDateTime singleValueExtendedProperties \
           subject toRecipients uniqueBody webLink",
    v1: "",
    beta: "mentions mentionsPreview unsubscribeData unsubscribeEnabled",
    more: &[],
};

/// `microsoft.graph.organization`.
pub(super) const ORGANIZATION: Properties = Properties {
    both: "assignedPlans branding businessPhones certificateBasedAuthConfiguration city country \
           countryLetterCode createdDateTime defaultUsageLocation deletedDateTime displayName extensions \
           id marketingNotificationEmails mobileDeviceManagementAuthority onPremisesLastSyncDateTime \
           onPremisesSyncEnabled partnerTenantType postalCode preferredLanguage privacyProfile \
           provisionedPlans securityComplianceNotificationMails securityComplianceNotificationPhones \
           state street technicalNotificationMails tenantType verifiedDomains",
    v1: "",
    beta: "certificateConnectorSetting directorySizeQuota isMultipleDataLocationsForServicesEnabled \
           onPremisesLastPasswordSyncDateTime partnerInformation settings",
    more: &[],
};

/// `microsoft.graph.user`.
pub(super) const USER: Properties = Properties {
    both: "aboutMe accountEnabled activities adhocCalls ageGroup agreementAcceptances appRoleAssignments \
           assignedLicenses assignedPlans authentication authorizationInfo birthday businessPhones \
           calendar calendarGroups calendarView calendars chats city cloudClipboard cloudPCs companyName \
           consentProvidedForMinor contactFolders contacts country createdDateTime createdObjects \
           creationType customSecurityAttributes dataSecurityAndGovernance deletedDateTime department \
           deviceEnrollmentLimit deviceManagementTroubleshootingEvents directReports displayName drive \
           drives employeeExperience employeeHireDate employeeId employeeLeaveDateTime employeeOrgData \
           employeeType events extensions externalUserState externalUserStateChangeDateTime faxNumber \
           followedSites givenName hireDate id identities identityParentId imAddresses \
           inferenceClassification insights interests isManagementRestricted isResourceAccount jobTitle \
           joinedTeams lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates \
           licenseDetails mail mailFolders mailNickname mailboxSettings managedAppRegistrations \
           managedDevices manager memberOf messages mobilePhone mySite oauth2PermissionGrants \
           officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes \
           onPremisesImmutableId onPremisesLastSyncDateTime onPremisesProvisioningErrors \
           onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncBehavior \
           onPremisesSyncEnabled onPremisesUserPrincipalName onenote onlineMeetings otherMails outlook \
           ownedDevices ownedObjects passwordPolicies passwordProfile pastProjects people \
           permissionGrants photo photos planner postalCode preferredDataLocation preferredLanguage \
           preferredName presence print provisionedPlans proxyAddresses registeredDevices \
           responsibilities schools scopedRoleMemberOf securityIdentifier serviceProvisioningErrors \
           settings showInAddressList signInActivity signInSessionsValidFromDateTime skills solutions \
           sponsorOf sponsors state streetAddress surname teamwork todo transitiveMemberOf usageLocation \
           userPrincipalName userType",
    v1: "",
    beta: "analytics appConsentRequestsForApproval appRoleAssignedResources approvals cloudLicensing \
           cloudPcPools cloudRealtimeCommunicationInfo communications deviceEnrollmentConfigurations \
           deviceKeys devices distributionLists identityGovernance infoCatalogs informationProtection \
           invitedBy isLicenseReconciliationNeeded joinedGroups managedAppLogCollectionRequests \
           mobileAppIntentAndStates mobileAppTroubleshootingEvents notifications onPremisesSipInfo \
           pendingAccessReviewInstances profile refreshTokensValidFromDateTime security transitiveReports \
           usageRights virtualEvents windowsInformationProtectionDeviceRegistrations",
    more: &[],
};

/// All that a collection of users and groups can have.
pub(super) const USER_OR_GROUP: Properties = Properties { both: "", v1: "", beta: "", more: &[USER, GROUP] };

#[cfg(test)]
mod tests {
    use super::{CONTACT, MAIL_FOLDER, USER};

    #[test]
    fn versions_have_properties_of_their_own() {
        assert!(USER.has("AccountEnabled", false) && !USER.has("nickname", false));
        assert!(MAIL_FOLDER.has("wellKnownName", true) && !MAIL_FOLDER.has("wellKnownName", false));
        assert!(CONTACT.has("homePhones", false) && !CONTACT.has("homePhones", true));
        assert!(USER.has("extension_0a1b_costCenter", false));
    }
}
