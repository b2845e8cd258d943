//! Whom a cancel reaches, and whom not.

use countermand_core::{Cause, Token};

use crate::{Bench, Check, ensure, ensure_eq};

pub(super) async fn r1_descendants_and_nobody_else(bench: &Bench) -> Check {
    const CAUSE: Cause = Cause::REQUESTED.with_code(1);
    let mut random = bench.random();
    let rounds = bench.rounds(300);
    for round in 0..rounds {
        // A random tree: `parents[n]` is the place of n's parent, smaller than n.
        let size = random.usize(2..120);
        let mut tokens = vec![Token::new()];
        let mut parents = vec![0];
        for place in 1..size {
            let parent = random.usize(0..place);
            tokens.push(tokens[parent].child_token());
            parents.push(parent);
        }
        let chosen = random.usize(0..size);
        tokens[chosen].cancel_with(CAUSE);
        let mut below = vec![false; size];
        below[chosen] = true;
        for place in chosen + 1..size {
            below[place] = below[parents[place]];
        }
        for (place, token) in tokens.iter().enumerate() {
            let kin = if below[place] { "at or below" } else { "not below" };
            let expected = below[place].then_some(CAUSE);
            ensure_eq!(token.cause(), expected, "round {round}: cause of a token {kin} the cancelled one");
            ensure!(
                token.is_cancelled() == below[place],
                "round {round}: a token {kin} the cancelled one reads cancelled = {}",
                token.is_cancelled()
            );
        }
    }
    Ok(rounds)
}
