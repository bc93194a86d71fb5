//! The rules on small sources that break them, each beside one that does not.

use super::*;

/// What a rule finds in a file of this module.
fn check(rule: fn(&Source) -> Vec<String>, path: &str, code: &str) -> usize {
    rule(&Source::new(path, code)).len()
}

#[test]
fn foreign_modules_are_found_in_both_packages() {
    for (path, code) in [
        ("src/upstream/a.rs", "use glassine_core::sanitize::Raw;"),
        ("core/src/sanitize/a.rs", "use crate::{graph, admit::Admitted};"),
        ("core/src/pseudonym/a.rs", "fn f() { crate::rules::compile() }"),
        ("src/new_module.rs", "fn f() {}"),
    ] {
        assert_ne!(check(foreign_modules, path, code), 0, "{path}: {code}");
    }
    for (path, code) in [
        ("src/proxy/a.rs", "use glassine_core::sanitize::Raw;"),
        ("core/src/sanitize/a.rs", "use crate::pseudonym::Pseudonyms;"),
        ("src/upstream/a.rs", "// use glassine_core::sanitize::Raw;\nuse crate::upstream::Client;"),
    ] {
        assert_eq!(check(foreign_modules, path, code), 0, "{path}: {code}");
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
        assert_ne!(check(unlisted_fields, "src/proxy/a.rs", code), 0, "{code}");
    }
    for code in [
        "tracing::info!(\"ready\");",
        "tracing::warn!(%request_id, endpoint, status, error = %self, \"a request failed\");",
        "tracing::warn!(connections = connections.len(), \"x\");",
        "tracing::debug!(error = &error as &dyn Error, \"x\");",
    ] {
        assert_eq!(check(unlisted_fields, "src/proxy/a.rs", code), 0, "{code}");
    }
}

#[test]
fn a_text_with_holes_is_found() {
    assert_eq!(check(texts_with_holes, "src/proxy/a.rs", "tracing::info!(\"asked {target}\");"), 1);
    assert_eq!(
        check(texts_with_holes, "src/proxy/a.rs", "tracing::info!(status, \"asked\"); f(\"{a}\");"),
        0
    );
}

#[test]
fn unescaped_markup_has_one_place() {
    let code = "fn f(title: &str) -> Markup { maud::PreEscaped(title.to_owned()) }";
    assert_eq!(check(unescaped_markup, "src/connect/pages/list.rs", code), 1);
    assert_eq!(check(unescaped_markup, "src/web/page.rs", code), 0);
    assert_eq!(
        check(unescaped_markup, "src/connect/pages/list.rs", "fn f(t: &str) -> Markup { html! { (t) } }"),
        0
    );
}

#[test]
fn prints_and_machine_names_are_found() {
    assert_ne!(check(prints, "src/a.rs", "fn f() { println!(\"x\"); dbg!(x) }"), 0);
    assert_eq!(check(prints, "src/a.rs", "// println!(\nfn f() { \"dbg!\" }"), 0);
    let path = ["/wo", "rk/main"].concat();
    assert_eq!(machine_names("README.md", &path).len(), 1);
    assert_eq!(machine_names("README.md", "docs.rs, /usr/share").len(), 0);
    assert_eq!(machine_names("a.rs", &["/ro", "ot/.ssh"].concat()).len(), 1);
    assert_eq!(machine_names("a.rs", "/drives/{}/root/delta, /me/drive/root/children").len(), 0);
}
