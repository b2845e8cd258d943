//! What a forest of tokens is, by its own account: who is above whom, who is cancelled and why.

use countermand_core::Cause;

/// A node, and who keeps it.
pub(super) struct Node {
    parents: Vec<usize>,
    /// A shielded section that lasts: it does not look up (R9).
    masked: bool,
    deadline: Option<u64>,
    cause: Option<Cause>,
    /// Tokens, guards, observers, waits and registrations that are there.
    pub(super) holders: usize,
}

#[derive(Default)]
pub(super) struct Model {
    nodes: Vec<Node>,
}

impl Model {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn cause(&self, node: usize) -> Option<Cause> {
        self.nodes[node].cause
    }

    pub(super) fn hold(&mut self, node: usize) {
        self.nodes[node].holders += 1;
    }

    pub(super) fn let_go(&mut self, node: usize) {
        self.nodes[node].holders -= 1;
    }

    /// A new node, and the causes that it may be born with: any of its parents' (R4).
    pub(super) fn add(&mut self, parents: Vec<usize>, masked: bool, deadline: Option<u64>) -> (usize, Vec<Cause>) {
        let causes: Vec<Cause> = if masked { Vec::new() } else { self.causes_of(&parents) };
        self.nodes.push(Node { parents, masked, deadline, cause: causes.first().copied(), holders: 1 });
        (self.nodes.len() - 1, causes)
    }

    /// Of several causes that it might have been born with, it has this one.
    pub(super) fn born_with(&mut self, node: usize, cause: Option<Cause>) {
        self.nodes[node].cause = cause;
    }

    /// True for the first (T1); all below are cancelled with the same cause (R1, R2, T10).
    pub(super) fn cancel(&mut self, node: usize, cause: Cause) -> bool {
        if self.nodes[node].cause.is_some() {
            return false;
        }
        self.nodes[node].cause = Some(cause);
        // A section that is cancelled has nothing more to be kept from it.
        self.nodes[node].masked = false;
        self.pass_down();
        true
    }

    pub(super) fn unmask(&mut self, node: usize) {
        self.nodes[node].masked = false;
        self.pass_down();
    }

    /// Whether anybody keeps the node: a holder of its own, or of one below (R5).
    pub(super) fn is_kept(&self, node: usize) -> bool {
        self.nodes[node].holders > 0
            || (node..self.len()).any(|below| self.is_above(node, below) && self.is_kept(below))
    }

    /// The earliest deadline of the node and what it sees above it (D1).
    pub(super) fn deadline(&self, node: usize) -> Option<u64> {
        self.seen_from(node).into_iter().filter_map(|node| self.nodes[node].deadline).min()
    }

    /// The outermost of the nodes whose deadlines are due (D9), if there is one, or the several of which none is above the others.
    pub(super) fn outermost_due(&self, node: usize, now: u64) -> Vec<usize> {
        let mut due = self.seen_from(node);
        due.retain(|node| self.nodes[*node].deadline.is_some_and(|at| at <= now));
        let has_due_above =
            |node: usize| self.seen_from(node).into_iter().any(|above| above != node && due.contains(&above));
        due.iter().copied().filter(|node| !has_due_above(*node)).collect()
    }

    fn is_above(&self, node: usize, below: usize) -> bool {
        self.nodes[below].parents.contains(&node)
    }

    fn seen_from(&self, node: usize) -> Vec<usize> {
        let mut seen = vec![node];
        let mut next = 0;
        while let Some(&at) = seen.get(next) {
            next += 1;
            let node = &self.nodes[at];
            for parent in node.parents.iter().filter(|_| !node.masked) {
                if !seen.contains(parent) {
                    seen.push(*parent);
                }
            }
        }
        seen
    }

    fn causes_of(&self, nodes: &[usize]) -> Vec<Cause> {
        nodes.iter().filter_map(|node| self.nodes[*node].cause).collect()
    }

    /// Parents come before their children.
    fn pass_down(&mut self) {
        for node in 0..self.len() {
            let below = &self.nodes[node];
            if below.cause.is_none() && !below.masked {
                self.nodes[node].cause = self.causes_of(&below.parents).first().copied();
            }
        }
    }
}
