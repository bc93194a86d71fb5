//! Managed identities: the requests to the machine's metadata service, and the reading of its responses.

use glassine::upstream::{
    ConnectorError, Credential, IdentityError, IdentityService, Secret, TokenError, TokenSettings,
    TokenSource,
};

use glassine_core::graph::UrlError;

use super::token::{CALM, client_secret, text_of};
use crate::support::upstream::{FakeUpstream, Script};

fn settings(machine: &FakeUpstream, service: IdentityService, client_id: Option<&str>) -> TokenSettings {
    let credential = Credential::ManagedIdentity { service, client_id: client_id.map(str::to_owned) };
    TokenSettings { credential, ..client_secret(machine, CALM) }
}

fn virtual_machine(machine: &FakeUpstream) -> IdentityService {
    IdentityService::VirtualMachine { host: machine.origin().to_string() }
}

fn app_service(machine: &FakeUpstream) -> IdentityService {
    let endpoint = format!("{}/msi/token", machine.origin());
    IdentityService::AppService { endpoint, header: Secret::new("853b9a84".into()) }
}

fn granted(life: &str) -> Script {
    Script::json(format!(r#"{{"access_token":"of-the-machine",{life},"token_type":"Bearer"}}"#))
}

#[tokio::test]
async fn a_virtual_machine_asks_its_metadata_service() {
    let machine = FakeUpstream::always(granted(r#""expires_in":"3599","expires_on":"1506484173""#)).await;
    for (client_id, more) in [(None, ""), (Some("app-1"), "&client_id=app-1")] {
        let source = TokenSource::new(settings(&machine, virtual_machine(&machine), client_id)).unwrap();
        assert_eq!(text_of(&source).await, "of-the-machine");
        let request = machine.requests().pop().unwrap();
        let resource = machine.origin().to_string().replace(':', "%3A").replace('/', "%2F");
        assert_eq!(request.method, "GET");
        assert_eq!(
            request.target,
            format!("/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}{more}")
        );
        assert_eq!(request.header("metadata"), Some("true"));
    }
}

#[tokio::test]
async fn an_app_service_token_is_requested_with_the_identity_header_and_kept_until_it_expires() {
    let ends = jiff::Timestamp::now().as_second() + 3600;
    let machine = FakeUpstream::always(granted(&format!(r#""expires_on":"{ends}""#))).await;
    let source = TokenSource::new(settings(&machine, app_service(&machine), None)).unwrap();
    assert_eq!(text_of(&source).await, "of-the-machine");
    assert_eq!(text_of(&source).await, "of-the-machine");
    let [request] = machine.requests().try_into().unwrap();
    assert!(request.target.starts_with("/msi/token?api-version=2019-08-01&resource="), "{}", request.target);
    assert_eq!(request.header("x-identity-header"), Some("853b9a84"));
    assert_eq!(request.header("metadata"), None);
}

/// Fault: the machine has no managed identity, or its identity service is busy. Outcome: the error tells the two apart.
#[tokio::test]
async fn a_machine_without_an_identity_and_one_that_is_busy() {
    let secret = r#"{"error":"invalid_request","error_description":"Identity of alice not found"}"#;
    for (status, refused) in [(400, true), (401, true), (403, true), (404, false), (429, false), (500, false)]
    {
        let machine = FakeUpstream::always(Script::status(status).body(secret)).await;
        let source = TokenSource::new(settings(&machine, virtual_machine(&machine), None)).unwrap();
        let error = source.token().await.unwrap_err();
        let code = http::StatusCode::from_u16(status).unwrap();
        let expected = match status {
            _ if refused => TokenError::NoIdentity(code),
            429 => TokenError::Busy { status: code, wait: std::time::Duration::from_secs(60) },
            _ => TokenError::Unavailable(code),
        };
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("alice"));
    }
}

#[tokio::test]
async fn the_service_is_on_this_machine() {
    let machine = FakeUpstream::always(Script::never()).await;
    let with = |host: &str| {
        let service = IdentityService::VirtualMachine { host: host.to_owned() };
        TokenSource::new(settings(&machine, service, None)).err()
    };
    for good in ["http://169.254.169.254", "http://169.254.169.254/", "http://localhost:40342"] {
        assert_eq!(with(good), None, "{good}");
    }
    for (bad, error) in [
        ("http://10.0.0.1", UrlError::Plaintext),
        ("", UrlError::NotAbsolute),
        ("169.254.169.254", UrlError::NotAbsolute),
        ("/metadata", UrlError::NotAbsolute),
        ("http://", UrlError::NotAbsolute),
    ] {
        assert_eq!(with(bad), Some(ConnectorError::Identity(IdentityError::Address(error))), "{bad:?}");
    }
}

/// App Service for Linux gives containers an address of its own private network, together with the header.
#[tokio::test]
async fn an_app_services_address_may_be_private() {
    let machine = FakeUpstream::always(Script::never()).await;
    let with = |endpoint: &str| {
        let header = Secret::new("853b9a84".into());
        let service = IdentityService::AppService { endpoint: endpoint.to_owned(), header };
        TokenSource::new(settings(&machine, service, None)).err()
    };
    for good in
        ["http://172.16.5.3:8081/msi/token", "http://127.0.0.1:41741/msi/token/", "http://[fd00::3]/x"]
    {
        assert_eq!(with(good), None, "{good}");
    }
    for bad in ["http://20.50.2.1/msi/token", "http://tokens.example/msi/token", "http://172.32.0.1/"] {
        let expected = IdentityError::Endpoint(UrlError::Plaintext);
        assert_eq!(with(bad), Some(ConnectorError::Identity(expected)), "{bad}");
    }
    // Regression: the cause said that only this machine is allowed.
    let told = |error| IdentityError::Endpoint(error).to_string();
    assert!(told(UrlError::Plaintext).ends_with("on this machine or in its private network"));
    assert!(told(UrlError::UserInformation).ends_with("private network: the URL has a user name (`@`)"));
}

#[tokio::test]
async fn a_header_that_cannot_be_sent() {
    let machine = FakeUpstream::always(Script::never()).await;
    let endpoint = format!("{}/msi/token", machine.origin());
    let service = IdentityService::AppService { endpoint, header: Secret::new("a\r\nb".into()) };
    let refused = TokenSource::new(settings(&machine, service, None)).err();
    assert_eq!(refused, Some(ConnectorError::Identity(IdentityError::Header)));
}
