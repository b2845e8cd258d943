//! The identifiers that services here speak of.

identifier! {
    /// A run of anything: the widest of the runs.
    pub struct RunId = "run";
    /// A training run.
    pub struct TrainingRunId = "training_run";
    /// A blueprint, from which kernels are made.
    pub struct BlueprintId = "blueprint";
    /// A kernel: what is loaded and run.
    pub struct KernelId = "kernel";
    /// A seed: a place in a model where a blueprint may grow.
    pub struct SeedId = "seed";
    /// A part of the whole that answers for itself: `tolaria`, `tamiyo`, `kasmina`.
    pub struct SubsystemId = "subsystem";
    /// A check of a preflight.
    pub struct CheckId = "check";
}
