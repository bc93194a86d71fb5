//! How often something may happen: a bucket that fills with time.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A rate with room for bursts.
#[derive(Debug)]
pub struct RateLimiter(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    per_second: f64,
    most: f64,
    tokens: f64,
    filled: Instant,
}

impl RateLimiter {
    /// So many times a second, and `most` at once.
    pub fn new(per_second: f64, most: f64) -> Self {
        let most = most.max(1.0);
        Self(Mutex::new(Bucket { per_second, most, tokens: most, filled: Instant::now() }))
    }

    /// Counts one more, if it may happen now.
    pub fn allows(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now())
    }
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = elapsed.mul_add(self.per_second, self.tokens).min(self.most);
        self.filled = now;
        let granted = self.tokens >= 1.0;
        if granted {
            self.tokens -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_bucket_refills_with_time() {
        let start = Instant::now();
        let mut bucket = Bucket { per_second: 2.0, most: 2.0, tokens: 2.0, filled: start };
        assert!(bucket.take(start) && bucket.take(start) && !bucket.take(start));
        assert!(bucket.take(start + Duration::from_millis(500)));
        assert!(!bucket.take(start + Duration::from_millis(600)));
    }
}
