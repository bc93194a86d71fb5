//! The pages that people see: choosing an account, accepting permissions, and what went wrong. Plain forms, no script.

use super::people::Person;
use super::refusal::{Refusal, Trace};
use super::registration::Registration;
use super::words::words;
use crate::web::Html;

/// What the pages of a consent show.
pub(super) struct Consent<'a> {
    pub(super) tenant_id: &'a str,
    /// What the form sends, and nothing else knows.
    pub(super) context: &'a str,
    pub(super) application: &'a Registration,
    pub(super) person: &'a Person,
}

/// A list of people to choose from.
pub(super) fn sign_in(tenant_id: &str, context: &str, application: &str, people: &[Person]) -> String {
    let form = form(tenant_id, "/login", context)
        .markup("<ul>\n")
        .each(people, account)
        .markup("</ul>\n<div class=\"choices\"><button class=\"choice\" name=\"decision\" value=\"cancel\">Cancel</button></div>\n</form>\n");
    let main = Html::default()
        .markup("<h1>Pick an account</h1>\n<p>to continue to <strong>")
        .text(application)
        .markup("</strong></p>\n")
        .piece(form);
    page("Sign in to your account", main)
}

fn account(person: &Person) -> Html {
    Html::default()
        .markup("<li><button class=\"account\" name=\"account\" value=\"")
        .text(&person.id)
        .markup("\"><span><strong>")
        .text(&person.name)
        .markup("</strong></span><span>")
        .text(&person.user_name)
        .markup("</span><span class=\"soft\">")
        .text(person.role)
        .markup("</span></button></li>\n")
}

/// What an administrator accepts.
pub(super) fn permissions(consent: &Consent<'_>) -> String {
    let listed = &consent.application.configured;
    let main = who(consent.person)
        .markup("<h1>Permissions requested</h1>\n<p>Review for your organization, Tallgrass Paper</p>\n<p><strong>")
        .text(&consent.application.name)
        .markup("</strong> <span class=\"soft\">unverified</span></p>\n<h2>This app would like to:</h2>\n<ul>\n")
        .each(listed, |name| permission(name))
        .markup("</ul>\n<p>If you accept, this app will get access to the specified resources for all users in your organization. No one else will be prompted to review these permissions.</p>\n")
        .piece(form(consent.tenant_id, "/consent", consent.context))
        .markup("<div class=\"choices\">\n<button class=\"choice\" name=\"decision\" value=\"cancel\">Cancel</button>\n<button class=\"choice main\" name=\"decision\" value=\"accept\">Accept</button>\n</div>\n</form>\n");
    page("Permissions requested", main)
}

fn permission(name: &str) -> Html {
    let (title, description) = words(name);
    Html::default()
        .markup("<li class=\"permission\"><p><strong>")
        .text(title)
        .markup("</strong></p><p class=\"soft\">")
        .text(description)
        .markup("</p><p class=\"soft\"><code>")
        .text(name)
        .markup("</code>, application permission</p></li>\n")
}

/// For everybody who may not accept.
pub(super) fn approval_needed(consent: &Consent<'_>, refusal: &Refusal, trace: &Trace) -> String {
    let main = who(consent.person)
        .markup("<h1>Need admin approval</h1>\n<p><strong>")
        .text(&consent.application.name)
        .markup("</strong></p>\n<p>This app needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>\n")
        .piece(form(consent.tenant_id, "/consent", consent.context))
        .markup("<div class=\"choices\">\n<button class=\"choice\" name=\"decision\" value=\"cancel\">Return to the application without granting consent</button>\n<button class=\"choice main\" name=\"decision\" value=\"another\">Have an admin account? Sign in with that account</button>\n</div>\n</form>\n")
        .piece(details(refusal, trace));
    page("Need admin approval", main)
}

/// For everything that is told to nobody but the person in front of the browser.
pub(super) fn error(refusal: &Refusal, trace: &Trace) -> String {
    let main = Html::default()
        .markup("<h1>Sign in</h1>\n<p>Sorry, but we're having trouble signing you in.</p>\n")
        .piece(details(refusal, trace));
    page("Sign in to your account", main)
}

/// Sends parameters back as a form (OAuth 2.0 Form Post Response Mode). The real one sends itself, by script.
pub(super) fn form_post(uri: &str, parameters: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        Html::default()
            .markup("<input type=\"hidden\" name=\"")
            .text(name)
            .markup("\" value=\"")
            .text(value)
            .markup("\">\n")
    };
    let main = Html::default()
        .markup("<h1>Working...</h1>\n<form method=\"post\" action=\"")
        .text(uri)
        .markup("\">\n")
        .each(parameters, field)
        .markup("<div class=\"choices\"><button class=\"choice main\">Continue</button></div>\n</form>\n");
    page("Working...", main)
}

/// The end of a session.
pub(super) fn signed_out() -> String {
    page("Sign out", Html::default().markup("<h1>You signed out of your account</h1>\n"))
}

fn who(person: &Person) -> Html {
    Html::default().markup("<p class=\"soft\">").text(&person.user_name).markup("</p>\n")
}

/// The beginning of a form.
fn form(tenant_id: &str, path: &'static str, context: &str) -> Html {
    Html::default()
        .markup("<form method=\"post\" action=\"/")
        .text(tenant_id)
        .markup(path)
        .markup("\">\n<input type=\"hidden\" name=\"ctx\" value=\"")
        .text(context)
        .markup("\">\n")
}

fn details(refusal: &Refusal, trace: &Trace) -> Html {
    let (code, _) = refusal.codes();
    Html::default()
        .markup("<p>AADSTS")
        .text(&code.to_string())
        .markup(": ")
        .text(&refusal.to_string())
        .markup("</p>\n<dl><dt>Request Id</dt><dd>")
        .text(&trace.trace_id)
        .markup("</dd><dt>Correlation Id</dt><dd>")
        .text(&trace.correlation_id)
        .markup("</dd><dt>Timestamp</dt><dd>")
        .text(&trace.timestamp())
        .markup("</dd></dl>\n")
}

fn page(title: &str, main: Html) -> String {
    Html::default()
        .markup("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
        .text(title)
        .markup("</title>\n<style>\n")
        .markup(include_str!("style.css"))
        .markup("</style>\n</head>\n<body>\n<main>\n<p class=\"brand\">Tallgrass Paper</p>\n")
        .piece(main)
        .markup("</main>\n<footer><p>A sample tenant that stands in for Microsoft Entra ID. Everybody in it is invented, and no password is asked for.</p></footer>\n</body>\n</html>\n")
        .into_text()
}
