//! The access token: fetched once, renewed in time, never in a storm.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use glassine::upstream::{
    AccessToken, ConnectorError, Credential, OAuthError, Phase, Proof, RenewalTimes, SecretError,
    SecretSource, ServerError, TokenError, TokenSettings, TokenSource, UpstreamError,
};
use glassine_core::graph::Origin;

use super::{LONG, PAGE, PATIENT, PAUSE, SHORT, client, headers, network};
use crate::support::data;
use crate::support::upstream::{FakeUpstream, Script};

pub(super) const EAGER: RenewalTimes = RenewalTimes {
    renew_margin: Duration::ZERO,
    jitter: Duration::ZERO,
    min_interval: Duration::ZERO,
    file_check: Duration::ZERO,
    look: SHORT,
    longest_pause: SHORT,
    denied_age: Duration::ZERO,
    await_pauses: (Duration::ZERO, Duration::ZERO),
};

pub(super) const CALM: RenewalTimes = RenewalTimes {
    renew_margin: Duration::ZERO,
    jitter: Duration::ZERO,
    min_interval: LONG,
    file_check: LONG,
    look: LONG,
    longest_pause: LONG,
    denied_age: LONG,
    await_pauses: (LONG, LONG),
};

#[tokio::test]
async fn the_request_is_as_documented() {
    let entra = FakeUpstream::always(granted("one")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s~+cret&\n").unwrap();
    let mut settings = client_secret(&entra, RenewalTimes::default());
    let Credential::Application { proof, .. } = &mut settings.credential else { unreachable!() };
    *proof = Proof::Secret(SecretSource::File(file.path().to_owned()));
    assert_eq!(text_of(&TokenSource::new(settings).unwrap()).await, "one");

    let [request] = entra.requests().try_into().unwrap();
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/contoso.com/oauth2/v2.0/token")
    );
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let scope = entra.origin().to_string().replace(':', "%3A").replace('/', "%2F");
    assert_eq!(
        request.body,
        format!(
            "grant_type=client_credentials&client_id=app-1&scope={scope}%2F.default\
             &client_secret=s%7E%2Bcret%26"
        )
    );
}

/// Fault: the connection to the token endpoint is lost before the response. Outcome: the request is sent once more, and brings a token.
#[tokio::test]
async fn a_token_request_survives_a_lost_connection() {
    for lost in [Script::raw(""), granted("lost").reset_in_head(10)] {
        let entra = FakeUpstream::in_turn(vec![lost, granted("one")]).await;
        assert_eq!(text_of(&source(&entra, CALM)).await, "one");
        assert_eq!(entra.requests().len(), 2);
    }
}

/// Fault: 50 requests need an access token at once. Outcome: Entra gets one request.
#[tokio::test]
async fn fifty_callers_share_one_fetch() {
    let entra = FakeUpstream::always(granted("one").delayed(PAUSE)).await;
    let source = Arc::new(source(&entra, RenewalTimes::default()));
    let callers = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.token().await.unwrap() })
    });
    let tokens = all(callers.collect()).await;
    assert!(tokens.iter().all(|token| Arc::ptr_eq(token, &tokens[0])));
    assert_eq!(entra.requests().len(), 1);
}

/// Fault: Entra is unavailable while 50 requests need a token. Outcome: Entra gets one request, and all get its error.
#[tokio::test]
async fn fifty_callers_share_one_failure() {
    let entra = FakeUpstream::always(Script::status(503).delayed(PAUSE)).await;
    let source = Arc::new(source(&entra, CALM));
    let callers = (0..50).map(|_| {
        let source = source.clone();
        tokio::spawn(async move { source.token().await.unwrap_err() })
    });
    for error in all(callers.collect()).await {
        assert_eq!(error, TokenError::Unavailable(http::StatusCode::SERVICE_UNAVAILABLE));
    }
    assert_eq!(entra.requests().len(), 1);
}

/// Fault: the consumer that caused a token request disconnects. Outcome: the token request goes on, and the next consumer gets its token.
#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_fetch() {
    let entra = FakeUpstream::always(granted("one").delayed(SHORT)).await;
    let source = source(&entra, RenewalTimes::default());
    assert!(tokio::time::timeout(PAUSE, source.token()).await.is_err());
    assert_eq!(text_of(&source).await, "one");
    assert_eq!(entra.requests().len(), 1);
}

/// Fault: Entra is unavailable for a moment. Outcome: Entra is asked again after the shortest interval, not at once.
#[tokio::test]
async fn a_failure_is_forgotten_after_the_interval() {
    let entra = FakeUpstream::in_turn(vec![Script::status(503), granted("one")]).await;
    let source = source(&entra, RenewalTimes { min_interval: SHORT, ..CALM });
    assert!(source.token().await.is_err());
    assert!(source.token().await.is_err());
    tokio::time::sleep(SHORT).await;
    assert_eq!(text_of(&source).await, "one");
    assert_eq!(entra.requests().len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let short = r#"{"token_type":"Bearer","expires_in":"4","access_token":"one"}"#;
    let entra = FakeUpstream::in_turn(vec![Script::json(short), granted("two")]).await;
    let source = source(&entra, RenewalTimes { renew_margin: Duration::from_millis(3500), ..EAGER });
    assert_eq!(text_of(&source).await, "one");
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(Duration::from_millis(2010)).await;
    assert_eq!(text_of(&source).await, "one", "nobody waits while the old one is good");
    until(&source, "two").await;
}

/// Fault: Entra stalls while a token is renewed. Outcome: no request waits while the old token is good.
/// Fault: a token ends while its renewal stalls. Outcome: the ended token is not used.
#[tokio::test]
async fn nobody_waits_for_a_stalled_renewal_while_the_token_is_good() {
    let entra = FakeUpstream::in_turn(vec![expiring("one", 4), Script::never()]).await;
    let source = source(&entra, RenewalTimes { renew_margin: LONG, ..EAGER });
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(Duration::from_millis(2010)).await;
    for _ in 0..20 {
        let token = tokio::time::timeout(SHORT, source.token()).await.expect("no waiting").unwrap();
        assert_eq!(token.secret().expose(), "one");
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(entra.requests().len(), 2, "one renewal at a time");
    tokio::time::sleep(Duration::from_millis(2010)).await;
    assert!(tokio::time::timeout(PAUSE, source.token()).await.is_err(), "an ended token is not used");
}

/// Fault: the renewal of a token fails. Outcome: the old token serves until the next try succeeds.
#[tokio::test]
async fn the_old_token_serves_while_a_renewal_fails() {
    let entra = FakeUpstream::in_turn(vec![expiring("one", 4), Script::status(500), granted("two")]).await;
    let source = source(&entra, RenewalTimes { renew_margin: LONG, min_interval: SHORT, ..EAGER });
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(Duration::from_millis(2010)).await;
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(PAUSE).await;
    assert_eq!(entra.requests().len(), 2, "a renewal was tried");
    assert_eq!(text_of(&source).await, "one");
    tokio::time::sleep(SHORT).await;
    until(&source, "two").await;
}

/// Fault: Graph refuses a token in two requests at once. Outcome: the token is renewed once.
#[tokio::test]
async fn a_token_that_graph_refuses_is_renewed_once() {
    let entra = FakeUpstream::in_turn(vec![granted("one"), granted("two"), granted("three")]).await;
    let graph = FakeUpstream::start(|request| match (request.path(), request.header("authorization")) {
        ("/v1.0/users", Some("Bearer two")) => Script::json(PAGE),
        _ => Script::status(401),
    })
    .await;
    let source = source(&entra, EAGER);
    let first = source.token().await.unwrap();
    assert_eq!(status_with(&graph, &first).await, 401);

    // Two requests have seen the 401; one renewal serves both.
    source.invalidate(&first);
    let second = source.token().await.unwrap();
    source.invalidate(&first);
    assert!(Arc::ptr_eq(&second, &source.token().await.unwrap()));
    assert_eq!(status_with(&graph, &second).await, 200);
    assert_eq!(entra.requests().len(), 2);
}

/// Fault: Graph refuses every token. Outcome: Entra gets one request in the shortest interval.
#[tokio::test]
async fn a_graph_that_refuses_everything_makes_no_storm() {
    let entra = FakeUpstream::always(granted("one")).await;
    let source = source(&entra, CALM);
    for _ in 0..20 {
        let token = source.token().await.unwrap();
        source.invalidate(&token);
    }
    assert_eq!(entra.requests().len(), 1);
}

/// Fault: Entra refuses the application. Outcome: the error has Entra's error number, and nothing personal.
#[tokio::test]
async fn a_refusal_is_reported_by_its_number_only() {
    let body = r#"{"error":"unauthorized_client","error_description":"AADSTS700016: Application 'app-1' of alice",
        "error_codes":[700016],"trace_id":"x"}"#;
    let entra = FakeUpstream::always(Script::status(400).body(body)).await;
    let error = source(&entra, CALM).token().await.unwrap_err();
    let expected = TokenError::Refused { error: OAuthError::UnauthorizedClient, aadsts: Some(700016) };
    assert_eq!(error, expected);
    assert!(error.to_string().contains("AADSTS700016") && !error.to_string().contains("alice"));
}

/// Fault: Entra writes a byte order mark before its JSON. Outcome: the token, or the number of the refusal, is read.
#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_document() {
    let marked = |status, body: &str| {
        Script::status(status).header("Content-Type", "application/json").body(format!("\u{feff}{body}"))
    };
    let token = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"one"}"#;
    let entra = FakeUpstream::always(marked(200, token)).await;
    assert_eq!(text_of(&source(&entra, CALM)).await, "one");
    let refusal = r#"{"error":"invalid_client","error_codes":[7000215]}"#;
    let entra = FakeUpstream::always(marked(401, refusal)).await;
    let refused = TokenError::Refused { error: OAuthError::InvalidClient, aadsts: Some(7_000_215) };
    assert_eq!(source(&entra, CALM).token().await.unwrap_err(), refused);
}

/// Fault: Entra's response is too long, cut short, a redirect, or does not come. Outcome: the token request fails with this error.
#[tokio::test]
async fn faults_of_the_token_endpoint() {
    let limit = 64 * 1024;
    let cases = [
        (Script::json("x".repeat(70_000)), UpstreamError::BodyTooLarge { limit }),
        (Script::json(PAGE).close_after(5), UpstreamError::Truncated),
        (Script::never(), UpstreamError::Timeout(Phase::Head)),
        (Script::status(302).header("Location", "/"), UpstreamError::Redirect),
    ];
    for (script, error) in cases {
        let entra = FakeUpstream::always(script).await;
        let mut settings = client_secret(&entra, CALM);
        settings.network.timeouts.head = SHORT;
        let origin = Origin::parse(&format!("http://{}", entra.address())).unwrap();
        let said = format!("the token endpoint cannot be reached: {origin}: {error}");
        let expected = TokenError::Upstream(ServerError { origin, error });
        assert_eq!(expected.to_string(), said, "the server is named");
        assert_eq!(TokenSource::new(settings).unwrap().token().await.err(), Some(expected));
    }
}

#[tokio::test]
async fn a_tenant_that_is_none_is_refused_at_the_start() {
    let entra = FakeUpstream::always(granted("one")).await;
    let mut settings = client_secret(&entra, CALM);
    let Credential::Application { tenant, .. } = &mut settings.credential else { unreachable!() };
    *tenant = "../common".into();
    assert_eq!(TokenSource::new(settings).err(), Some(ConnectorError::Tenant));
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_changes() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let source = from_file(&file, EAGER).await;
    std::fs::write(file.path(), "one\n").unwrap();
    let first = source.token().await.unwrap();
    assert!(Arc::ptr_eq(&first, &source.token().await.unwrap()), "the same text is the same token");
    std::fs::write(file.path(), "two\n").unwrap();
    assert_eq!(text_of(&source).await, "two");
}

/// Fault: the file of an access token becomes malformed. Outcome: the last good token stays in use.
#[tokio::test]
async fn a_bad_token_file_leaves_the_last_good_token() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"one").unwrap();
    let source = from_file(&file, EAGER).await;
    assert_eq!(text_of(&source).await, "one");
    std::fs::write(file.path(), "two\nlines").unwrap();
    assert_eq!(text_of(&source).await, "one");
    let fresh = from_file(&file, EAGER).await;
    assert_eq!(fresh.token().await.err(), Some(TokenError::Secret(SecretError::Characters)));
}

/// The test runs once more in a process with this variable, because a process cannot change its own environment safely.
const VARIABLE: &str = "GLASSINE_TEST_TOKEN";

#[tokio::test]
async fn a_token_from_the_environment() {
    match std::env::var_os(VARIABLE) {
        None => passes_with_the_variable("upstream::token::a_token_from_the_environment"),
        Some(_) => the_variable_is_the_token().await,
    }
}

fn passes_with_the_variable(test: &str) {
    let mut tests = Command::new(std::env::current_exe().unwrap());
    let ran = tests.args(["--exact", test]).env(VARIABLE, "from-outside").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

async fn the_variable_is_the_token() {
    let graph = FakeUpstream::always(Script::never()).await;
    let with = |name: &str| {
        let credential = Credential::AccessTokenEnv(name.into());
        TokenSource::new(TokenSettings { credential, ..client_secret(&graph, CALM) }).unwrap()
    };
    assert_eq!(text_of(&with(VARIABLE)).await, "from-outside");
    let unset = with("GLASSINE_NO_SUCH").token().await.err();
    assert_eq!(unset, Some(TokenError::Secret(SecretError::Unset)));
}

pub(super) fn granted(token: &str) -> Script {
    expiring(token, 3599)
}

pub(super) fn expiring(token: &str, seconds: u64) -> Script {
    Script::json(format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"access_token":"{token}"}}"#))
}

pub(super) fn source(entra: &FakeUpstream, pace: RenewalTimes) -> TokenSource {
    TokenSource::new(client_secret(entra, pace)).unwrap()
}

pub(super) fn client_secret(entra: &FakeUpstream, pace: RenewalTimes) -> TokenSettings {
    let credential = Credential::Application {
        authority: entra.origin(),
        tenant: "contoso.com".into(),
        client_id: "app-1".into(),
        proof: Proof::Secret(SecretSource::File(data::fixture("client-secret"))),
    };
    TokenSettings { credential, graph: entra.origin(), network: network(entra, PATIENT), pace }
}

async fn from_file(file: &tempfile::NamedTempFile, pace: RenewalTimes) -> TokenSource {
    let nobody = FakeUpstream::always(Script::never()).await;
    let credential = Credential::AccessTokenFile(file.path().to_owned());
    TokenSource::new(TokenSettings { credential, ..client_secret(&nobody, pace) }).unwrap()
}

pub(super) async fn text_of(source: &TokenSource) -> String {
    source.token().await.unwrap().secret().expose().to_owned()
}

/// Waits for a renewal in the background.
async fn until(source: &TokenSource, expected: &str) {
    for _ in 0..100 {
        if text_of(source).await == expected {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{expected} does not come");
}

async fn status_with(graph: &FakeUpstream, token: &AccessToken) -> u16 {
    let response = client(graph, PATIENT).get("/v1.0/users", &headers(), token.secret()).await.unwrap();
    response.status().as_u16()
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
