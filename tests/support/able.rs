//! Tests that need more of the machine than every machine gives.

use std::io::Write as _;

/// Set by `.ci/run`: what cannot be tested is a failure then.
const MUST: &str = "GLASSINE_TEST_ALL";

/// `able`, which says whether the machine lets the test run. If not, standard error says what was not tested, past the capture of
/// the tests' output; in CI, the test fails.
pub(crate) fn is_able(able: bool, need: &str) -> bool {
    if !able {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        assert!(std::env::var_os(MUST).is_none(), "{test} needs {need}");
        // A closed standard error is no failure of the test.
        writeln!(std::io::stderr(), "NOT TESTED: {test} needs {need}").ok();
    }
    able
}
