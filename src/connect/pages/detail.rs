//! One connector: its permissions in plain words, the reason for each, and what leaves and what never leaves.

use http::StatusCode;
use maud::{Markup, html};

use super::{badge, page, standing};
use crate::connect::leaves::{self, Object, Opened};
use crate::connect::problem::Problem;
use crate::connect::request::PageRequest;
use crate::connect::response::PageResponse;
use crate::connect::site::{Connector, Site};
use crate::connect::store::Connection;
use glassine_core::catalogue::permissions::plain_words;
use glassine_core::rules::Plan;
use glassine_core::statement::Fingerprint;

/// The data of the page.
struct Detail<'a> {
    consumer: &'a str,
    plan: &'a Plan,
    fingerprint: Fingerprint,
    connection: Option<Connection>,
    /// The `state` that the analytics application gets back.
    echo: Option<&'a str>,
    /// Where the browser goes in the end.
    returns_to: Option<&'a str>,
}

/// The page.
pub(super) fn view(
    site: &Site,
    connector: &Connector,
    request: &PageRequest<'_>,
) -> Result<PageResponse, Problem> {
    let echo = request.echo()?;
    let detail = Detail {
        consumer: &connector.name,
        plan: &connector.plan,
        fingerprint: connector.fingerprint,
        connection: site.connection(connector),
        echo: echo.as_deref(),
        returns_to: connector.return_url.as_ref().map(|url| url.origin().as_str()),
    };
    let targets = [Some(connector.application.authority.as_str()), detail.returns_to];
    let page = PageResponse::page(StatusCode::OK, self::detail(site.prefix(), &detail));
    Ok(page.with_form(targets.into_iter().flatten()))
}

fn detail(prefix: &str, detail: &Detail<'_>) -> String {
    let plan = detail.plan;
    let main = html! {
        nav aria-label="Way back" {
            a href={ (prefix) "/connect" } { "Data Connections" }
        }
        div.top {
            h1 { (plan.title) }
            (badge(detail.connection.as_ref()))
        }
        p.lead { (plan.purpose) }
        (standing(detail.connection.as_ref()))
        p {
            a href="#connect" { "Go to the sign-in" }
            ", or read first what leaves and what never does."
        }
        (permissions(plan))
        (rules(prefix, detail))
        (form(prefix, detail))
    };
    page(prefix, &plan.title, &main)
}

fn permissions(plan: &Plan) -> Markup {
    html! {
        section.card aria-labelledby="permissions" {
            h2 #permissions { "Permissions, and what leaves" }
            p {
                "You grant these to the proxy, which runs in your organisation; the application gets none of them. It \
                 gets what is listed here and nothing else, computed from the rules that are running."
            }
            @for opened in leaves::opened(plan) { (permission(&opened)) }
        }
    }
}

fn permission(opened: &Opened<'_>) -> Markup {
    let [least, others @ ..] = opened.permission.any_of.as_slice() else { return html! {} };
    html! {
        div.permission {
            h3 { (plain_words(least).unwrap_or(least)) }
            p.quiet { "Microsoft calls it " code { (least) } "." }
            @if let Some(why) = &opened.permission.why { p { "What for: " (why) } }
            @for other in others {
                p.quiet { code { (other) } " works instead, and opens more than is needed." }
            }
            @for object in &opened.objects { (self::object(object)) }
        }
    }
}

fn object(object: &Object) -> Markup {
    html! {
        div.object {
            h4 { (object.title) }
            @if !object.withheld.is_empty() {
                p { strong { "Never leaves:" } " " (object.withheld.join(", ")) "." }
            }
            details {
                summary { (leaving(object)) }
                (properties(object))
            }
        }
    }
}

fn leaving(object: &Object) -> String {
    let properties = |count| if count == 1 { "1 property".to_owned() } else { format!("{count} properties") };
    match object.counts() {
        (unchanged, 0) => format!("{} as in Microsoft 365", properties(unchanged)),
        (0, changed) => format!("{} in another form", properties(changed)),
        (unchanged, changed) => {
            format!("{} as in Microsoft 365, {changed} in another form", properties(unchanged))
        }
    }
}

fn properties(object: &Object) -> Markup {
    html! {
        table {
            caption { (object.title) }
            thead {
                tr {
                    th scope="col" { "What leaves" }
                    th scope="col" { "In which form" }
                }
            }
            tbody {
                @for property in &object.properties {
                    tr {
                        td { code { (property.path) } }
                        td { (property.form()) }
                    }
                }
            }
        }
    }
}

fn rules(prefix: &str, detail: &Detail<'_>) -> Markup {
    html! {
        section.card aria-labelledby="rules" {
            h2 #rules { "The rules" }
            p { "This page is a summary. What decides is one file, which your security reviewer signs off." }
            dl {
                dt { "Connector" }
                dd { code { (detail.plan.connector) } }
                dt { "Fingerprint" }
                dd { code { (detail.fingerprint) } }
            }
            p {
                a href={ (prefix) "/connect/" (detail.consumer) "/rules" } { "Read the rules file" }
            }
        }
    }
}

fn form(prefix: &str, detail: &Detail<'_>) -> Markup {
    html! {
        section.card aria-labelledby="connect" {
            h2 #connect { "Connect" }
            ol {
                li {
                    "Sign in to your organisation's directory, as a Global Administrator or Privileged Role \
                     Administrator."
                }
                li {
                    "Microsoft shows the permissions. " em { "Accept" } " grants them for the organisation."
                }
                li {
                    "The proxy checks what was granted"
                    @if let Some(url) = detail.returns_to { " and sends you back to " code { (url) } }
                    "."
                }
            }
            p.quiet {
                "Your name does not leave: the application knows you only by a pseudonym."
            }
            form method="post" action={ (prefix) "/connect/" (detail.consumer) } {
                @if let Some(echo) = detail.echo { input type="hidden" name="state" value=(echo); }
                button type="submit" { "Sign in and connect" }
            }
        }
    }
}
