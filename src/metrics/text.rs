//! Prometheus' text format (version 0.0.4), made from that of OpenMetrics.
//!
//! The samples are the same. What differs is how a metric is introduced: OpenMetrics names a counter without `_total` and has a
//! type for facts, and it ends with a line of its own.

/// The same metrics in Prometheus' format.
pub(super) fn prometheus(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut lines = openmetrics.lines().peekable();
    while let Some(line) = lines.next() {
        match line.strip_prefix("# ") {
            None => add(&mut text, &[line]),
            Some(comment) => {
                // The library writes a metric's help, then its type.
                if let Some((name, help)) = comment.strip_prefix("HELP ").and_then(|it| it.split_once(' ')) {
                    let kind = lines.peek().and_then(|next| kind_of(next));
                    let (suffix, kind) = shown(kind.unwrap_or_default());
                    add(&mut text, &["# HELP ", name, suffix, " ", help]);
                    add(&mut text, &["# TYPE ", name, suffix, " ", kind]);
                }
            }
        }
    }
    text
}

/// The type in `# TYPE name type`.
fn kind_of(line: &str) -> Option<&str> {
    line.strip_prefix("# TYPE ")?.split_once(' ').map(|(_, kind)| kind)
}

/// What is added to the name of a metric of this type, and what the type is called.
fn shown(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "gauge" => ("", "gauge"),
        "histogram" => ("", "histogram"),
        _ => ("", "untyped"),
    }
}

fn add(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::prometheus;

    #[test]
    fn each_type_is_introduced_as_prometheus_knows_it() {
        let openmetrics = "# HELP g_requests Requests.\n# TYPE g_requests counter\ng_requests_total{a=\"# b\"} 1\n\
                           # HELP g_age_seconds Age.\n# TYPE g_age_seconds gauge\n# UNIT g_age_seconds seconds\ng_age_seconds 2\n\
                           # HELP g_build Build.\n# TYPE g_build info\ng_build_info 1\n# EOF\n";
        let expected = "# HELP g_requests_total Requests.\n# TYPE g_requests_total counter\ng_requests_total{a=\"# b\"} 1\n\
                        # HELP g_age_seconds Age.\n# TYPE g_age_seconds gauge\ng_age_seconds 2\n\
                        # HELP g_build_info Build.\n# TYPE g_build_info gauge\ng_build_info 1\n";
        assert_eq!(prometheus(openmetrics), expected);
    }
}
