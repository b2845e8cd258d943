//! Why a command is rejected.

use super::super::Level;
use super::word::words;

words! {
    /// Why a verifier does not let a command through.
    Rejection {
        /// It is not signed.
        MissingSignature = "missing_signature";
        /// Its signature is not that of its text.
        InvalidSignature = "invalid_signature";
        /// Its nonce was seen before.
        NonceReplayed = "nonce_replayed";
        /// It does not say when it was made.
        MissingTimestamp = "missing_timestamp";
        /// It was made too long ago, or in the future.
        StaleCommand = "stale_command";
        /// It has no nonce.
        MissingNonce = "missing_nonce";
        /// It names something that is not there.
        UnknownTarget = "unknown_target";
        /// What it says is not a command.
        Malformed = "malformed";
        /// It asks for what its sender may not do.
        NotAllowed = "not_allowed";
    }
}

impl Rejection {
    /// How bad it is: CRITICAL where somebody may be forging or replaying commands, else ERROR.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::MissingSignature
            | Self::InvalidSignature
            | Self::NonceReplayed
            | Self::MissingTimestamp
            | Self::StaleCommand => Level::Critical,
            Self::MissingNonce | Self::UnknownTarget | Self::Malformed | Self::NotAllowed => Level::Error,
        }
    }
}
