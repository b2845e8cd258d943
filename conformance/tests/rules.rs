//! Every rule on every host, each a test of its own name, in a process of its own.

use countermand_conformance::hosts;

countermand_conformance::tests!(
    hosts::Tokio,
    hosts::TokioCurrentThread,
    hosts::Smol,
    hosts::Blocking,
    hosts::Embassy,
    hosts::Sim
);
