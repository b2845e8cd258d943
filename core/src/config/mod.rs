//! How a service is set up: the settings of its worker, its numerics, its dependencies and its telemetry, with every fault of a
//! setting named.

#[cfg(feature = "alloc")]
mod dependency;
mod device;
#[cfg(feature = "alloc")]
mod execution;
#[cfg(feature = "alloc")]
mod fault;
mod form;
mod full_policy;
mod relation;
#[cfg(feature = "alloc")]
mod secret;
mod section;
mod setting;
#[cfg(feature = "alloc")]
mod telemetry;
#[cfg(all(test, feature = "std"))]
mod tests;
mod torch;
mod torch_report;
mod value;
mod version;
#[cfg(feature = "alloc")]
mod weatherlight;
mod words;
#[cfg(feature = "alloc")]
mod worker;
mod worker_settings;

pub use device::{Device, NotADevice};
pub use form::Form;
pub use full_policy::FullPolicy;
pub use setting::{Kind, Setting, Unfit};
pub use torch::{MatmulPrecision, TorchOverrides, TorchSettings};
pub use torch_report::TorchReport;
pub use version::{NotARange, NotAVersion, Version, VersionRange};
pub use worker_settings::{Order, WorkerOverrides, WorkerSettings};
#[cfg(feature = "alloc")]
pub use {
    dependency::{DependencyOverrides, DependencySettings},
    execution::{ExecutionConfig, SubsystemOverrides},
    fault::{SettingFault, SettingFaults},
    secret::Secret,
    telemetry::{LogLevel, SinkName, TelemetryOverrides, TelemetrySettings},
    torch_report::{TorchMismatch, TorchMismatches},
    weatherlight::{WeatherlightOverrides, WeatherlightSettings},
    worker::{ConfigError, Fault, WorkerConfig},
};
