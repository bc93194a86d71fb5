//! The URLs of a configuration: each is used, or refused with a message.

use std::fs;

use glassine::service::{self, StartError};
use glassine_core::diagnostic::{Located, Report};

use super::{HASH, full, load, with};

/// Hosts and what surrounds them, good and bad.
const ODD: &[&str] = &[
    "https://my_graph.example",
    "https://_graph.example",
    "https://graph-.example",
    "https://-graph.example",
    "https://graph..example",
    "https://graph.example.",
    "https://.example",
    "https://graph",
    "https://GRAPH.Example:443",
    "https://gr\u{e1}ph.example",
    "https://xn--grph-6na.example",
    "https://graph%2eexample",
    "https://127.1",
    "https://2130706433",
    "https://0x7f.1",
    "https://256.1.1.1",
    "https://1.2.3.4.5",
    "https://[::1]",
    "https://[::1",
    "https://[::1]x",
    "https://[fe80::1%25eth0]",
    "https://[::ffff:127.0.0.1]:8443",
    "https://::1",
    "https://graph.example:",
    "https://graph.example:0",
    "https://graph.example:00443",
    "https://graph.example:65536",
    "https://graph.example:+1",
    "https://graph.example:a",
    "https://user@graph.example",
    "https://user:pass@graph.example",
    "https://@graph.example",
    "https://graph.example/a{b}",
    "https://graph.example/a|b^c`d",
    "https://graph.example/<a>",
    "https://graph.example/%",
    "https://graph.example/..",
    "https://graph.example//",
    "https://graph.example/a b",
    "https://graph.example/\u{e1}",
    "https://graph.example?",
    "https://graph.example?a=b",
    "https://graph.example/?a=b",
    "https://graph.example#",
    "https://graph.example\\\\x",
    "https:///",
    "https://",
    "https:graph.example",
    "http://graph.example",
    "http://localhost",
    "http://127.0.0.1:1",
    "http://10.0.0.1",
    "HTTPS://graph.example",
    "ftp://graph.example",
    "graph.example",
    "graph.example:443",
    "//graph.example",
    "/",
    "",
    " ",
    "\\t",
    "https://graph.example ",
    "javascript:alert(1)",
];

/// The keys that name URLs, each as a configuration with a place for one.
fn keys() -> [(&'static str, String); 6] {
    let hole = "\"URL\"";
    let bearer = format!("{{ bearer_sha256: [\"{HASH}\"] }}");
    let limits = "    limits: { concurrent: 64, requests_per_second: 200 }\n";
    let returning = format!("{limits}    return_url: {hole}\nconnect: {{ file: connections.json }}\n");
    let traces = format!("traces: {{ url: {hole} }}\nkeys: {{ file: keys.yaml }}\n");
    let jwt = format!("{{ jwt: {{ issuer: i, audience: a, jwks_url: {hole} }} }}");
    [
        ("public_url", with("https://graph-proxy.contoso.example", hole)),
        ("upstream.graph", with("https://graph.microsoft.com", hole)),
        ("upstream.authority", with("https://login.microsoftonline.com", hole)),
        ("return_url", with(limits, &returning)),
        ("jwks_url", with(&bearer, &jwt)),
        ("traces.url", with("keys: { file: keys.yaml }\n", &traces)),
    ]
}

/// One parser accepted `upstream.graph: https://my_graph.example`. Another one refused it without a message.
#[test]
fn no_url_is_refused_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yaml");
    for (key, text) in keys() {
        let mut accepted = 0;
        for url in ODD {
            let text =
                text.replace("URL", url).replace("tls: {", "# tls: {").replace("0.0.0.0:8443", "127.0.0.1:0");
            fs::write(&file, text.replace("  ca_file", "  # ca_file")).unwrap();
            let Err(error) = service::check(&file) else { panic!("{key}: the files are not there") };
            let StartError::Reports(reports) = error else { panic!("{key}: {url}: {error}") };
            let found = reports.iter().flat_map(|report: &Report| report.located());
            let found: Vec<_> = found.filter(|one| one.code != "G0411" && one.code != "G0412").collect();
            // No file that the example names exists. So a configuration with an accepted URL fails because of the
            // files.
            accepted += usize::from(found.iter().all(|one| one.message.contains("there is no such file")));
            assert!(
                found.iter().any(|one| one.severity == glassine_core::diagnostic::Severity::Error),
                "{key}: {url:?}"
            );
        }
        assert!((8..ODD.len() - 25).contains(&accepted), "{key}: {accepted} accepted");
    }
}

#[test]
fn a_url_is_refused_at_its_place_with_its_cause_and_what_to_do() {
    for (key, text) in keys() {
        for (url, message) in [
            ("https://-a.example", "the host of the URL is neither a name nor an IP address"),
            ("https://a.example:0", "the port of the URL is not a number from 1 to 65535"),
            ("https://u@a.example", "the URL has a user name (`@`)"),
            ("https://a.example/#x", "the URL has a fragment (`#`)"),
            (
                "http://a.example",
                "plaintext is allowed to this machine only (`localhost`, 127.0.0.0/8, `[::1]`)",
            ),
            ("a.example", "the URL does not begin with `https://`"),
        ] {
            let text = text.replace("URL", url);
            let report = glassine::config::Config::load("config.yaml", &text).expect_err(url);
            let is_error = |one: &Located<'_>| one.severity == glassine_core::diagnostic::Severity::Error;
            let found: Vec<_> = report.located().filter(is_error).collect();
            let [one] = &found[..] else { panic!("{key}: {url}: {found:?}") };
            assert_eq!((one.message, one.hint.is_some()), (message, true), "{key}: {url}");
            assert!(report.render().contains(&format!("\"{url}\"")), "{key}: {url}");
        }
    }
}

#[test]
fn underscores_are_fine_everywhere() {
    for (key, text) in keys() {
        assert!(load(&text.replace("URL", "https://my_host.example")).is_ok(), "{key}");
    }
    assert!(load(&full()).is_ok());
}
