//! Times of the schema.

use std::time::{SystemTime, UNIX_EPOCH};

use pbjson_types::Timestamp;

use crate::check::SECONDS;

/// A time of the wall clock as one of the schema. What lies outside of the years 1 to 9999 becomes the nearest that does not.
#[must_use]
pub fn timestamp(time: SystemTime) -> Timestamp {
    let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()),
        Err(error) => {
            let before = error.duration();
            let seconds = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
            // Nanoseconds count upwards, also before 1970.
            match before.subsec_nanos() {
                0 => (-seconds, 0),
                nanos => (-seconds - 1, 1_000_000_000 - nanos),
            }
        }
    };
    Timestamp { seconds: seconds.clamp(*SECONDS.start(), *SECONDS.end()), nanos: nanos as i32 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_before_and_after_1970() {
        let at = |seconds, nanos| Timestamp { seconds, nanos };
        assert_eq!(timestamp(UNIX_EPOCH + Duration::new(7, 9)), at(7, 9));
        assert_eq!(timestamp(UNIX_EPOCH - Duration::new(7, 0)), at(-7, 0));
        assert_eq!(timestamp(UNIX_EPOCH - Duration::new(7, 9)), at(-8, 999_999_991));
        if let Some(late) = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 40)) {
            assert_eq!(timestamp(late).seconds, *SECONDS.end());
        }
    }
}
