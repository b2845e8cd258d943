//! A number in decimal digits, without the machinery of formatting.
#![allow(unsafe_code, reason = "digits are ASCII, and are not looked through to be sure")]

/// The digits of a number.
pub(super) struct Digits {
    /// All of them ASCII.
    bytes: [u8; Self::MOST],
    /// Where they start.
    start: u8,
    /// Where they end.
    end: u8,
}

impl Digits {
    /// As many as the largest number has.
    pub(super) const MOST: usize = 20;

    /// How many digits nanoseconds have.
    const FRACTION: usize = 9;

    /// Of a whole number.
    #[inline]
    pub(super) fn of(mut number: u64) -> Self {
        let mut bytes = [b'0'; Self::MOST];
        let mut start = Self::MOST;
        loop {
            start -= 1;
            bytes[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 || start == 0 {
                break;
            }
        }
        Self { bytes, start: start as u8, end: Self::MOST as u8 }
    }

    /// Of a fraction of so many billionths, with its point and without zeros at the end; nothing for none.
    #[inline]
    pub(super) fn fraction(nanos: u32) -> Self {
        if nanos == 0 {
            return Self { bytes: [b'0'; Self::MOST], start: 0, end: 0 };
        }
        // Mostly it is whole microseconds or milliseconds.
        let (mut shown, mut places) = (nanos, Self::FRACTION);
        while shown % 1_000 == 0 {
            shown /= 1_000;
            places -= 3;
        }
        let mut digits = Self::of(u64::from(shown));
        let start = Self::MOST - places - 1;
        digits.bytes[start] = b'.';
        let zeros = digits.bytes.iter().rev().take_while(|digit| **digit == b'0').count();
        Self { bytes: digits.bytes, start: start as u8, end: (Self::MOST - zeros) as u8 }
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        let digits = &self.bytes[usize::from(self.start)..usize::from(self.end)];
        // SAFETY: all that `of` and `fraction` write into the bytes is ASCII.
        unsafe { core::str::from_utf8_unchecked(digits) }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::Digits;

    #[test]
    fn they_are_those_that_are_displayed() {
        for number in [0, 1, 9, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            assert_eq!(Digits::of(number).as_str(), format!("{number}"));
        }
        let fractions = [
            (0, ""),
            (42_000, ".000042"),
            (7_000_000, ".007"),
            (1, ".000000001"),
            (250_000_000, ".25"),
            (999_999_999, ".999999999"),
            (10, ".00000001"),
        ];
        for (nanos, text) in fractions {
            assert_eq!(Digits::fraction(nanos).as_str(), text);
        }
    }
}
