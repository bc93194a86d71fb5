//! What happens soon, or not at all. A test that waits for ever says nothing about what it waits for.

use std::time::Duration;

/// Nothing takes longer unless it is broken, also on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(20);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The output of `work`, which must come soon.
pub(crate) async fn soon<F: Future>(what: &str, work: F) -> F::Output {
    let waited = tokio::time::timeout(DEADLINE, work).await;
    waited.unwrap_or_else(|_| panic!("{what}: did not happen"))
}

/// Waits until something is so, which must be soon.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !is_so().await {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
}
