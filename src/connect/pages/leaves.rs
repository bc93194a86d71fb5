//! What leaves and what never leaves under a connector's rules, for the administrator who grants its permissions. Made
//! from the same model as `glassine review`, so that both say the same of the rules that run.

use std::sync::Arc;

use maud::{Markup, html};

use crate::connect::site::Connector;
use glassine_core::catalogue::permissions::plain_words;
use glassine_core::rules::plan::{Endpoint, Permission};
use glassine_core::sanitize::gate;
use glassine_core::statement::review::{Addresses, Kind, Object, Row, Scene, around, objects};

/// What leaves of the objects that each permission opens, and what leaves besides.
pub(super) fn sections(connector: &Connector) -> Markup {
    let scene = Scene::new(&connector.plan, &connector.rules, Some(&connector.own_domains));
    let all = objects(&connector.plan.endpoints, &scene);
    html! {
        @if all.iter().any(Object::is_open) {
            div.note.bad role="alert" {
                p {
                    strong.bad { "Everything leaves" } " that no line of the rules names, of these objects: "
                    (titles(all.iter().filter(|object| object.is_open()))) ". Also what people write."
                }
            }
        }
        (permissions(connector, &scene))
        (besides(connector, &all, &scene))
    }
}

fn permissions(connector: &Connector, scene: &Scene<'_>) -> Markup {
    let unknown = objects(unknown(connector), scene);
    html! {
        section.card aria-labelledby="permissions" {
            h2 #permissions { "Permissions, and what leaves" }
            p {
                "You grant these to the proxy, which runs in your organisation; the application gets none of them. It \
                 gets what is listed here and nothing else, computed from the rules that are running."
            }
            @for permission in &connector.plan.permissions { (self::permission(connector, permission, scene)) }
            @if !unknown.is_empty() {
                div.permission {
                    h3 { "Permission not known" }
                    p.quiet {
                        "This leaves, too, if Microsoft opens it to the proxy. The proxy does not know which permission does."
                    }
                    @for object in &unknown { (self::object(object)) }
                }
            }
        }
    }
}

/// The endpoints that no listed permission opens, as far as the catalogue knows.
fn unknown(connector: &Connector) -> impl Iterator<Item = &Arc<Endpoint>> {
    let is_known = |endpoint: &Arc<Endpoint>| {
        connector.plan.permissions.iter().any(|permission| permission.opens(endpoint) == Some(true))
    };
    connector.plan.endpoints.iter().filter(move |endpoint| !is_known(endpoint))
}

fn permission(connector: &Connector, permission: &Permission, scene: &Scene<'_>) -> Markup {
    let [least, others @ ..] = permission.any_of.as_slice() else { return html! {} };
    let opened = connector.plan.endpoints.iter().filter(|endpoint| permission.opens(endpoint) == Some(true));
    html! {
        div.permission {
            h3 { (plain_words(least).unwrap_or(least)) }
            p.quiet { "Microsoft calls it " code { (least) } "." }
            @if let Some(why) = &permission.why { p { "What for: " (why) } }
            @for other in others {
                p.quiet { code { (other) } " works instead, and opens more than is needed." }
            }
            @for object in &objects(opened, scene) { (self::object(object)) }
        }
    }
}

fn object(object: &Object) -> Markup {
    html! {
        div.object {
            h4 { (object.title) }
            @if object.is_open() {
                p { strong.bad { "Everything leaves" } " that no line of the rules names." }
            }
            @if !object.withheld.is_empty() {
                p { strong { "Never leaves:" } " " (object.withheld.join(", ")) "." }
            }
            details {
                summary { (leaving(object)) }
                (properties(&object.title, &object.rows))
            }
        }
    }
}

fn leaving(object: &Object) -> String {
    let properties = |count| if count == 1 { "1 property".to_owned() } else { format!("{count} properties") };
    let unchanged = object.count(Kind::AsItIs);
    match (unchanged, object.rows.len().saturating_sub(unchanged)) {
        (unchanged, 0) => format!("{} as in Microsoft 365", properties(unchanged)),
        (0, changed) => format!("{} in another form", properties(changed)),
        (unchanged, changed) => {
            format!("{} as in Microsoft 365, {changed} in another form", properties(unchanged))
        }
    }
}

fn properties(caption: &str, rows: &[Row]) -> Markup {
    html! {
        table {
            caption { (caption) }
            thead {
                tr {
                    th scope="col" { "What leaves" }
                    th scope="col" { "In which form" }
                }
            }
            tbody {
                @for row in rows {
                    tr {
                        td { code { (row.path) } }
                        td {
                            @for (at, form) in row.forms.iter().enumerate() {
                                @if at > 0 { "; " }
                                (form.kind.label()) ": " (form.words)
                            }
                            @if let Some(danger) = &row.danger { " " strong.bad { (danger) } }
                        }
                    }
                }
            }
        }
    }
}

/// Domains, tokens that open again, and what is around the objects.
fn besides(connector: &Connector, all: &[Object], scene: &Scene<'_>) -> Markup {
    let addresses = Addresses::of(&connector.plan, Some(&connector.own_domains), scene);
    let opening: Vec<_> = all.iter().filter(|object| object.count(Kind::OpensAgain) > 0).collect();
    let around = around(&connector.plan.endpoints, scene);
    let headers: Vec<_> = gate::header_names().collect();
    html! {
        section.card aria-labelledby="besides" {
            h2 #besides { "Addresses, tokens, pages" }
            p { (addresses.domains) " " (addresses.plus_tags) }
            @if !opening.is_empty() {
                p {
                    "Ids of " (titles(opening.into_iter()).to_lowercase()) " leave as tokens that open again: the application \
                     sends them back in requests, and only the proxy can open them. All other tokens are one way."
                }
            }
            details {
                summary { "Around the objects" }
                @if !around.is_empty() { (properties("Around the objects", &around)) }
                p {
                    "Of Microsoft's response headers, these leave: " (headers.join(", "))
                    ". Of an error, only its code leaves, if the proxy knows the code."
                }
            }
        }
    }
}

fn titles<'o>(objects: impl Iterator<Item = &'o Object>) -> String {
    objects.map(|object| object.title.as_str()).collect::<Vec<_>>().join(", ")
}
