//! One connector: who gets the data, what leaves and what never leaves, and the button to connect.

use http::StatusCode;
use maud::{Markup, html};

use super::{badge, leaves, page, standing};
use crate::connect::problem::Problem;
use crate::connect::request::PageRequest;
use crate::connect::response::PageResponse;
use crate::connect::site::{Connector, Site};
use crate::connect::store::Connection;

/// The data of the page.
struct Detail<'a> {
    connector: &'a Connector,
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
        connector,
        connection: site.connection(connector),
        echo: echo.as_deref(),
        returns_to: connector.return_url.as_ref().map(|url| url.origin().as_str()),
    };
    let targets = [Some(connector.application.authority.as_str()), detail.returns_to];
    let page = PageResponse::page(StatusCode::OK, self::detail(site.prefix(), &detail));
    Ok(page.with_form(targets.into_iter().flatten()))
}

fn detail(prefix: &str, detail: &Detail<'_>) -> String {
    let plan = &detail.connector.plan;
    let main = html! {
        nav aria-label="Way back" {
            a href={ (prefix) "/connect" } { "Data Connections" }
        }
        div.top {
            h1 { (plan.title) }
            (badge(detail.connection.as_ref()))
        }
        p.lead { (plan.purpose) }
        p { "The data is for " strong { (detail.connector.title) } "." }
        (standing(detail.connection.as_ref()))
        p {
            a href="#connect" { "Go to the sign-in" }
            ", or read first what leaves and what never does."
        }
        (leaves::sections(detail.connector))
        (rules(prefix, detail))
        (form(prefix, detail))
    };
    page(prefix, &plan.title, &main)
}

fn rules(prefix: &str, detail: &Detail<'_>) -> Markup {
    html! {
        section.card aria-labelledby="rules" {
            h2 #rules { "The rules" }
            p {
                "This page is a summary. What decides is one file and the consumer's configuration. Your security reviewer signs off \
                 both as one statement, which has this fingerprint."
            }
            dl {
                dt { "Connector" }
                dd { code { (detail.connector.plan.connector) } }
                dt { "Consumer" }
                dd { code { (detail.connector.name) } }
                dt { "Fingerprint" }
                dd { code { (detail.connector.fingerprint) } }
            }
            p {
                a href={ (prefix) "/connect/" (detail.connector.name) "/rules" } { "Read the rules file" }
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
            form method="post" action={ (prefix) "/connect/" (detail.connector.name) } {
                @if let Some(echo) = detail.echo { input type="hidden" name="state" value=(echo); }
                button type="submit" { "Sign in and connect" }
            }
        }
    }
}
