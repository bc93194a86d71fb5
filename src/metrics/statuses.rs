//! HTTP statuses as labels.

/// The statuses that this proxy sends or that Graph documents. [`OTHERS`] stand for every other one.
const EXACT: [(u16, &str); 22] = [
    (200, "200"),
    (302, "302"),
    (303, "303"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (409, "409"),
    (410, "410"),
    (413, "413"),
    (414, "414"),
    (421, "421"),
    (424, "424"),
    (429, "429"),
    (500, "500"),
    (502, "502"),
    (503, "503"),
    (504, "504"),
    (505, "505"),
    (509, "509"),
];

/// The classes of RFC 9110, and none of them.
const OTHERS: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "other"];

/// No response.
pub(super) const NONE: &str = "none";

/// The reasons of requests that Graph responded to with an error that it documents. [`OTHER_OF_GRAPH`] stands for every other
/// one.
const OF_GRAPH: [(u16, &str); 12] = [
    (400, "graph_400"),
    (401, "graph_401"),
    (403, "graph_403"),
    (404, "graph_404"),
    (409, "graph_409"),
    (410, "graph_410"),
    (429, "graph_429"),
    (500, "graph_500"),
    (502, "graph_502"),
    (503, "graph_503"),
    (504, "graph_504"),
    (509, "graph_509"),
];

const OTHER_OF_GRAPH: &str = "graph_other";

/// The label of a status; `None` is no response.
pub(super) fn label(status: Option<u16>) -> &'static str {
    let Some(status) = status else { return NONE };
    let [success, redirection, client, server, other] = OTHERS;
    match (named(&EXACT, status), status / 100) {
        (Some(label), _) => label,
        (None, 2) => success,
        (None, 3) => redirection,
        (None, 4) => client,
        (None, 5) => server,
        (None, _) => other,
    }
}

/// Every label.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    EXACT.iter().map(|(_, label)| *label).chain(OTHERS).chain([NONE])
}

/// The reason of a request that Graph responded to with this error.
pub(super) fn of_graph(status: u16) -> &'static str {
    named(&OF_GRAPH, status).unwrap_or(OTHER_OF_GRAPH)
}

/// Every such reason.
pub(super) fn all_of_graph() -> impl Iterator<Item = &'static str> {
    OF_GRAPH.iter().map(|(_, reason)| *reason).chain([OTHER_OF_GRAPH])
}

fn named(names: &[(u16, &'static str)], status: u16) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == status).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_label_that_is_known_and_there_are_few() {
        let known: Vec<_> = all().collect();
        assert!(known.len() < 30);
        assert!((0..=999).all(|status| known.contains(&label(Some(status)))) && known.contains(&label(None)));
        assert_eq!([429, 418, 501, 206].map(|status| label(Some(status))), ["429", "4xx", "5xx", "2xx"]);
        let reasons: Vec<_> = all_of_graph().collect();
        assert!((0..=999).all(|status| reasons.contains(&of_graph(status))));
        assert_eq!((of_graph(429), of_graph(418)), ("graph_429", "graph_other"));
    }
}
