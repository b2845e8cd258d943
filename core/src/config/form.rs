//! The forms that texts in settings have.

use core::net::Ipv4Addr;

use crate::config::{Device, Unfit, VersionRange};

/// What a text must look like: in words for people, as a pattern for schemas, as a function for the check.
///
/// The pattern is a regular expression of JSON Schema, and a test of the loader's holds it against the function.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Form {
    /// What it is, so that it can follow "must be".
    pub what: &'static str,
    /// The fewest bytes.
    pub shortest: usize,
    /// The most bytes.
    pub longest: usize,
    /// What the whole text matches.
    pub pattern: &'static str,
    /// Whether a text of a right length is of this form.
    fits: fn(&str) -> bool,
}

impl Form {
    /// The name of a dependency, a fallback or a subsystem. It never holds two underscores in a row, which separate the parts of a
    /// variable's name.
    pub const NAME: Self = Self {
        what: "a name of small letters, digits, single \"_\" and \"-\" between them, that begins with a letter",
        shortest: 1,
        longest: 64,
        pattern: "^[a-z][a-z0-9]*([_-][a-z0-9]+)*$",
        fits: is_name,
    };

    /// The name of a telemetry stream.
    pub const STREAM: Self = Self {
        what: "a stream name of letters, digits, \".\", \":\", \"_\" and \"-\" that begins with a letter or digit",
        shortest: 1,
        longest: 128,
        pattern: "^[A-Za-z0-9][A-Za-z0-9.:_-]*$",
        fits: is_stream,
    };

    /// Why something is as it is: a line for people, as long as the reason of a [`DependencyPolicy`](crate::DependencyPolicy) may be.
    pub const REASON: Self = Self {
        what: "a reason in words, on one line",
        shortest: 1,
        longest: 96,
        pattern: "^[^\\p{Cc}]*[^\\p{Cc}\\s][^\\p{Cc}]*$",
        fits: is_reason,
    };

    /// Versions that are accepted.
    pub const VERSIONS: Self = Self {
        what: "a version range such as \">=2.8,<2.9\" (up to four of >=, >, <=, <, ==, != with a version)",
        shortest: 1,
        longest: 64,
        pattern: "^ *(>=|<=|==|!=|>|<) *[0-9]{1,6}(\\.[0-9]{1,6}){0,2} *(, *(>=|<=|==|!=|>|<) *[0-9]{1,6}(\\.[0-9]{1,6}){0,2} *){0,3}$",
        fits: |text| text.parse::<VersionRange>().is_ok(),
    };

    /// Where tensors are computed.
    pub const DEVICE: Self = Self {
        what: "\"auto\", \"cpu\", \"mps\", \"cuda\", \"xpu\", or one of the last two with a number, as in \"cuda:0\"",
        shortest: 1,
        longest: 16,
        pattern: "^(auto|cpu|mps|(cuda|xpu)(:(0|[1-9][0-9]{0,2}))?)$",
        fits: |text| text.parse::<Device>().is_ok(),
    };

    /// Where Redis is; a password may be in it. Empty: nowhere.
    pub const REDIS_URL: Self = Self {
        what: "an address that begins with redis://, rediss:// or unix:// and has no spaces, or nothing",
        shortest: 0,
        longest: 2_048,
        pattern: "^$|^(redis|rediss|unix)://[!-~]+$",
        fits: is_redis_url,
    };

    /// Where an OpenTelemetry collector is. It is shown like any other setting, so there is no password in it. Empty: nowhere.
    pub const OTLP_URL: Self = Self {
        what: "an address that begins with http:// and a host and has no spaces and no \"@\", or nothing",
        shortest: 0,
        longest: 2_048,
        pattern: "^$|^http://[!-.0-?A-~][!-?A-~]*$",
        fits: is_otlp_url,
    };

    /// A key to sign with. Empty: none.
    pub const KEY: Self = Self {
        what: "a key without spaces or line ends, or nothing",
        shortest: 0,
        longest: 4_096,
        // What a listing shows in the place of a key is none.
        pattern: "^(?!\\[redacted\\]$)[!-~]*$",
        fits: |text| text != "[redacted]" && text.bytes().all(|byte| byte.is_ascii_graphic()),
    };

    /// Where a file is. Empty: nowhere.
    pub const PATH: Self = Self {
        what: "a path on one line, or nothing",
        shortest: 0,
        longest: 1_024,
        pattern: "^[^\\p{Cc}]*$",
        fits: |text| !text.chars().any(char::is_control),
    };

    /// An address that only this machine reaches. Empty: none.
    pub const LOOPBACK: Self = Self {
        what: "an address and port of loopback, such as \"127.0.0.1:7077\" or \"[::1]:7077\", or nothing",
        shortest: 0,
        longest: 21,
        pattern: "^$|^(127(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}|\\[::1\\]):(0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
        fits: is_loopback,
    };

    /// Whether a text is of this form.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn examine(&'static self, text: &str) -> Result<(), Unfit> {
        if text.len() < self.shortest {
            Err(Unfit::TooShort(self))
        } else if text.len() > self.longest {
            Err(Unfit::TooLong(self))
        } else if (self.fits)(text) {
            Ok(())
        } else {
            Err(Unfit::Malformed(self))
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split(['_', '-'])
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn is_stream(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_' | b'-'))
}

fn is_reason(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace()) && !text.chars().any(char::is_control)
}

fn is_loopback(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return text.is_empty() };
    let is_port = port.bytes().all(|b| b.is_ascii_digit()) && (port == "0" || !port.starts_with('0'));
    let is_here = host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|host| host.is_loopback());
    is_here && is_port && port.parse::<u16>().is_ok()
}

fn is_redis_url(text: &str) -> bool {
    let rest = ["redis://", "rediss://", "unix://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    text.is_empty() || rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()))
}

fn is_otlp_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://");
    let fits = |rest: &str| !rest.starts_with('/') && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'@');
    text.is_empty() || rest.is_some_and(|rest| !rest.is_empty() && fits(rest))
}
