//! The pages for people: choosing an account, accepting permissions, and errors. Plain forms, no script.

use maud::{Markup, html};

use super::people::Person;
use super::refusal::{Refusal, Trace};
use super::registration::Registration;
use super::words::words;
use crate::web;

/// The data of the consent pages.
pub(super) struct Consent<'a> {
    pub(super) tenant_id: &'a str,
    /// The secret that ties the form to its page.
    pub(super) context: &'a str,
    pub(super) application: &'a Registration,
    pub(super) person: &'a Person,
}

/// The page with the accounts to choose from.
pub(super) fn sign_in(tenant_id: &str, context: &str, application: &str, people: &[Person]) -> String {
    let fields = html! {
        ul {
            @for person in people { (account(person)) }
        }
        div.choices {
            button.choice name="decision" value="cancel" { "Cancel" }
        }
    };
    let main = html! {
        h1 { "Pick an account" }
        p { "to continue to " strong { (application) } }
        (form(tenant_id, "/login", context, &fields))
    };
    page("Sign in to your account", &main)
}

fn account(person: &Person) -> Markup {
    html! {
        li {
            button.account name="account" value=(person.id) {
                span { strong { (person.name) } }
                span { (person.user_name) }
                span.soft { (person.role) }
            }
        }
    }
}

/// The page on which an administrator accepts permissions.
pub(super) fn permissions(consent: &Consent<'_>) -> String {
    let choices = html! {
        div.choices {
            button.choice name="decision" value="cancel" { "Cancel" } " "
            button.choice.main name="decision" value="accept" { "Accept" }
        }
    };
    let main = html! {
        (who(consent.person))
        h1 { "Permissions requested" }
        p { "Review for your organization, Tallgrass Paper" }
        p { strong { (consent.application.name) } " " span.soft { "unverified" } }
        h2 { "This app would like to:" }
        ul {
            @for name in &consent.application.configured { (permission(name)) }
        }
        p {
            "If you accept, this app will get access to the specified resources for all users in your organization. No \
             one else will be prompted to review these permissions."
        }
        (form(consent.tenant_id, "/consent", consent.context, &choices))
    };
    page("Permissions requested", &main)
}

fn permission(name: &str) -> Markup {
    let (title, description) = words(name);
    html! {
        li.permission {
            p { strong { (title) } }
            p.soft { (description) }
            p.soft { code { (name) } ", application permission" }
        }
    }
}

/// The page for people who may not accept.
pub(super) fn approval_needed(consent: &Consent<'_>, refusal: &Refusal, trace: &Trace) -> String {
    let choices = html! {
        div.choices {
            button.choice name="decision" value="cancel" {
                "Return to the application without granting consent"
            }
            " "
            button.choice.main name="decision" value="another" {
                "Have an admin account? Sign in with that account"
            }
        }
    };
    let main = html! {
        (who(consent.person))
        h1 { "Need admin approval" }
        p { strong { (consent.application.name) } }
        p {
            "This app needs permission to access resources in your organization that only an admin can grant. Please \
             ask an admin to grant permission to this app before you can use it."
        }
        (form(consent.tenant_id, "/consent", consent.context, &choices))
        (details(refusal, trace))
    };
    page("Need admin approval", &main)
}

/// The page for errors that are not redirected to the application, so that only the person sees them.
pub(super) fn error(refusal: &Refusal, trace: &Trace) -> String {
    let main = html! {
        h1 { "Sign in" }
        p { "Sorry, but we're having trouble signing you in." }
        (details(refusal, trace))
    };
    page("Sign in to your account", &main)
}

/// Sends parameters back as a form (OAuth 2.0 Form Post Response Mode). Entra's form submits itself by script.
pub(super) fn form_post(uri: &str, parameters: &[(&str, &str)]) -> String {
    let main = html! {
        h1 { "Working..." }
        form method="post" action=(uri) {
            @for (name, value) in parameters { input type="hidden" name=(name) value=(value); }
            div.choices {
                button.choice.main { "Continue" }
            }
        }
    };
    page("Working...", &main)
}

/// The page after signing out.
pub(super) fn signed_out() -> String {
    page("Sign out", &html! { h1 { "You signed out of your account" } })
}

fn who(person: &Person) -> Markup {
    html! { p.soft { (person.user_name) } }
}

/// A form that sends `context` back.
fn form(tenant_id: &str, path: &str, context: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action={ "/" (tenant_id) (path) } {
            input type="hidden" name="ctx" value=(context);
            (fields)
        }
    }
}

fn details(refusal: &Refusal, trace: &Trace) -> Markup {
    let (code, _) = refusal.codes();
    html! {
        p { "AADSTS" (code) ": " (maud::display(refusal)) }
        dl {
            dt { "Request Id" }
            dd { (trace.trace_id) }
            dt { "Correlation Id" }
            dd { (trace.correlation_id) }
            dt { "Timestamp" }
            dd { (trace.timestamp()) }
        }
    }
}

fn page(title: &str, main: &Markup) -> String {
    let body = html! {
        main {
            p.brand { "Tallgrass Paper" }
            (main)
        }
        footer {
            p {
                "A sample tenant that stands in for Microsoft Entra ID. Everybody in it is invented, and no password is \
                 asked for."
            }
        }
    };
    web::page(title, &web::style(include_str!("style.css")), &body)
}
