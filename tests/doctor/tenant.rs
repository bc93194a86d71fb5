//! Set-ups in front of the sample tenant's Entra.

use glassine::demo::tenant::{Account, User};

use super::*;
use crate::documents::shows_healthy;
use crate::support::glassine::write_private;

impl Clinic {
    /// Members with mailboxes.
    fn staff(&self) -> impl Iterator<Item = &User> {
        self.tenant.users().iter().filter(|user| user.account() == Account::Member && user.has_mailbox())
    }
}

#[tokio::test]
async fn a_healthy_set_up_has_nothing_to_do() {
    let clinic = Clinic::consented().await;
    let findings = examine(&clinic.proxy).await;
    assert_eq!((findings.ran.code, findings.bad()), (Some(0), vec![]), "{:#}", findings.all);
    findings.expect("token", "upstream", "ok", &["with permissions: 5", "ends in "]);
    for permission in ["Mail.ReadBasic.All", "MailboxSettings.Read", "User.Read.All"] {
        findings.expect("permissions", permission, "ok", &["granted"]);
    }
    findings.expect("endpoints", "list-users", "ok", &["200, objects: 10", "accountEnabled"]);
    findings.expect("endpoints", "get-folder-message", "ok", &["200, one object", "receivedDateTime"]);
    findings.expect("endpoints", "own domains", "ok", &["all addresses of "]);
    assert_eq!(findings.of("endpoints").filter(|it| it["outcome"] == "ok").count(), 29 + 1);
    findings.expect("keys", "key ring", "ok", &["keys 1, the newest T 2026-01-01T00:00:00Z"]);
    findings.expect("public_url", "from here", "ok", &["is this proxy"]);
    let text = text_of(&clinic.proxy).await;
    assert_eq!(text.code, Some(0));
    let text = text.fine();
    assert!(text.ends_with(" ok, 0 warn, 0 fail, 6 skip: nothing to do\n"));
    assert!(shows_healthy(&text), "docs/COMMANDS.md shows something else than {text}");
}

/// Members have aliases at the tenant's initial domain, which the configuration forgot.
#[tokio::test]
async fn a_domain_of_members_that_is_not_listed_is_told() {
    let domain = |setup: Setup, domain: &str| Setup { domain: domain.to_owned(), ..setup };
    let clinic = Clinic::with(|setup| domain(setup, "tallgrass.example")).await;
    let findings = examine(&clinic.proxy).await;
    let parts =
        ["users have an address in a domain that `tenant_domains` does not list", "Get-AcceptedDomain"];
    findings.expect("endpoints", "own domains", "warn", &parts);
    assert_eq!((findings.ran.code, findings.bad()), (Some(0), vec!["endpoints own domains".to_owned()]));
    for name in [clinic.tenant.domain(), clinic.tenant.initial_domain()] {
        assert!(!findings.all.to_string().contains(name), "{name}");
    }
    let rules = METADATA_ONLY.replace("keep_listed", "pseudonymize");
    let clinic = Clinic::with(|setup| domain(setup, "tallgrass.example").rules(&rules)).await;
    assert_eq!(
        examine(&clinic.proxy).await.bad(),
        [""; 0],
        "no domain is readable, so none has to be listed"
    );
}

#[tokio::test]
async fn no_finding_contains_data_of_the_tenant() {
    let clinic = Clinic::consented().await;
    clinic.change(|it| it.grant("Mail.ReadWrite"));
    let inside = clinic.staff().next().unwrap().user_principal_name().to_owned();
    let findings = examine_with(&clinic.proxy, &["--mailbox-in", &inside, "--mailbox-out", &inside]).await;
    let everything =
        format!("{}\n{}", findings.all, text_of(&clinic.proxy).await.everything()).to_lowercase();
    let secret = clinic.tenant.entra().registration(APPLICATION).unwrap().client_secret().to_owned();
    let people = clinic.tenant.users().iter().flat_map(|user| {
        [user.id(), user.display_name(), user.user_principal_name(), user.mail().unwrap_or("@@")]
    });
    for personal in people.chain([secret.as_str(), clinic.tenant.domain(), "eyJ", "p~", "t~"]) {
        assert!(!everything.contains(&personal.to_lowercase()), "{personal}");
    }
}

#[tokio::test]
async fn too_much_is_named_with_what_would_be_enough() {
    let clinic = Clinic::consented().await;
    clinic.change(|it| {
        it.revoke("Mail.ReadBasic.All");
        ["Mail.Read", "Group.Read.All", "Contacts.ReadWrite", "Sites.Read.All"]
            .iter()
            .for_each(|name| it.grant(name));
    });
    let findings = examine(&clinic.proxy).await;
    assert_eq!(findings.ran.code, Some(1));
    let fails = |name, parts: &[&str]| findings.expect("permissions", name, "fail", parts);
    fails("Mail.Read", &["Mail.ReadBasic.All is enough", "API permissions", "Remove permission"]);
    fails("Group.Read.All", &["GroupMember.Read.All is enough"]);
    fails("Contacts.ReadWrite", &["can change the tenant"]);
    fails("Sites.Read.All", &["the rules do not need it"]);
    findings.expect("permissions", "Mail.ReadBasic.All", "ok", &["covered by Mail.Read"]);
    findings.expect("permissions", "Contacts.Read", "ok", &["granted"]);
    assert_eq!(findings.bad().len(), 4, "everything works: {:?}", findings.bad());
}

#[tokio::test]
async fn an_alternative_that_the_rules_accept_is_a_warning() {
    let rules =
        METADATA_ONLY.replace("  - name: User.Read.All", "  - name: [User.Read.All, Directory.Read.All]");
    let mut granted = vec!["Mail.ReadBasic.All", "MailboxSettings.Read", "Contacts.Read"];
    granted.extend(["GroupMember.Read.All", "Directory.Read.All"]);
    let grant = |it: &mut Registration| granted.iter().for_each(|permission| it.grant(permission));
    let clinic = Clinic::new(grant, |setup| setup.rules(&rules)).await;
    let findings = examine(&clinic.proxy).await;
    findings.expect("permissions", "Directory.Read.All", "warn", &["the rules accept it"]);
    assert_eq!((findings.ran.code, findings.bad().len()), (Some(0), 1));
}

#[tokio::test]
async fn what_one_consumer_of_an_application_needs_is_not_too_much() {
    let mail = METADATA_ONLY.replace("Mail.ReadBasic.All", "Mail.Read");
    let grant = |it: &mut Registration| {
        it.configured().to_vec().iter().for_each(|permission| it.grant(permission));
        it.grant("Mail.Read");
    };
    let clinic = Clinic::new(grant, |setup| setup.consumer(Consumer::new("other", &mail))).await;
    let findings = examine(&clinic.proxy).await;
    assert_eq!(findings.bad(), ["configuration G0303"], "the rules are broad, the grant is not");
    let named: Vec<_> = findings.of("permissions").map(|it| (&it["consumer"], &it["check"])).collect();
    assert!(named.contains(&(&"acme".into(), &"Mail.ReadBasic.All".into())));
    assert!(named.contains(&(&"other".into(), &"Mail.Read".into())));
}

#[tokio::test]
async fn without_consent_each_permission_is_named_with_the_way_to_it() {
    let clinic = Clinic::unconsented().await;
    let findings = examine(&clinic.proxy).await;
    assert_eq!(findings.ran.code, Some(1));
    findings.expect("token", "upstream", "ok", &["with permissions: 0"]);
    let way = ["Application permissions, User.Read.All; then Grant admin consent"];
    findings.expect("permissions", "User.Read.All", "fail", &[&["missing"], &way[..]].concat());
    findings.expect("permissions", "Mail.ReadBasic.All", "warn", &["Exchange", "--mailbox-in ADDRESS"]);
    findings.expect(
        "endpoints",
        "list-users",
        "fail",
        &[&["403 Authorization_RequestDenied"], &way[..]].concat(),
    );
    let reason = "no object to request: {user} comes from /{api}/users, which returned none";
    findings.expect("endpoints", "list-messages", "skip", &[reason]);
}

#[tokio::test]
async fn a_running_proxy_whose_token_is_older_than_a_grant_is_told() {
    let clinic = Clinic::unconsented().await;
    assert_eq!(clinic.proxy.get("/v1.0/users").await.status, 403);
    clinic.change(|it| it.configured().to_vec().iter().for_each(|permission| it.grant(permission)));
    let findings = examine(&clinic.proxy).await;
    let late = ["was issued before these were granted", "User.Read.All", "kill -HUP"];
    findings.expect("permissions", "running proxy", "warn", &late);
    findings.expect("permissions", "User.Read.All", "ok", &["granted"]);
    assert_eq!((findings.ran.code, findings.bad()), (Some(0), vec!["permissions running proxy".to_owned()]));
    let metrics = clinic.proxy.admin_get("/metrics").await.text();
    let series = "glassine_graph_token_permission{consumer=\"acme\",permission=\"User.Read.All\"} 0";
    assert!(metrics.contains(series), "{metrics}");
}

/// Regression: of metrics that it could not read, the doctor said nothing, as if all were well.
#[tokio::test]
async fn metrics_that_need_a_token_are_told_as_not_read() {
    let protected = |mut setup: Setup| {
        setup.prepare = Box::new(|folder| {
            let file = folder.join("config.yaml");
            let text = std::fs::read_to_string(&file).unwrap();
            let with_token = format!("admin: {{ bearer_sha256: [{}], listen: ", "ab".repeat(32));
            write_private(&file, text.replace("admin: { listen: ", &with_token));
        });
        setup
    };
    let findings = examine(&Clinic::with(protected).await.proxy).await;
    findings.expect("running", "metrics", "skip", &["wants a token", "glassine_graph_token_permission"]);
    let findings = examine(&Clinic::consented().await.proxy).await;
    assert_eq!(findings.of("running").count(), 0, "they are read, and nothing is wrong");
}

#[tokio::test]
async fn a_mail_permission_that_no_mailbox_opens_is_missing() {
    let clinic = Clinic::consented().await;
    clinic.change(|it| it.revoke("Mail.ReadBasic.All"));
    let findings = examine(&clinic.proxy).await;
    let way = ["Mail.ReadBasic.All; then Grant admin consent", "-Role \"Application Mail.ReadBasic\""];
    findings.expect("permissions", "Mail.ReadBasic.All", "fail", &[&["missing"], &way[..]].concat());
    findings.expect("endpoints", "list-messages", "fail", &[&["403 ErrorAccessDenied"], &way[..]].concat());
    findings.expect("endpoints", "get-mailbox-settings", "ok", &["timeZone"]);
    findings.expect("endpoints", "get-message", "skip", &["{message} comes from"]);
}

#[tokio::test]
async fn mailboxes_are_in_or_out_as_they_should_be() {
    let clinic = Clinic::consented().await;
    let [inside, outside]: [_; 2] = clinic.staff().take(2).collect::<Vec<_>>().try_into().ok().unwrap();
    clinic.change(|it| it.restrict_mailboxes(Some(&[inside.id()])));
    let (inside, outside) = (inside.user_principal_name(), outside.user_principal_name());
    let right = examine_with(&clinic.proxy, &["--mailbox-in", inside, "--mailbox-out", outside]).await;
    right.expect("mailboxes", "--mailbox-in", "ok", &["opens, as it should"]);
    right.expect("mailboxes", "--mailbox-out", "ok", &["does not open, as it should"]);
    assert_eq!((right.ran.code, right.bad()), (Some(0), vec![]));
    let wrong = examine_with(&clinic.proxy, &["--mailbox-in", outside, "--mailbox-out", inside]).await;
    assert_eq!(wrong.ran.code, Some(1));
    wrong.expect("mailboxes", "--mailbox-in", "fail", &["Test-ServicePrincipalAuthorization"]);
    let scope = [
        "New-ManagementScope",
        "-Role \"Application Mail.ReadBasic\" -CustomResourceScope Glassine",
        "revoke in Entra, where a consent opens every mailbox",
        &clinic.client_id,
    ];
    wrong.expect("mailboxes", "--mailbox-out", "fail", &[&["opens, and should not"], &scope[..]].concat());
    let excluded = ["Mail.ReadBasic.All is granted, so Exchange keeps the application out of this mailbox"];
    wrong.expect("endpoints", "list-messages", "fail", &excluded);
}

#[tokio::test]
async fn a_mailbox_that_is_not_there_is_neither_in_nor_out() {
    let clinic = Clinic::consented().await;
    let nobody = format!("nobody@{}", clinic.tenant.domain());
    let findings = examine_with(&clinic.proxy, &["--mailbox-out", &nobody]).await;
    findings.expect("mailboxes", "--mailbox-out", "fail", &["cannot tell", "userPrincipalName"]);
}

#[tokio::test]
async fn a_consumers_own_application_gets_its_own_token() {
    let clinic = Clinic::with(|setup| {
        let application = "00000000-0000-0000-0000-000000000009";
        let more = format!(
            "    application: {{ client_id: {application}, credential: {{ client_secret_file: secret }} }}\n"
        );
        setup.consumer(Consumer { more, ..Consumer::new("other", METADATA_ONLY) })
    })
    .await;
    let findings = examine(&clinic.proxy).await;
    findings.expect("token", "upstream", "ok", &[]);
    findings.expect("token", "application of other", "fail", &["AADSTS700016", "Application (client) ID"]);
    let other: Vec<_> = findings.of("endpoints").filter(|it| it["consumer"] == "other").collect();
    assert!(matches!(other[..], [all] if all["message"] == "there is no token"), "{other:?}");
}
