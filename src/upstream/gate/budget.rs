//! How many requests may be repeated. When Graph refuses everything, repetitions would double its load; so they are a share of
//! all requests. gRPC (A6, "retry throttling") and the SDKs of cloud providers do the same.

/// How many repetitions there can be before requests have earned any, and how many are saved in good times. Ten mailboxes can be
/// told to wait at the same moment, and each has its repetition.
const FLOOR: u32 = 10;

/// How many requests earn one repetition: at most a tenth of all requests is repeated.
const REQUESTS: u32 = 10;

/// Repetitions in store. In any time they are at most [`FLOOR`] and one for [`REQUESTS`] requests.
#[derive(Debug)]
pub(super) struct Budget {
    /// In parts of a repetition, of which each request earns one.
    parts: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self { parts: FLOOR * REQUESTS }
    }
}

impl Budget {
    /// A request was sent.
    pub(super) fn earn(&mut self) {
        self.parts = (self.parts + 1).min(FLOOR * REQUESTS);
    }

    /// Takes a repetition, if there is one.
    pub(super) fn spend(&mut self) -> bool {
        let left = self.parts.checked_sub(REQUESTS);
        self.parts = left.unwrap_or(self.parts);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_a_tenth_of_the_requests_and_ten() {
        for requests in [1, 10, 100, 1_000, 100_000] {
            let mut budget = Budget::default();
            let mut repeated = 0;
            for _ in 0..requests {
                budget.earn();
                repeated += u32::from(budget.spend());
            }
            assert!(repeated <= FLOOR + requests / REQUESTS, "{requests}: {repeated}");
            assert!(repeated + 1 >= (FLOOR + requests / REQUESTS).min(requests), "{requests}: {repeated}");
        }
    }

    #[test]
    fn good_times_save_no_more_than_ten() {
        let mut budget = Budget::default();
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
    }
}
