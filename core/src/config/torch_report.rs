//! What a training process reports of its PyTorch, held against the settings.

#[cfg(feature = "alloc")]
use alloc::string::{String, ToString};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
#[cfg(feature = "alloc")]
use core::fmt;
use core::fmt::Display;

use crate::config::{Device, MatmulPrecision, TorchSettings, Version};

/// What a running PyTorch says of itself.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "who reports must say all of it; a new question is a new major version")]
pub struct TorchReport<'a> {
    /// `torch.__version__`.
    pub version: &'a str,
    /// `torch.get_float32_matmul_precision()`.
    pub float32_matmul_precision: &'a str,
    /// `torch.is_inference_mode_enabled()`, asked where inference is done.
    pub inference_mode: bool,
    /// Whether `torch.backends.cuda.matmul.allow_tf32` or `torch.backends.cudnn.allow_tf32` is set.
    pub tf32: bool,
    /// Whether the process uses `torch.compile`.
    pub compile: bool,
    /// The device that it computes on, as in `cuda:0`.
    pub device: &'a str,
}

impl TorchSettings {
    /// Holds a report against these settings. Each difference is given to `found` as the name of the setting, what it requires and
    /// what was reported.
    pub fn compare(&self, report: &TorchReport<'_>, found: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        let version = report.version.parse::<Version>();
        if !version.is_ok_and(|version| self.version.contains(&version)) {
            found("version", &self.version, &report.version);
        }
        if report.float32_matmul_precision.parse::<MatmulPrecision>().ok() != Some(self.float32_matmul_precision) {
            found("float32_matmul_precision", &self.float32_matmul_precision, &report.float32_matmul_precision);
        }
        if self.inference_mode_enforced && !report.inference_mode {
            found("inference_mode_enforced", &self.inference_mode_enforced, &report.inference_mode);
        }
        if report.tf32 && !self.tf32_allowed {
            found("tf32_allowed", &self.tf32_allowed, &report.tf32);
        }
        if report.compile && !self.compile_allowed {
            found("compile_allowed", &self.compile_allowed, &report.compile);
        }
        if !report.device.parse::<Device>().is_ok_and(|device| self.device.admits(device)) {
            found("device", &self.device, &report.device);
        }
    }

    /// Holds a report against these settings. As a check of a [`Preflight`](crate::Preflight):
    ///
    /// ```
    /// use countermand_core::Check;
    /// use countermand_core::config::{TorchReport, TorchSettings};
    ///
    /// let settings = TorchSettings::default();
    /// let precision = settings.float32_matmul_precision.to_string();
    /// let report = TorchReport {
    ///     version: "2.6.0+cu124",
    ///     float32_matmul_precision: &precision,
    ///     inference_mode: true,
    ///     tf32: false,
    ///     compile: false,
    ///     device: "cuda:0",
    /// };
    /// let error = settings.verify(&report).unwrap_err();
    /// assert_eq!(error.to_string(), "torch.version: >=2.8,<2.9 is required, 2.6.0+cu124 was reported");
    /// let check = Check::here("torch", || settings.verify(&report));
    /// # let _ = check;
    /// ```
    ///
    /// # Errors
    ///
    /// Every difference.
    #[cfg(feature = "alloc")]
    pub fn verify(&self, report: &TorchReport<'_>) -> Result<(), TorchMismatches> {
        let mut all = Vec::new();
        self.compare(report, &mut |setting, required, reported| {
            all.push(TorchMismatch { setting, required: required.to_string(), reported: reported.to_string() });
        });
        if all.is_empty() { Ok(()) } else { Err(TorchMismatches(all)) }
    }
}

/// One way in which a running PyTorch is not as the settings require.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TorchMismatch {
    /// The name of the setting within its section.
    pub setting: &'static str,
    /// What it requires.
    pub required: String,
    /// What was reported.
    pub reported: String,
}

#[cfg(feature = "alloc")]
impl fmt::Display for TorchMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "torch.{}: {} is required, {} was reported", self.setting, self.required, self.reported)
    }
}

/// A running PyTorch that is not as the settings require, with all that is otherwise.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TorchMismatches(Vec<TorchMismatch>);

#[cfg(feature = "alloc")]
impl TorchMismatches {
    /// Every difference, in the order of the settings; never none.
    #[must_use]
    pub fn all(&self) -> &[TorchMismatch] {
        &self.0
    }
}

#[cfg(feature = "alloc")]
impl fmt::Display for TorchMismatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mismatch) in self.0.iter().enumerate() {
            write!(f, "{}{mismatch}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

#[cfg(feature = "alloc")]
impl core::error::Error for TorchMismatches {}
