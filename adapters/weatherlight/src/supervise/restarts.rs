//! Whether a part that failed is started again, and when: a pure state machine over the given time.

use std::collections::VecDeque;
use std::time::Duration;

use countermand::Instant;
use countermand::config::WeatherlightSettings;

/// When parts are started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RestartPolicy {
    /// How long a part rests after its first failure; each time twice as long.
    pub(crate) first: Duration,
    /// How long it rests at the most.
    pub(crate) most: Duration,
    /// After how long without a failure it counts as healthy.
    pub(crate) healthy: Duration,
    /// How often it is started again within the window.
    pub(crate) restarts: usize,
    /// The time in which restarts are counted.
    pub(crate) window: Duration,
}

impl From<&WeatherlightSettings> for RestartPolicy {
    fn from(settings: &WeatherlightSettings) -> Self {
        Self {
            first: Duration::from_millis(settings.restart_first_ms),
            most: Duration::from_millis(settings.restart_most_ms),
            healthy: Duration::from_millis(settings.restart_healthy_ms),
            restarts: settings.restarts as usize,
            window: Duration::from_millis(settings.restart_window_ms),
        }
    }
}

/// The failures of one part.
#[derive(Debug)]
pub(crate) struct Restarts {
    policy: RestartPolicy,
    /// When it was started again, within the window.
    recent: VecDeque<Instant>,
    /// How long it rests next.
    rest: Duration,
}

impl Restarts {
    /// Of a part that has not failed.
    pub(crate) fn new(policy: RestartPolicy) -> Self {
        Self { policy, recent: VecDeque::new(), rest: policy.first }
    }

    /// It ran from `began` to `now` and failed.
    ///
    /// # Returns
    ///
    /// How long it rests, or nothing if it has failed too often.
    pub(crate) fn failed(&mut self, began: Instant, now: Instant) -> Option<Duration> {
        let policy = self.policy;
        if now.saturating_since(began) >= policy.healthy {
            self.rest = policy.first;
        }
        while self.recent.front().is_some_and(|at| now.saturating_since(*at) >= policy.window) {
            self.recent.pop_front();
        }
        if self.recent.len() >= policy.restarts {
            return None;
        }
        self.recent.push_back(now);
        let rest = self.rest;
        self.rest = rest.saturating_mul(2).min(policy.most);
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RestartPolicy = RestartPolicy {
        first: Duration::from_secs(1),
        most: Duration::from_secs(5),
        healthy: Duration::from_secs(60),
        restarts: 4,
        window: Duration::from_secs(100),
    };

    fn at(secs: u64) -> Instant {
        Instant::from_nanos(secs * 1_000_000_000)
    }

    /// The rests of a part that runs so long each time, from the start on.
    fn rests(runs: &[u64]) -> Vec<Option<u64>> {
        let mut restarts = Restarts::new(POLICY);
        let mut now = 0;
        let mut rest = |run| {
            let began = now;
            now += run;
            let rest = restarts.failed(at(began), at(now)).map(|rest| rest.as_secs());
            now += rest.unwrap_or(0);
            rest
        };
        runs.iter().map(|run| rest(*run)).collect()
    }

    #[test]
    fn rests_grow_to_the_most_and_then_it_has_failed() {
        assert_eq!(rests(&[0, 0, 0, 0, 0]), [Some(1), Some(2), Some(4), Some(5), None]);
    }

    #[test]
    fn health_makes_the_rest_short_again() {
        assert_eq!(rests(&[0, 0, 60, 59]), [Some(1), Some(2), Some(1), Some(2)]);
    }

    #[test]
    fn what_was_long_ago_counts_no_more() {
        assert_eq!(rests(&[0, 0, 0, 0, 90, 90]), [Some(1), Some(2), Some(4), Some(5), Some(1), Some(1)]);
    }
}
