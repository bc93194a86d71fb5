//! The clients of Graph and Entra against an upstream that misbehaves: each fault beside a neighbour that is fine.

use std::future::Future;
use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use glassine::upstream::{
    AccessToken, BuildError, ConsistencyLevel, Credential, GraphClient, MediaType, OAuthError, Origin, Pace,
    Phase, Preference, RequestHeaders, RequestId, Secret, SecretError, SecretSource, Settings, Timeouts,
    TokenError, TokenSettings, TokenSource, UpstreamBody, UpstreamError,
};
use http::Response;
use http_body_util::BodyExt;
use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;

use crate::support::upstream::{FakeUpstream, Script};

const PAGE: &str = r#"{"value":[{"id":"AAMk1"},{"id":"AAMk2"}]}"#;

/// Long enough for a loaded machine where nothing is to happen, short enough to wait for.
const SHORT: Duration = Duration::from_millis(150);

/// A pause that is well within [`SHORT`].
const PAUSE: Duration = Duration::from_millis(15);

const LONG: Duration = Duration::from_secs(20);

const PATIENT: Timeouts = Timeouts {
    connect: LONG,
    tls: LONG,
    head: LONG,
    idle: LONG,
    total: LONG,
};

mod graph {
    use super::*;

    #[tokio::test]
    async fn a_page_comes_back_as_it_is() {
        let graph = FakeUpstream::always(Script::json(PAGE).header("Retry-After", "2.128")).await;
        let (status, body) = get(&graph).await.unwrap();
        assert_eq!((status, body.as_str()), (200, PAGE));
    }

    #[tokio::test]
    async fn the_target_and_the_headers_are_ours_alone() {
        let graph = FakeUpstream::always(Script::json(PAGE)).await;
        let mut headers = headers();
        headers.prefer = vec![
            Preference::ImmutableId,
            Preference::MaxPageSize(5.try_into().unwrap()),
        ];
        headers.consistency_level = Some(ConsistencyLevel::Eventual);
        let target = "/v1.0/users/a%2Fb/messages?$top=5&$filter=x%20eq%20'%23'";
        client(&graph, PATIENT)
            .get(target, &headers, &token())
            .await
            .unwrap();

        let [request] = graph.requests().try_into().unwrap();
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("GET", target)
        );
        let mut sent = request
            .headers
            .iter()
            .map(|(n, v)| format!("{n}: {v}"))
            .collect::<Vec<_>>();
        sent.sort();
        assert_eq!(
            sent,
            [
                "accept-encoding: gzip",
                "accept: application/json;odata.metadata=minimal",
                "authorization: Bearer t0ken",
                "client-request-id: 07070707-0707-0707-0707-070707070707",
                "consistencylevel: eventual",
                &format!("host: {}", graph.address()),
                "prefer: IdType=\"ImmutableId\"",
                "prefer: odata.maxpagesize=5",
                concat!("user-agent: glassine/", env!("CARGO_PKG_VERSION")),
            ]
        );
    }

    #[tokio::test]
    async fn a_count_is_asked_for_as_text() {
        let graph = FakeUpstream::always(Script::status(200).body("42")).await;
        let headers = RequestHeaders {
            accept: MediaType::PlainText,
            ..headers()
        };
        client(&graph, PATIENT)
            .get("/v1.0/users/$count", &headers, &token())
            .await
            .unwrap();
        assert_eq!(graph.requests()[0].header("accept"), Some("text/plain"));
    }

    #[tokio::test]
    async fn refusals_of_graph_are_answers() {
        for status in [401, 403, 404, 429, 503] {
            let graph = FakeUpstream::always(Script::status(status).body("{}")).await;
            assert_eq!(get(&graph).await, Ok((status, "{}".into())));
        }
    }

    #[tokio::test]
    async fn the_reason_phrase_is_left_behind() {
        let graph = FakeUpstream::always(Script::json(PAGE)).await;
        assert!(answer(&graph, PATIENT).await.unwrap().extensions().is_empty());
    }

    #[tokio::test]
    async fn a_redirect_is_never_followed() {
        let other = FakeUpstream::always(Script::json(PAGE)).await;
        for status in [300, 301, 302, 304, 307, 308] {
            let location = format!("{}/v1.0/users", other.origin());
            let graph = FakeUpstream::always(Script::status(status).header("Location", &location)).await;
            assert_eq!(get(&graph).await, Err(UpstreamError::Redirect));
        }
        assert!(other.requests().is_empty());
    }

    #[tokio::test]
    async fn a_target_that_could_change_on_the_way_is_not_sent() {
        let graph = FakeUpstream::always(Script::json(PAGE)).await;
        for target in [
            "",
            "v1.0",
            "/v1.0/users#x",
            "/v1.0/a b",
            "/v1.0/a\r\nX: y",
            "http://evil.example/",
        ] {
            let refused = client(&graph, PATIENT)
                .get(target, &headers(), &token())
                .await
                .err();
            assert_eq!(refused, Some(UpstreamError::Target), "{target:?}");
        }
        assert!(graph.requests().is_empty());
    }

    #[tokio::test]
    async fn connections_are_used_again_after_a_whole_answer() {
        let graph = FakeUpstream::always(Script::json(PAGE).chunked(7)).await;
        let client = client(&graph, PATIENT);
        for _ in 0..3 {
            let answer = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
            assert_eq!(text(answer).await.unwrap(), PAGE);
        }
        assert_eq!((graph.requests().len(), graph.connections()), (3, 1));
    }
}

mod time {
    use super::*;

    #[tokio::test]
    async fn no_answer() {
        let graph = FakeUpstream::always(Script::never()).await;
        let head = Timeouts {
            head: SHORT,
            ..PATIENT
        };
        assert_eq!(
            answer(&graph, head).await.err(),
            Some(UpstreamError::Timeout(Phase::Head))
        );

        let graph = FakeUpstream::always(Script::json(PAGE).delayed(PAUSE)).await;
        assert!(answer(&graph, head).await.is_ok());
    }

    #[tokio::test]
    async fn a_stall_within_the_head() {
        let graph = FakeUpstream::always(Script::json(PAGE).stall_in_head(30)).await;
        let head = Timeouts {
            head: SHORT,
            ..PATIENT
        };
        assert_eq!(
            answer(&graph, head).await.err(),
            Some(UpstreamError::Timeout(Phase::Head))
        );
    }

    #[tokio::test]
    async fn a_stall_within_the_body() {
        let idle = Timeouts {
            idle: SHORT,
            ..PATIENT
        };
        for script in [
            Script::json(PAGE).stall_after(10),
            Script::json(PAGE).chunked(4).stall_after(10),
        ] {
            let graph = FakeUpstream::always(script).await;
            let answer = answer(&graph, idle).await.unwrap();
            assert_eq!(text(answer).await, Err(UpstreamError::Timeout(Phase::Idle)));
        }
    }

    #[tokio::test]
    async fn a_slow_body_is_no_stall() {
        let idle = Timeouts {
            idle: SHORT,
            ..PATIENT
        };
        let graph = FakeUpstream::always(Script::json(PAGE).chunked(2).paced(PAUSE)).await;
        assert_eq!(text(answer(&graph, idle).await.unwrap()).await.unwrap(), PAGE);
    }

    #[tokio::test]
    async fn a_reader_that_pauses_is_no_stall() {
        let idle = Timeouts {
            idle: SHORT,
            ..PATIENT
        };
        let graph = FakeUpstream::always(Script::json(PAGE).chunked(20)).await;
        let answer = answer(&graph, idle).await.unwrap();
        tokio::time::sleep(2 * SHORT).await;
        assert_eq!(text(answer).await.unwrap(), PAGE);
    }

    #[tokio::test]
    async fn a_body_that_takes_too_long_as_a_whole() {
        let total = Timeouts {
            total: SHORT,
            ..PATIENT
        };
        let graph = FakeUpstream::always(Script::json(PAGE).chunked(2).paced(PAUSE)).await;
        let answer = answer(&graph, total).await.unwrap();
        assert_eq!(text(answer).await, Err(UpstreamError::Timeout(Phase::Total)));
    }

    #[tokio::test]
    async fn nothing_comes_after_an_error() {
        let idle = Timeouts {
            idle: SHORT,
            ..PATIENT
        };
        let graph = FakeUpstream::always(Script::json(PAGE).stall_after(0)).await;
        let mut body = pin!(answer(&graph, idle).await.unwrap().into_body());
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }
}

mod shape {
    use super::*;

    #[tokio::test]
    async fn a_body_that_ends_too_early() {
        let cut_short = [
            Script::json(PAGE).close_after(10),
            Script::json(PAGE).chunked(4).close_after(10),
            Script::json(PAGE).chunked(4).close_after(10 * 9 + 6),
            Script::json(PAGE).chunked(4).close_after(10 * 9 + 6 + 3),
            Script::json(PAGE).claiming(1000).close_after(PAGE.len()),
        ];
        for script in cut_short {
            let graph = FakeUpstream::always(script.clone()).await;
            assert_eq!(get(&graph).await, Err(UpstreamError::Truncated), "{script:?}");
        }
    }

    #[tokio::test]
    async fn a_length_that_is_too_long_stalls() {
        let graph = FakeUpstream::always(Script::json(PAGE).claiming(1000)).await;
        let answer = answer(
            &graph,
            Timeouts {
                idle: SHORT,
                ..PATIENT
            },
        )
        .await
        .unwrap();
        assert_eq!(text(answer).await, Err(UpstreamError::Timeout(Phase::Idle)));
    }

    #[tokio::test]
    async fn a_length_that_is_too_short_does_not_reach_the_next_answer() {
        let smuggled = "{}HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\"other\"";
        let graph = FakeUpstream::in_turn(vec![Script::json(smuggled).claiming(2), Script::json(PAGE)]).await;
        let client = client(&graph, PATIENT);
        for expected in ["{}", PAGE] {
            let answer = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
            assert_eq!(text(answer).await.unwrap(), expected);
        }
        assert_eq!(
            graph.connections(),
            2,
            "the first one is not to be trusted any more"
        );
    }

    #[tokio::test]
    async fn a_reset() {
        let graph = FakeUpstream::always(Script::json(PAGE).reset_after(10)).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Reset));
        let graph = FakeUpstream::always(Script::json(PAGE).reset_in_head(0)).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Reset));
    }

    #[tokio::test]
    async fn a_head_that_ends_too_early() {
        let graph = FakeUpstream::always(Script::json(PAGE).close_in_head(20)).await;
        assert_eq!(get(&graph).await, Err(UpstreamError::Truncated));
    }

    #[tokio::test]
    async fn what_is_not_http() {
        for garbage in [
            "SSH-2.0-OpenSSH_9.6\r\n",
            "\0\0\0\0\0\0\0\0",
            "<html>hello</html>\r\n\r\n",
        ] {
            let graph = FakeUpstream::always(Script::raw(garbage)).await;
            assert_eq!(get(&graph).await, Err(UpstreamError::Protocol), "{garbage:?}");
        }
    }

    #[tokio::test]
    async fn a_chunk_that_is_none() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for bad in ["xyz\r\n", "2\r\n{}garbage", "ffffffffffffffffff\r\n"] {
            let graph = FakeUpstream::always(Script::raw(format!("{head}{bad}"))).await;
            assert_eq!(get(&graph).await, Err(UpstreamError::Protocol), "{bad:?}");
        }
        let graph = FakeUpstream::always(Script::raw(format!("{head}2\r\n{{}}\r\n0\r\n\r\n"))).await;
        assert_eq!(get(&graph).await, Ok((200, "{}".into())));
    }

    #[tokio::test]
    async fn trailers_are_left_behind() {
        let raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n2\r\n{}\r\n0\r\nX-A: b\r\n\r\n";
        let graph = FakeUpstream::always(Script::raw(raw)).await;
        let body = answer(&graph, PATIENT)
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap();
        assert!(body.trailers().is_none());
        assert_eq!(body.to_bytes(), "{}");
    }

    #[tokio::test]
    async fn many_or_long_header_fields() {
        let with_fields = |count| (0..count).fold(Script::json(PAGE), |script, _| script.header("X-A", "b"));
        let with_length = |length| Script::json(PAGE).header("X-A", &"b".repeat(length));
        for fine in [with_fields(90), with_length(30_000)] {
            assert!(get(&FakeUpstream::always(fine).await).await.is_ok());
        }
        for huge in [with_fields(200), with_length(70_000)] {
            assert_eq!(
                get(&FakeUpstream::always(huge).await).await,
                Err(UpstreamError::HeadTooLarge)
            );
        }
    }

    #[tokio::test]
    async fn a_body_over_the_bound() {
        let limit = u64::try_from(PAGE.len()).unwrap();
        for script in [Script::json(PAGE), Script::json(PAGE).chunked(5)] {
            let graph = FakeUpstream::always(script).await;
            let bounded = |max_body| Settings {
                max_body,
                ..settings(&graph, PATIENT)
            };
            assert_eq!(
                ask(&GraphClient::new(bounded(limit)).unwrap()).await,
                Ok((200, PAGE.into()))
            );
            let limit = limit - 1;
            let refused = ask(&GraphClient::new(bounded(limit)).unwrap()).await;
            assert_eq!(refused, Err(UpstreamError::BodyTooLarge { limit }));
        }
    }

    #[tokio::test]
    async fn compression_is_not_touched() {
        let graph = FakeUpstream::always(Script::gzip(PAGE)).await;
        let answer = answer(&graph, PATIENT).await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let packed = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(packed[..2], [0x1f, 0x8b]);
    }

    #[tokio::test]
    async fn a_bomb_is_seen_by_the_decoder() {
        use glassine::codec::{Bounds, InflateError, Inflater};
        for (script, expected) in [
            (Script::bomb(8), Err(InflateError::Ratio)),
            (Script::gzip(PAGE), Ok(())),
        ] {
            let graph = FakeUpstream::always(script).await;
            let packed = answer(&graph, PATIENT)
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes();
            let mut inflater = Inflater::new(Bounds::default());
            assert_eq!(inflater.push(&packed, &mut |_| Ok(())), expected);
        }
    }
}

mod connection {
    use super::*;

    #[tokio::test]
    async fn nobody_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        drop(listener);
        let graph = Origin::new(http::uri::Scheme::HTTP, address).unwrap();
        let settings = Settings {
            graph,
            extra_roots: Vec::new(),
            timeouts: PATIENT,
            max_body: 1,
        };
        let refused = ask(&GraphClient::new(settings).unwrap()).await;
        assert_eq!(
            refused,
            Err(UpstreamError::Connect(std::io::ErrorKind::ConnectionRefused))
        );
    }

    #[tokio::test]
    async fn a_known_certificate_opens_and_an_unknown_one_does_not() {
        let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
        assert_eq!(get(&graph).await, Ok((200, PAGE.into())));

        let other = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
        let settings = Settings {
            extra_roots: other.ca(),
            ..settings(&graph, PATIENT)
        };
        let refused = ask(&GraphClient::new(settings).unwrap()).await;
        assert!(matches!(refused, Err(UpstreamError::Tls(Some(_)))), "{refused:?}");
        assert!(graph.requests().len() == 1, "nothing was sent to a stranger");
    }

    #[tokio::test]
    async fn the_certificate_must_name_the_host() {
        let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
        for (host, fine) in [("localhost", true), ("127.0.0.1", true), ("127.0.0.2", false)] {
            let origin = https(&format!("{host}:{}", graph.address().port()));
            let settings = Settings {
                graph: origin,
                ..settings(&graph, PATIENT)
            };
            // On 127.0.0.2 nobody listens, or the certificate is for another host: no session either way.
            assert_eq!(
                ask(&GraphClient::new(settings).unwrap()).await.is_ok(),
                fine,
                "{host}"
            );
        }
    }

    #[tokio::test]
    async fn truncation_inside_tls() {
        let graph = FakeUpstream::start_tls(|_| Script::json(PAGE).reset_after(10)).await;
        let refused = get(&graph).await;
        assert!(
            matches!(refused, Err(UpstreamError::Reset | UpstreamError::Truncated)),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn a_server_without_tls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
        });
        let graph = https(&address.to_string());
        let settings = Settings {
            graph,
            extra_roots: Vec::new(),
            timeouts: PATIENT,
            max_body: 1,
        };
        let refused = ask(&GraphClient::new(trusting_somebody(settings).await).unwrap()).await;
        assert!(matches!(refused, Err(UpstreamError::Tls(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn a_handshake_that_stalls() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let graph = https(&listener.local_addr().unwrap().to_string());
        let timeouts = Timeouts {
            connect: SHORT,
            tls: SHORT,
            ..PATIENT
        };
        let settings = Settings {
            graph,
            extra_roots: Vec::new(),
            timeouts,
            max_body: 1,
        };
        let refused = ask(&GraphClient::new(trusting_somebody(settings).await).unwrap()).await;
        assert_eq!(refused, Err(UpstreamError::Timeout(Phase::Tls)));
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist() {
        let graph = https("no-such-host.invalid");
        let settings = Settings {
            graph,
            extra_roots: Vec::new(),
            timeouts: PATIENT,
            max_body: 1,
        };
        let refused = ask(&GraphClient::new(trusting_somebody(settings).await).unwrap()).await;
        assert_eq!(refused, Err(UpstreamError::Resolve));
    }

    #[tokio::test]
    async fn an_extra_root_that_is_none() {
        let graph = FakeUpstream::start_tls(|_| Script::json(PAGE)).await;
        let mut settings = settings(&graph, PATIENT);
        settings.extra_roots.push(CertificateDer::from(b"junk".to_vec()));
        let refused = GraphClient::new(settings).err();
        assert!(
            matches!(refused, Some(BuildError::ExtraRoot { number: 2, .. })),
            "{refused:?}"
        );
    }

    /// On a machine without a CA bundle a client needs some root to start with.
    async fn trusting_somebody(mut settings: Settings) -> Settings {
        settings.extra_roots = FakeUpstream::start_tls(|_| Script::never()).await.ca();
        settings
    }

    fn https(authority: &str) -> Origin {
        Origin::new(http::uri::Scheme::HTTPS, authority.parse().unwrap()).unwrap()
    }
}

mod http2 {
    use super::*;
    use crate::support::h2::{Frames, Http2Upstream};

    #[tokio::test]
    async fn requests_share_one_connection() {
        let graph = Http2Upstream::always(Frames {
            data: vec!["{\"value\":", "[]}"],
            reset: false,
        })
        .await;
        let client = client_of(&graph);
        for _ in 0..3 {
            let answer = client.get("/v1.0/users", &headers(), &token()).await.unwrap();
            assert_eq!(answer.version(), http::Version::HTTP_2);
            assert_eq!(text(answer).await.unwrap(), r#"{"value":[]}"#);
        }
        assert_eq!(graph.connections(), 1);
    }

    #[tokio::test]
    async fn a_stream_reset_is_no_end() {
        let graph = Http2Upstream::always(Frames {
            data: vec!["{\"value\":"],
            reset: true,
        })
        .await;
        let client = client_of(&graph);
        assert_eq!(ask(&client).await, Err(UpstreamError::Protocol));
        assert_eq!(ask(&client).await, Err(UpstreamError::Protocol));
        assert_eq!(graph.connections(), 1, "the connection outlives the stream");
    }

    fn client_of(graph: &Http2Upstream) -> GraphClient {
        let (graph, extra_roots) = (graph.origin(), graph.ca());
        GraphClient::new(Settings {
            graph,
            extra_roots,
            timeouts: PATIENT,
            max_body: 1 << 20,
        })
        .unwrap()
    }
}

mod token {
    use super::*;

    const EAGER: Pace = Pace {
        renew_margin: Duration::ZERO,
        min_interval: Duration::ZERO,
        file_check: Duration::ZERO,
    };

    const CALM: Pace = Pace {
        renew_margin: Duration::ZERO,
        min_interval: LONG,
        file_check: LONG,
    };

    #[tokio::test]
    async fn the_request_is_as_documented() {
        let entra = FakeUpstream::always(granted("one")).await;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s~+cret&\n").unwrap();
        let mut settings = client_secret(&entra, Pace::default());
        let Credential::ClientSecret { secret, .. } = &mut settings.credential else {
            unreachable!()
        };
        *secret = SecretSource::File(file.path().to_owned());
        assert_eq!(text_of(&TokenSource::new(settings).unwrap()).await, "one");

        let [request] = entra.requests().try_into().unwrap();
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/contoso.com/oauth2/v2.0/token")
        );
        assert_eq!(
            request.header("content-type"),
            Some("application/x-www-form-urlencoded")
        );
        let scope = entra.origin().to_string().replace(':', "%3A").replace('/', "%2F");
        assert_eq!(
            request.body,
            format!(
                "grant_type=client_credentials&client_id=app-1&scope={scope}%2F.default\
                 &client_secret=s%7E%2Bcret%26"
            )
        );
    }

    #[tokio::test]
    async fn fifty_callers_share_one_fetch() {
        let entra = FakeUpstream::always(granted("one").delayed(PAUSE)).await;
        let source = Arc::new(source(&entra, Pace::default()));
        let callers = (0..50).map(|_| {
            let source = source.clone();
            tokio::spawn(async move { source.token().await.unwrap() })
        });
        let tokens = all(callers.collect()).await;
        assert!(tokens.iter().all(|token| Arc::ptr_eq(token, &tokens[0])));
        assert_eq!(entra.requests().len(), 1);
    }

    #[tokio::test]
    async fn fifty_callers_share_one_failure() {
        let entra = FakeUpstream::always(Script::status(503).delayed(PAUSE)).await;
        let source = Arc::new(source(&entra, CALM));
        let callers = (0..50).map(|_| {
            let source = source.clone();
            tokio::spawn(async move { source.token().await.unwrap_err() })
        });
        for error in all(callers.collect()).await {
            assert_eq!(
                error,
                TokenError::Unavailable(http::StatusCode::SERVICE_UNAVAILABLE)
            );
        }
        assert_eq!(entra.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_caller_who_leaves_does_not_stop_the_fetch() {
        let entra = FakeUpstream::always(granted("one").delayed(2 * PAUSE)).await;
        let source = source(&entra, Pace::default());
        assert!(tokio::time::timeout(PAUSE, source.token()).await.is_err());
        assert_eq!(text_of(&source).await, "one");
        assert_eq!(entra.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_forgotten_after_the_interval() {
        let entra = FakeUpstream::in_turn(vec![Script::status(503), granted("one")]).await;
        let source = source(
            &entra,
            Pace {
                min_interval: SHORT,
                ..CALM
            },
        );
        assert!(source.token().await.is_err());
        assert!(source.token().await.is_err());
        tokio::time::sleep(SHORT).await;
        assert_eq!(text_of(&source).await, "one");
        assert_eq!(entra.requests().len(), 2);
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_ends() {
        let short = r#"{"token_type":"Bearer","expires_in":"1","access_token":"one"}"#;
        let entra = FakeUpstream::in_turn(vec![Script::json(short), granted("two")]).await;
        let source = source(
            &entra,
            Pace {
                renew_margin: Duration::from_millis(900),
                ..EAGER
            },
        );
        assert_eq!(text_of(&source).await, "one");
        assert_eq!(text_of(&source).await, "one");
        tokio::time::sleep(Duration::from_millis(510)).await;
        assert_eq!(text_of(&source).await, "two");
    }

    #[tokio::test]
    async fn the_old_token_serves_while_a_renewal_fails() {
        let entra =
            FakeUpstream::in_turn(vec![expiring("one", 2), Script::status(500), granted("two")]).await;
        let source = source(
            &entra,
            Pace {
                renew_margin: LONG,
                min_interval: SHORT,
                ..EAGER
            },
        );
        assert_eq!(text_of(&source).await, "one");
        tokio::time::sleep(Duration::from_millis(1010)).await;
        assert_eq!(text_of(&source).await, "one");
        assert_eq!(entra.requests().len(), 2, "a renewal was tried");
        tokio::time::sleep(SHORT).await;
        assert_eq!(text_of(&source).await, "two");
    }

    #[tokio::test]
    async fn a_token_that_graph_refuses_is_renewed_once() {
        let entra = FakeUpstream::in_turn(vec![granted("one"), granted("two"), granted("three")]).await;
        let graph = FakeUpstream::start(
            |request| match (request.path(), request.header("authorization")) {
                ("/v1.0/users", Some("Bearer two")) => Script::json(PAGE),
                _ => Script::status(401),
            },
        )
        .await;
        let source = source(&entra, EAGER);
        let first = source.token().await.unwrap();
        assert_eq!(status_with(&graph, &first).await, 401);

        // Two requests have seen the 401; one renewal serves both.
        source.invalidate(&first).await;
        let second = source.token().await.unwrap();
        source.invalidate(&first).await;
        assert!(Arc::ptr_eq(&second, &source.token().await.unwrap()));
        assert_eq!(status_with(&graph, &second).await, 200);
        assert_eq!(entra.requests().len(), 2);
    }

    #[tokio::test]
    async fn a_graph_that_refuses_everything_makes_no_storm() {
        let entra = FakeUpstream::always(granted("one")).await;
        let source = source(&entra, CALM);
        for _ in 0..20 {
            let token = source.token().await.unwrap();
            source.invalidate(&token).await;
        }
        assert_eq!(entra.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_number_and_nothing_else() {
        let body = r#"{"error":"unauthorized_client","error_description":"AADSTS700016: Application 'app-1' of alice",
            "error_codes":[700016],"trace_id":"x"}"#;
        let entra = FakeUpstream::always(Script::status(400).body(body)).await;
        let error = source(&entra, CALM).token().await.unwrap_err();
        let expected = TokenError::Refused {
            error: OAuthError::UnauthorizedClient,
            aadsts: Some(700016),
        };
        assert_eq!(error, expected);
        assert!(error.to_string().contains("AADSTS700016") && !error.to_string().contains("alice"));
    }

    #[tokio::test]
    async fn faults_of_the_token_endpoint() {
        let limit = 64 * 1024;
        let cases = [
            (
                Script::json("x".repeat(70_000)),
                TokenError::Upstream(UpstreamError::BodyTooLarge { limit }),
            ),
            (
                Script::json(PAGE).close_after(5),
                TokenError::Upstream(UpstreamError::Truncated),
            ),
            (
                Script::never(),
                TokenError::Upstream(UpstreamError::Timeout(Phase::Head)),
            ),
            (
                Script::status(302).header("Location", "/"),
                TokenError::Upstream(UpstreamError::Redirect),
            ),
        ];
        for (script, expected) in cases {
            let entra = FakeUpstream::always(script).await;
            let mut settings = client_secret(&entra, CALM);
            settings.timeouts.head = SHORT;
            assert_eq!(
                TokenSource::new(settings).unwrap().token().await.err(),
                Some(expected)
            );
        }
    }

    #[tokio::test]
    async fn a_tenant_that_is_none_is_refused_at_the_start() {
        let entra = FakeUpstream::always(granted("one")).await;
        let mut settings = client_secret(&entra, CALM);
        let Credential::ClientSecret { tenant, .. } = &mut settings.credential else {
            unreachable!()
        };
        *tenant = "../common".into();
        assert_eq!(TokenSource::new(settings).err(), Some(BuildError::Tenant));
    }

    #[tokio::test]
    async fn a_token_file_is_read_again_when_it_changes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = from_file(&file, EAGER).await;
        std::fs::write(file.path(), "one\n").unwrap();
        let first = source.token().await.unwrap();
        assert!(
            Arc::ptr_eq(&first, &source.token().await.unwrap()),
            "the same text is the same token"
        );
        std::fs::write(file.path(), "two\n").unwrap();
        assert_eq!(text_of(&source).await, "two");
    }

    #[tokio::test]
    async fn a_bad_token_file_leaves_the_last_good_token() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one").unwrap();
        let source = from_file(&file, EAGER).await;
        assert_eq!(text_of(&source).await, "one");
        std::fs::write(file.path(), "two\nlines").unwrap();
        assert_eq!(text_of(&source).await, "one");
        let fresh = from_file(&file, EAGER).await;
        assert_eq!(
            fresh.token().await.err(),
            Some(TokenError::Secret(SecretError::Characters))
        );
    }

    #[tokio::test]
    async fn a_token_from_the_environment() {
        let graph = FakeUpstream::always(Script::never()).await;
        let with = |name: &str| {
            let credential = Credential::AccessTokenEnv(name.into());
            TokenSource::new(TokenSettings {
                credential,
                ..client_secret(&graph, CALM)
            })
            .unwrap()
        };
        // Cargo sets it for every test.
        assert_eq!(text_of(&with("CARGO_PKG_NAME")).await, "glassine");
        let unset = with("GLASSINE_NO_SUCH").token().await.err();
        assert_eq!(unset, Some(TokenError::Secret(SecretError::Unset)));
    }

    fn granted(token: &str) -> Script {
        expiring(token, 3599)
    }

    fn expiring(token: &str, seconds: u64) -> Script {
        Script::json(format!(
            r#"{{"token_type":"Bearer","expires_in":{seconds},"access_token":"{token}"}}"#
        ))
    }

    fn source(entra: &FakeUpstream, pace: Pace) -> TokenSource {
        TokenSource::new(client_secret(entra, pace)).unwrap()
    }

    fn client_secret(entra: &FakeUpstream, pace: Pace) -> TokenSettings {
        let credential = Credential::ClientSecret {
            authority: entra.origin(),
            tenant: "contoso.com".into(),
            client_id: "app-1".into(),
            // Cargo sets it for every test.
            secret: SecretSource::Env("CARGO_PKG_NAME".into()),
        };
        TokenSettings {
            credential,
            graph: entra.origin(),
            extra_roots: entra.ca(),
            timeouts: PATIENT,
            pace,
        }
    }

    async fn from_file(file: &tempfile::NamedTempFile, pace: Pace) -> TokenSource {
        let nobody = FakeUpstream::always(Script::never()).await;
        let credential = Credential::AccessTokenFile(file.path().to_owned());
        TokenSource::new(TokenSettings {
            credential,
            ..client_secret(&nobody, pace)
        })
        .unwrap()
    }

    async fn text_of(source: &TokenSource) -> String {
        source.token().await.unwrap().secret().expose().to_owned()
    }

    async fn status_with(graph: &FakeUpstream, token: &AccessToken) -> u16 {
        let answer = client(graph, PATIENT)
            .get("/v1.0/users", &headers(), token.secret())
            .await
            .unwrap();
        answer.status().as_u16()
    }

    async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    }
}

fn settings(graph: &FakeUpstream, timeouts: Timeouts) -> Settings {
    Settings {
        graph: graph.origin(),
        extra_roots: graph.ca(),
        timeouts,
        max_body: 1 << 20,
    }
}

fn client(graph: &FakeUpstream, timeouts: Timeouts) -> GraphClient {
    GraphClient::new(settings(graph, timeouts)).unwrap()
}

fn headers() -> RequestHeaders {
    RequestHeaders::new(RequestId([7; 16]))
}

fn token() -> Secret {
    Secret::new("t0ken".into())
}

/// The head of an answer, its body unread.
async fn answer(graph: &FakeUpstream, timeouts: Timeouts) -> Result<Response<UpstreamBody>, UpstreamError> {
    client(graph, timeouts)
        .get("/v1.0/users", &headers(), &token())
        .await
}

/// Status and body of an answer, with time enough for it.
async fn get(graph: &FakeUpstream) -> Result<(u16, String), UpstreamError> {
    ask(&client(graph, PATIENT)).await
}

async fn ask(client: &GraphClient) -> Result<(u16, String), UpstreamError> {
    let answer = client.get("/v1.0/users", &headers(), &token()).await?;
    Ok((answer.status().as_u16(), text(answer).await?))
}

fn text(answer: Response<UpstreamBody>) -> impl Future<Output = Result<String, UpstreamError>> {
    async { Ok(String::from_utf8(answer.into_body().collect().await?.to_bytes().into()).unwrap()) }
}
