//! The proxy in front of the sample tenant with each kind of credential, valid and invalid.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use glassine::demo::tenant::{FederatedCredential, Tenant};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;

use super::Graph;
use crate::support::glassine::{Glassine, Setup};
use crate::support::issuer::{SigningKey, jwks};

/// This application is granted what the rules need.
const NAME: &str = "Sample application";
const ISSUER: &str = "https://kubernetes.example/cluster";
const SUBJECT: &str = "system:serviceaccount:analytics:glassine";
const AUDIENCE: &str = "api://AzureADTokenExchange";
const USERS: &str = "/v1.0/users?$top=1";

/// A new tenant that requires tokens.
async fn strict() -> Graph {
    Graph::of(Arc::new(Tenant::new(7).require_token())).await
}

/// A proxy whose application has this credential.
fn setup(graph: &Graph, credential: &str, files: Vec<(&'static str, String)>) -> Setup {
    let mut setup = Setup::in_front_of(graph.base());
    setup.domain = graph.tenant.domain().to_owned();
    setup.files = files;
    setup.credential = format!(
        "authority: {}\n  tenant: {}\n  client_id: {}\n  credential: {credential}",
        graph.base(),
        graph.tenant.tenant_id(),
        graph.tenant.client_id(),
    );
    setup
}

async fn opens(proxy: &Glassine) {
    let response = proxy.get(USERS).await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.json()["value"].as_array().unwrap().len(), 1);
}

/// The consumer learns that there is no token, but not why.
async fn is_closed(graph: &Graph, proxy: &Glassine) {
    let response = proxy.get(USERS).await;
    assert_eq!(
        (response.status, response.code().as_str()),
        (503, "upstreamUnauthorized"),
        "{}",
        response.text()
    );
    let everything = response.everything();
    for secret in ["AADSTS", graph.tenant.tenant_id(), graph.tenant.client_id(), SUBJECT, "invalid_client"] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
}

/// A certificate in DER and PEM, and its key in PEM.
fn certificate() -> (Vec<u8>, String, String) {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let params = CertificateParams::new(vec!["glassine.example".to_owned()]).unwrap();
    let made = params.self_signed(&pair).unwrap();
    (made.der().to_vec(), made.pem(), pair.serialize_pem())
}

#[tokio::test]
async fn a_client_secret_opens_graph_and_another_does_not() {
    let graph = strict().await;
    let secret = graph.application(NAME).client_secret().to_owned();
    let credential = "{ client_secret_file: secret }";
    opens(&setup(&graph, credential, vec![("secret", secret.clone())]).start().await).await;
    is_closed(&graph, &setup(&graph, credential, vec![("secret", format!("{secret}x"))]).start().await).await;
}

#[tokio::test]
async fn a_registered_certificate_opens_graph_and_another_does_not() {
    let graph = strict().await;
    let (der, pem, key) = certificate();
    let credential = "{ certificate_file: app.crt, private_key_file: app.key }";
    let with = |pem: String, key: String| setup(&graph, credential, vec![("app.crt", pem), ("app.key", key)]);
    is_closed(&graph, &with(pem.clone(), key.clone()).start().await).await;
    graph.change(NAME, |it| it.register_certificate(&der).unwrap());
    opens(&with(pem, key).start().await).await;
    let (_, pem, key) = certificate();
    is_closed(&graph, &with(pem, key).start().await).await;
}

#[tokio::test]
async fn a_certificate_opens_graph_where_entra_knows_its_older_thumbprint_only() {
    let graph = strict().await;
    graph.tenant.entra().find_certificates_by_sha1();
    let (der, pem, key) = certificate();
    graph.change(NAME, |it| it.register_certificate(&der).unwrap());
    let credential = "{ certificate_file: app.crt, private_key_file: app.key }";
    opens(&setup(&graph, credential, vec![("app.crt", pem), ("app.key", key)]).start().await).await;
    assert_eq!(graph.application(NAME).token_requests(), 2);
}

#[tokio::test]
async fn a_trusted_issuers_token_opens_graph_and_another_does_not() {
    let graph = strict().await;
    let issuer = SigningKey::rsa("issuer");
    let published = serde_json::from_str(&jwks([&issuer])).unwrap();
    let trusted = FederatedCredential {
        issuer: ISSUER.to_owned(),
        subject: SUBJECT.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: published,
    };
    graph.change(NAME, |it| it.trust(trusted));
    let now = jiff::Timestamp::now().as_second();
    let token = |subject: &str| {
        issuer.token(&json!({ "iss": ISSUER, "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 600 }))
    };
    let with =
        |token: String| setup(&graph, "{ federated_token_file: token }", vec![("token", token)]).start();
    opens(&with(token(SUBJECT)).await).await;
    is_closed(&graph, &with(token("system:serviceaccount:analytics:other")).await).await;
}

#[tokio::test]
async fn a_token_file_opens_graph_and_another_does_not() {
    let graph = strict().await;
    let token = graph.token_of(NAME).await;
    let with = |token: String| {
        let setup = setup(&graph, "{ access_token_file: token }", vec![("token", token)]);
        setup.start()
    };
    opens(&with(token).await).await;
    let response = with("not-a-token".to_owned()).await.get(USERS).await;
    assert_eq!((response.status, response.code().as_str()), (502, "upstreamUnauthorized"));
}

/// The program itself, in its own environment.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Serves with a managed identity. `environment` names the machine's service. Returns the status of a request.
async fn with_identity(graph: &Graph, identity: &str, environment: &[(&str, String)]) -> u16 {
    let mut setup = setup(graph, "", Vec::new());
    setup.credential = format!("credential: {{ managed_identity: {identity} }}");
    let (folder, address) = setup.write().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_glassine"));
    command.args(["serve", "--config"]).arg(folder.path().join("config.yaml"));
    command.envs(environment.iter().map(|(name, value)| (name, value))).stderr(Stdio::piped());
    let mut program = Program(command.spawn().unwrap());
    let mut log = BufReader::new(program.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "the program ended");
    }
    // Reads the log from here on, so that the program does not block on a full pipe.
    std::thread::spawn(move || log.lines().count());
    Glassine::ask(address, USERS).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_opens_graph_in_either_form() {
    let graph = strict().await;
    let machine = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", graph.base())];
    let header = graph.tenant.entra().identity_header().to_owned();
    let service = |header: String| {
        [("IDENTITY_ENDPOINT", format!("{}/msi/token", graph.base())), ("IDENTITY_HEADER", header)]
    };
    let known = format!("{{ client_id: {} }}", graph.tenant.client_id());
    let unknown = "{ client_id: 99992222-3333-4444-5555-666677778888 }";
    assert_eq!(with_identity(&graph, "{}", &machine).await, 200);
    assert_eq!(with_identity(&graph, &known, &machine).await, 200);
    assert_eq!(with_identity(&graph, unknown, &machine).await, 503);
    assert_eq!(with_identity(&graph, "{}", &service(header)).await, 200);
    assert_eq!(with_identity(&graph, "{}", &service("wrong".to_owned())).await, 503);
}

/// Both clocks advance a second at a time, and consumers send requests at every second of a token's life.
#[tokio::test]
async fn tokens_that_end_under_load_fail_no_request() {
    const LIFE: i64 = 14;
    let graph = strict().await;
    graph.tenant.entra().set_token_life(LIFE);
    let secret = graph.application(NAME).client_secret().to_owned();
    let credential = "{ client_secret_file: secret }";
    let proxy = setup(&graph, credential, vec![("secret", secret)]).start().await;
    let before = graph.application(NAME).token_requests();
    // Until the first token has ended, and its successor has been in use for a while.
    for second in 0..LIFE + 2 {
        for _ in 0..3 {
            let responses =
                tokio::join!(proxy.get(USERS), proxy.get(USERS), proxy.get(USERS), proxy.get(USERS));
            for response in <[_; 4]>::from(responses) {
                assert_eq!(response.status, 200, "after {second} s: {}", response.text());
            }
        }
        a_second_passes(&graph).await;
    }
    let tokens = graph.application(NAME).token_requests() - before;
    assert_eq!(tokens, 2, "one token, and one renewal ahead of its end");
}

async fn a_second_passes(graph: &Graph) {
    graph.tenant.entra().advance_clock(1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
}
