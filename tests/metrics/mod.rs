//! What the metrics say, and that nobody outside can make more of them.
//!
//! | file | what |
//! |---|---|
//! | `ends` | when tokens, keys and certificates end |
//! | `requests` | status, reason, time and shape of what was dropped |
//! | `rules` | the dashboard, the alerts and their runbook name what exists; `alerts.yaml` has a case for each alert |
//! | `series` | every series is there from the start |

mod ends;
mod requests;
mod rules;
mod series;

use std::collections::BTreeMap;

use crate::support::glassine::Glassine;

/// Every series with its value.
pub(crate) type Scrape = BTreeMap<String, f64>;

pub(crate) async fn scrape(proxy: &Glassine) -> Scrape {
    read(&proxy.admin_get("/metrics").await.text())
}

fn read(text: &str) -> Scrape {
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').expect(line);
            (series.to_owned(), value.parse().expect(line))
        })
        .collect()
}

/// Waits until the proxy has its first token, so that the series about it are there.
async fn ready(proxy: &Glassine) {
    until(proxy, "glassine_token_good{consumer=\"acme\"}", 1.0).await;
}

/// Waits until a series has this value.
async fn until(proxy: &Glassine, series: &str, value: f64) {
    for _ in 0..1_000 {
        if scrape(proxy).await.get(series) == Some(&value) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{series} is not {value}: {:?}", scrape(proxy).await.get(series));
}
