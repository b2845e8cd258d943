//! What a service assumes of the PyTorch that it computes with.

use core::fmt::Display;

use crate::config::section::section;
use crate::config::words::words;
use crate::config::{Device, VersionRange};

/// How exactly products of 32-bit matrices are computed: `torch.set_float32_matmul_precision`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "PyTorch knows these three")]
pub enum MatmulPrecision {
    /// In 32 bits throughout.
    #[default]
    Highest,
    /// With TF32, or sums of two bfloat16, inside.
    High,
    /// With bfloat16 inside.
    Medium,
}

words!(MatmulPrecision { Highest = "highest", High = "high", Medium = "medium" });

section! {
    /// What a service assumes of PyTorch: section `torch`. It is written out for a training process, which applies and checks it.
    ///
    /// ```
    /// use countermand_core::config::TorchSettings;
    /// assert_eq!(TorchSettings::default().version.to_string(), ">=2.8,<2.9");
    /// ```
    TorchSettings / TorchOverrides {
        /// The versions of PyTorch that are accepted. A pre-release never is.
        version: VersionRange = VersionRange::minor(2, 8), (text VERSIONS);
        /// How exactly products of 32-bit matrices are computed: "highest", in 32 bits; "high", with TF32 or the like inside; "medium",
        /// with bfloat16 inside. The faster two need `tf32_allowed`.
        float32_matmul_precision: MatmulPrecision = MatmulPrecision::Highest, (one of MatmulPrecision);
        /// Whether everything that is no training runs under `torch.inference_mode`.
        inference_mode_enforced: bool = true, (flag);
        /// Whether TF32 and the like may be used, in convolutions too. Faster on recent devices; about three decimal digits.
        tf32_allowed: bool = false, (flag);
        /// Whether `torch.compile` may be used.
        compile_allowed: bool = true, (flag);
        /// Where tensors are computed: "auto", "cpu", "mps", "cuda", "xpu", or with a number as in "cuda:0".
        device: Device = Device::Auto, (text DEVICE);
    }
}

impl TorchSettings {
    fn check_relations(&self, report: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        if self.float32_matmul_precision != MatmulPrecision::Highest && !self.tf32_allowed {
            let why = "computes with less than 32 bits inside, which tf32_allowed = false forbids";
            report("float32_matmul_precision", &self.float32_matmul_precision, &why);
        }
    }
}
