//! The same program on a core with defects in it; `conformance --mutants` builds and starts it.

use countermand_conformance::hosts;

countermand_conformance::main!(
    hosts::Tokio,
    hosts::TokioCurrentThread,
    hosts::Smol,
    hosts::Blocking,
    hosts::Embassy,
    hosts::Sim
);
