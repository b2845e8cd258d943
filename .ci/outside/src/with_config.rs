//! A configuration is loaded.

use countermand::WorkerConfig;
use countermand::config::{Environment, Format, Loader};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let file = "[worker]\nlanes = 8\n";
    let loaded = Loader::new().text("service.toml", Format::Toml, file).environment(Environment::empty()).load()?;
    let settings = loaded.config().for_subsystem("tolaria").worker;
    assert_eq!(settings.lanes, 8);
    WorkerConfig::from(&settings).check()?;
    Ok(())
}
