//! Loads the configuration of a countermand service: flags over environment over files over defaults, TOML and JSON, every value with
//! where it came from, every problem with the line where it stands.
//!
//! What the settings are stands in [`countermand_core::config`]; this crate reads them. [`Loader`] is the way in.
//!
//! # Features
//!
//! - `program` (default): the command `config`, and [`run`], which is that command within another program.
//! - `mutants`: defects, for the conformance suite alone. What it builds is wrong on purpose.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

/// Whether the named defect is switched on; `false`, and no code at all, in every build without the feature `mutants`.
macro_rules! mutant {
    ($name:ident) => {{
        #[cfg(feature = "mutants")]
        let on = countermand_core::mutant::is(countermand_core::mutant::Mutant::$name);
        #[cfg(not(feature = "mutants"))]
        let on = false;
        on
    }};
}

mod catalogue;
mod environment;
mod export;
mod file;
mod format;
mod json_text;
mod legacy;
mod limits;
mod listing;
mod live;
mod loaded;
mod loader;
mod merge;
mod node;
mod origin;
mod outline;
mod problem;
#[cfg(feature = "program")]
mod program;
mod render;
mod schema;
mod secrets;
mod source;
mod sync;
mod template;
mod toml_text;
mod value;
mod variables;
mod walk;

pub use environment::{Environment, PREFIX, variable_of};
pub use export::Export;
pub use format::Format;
pub use legacy::Deprecation;
pub use limits::Limits;
pub use listing::Listing;
pub use live::{Live, Reader, Reload};
pub use loaded::Loaded;
pub use loader::Loader;
pub use origin::Origin;
pub use problem::{LoadError, Problem, ProblemKind};
#[cfg(feature = "program")]
pub use program::run;
pub use schema::schema;
pub use template::template;
