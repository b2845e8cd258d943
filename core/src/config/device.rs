//! Where tensors are computed.

use core::fmt;
use core::str::FromStr;

use crate::config::value::always_right;
use crate::config::words::as_text;

/// A device, as PyTorch names it, or the choice left to the program.
///
/// ```
/// use countermand_core::config::Device;
/// let device: Device = "cuda:1".parse().unwrap();
/// assert_eq!(device, Device::Cuda(Some(1)));
/// assert!(Device::Cuda(None).admits(device) && Device::Auto.admits(device) && !Device::Cpu.admits(device));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// Whatever the program finds best.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// Apple's graphics.
    Mps,
    /// A CUDA device: any, or the one with this number.
    Cuda(Option<u16>),
    /// An XPU device: any, or the one with this number.
    Xpu(Option<u16>),
}

/// A text that names no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotADevice;

impl Device {
    /// Whether a program that is told to use this one may use `other`.
    #[must_use]
    pub fn admits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Auto, _) | (Self::Cuda(None), Self::Cuda(_)) | (Self::Xpu(None), Self::Xpu(_)) => true,
            _ => self == other,
        }
    }
}

impl FromStr for Device {
    type Err = NotADevice;

    fn from_str(text: &str) -> Result<Self, NotADevice> {
        let (name, number) = match text.split_once(':') {
            None => (text, None),
            Some((name, number)) => (name, Some(number_of(number)?)),
        };
        match (name, number) {
            ("auto", None) => Ok(Self::Auto),
            ("cpu", None) => Ok(Self::Cpu),
            ("mps", None) => Ok(Self::Mps),
            ("cuda", number) => Ok(Self::Cuda(number)),
            ("xpu", number) => Ok(Self::Xpu(number)),
            _ => Err(NotADevice),
        }
    }
}

/// One to three digits, without a zero before others.
fn number_of(text: &str) -> Result<u16, NotADevice> {
    let plain = text == "0" || !text.starts_with('0');
    if !plain || text.len() > 3 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotADevice);
    }
    text.parse().map_err(|_| NotADevice)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, number) = match self {
            Self::Auto => ("auto", None),
            Self::Cpu => ("cpu", None),
            Self::Mps => ("mps", None),
            Self::Cuda(number) => ("cuda", *number),
            Self::Xpu(number) => ("xpu", *number),
        };
        match number {
            None => f.write_str(name),
            Some(number) => write!(f, "{name}:{number}"),
        }
    }
}

impl fmt::Display for NotADevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}", crate::config::Form::DEVICE.what)
    }
}

impl core::error::Error for NotADevice {}

always_right!(Device);
as_text!(Device);
