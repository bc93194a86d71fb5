//! National clouds. Graph and Entra have other addresses there, and a token of one cloud is not valid in another.
//!
//! Sources: <https://learn.microsoft.com/graph/deployments>,
//! <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>.

use std::ops::Range;

use crate::config::check::Context;
use crate::config::codes::{CONFIG_FOREIGN, CONFIG_VALUE};
use crate::config::raw::{self, Text};
use crate::config::url::check_origin;
use glassine_core::graph::Origin;

/// A Microsoft 365 cloud: its name in the configuration, and the origins of Graph and Entra.
struct Cloud {
    name: &'static str,
    graph: &'static str,
    authority: &'static str,
}

/// The worldwide cloud, GCC included.
const WORLDWIDE: Cloud = Cloud {
    name: "worldwide",
    graph: "https://graph.microsoft.com",
    authority: "https://login.microsoftonline.com",
};

const CLOUDS: [Cloud; 4] = [
    WORLDWIDE,
    Cloud {
        name: "us_government_l4",
        graph: "https://graph.microsoft.us",
        authority: "https://login.microsoftonline.us",
    },
    Cloud {
        name: "us_government_l5",
        graph: "https://dod-graph.microsoft.us",
        authority: "https://login.microsoftonline.us",
    },
    Cloud {
        name: "china",
        graph: "https://microsoftgraph.chinacloudapi.cn",
        authority: "https://login.partner.microsoftonline.cn",
    },
];

/// The names that `cloud` can have, the usual one first.
pub(crate) fn cloud_names() -> [&'static str; 4] {
    CLOUDS.map(|cloud| cloud.name)
}

/// The origins of Graph and Entra, from `cloud`, or from `graph` and `authority`.
pub(super) fn check_places(
    upstream: &raw::Upstream,
    section: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<(Origin, Origin)> {
    let own = upstream.graph.as_ref().or(upstream.authority.as_ref());
    let cloud = match (&upstream.cloud, own) {
        (None, _) => &WORLDWIDE,
        (Some(name), None) => named(name, context)?,
        (Some(_), Some(own)) => {
            return context.refuse(
                CONFIG_VALUE,
                &own.span,
                "`cloud` already sets the addresses of Graph and Entra",
                "leave `cloud` out, or `graph` and `authority`",
            );
        }
    };
    let or = |written: Option<&Text>, usual: &str| match written {
        Some(text) => text.clone(),
        None => Text { value: usual.to_owned(), span: section.clone() },
    };
    let graph = check_origin(&or(upstream.graph.as_ref(), cloud.graph), context);
    let authority = check_origin(&or(upstream.authority.as_ref(), cloud.authority), context);
    let (graph, authority) = (graph?, authority?);
    check_together(&graph, &authority, own.map_or(section, |text| &text.span), context)?;
    warn_of_strangers(upstream, &graph, &authority, context);
    Some((graph, authority))
}

/// Warns if somebody other than Microsoft would get the proxy's token and requests. A test server on this machine is meant.
fn warn_of_strangers(
    upstream: &raw::Upstream,
    graph: &Origin,
    authority: &Origin,
    context: &mut Context<'_>,
) {
    let strangers = foreign(graph, authority);
    for (written, origin, gets) in
        [(&upstream.graph, graph, "access tokens"), (&upstream.authority, authority, "the credential")]
    {
        let Some(text) = written else { continue };
        if strangers.contains(&origin.as_str()) && !origin.host().is_loopback() {
            context.warn(
                CONFIG_FOREIGN,
                &text.span,
                &format!("this address is in no cloud of Microsoft, and gets {gets}"),
                "write `cloud` in place of `graph` and `authority`, unless this is a test server of yours",
            );
        }
    }
}

/// The addresses of Graph and Entra that are in no cloud of Microsoft.
pub(super) fn foreign<'a>(graph: &'a Origin, authority: &'a Origin) -> Vec<&'a str> {
    let graphs = CLOUDS.map(|cloud| cloud.graph);
    let authorities = CLOUDS.map(|cloud| cloud.authority);
    let places = [(graph, graphs), (authority, authorities)].into_iter();
    let foreign = places.filter(|(origin, known)| !known.contains(&origin.as_str()));
    let mut foreign: Vec<_> = foreign.map(|(origin, _)| origin.as_str()).collect();
    // A test server can be both.
    foreign.dedup();
    foreign
}

/// The cloud of this Graph.
pub(super) fn name_of(graph: &Origin) -> Option<&'static str> {
    CLOUDS.iter().find(|cloud| cloud.graph == graph.as_str()).map(|cloud| cloud.name)
}

fn named(name: &Text, context: &mut Context<'_>) -> Option<&'static Cloud> {
    CLOUDS.iter().find(|cloud| cloud.name == name.value).or_else(|| {
        context.refuse(
            CONFIG_VALUE,
            &name.span,
            "this is not a cloud",
            "write worldwide (GCC too), us_government_l4 (GCC High), us_government_l5 (DoD) or china",
        )
    })
}

/// Checks that Microsoft's addresses belong to one cloud. Other addresses are test servers.
fn check_together(
    graph: &Origin,
    authority: &Origin,
    span: &Range<usize>,
    context: &mut Context<'_>,
) -> Option<()> {
    let cloud_of_graph = CLOUDS.iter().find(|cloud| cloud.graph == graph.as_str());
    let authority_is_known = CLOUDS.iter().any(|cloud| cloud.authority == authority.as_str());
    match cloud_of_graph {
        Some(cloud) if authority_is_known && cloud.authority != authority.as_str() => context.refuse(
            CONFIG_VALUE,
            span,
            "Graph and the authority belong to different clouds",
            &format!(
                "write `cloud: {}` in place of `graph` and `authority`, or take both from one cloud",
                cloud.name
            ),
        ),
        _ => Some(()),
    }
}
