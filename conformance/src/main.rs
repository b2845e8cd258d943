//! The rules of the contract on the project's own hosts.

use countermand_conformance::hosts;

countermand_conformance::main!(
    hosts::Tokio,
    hosts::TokioCurrentThread,
    hosts::Smol,
    hosts::Blocking,
    hosts::Embassy,
    hosts::Sim
);
