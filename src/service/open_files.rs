//! Whether the system lets this program open as many files as its connections need. Otherwise the first flood would show
//! it: connections cannot be accepted, and Graph cannot be reached.

use std::fs::read_to_string;

/// Files besides the connections of clients: connections to Graph and Entra, the audit log, listeners, the runtime's own.
const RESERVE: u64 = 256;

/// Warns if the limit of open files is too low for this many connections.
pub(super) fn check(connections: u32) {
    let limits = read_to_string("/proc/self/limits").unwrap_or_default();
    if soft_limit(&limits).is_some_and(|limit| limit < u64::from(connections) + RESERVE) {
        tracing::warn!(
            connections,
            "the system lets this program open fewer files than its connections may need: raise the limit of open files \
             (ulimit -n, LimitNOFILE) to 256 more than limits.connections"
        );
    }
}

/// The soft limit in the text of `/proc/self/limits`; `None` if there is none.
fn soft_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_read() {
        let limits = |soft| {
            format!(
                "Max processes             1  2  processes\nMax open files            {soft}                 4096                 files\n"
            )
        };
        assert_eq!(soft_limit(&limits("1024")), Some(1024));
        assert_eq!(soft_limit(&limits("unlimited")), None);
        assert_eq!(soft_limit(""), None);
    }
}
