//! Nothing leaks: every property of every type in Graph's schemas holds a marker, every request is made that the rules
//! open and many that they do not, and no marker of a property that is not kept may be in any byte that leaves.
//!
//! | file | what |
//! |---|---|
//! | `endpoints` | what may be requested, and what may leave: written by hand |
//! | `schema`, `fill` | responses with a marker in every property, in many disguises |
//! | `marker`, `detector` | markers, and how they are found in any encoding |
//! | `bench`, `logs` | the proxy under test, and everything that could leave it |
//! | `faults` | errors, headers, redirects, other media types, broken and odd documents |
//! | `hostile` | requests that must be refused, or must not return more |

mod bench;
pub(crate) mod detector;
pub(crate) mod endpoints;
mod faults;
mod fill;
mod hostile;
pub(crate) mod logs;
mod marker;
pub(crate) mod schema;

use std::collections::BTreeSet;

use bench::Bench;
use endpoints::{CONNECTORS, Connector, Endpoint};
use fill::{Filler, Filling};
use schema::Schema;

use crate::support::glassine::METADATA_ONLY;
use crate::support::upstream::Script;

/// Responses to `endpoint` with a marker in every property, and the paths that have a proper value instead.
fn bodies(
    bench: &mut Bench,
    schema: &Schema,
    endpoint: &Endpoint,
    version: &str,
    filling: Filling,
) -> (Vec<String>, BTreeSet<String>) {
    let link = bench.graph_url() + &endpoint.upstream(version);
    bench.registry.begin();
    let registry = &mut bench.registry;
    let mut filler = Filler { schema, registry, endpoint, filling, link, proper: BTreeSet::new() };
    (filler.bodies(), filler.proper)
}

/// Whether a kept property's proper value is in the responses, behind its name.
fn is_there(endpoint: &Endpoint, responses: &str, path: &str) -> bool {
    let name = path.trim_end_matches("[]").rsplit(['.', ':']).next().unwrap();
    // `@odata.type` has a dot in it.
    let name = if path.contains('@') {
        path.trim_start_matches("page:").trim_start_matches("@removed.")
    } else {
        name
    };
    let bracket = if path.ends_with("[]") { "[" } else { "" };
    responses.contains(&format!("\"{name}\":{bracket}{}", endpoint.proper(path)))
}

/// Requests each body of `endpoint`, and returns the paths that left. Everything that is kept has to leave.
async fn ask(
    bench: &mut Bench,
    schema: &Schema,
    endpoint: &Endpoint,
    version: &str,
    filling: Filling,
) -> BTreeSet<String> {
    let target = endpoint.target(version, &bench.proxy);
    let what = format!("{} {filling:?}", endpoint.upstream(version));
    let mut responses = String::new();
    let (bodies, proper) = bodies(bench, schema, endpoint, version, filling);
    for body in bodies {
        bench.script(Script::json(&body));
        let response = bench.get(&what, &target).await;
        assert!(response.starts_with("HTTP/1.1 200 "), "{what}: {response}");
        responses += &response;
    }
    assert!(bench.registry.len() >= 20, "{what} has few properties");
    if !filling.is_well_formed() {
        return BTreeSet::new();
    }
    assert_eq!(bench.registry.missing(responses.as_bytes()), BTreeSet::new(), "{what}");
    let lost: Vec<_> = proper.iter().filter(|path| !is_there(endpoint, &responses, path)).collect();
    assert!(lost.is_empty(), "{what}: {lost:?}");
    bench.registry.kept().into_iter().chain(proper).collect()
}

/// Every endpoint of a connector with every filling. There must be at least `least` markers, so that the walk cannot
/// pass because there was nothing to find.
async fn walk(connector: &Connector, least: usize) {
    let mut bench = Bench::start(connector.rules).await;
    let mut came = BTreeSet::new();
    for version in connector.versions {
        let schema = Schema::load(version);
        for endpoint in connector.endpoints() {
            for filling in Filling::ALL {
                came.extend(ask(&mut bench, &schema, &endpoint, version, filling).await);
            }
        }
    }
    let listed: BTreeSet<_> =
        connector.endpoints().into_iter().flat_map(|it| it.kept).map(str::to_owned).collect();
    let never: Vec<_> = listed.difference(&came).collect();
    assert!(never.is_empty(), "{}: kept and never seen: {never:?}", connector.name);
    let planted = bench.registry.planted();
    assert!(planted > least, "{}: {planted} markers", connector.name);
    assert_eq!(bench.end().await, BTreeSet::new(), "{}", connector.name);
}

#[tokio::test]
async fn no_property_of_any_type_leaks_through_the_metadata_only_connector() {
    walk(&CONNECTORS[0], 1_000_000).await;
}

#[tokio::test]
async fn no_property_of_any_type_leaks_through_the_other_connector() {
    walk(&CONNECTORS[1], 500_000).await;
}

/// Proves that the walk can fail: with one more line in the rules, it says which property leaks, and where.
#[tokio::test]
async fn a_rules_file_that_keeps_the_subject_is_found_out() {
    let schema = Schema::load("v1.0");
    let kept = "      booleans:\n        - $.hasAttachments";
    let text = "      text: [{ path: $.subject, reviewed: true }]\n";
    let rules = METADATA_ONLY.replace(kept, &format!("{text}{kept}"));
    assert_ne!(rules, METADATA_ONLY);
    let mut bench = Bench::start(&rules).await;
    let endpoints = CONNECTORS[0].endpoints();
    let messages = endpoints.iter().filter(|endpoint| endpoint.type_name == "message");
    let mut count = 0;
    for endpoint in messages {
        ask(&mut bench, &schema, endpoint, "v1.0", Filling::Text).await;
        count += 1;
    }
    let found = bench.end().await;
    assert_eq!(found.len(), count, "{found:?}");
    assert!(found.iter().all(|place| place.ends_with(" Text: subject")), "{found:?}");
}
