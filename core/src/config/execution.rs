//! The whole configuration of a service, and what its subsystems have otherwise.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

use crate::config::fault::{SettingFault, SettingFaults};
use crate::config::{
    DependencyOverrides, DependencySettings, Form, TelemetryOverrides, TelemetrySettings, TorchOverrides,
    TorchSettings, WeatherlightOverrides, WeatherlightSettings, WorkerOverrides, WorkerSettings,
};

/// How a service is set up. The default is fit for production.
///
/// ```
/// use countermand_core::config::{ExecutionConfig, SubsystemOverrides};
/// let mut config = ExecutionConfig::default();
/// let mut tolaria = SubsystemOverrides::default();
/// tolaria.worker.lanes = Some(256);
/// config.subsystem.insert("tolaria".into(), tolaria);
/// assert_eq!(config.for_subsystem("tolaria").worker.lanes, 256);
/// assert_eq!(config.for_subsystem("kasmina").worker.lanes, config.worker.lanes);
///
/// config.worker.lanes = 0;
/// config.worker.capacity = 0;
/// let faults = config.check().unwrap_err();
/// assert_eq!(faults.all().len(), 2);
/// assert_eq!(faults.all()[0].to_string(), "worker.lanes = 0: must be from 1 to 1048576");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct ExecutionConfig {
    /// How workers are set up.
    pub worker: WorkerSettings,
    /// What is assumed of PyTorch.
    pub torch: TorchSettings,
    /// What is allowed when a dependency is missing, by its name.
    pub dependencies: BTreeMap<String, DependencySettings>,
    /// Where telemetry goes.
    pub telemetry: TelemetrySettings,
    /// How the supervisor takes packets in.
    pub weatherlight: WeatherlightSettings,
    /// What a subsystem has otherwise, by its name.
    pub subsystem: BTreeMap<String, SubsystemOverrides>,
}

/// What a subsystem has otherwise: some settings of some sections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct SubsystemOverrides {
    /// Of its worker.
    pub worker: WorkerOverrides,
    /// Of its PyTorch.
    pub torch: TorchOverrides,
    /// Of its dependencies, or of further ones. A table of fallbacks here takes the place of the whole shared one.
    pub dependencies: BTreeMap<String, DependencyOverrides>,
    /// Of its telemetry.
    pub telemetry: TelemetryOverrides,
    /// Of a supervisor of its own.
    pub weatherlight: WeatherlightOverrides,
}

impl SubsystemOverrides {
    fn apply(&self, config: &mut ExecutionConfig) {
        self.worker.apply(&mut config.worker);
        self.torch.apply(&mut config.torch);
        self.telemetry.apply(&mut config.telemetry);
        self.weatherlight.apply(&mut config.weatherlight);
        for (name, dependency) in &self.dependencies {
            dependency.apply(config.dependencies.entry(name.clone()).or_default());
        }
    }
}

impl ExecutionConfig {
    /// The configuration of one subsystem: this one, with what the subsystem has otherwise in its place, and without overrides. A
    /// subsystem without overrides has the shared configuration.
    #[must_use]
    pub fn for_subsystem(&self, name: &str) -> Self {
        let mut config = Self { subsystem: BTreeMap::new(), ..self.clone() };
        if let Some(overrides) = self.subsystem.get(name) {
            overrides.apply(&mut config);
        }
        config
    }

    /// Looks at every setting, also as each subsystem has it. A fault that a subsystem inherits is reported once, where it is.
    ///
    /// # Errors
    ///
    /// [`SettingFaults`] with every fault found, not only the first.
    pub fn check(&self) -> Result<(), SettingFaults> {
        let mut all = self.faults_of_sections();
        let shared: BTreeSet<SettingFault> = all.iter().cloned().collect();
        for (name, overrides) in &self.subsystem {
            let prefix = format!("subsystem.{name}");
            if let Err(why) = Form::NAME.examine(name) {
                all.push(SettingFault { key: prefix.clone(), value: name.clone(), why: why.to_string() });
            }
            let own = self.changed_by(overrides).faults_of_sections();
            for fault in own.into_iter().filter(|fault| !shared.contains(fault)) {
                all.push(SettingFault { key: format!("{prefix}.{}", fault.key), ..fault });
            }
        }
        if all.is_empty() { Ok(()) } else { Err(SettingFaults(all)) }
    }

    /// The configuration of a subsystem, of its dependencies only those with overrides: so a check of all subsystems takes time that grows
    /// with what is written down, not with its square.
    fn changed_by(&self, overrides: &SubsystemOverrides) -> Self {
        let shared = |name| Some((String::clone(name), self.dependencies.get(name)?.clone()));
        let mut config = Self {
            worker: self.worker.clone(),
            torch: self.torch.clone(),
            telemetry: self.telemetry.clone(),
            weatherlight: self.weatherlight.clone(),
            dependencies: overrides.dependencies.keys().filter_map(shared).collect(),
            subsystem: BTreeMap::new(),
        };
        overrides.apply(&mut config);
        config
    }

    fn faults_of_sections(&self) -> Vec<SettingFault> {
        let mut all = Vec::new();
        let mut of = |section: &str, key: &str, value: &dyn Display, why: &dyn Display| {
            all.push(SettingFault { key: format!("{section}.{key}"), value: value.to_string(), why: why.to_string() });
        };
        self.worker.check(&mut |key, value, why| of("worker", key, value, why));
        self.torch.check(&mut |key, value, why| of("torch", key, value, why));
        for (name, dependency) in &self.dependencies {
            if let Err(why) = Form::NAME.examine(name) {
                of("dependencies", name, name, &why);
            }
            dependency.check(&mut |key, value, why| of(&format!("dependencies.{name}"), key, value, why));
        }
        self.telemetry.check(&mut |key, value, why| of("telemetry", key, value, why));
        self.weatherlight.check(&mut |key, value, why| of("weatherlight", key, value, why));
        all
    }
}
