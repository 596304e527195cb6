//! Commits in an order in which parents come before their children.

use gix::ObjectId;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// What ordering needs of a commit.
pub(crate) struct Node {
    pub(crate) id: ObjectId,
    pub(crate) parents: Vec<ObjectId>,
    pub(crate) seconds: i64,
    pub(crate) tree: ObjectId,
}

/// Indexes into `nodes`, oldest first; parents always before their children, whatever their
/// clocks said. Ties are broken by id, so that the order is the same every time.
pub(crate) fn oldest_first(nodes: &[Node]) -> Vec<usize> {
    let index: HashMap<ObjectId, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    let mut waiting: Vec<usize> = Vec::with_capacity(nodes.len());
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut ready = BinaryHeap::new();
    for (at, node) in nodes.iter().enumerate() {
        let known: Vec<usize> =
            node.parents.iter().filter_map(|parent| index.get(parent)).copied().collect();
        waiting.push(known.len());
        for parent in &known {
            if let Some(list) = children.get_mut(*parent) {
                list.push(at);
            }
        }
        if known.is_empty() {
            ready.push(Reverse((node.seconds, node.id, at)));
        }
    }
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse((_, _, at))) = ready.pop() {
        order.push(at);
        for child in children.get(at).into_iter().flatten() {
            let Some(left) = waiting.get_mut(*child) else { continue };
            *left = left.saturating_sub(1);
            if *left == 0
                && let Some(node) = nodes.get(*child)
            {
                ready.push(Reverse((node.seconds, node.id, *child)));
            }
        }
    }
    order
}
