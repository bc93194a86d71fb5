//! The rules on small sources that break them, each beside one that does not.

use super::*;

/// What a rule finds in a file of this module.
fn check(rule: fn(&Source) -> Vec<String>, path: &str, code: &str) -> usize {
    rule(&Source::new(path, code)).len()
}

#[test]
fn impure_names_are_found_however_they_are_written() {
    for code in [
        "use tokio::fs;",
        "use std::{fmt, env};",
        "use std::{fmt, net::{IpAddr, TcpStream}};",
        "use std::net;",
        "fn f() { std::fs::read(path); }",
        "fn f() { let t = std::time::Instant::now(); }",
        "fn f() { jiff::Timestamp::now(); Timestamp::now() }",
        "use http::HeaderMap;",
        "use {\n    getrandom::fill as draw,\n};",
        "fn f() { tracing::info!(\"x\"); }",
    ] {
        assert_ne!(check(impure_names, "sanitize/a.rs", code), 0, "{code}");
        assert_ne!(check(impure_names, "rules.rs", code), 0, "{code}");
        assert_eq!(check(impure_names, "proxy/a.rs", code), 0, "{code}");
    }
    for code in [
        "use std::net::{IpAddr, Ipv4Addr};",
        "use std::time::Duration;",
        "use crate::graph::http_date;",
        "// use tokio::fs;\nfn f() -> &'static str { \"std::env\" }",
        "#[cfg(test)]\nmod tests { use std::env; }",
        "use std::fmt; fn random() {}",
    ] {
        assert_eq!(check(impure_names, "sanitize/a.rs", code), 0, "{code}");
    }
}

#[test]
fn foreign_modules_are_found_in_both_directions() {
    for (path, code) in [
        ("upstream/a.rs", "use crate::sanitize::Raw;"),
        ("sanitize/a.rs", "use crate::{graph, upstream::UpstreamBody};"),
        ("pseudonym/a.rs", "fn f() { crate::config::load() }"),
    ] {
        assert_ne!(check(foreign_modules, path, code), 0, "{path}: {code}");
        assert_eq!(check(foreign_modules, "proxy/a.rs", code), 0, "{code}");
    }
    assert_eq!(check(foreign_modules, "sanitize/a.rs", "use crate::pseudonym::Pseudonyms;"), 0);
}

#[test]
fn open_doors_are_found() {
    for (path, code) in [
        ("sanitize/guard.rs", "/// Doc.\n#[derive(Debug)]\npub struct Raw<T>(T);"),
        ("sanitize/guard.rs", "pub struct A;\n#[derive(PartialEq, Clone)] #[must_use] pub struct Raw<T>(T);"),
        ("sanitize/a.rs", "impl<T: fmt::Debug> fmt::Debug for Raw<T> { }"),
        ("proxy/a.rs", "impl<T> std::ops::Deref for crate::sanitize::Raw<T> {}"),
        ("proxy/a.rs", "impl Serialize for Raw<&[u8]> {}"),
        ("proxy/a.rs", "let clean = Clean::assertion(bytes);"),
        ("proxy/a.rs", "let clean = Clean::<Vec<u8>>::assertion(bytes);"),
    ] {
        assert_ne!(check(open_doors, path, code), 0, "{path}: {code}");
    }
    for (path, code) in [
        ("sanitize/guard.rs", "#[derive(Clone, Debug)] pub struct Clean<T>(T); pub struct Raw<T>(T);"),
        ("sanitize/guard.rs", "pub struct Raw<T>(T);\n#[derive(Clone, Debug)]\npub struct Clean<T>(T);"),
        ("sanitize/gate.rs", "Clean::assertion(digits)"),
        ("proxy/a.rs", "impl fmt::Debug for RawAnswerName {}"),
        ("proxy/a.rs", "let assertion = Clean::get(x);"),
    ] {
        assert_eq!(check(open_doors, path, code), 0, "{path}: {code}");
    }
}

#[test]
fn fields_that_are_not_listed_are_found() {
    for code in [
        "tracing::info!(%target, \"asked\");",
        "tracing::debug!(error = %error, path = ?uri.path(), \"x\");",
        "warn!(user, \"x\");",
        "tracing::info!(\"x {}\", address);",
        "tracing::info_span!(\"x\", subject = %s);",
        "#[instrument(skip(a))] fn f() {}",
    ] {
        assert_ne!(check(unlisted_fields, "proxy/a.rs", code), 0, "{code}");
    }
    for code in [
        "tracing::info!(\"ready\");",
        "tracing::warn!(%request_id, endpoint, status, error = %self, \"a request failed\");",
        "tracing::warn!(connections = connections.len(), \"x\");",
        "tracing::debug!(error = &error as &dyn Error, \"x\");",
    ] {
        assert_eq!(check(unlisted_fields, "proxy/a.rs", code), 0, "{code}");
    }
}

#[test]
fn a_text_with_holes_is_found() {
    assert_eq!(check(texts_with_holes, "proxy/a.rs", "tracing::info!(\"asked {target}\");"), 1);
    assert_eq!(check(texts_with_holes, "proxy/a.rs", "tracing::info!(status, \"asked\"); f(\"{a}\");"), 0);
}

#[test]
fn prints_and_machine_names_are_found() {
    assert_ne!(check(prints, "a.rs", "fn f() { println!(\"x\"); dbg!(x) }"), 0);
    assert_eq!(check(prints, "a.rs", "// println!(\nfn f() { \"dbg!\" }"), 0);
    let path = ["/wo", "rk/main"].concat();
    assert_eq!(machine_names("README.md", &path).len(), 1);
    assert_eq!(machine_names("README.md", "docs.rs, /usr/share").len(), 0);
}
