//! A graph of who comes before whom, and its cycles.

use std::collections::BTreeMap;

/// Why one transaction comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Edge {
    /// The other wrote over what it wrote.
    WriteWrite,
    /// The other read what it wrote.
    WriteRead,
    /// The other wrote over what it read.
    ReadWrite,
    /// It ended before the other began.
    RealTime,
}

#[derive(Default)]
pub(crate) struct Graph {
    edges: Vec<BTreeMap<usize, Edge>>,
}

impl Graph {
    pub(crate) fn new(nodes: usize) -> Graph {
        Graph { edges: vec![BTreeMap::new(); nodes] }
    }

    pub(crate) fn add_node(&mut self) -> usize {
        self.edges.push(BTreeMap::new());
        self.edges.len() - 1
    }

    /// Of several reasons the one that says most is kept.
    pub(crate) fn add(&mut self, from: usize, to: usize, edge: Edge) {
        if from != to {
            let kept = self.edges[from].entry(to).or_insert(edge);
            *kept = edge.min(*kept);
        }
    }

    /// One cycle of each strongly connected component, as the nodes with the edge that leaves each.
    pub(crate) fn cycles(&self) -> Vec<Vec<(usize, Edge)>> {
        self.components().iter().map(|component| self.shortest_cycle(component)).collect()
    }

    /// Strongly connected components of more than one node (Tarjan 1972, without recursion).
    fn components(&self) -> Vec<Vec<usize>> {
        let count = self.edges.len();
        let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
        let (mut on_stack, mut stack, mut next) = (vec![false; count], Vec::new(), 0);
        let mut components = Vec::new();
        for root in 0..count {
            if index[root] != usize::MAX {
                continue;
            }
            let mut calls = vec![(root, self.edges[root].keys())];
            (index[root], low[root], on_stack[root]) = (next, next, true);
            next += 1;
            stack.push(root);
            while let Some((node, successors)) = calls.last_mut() {
                let node = *node;
                if let Some(&to) = successors.next() {
                    if index[to] == usize::MAX {
                        (index[to], low[to], on_stack[to]) = (next, next, true);
                        next += 1;
                        stack.push(to);
                        calls.push((to, self.edges[to].keys()));
                    } else if on_stack[to] {
                        low[node] = low[node].min(index[to]);
                    }
                    continue;
                }
                calls.pop();
                if let Some((parent, _)) = calls.last() {
                    low[*parent] = low[*parent].min(low[node]);
                }
                if low[node] == index[node] {
                    let start = stack.iter().rposition(|n| *n == node).expect("it is on the stack");
                    let component = stack.split_off(start);
                    component.iter().for_each(|n| on_stack[*n] = false);
                    if component.len() > 1 {
                        components.push(component);
                    }
                }
            }
        }
        components
    }

    /// The shortest cycle through any node of a component, preferring few kinds of reasons.
    fn shortest_cycle(&self, component: &[usize]) -> Vec<(usize, Edge)> {
        let starts = component.iter().take(50);
        let cycles = starts.filter_map(|start| self.cycle_through(*start, component));
        cycles.min_by_key(Vec::len).expect("each node of a component is on a cycle")
    }

    fn cycle_through(&self, start: usize, component: &[usize]) -> Option<Vec<(usize, Edge)>> {
        let mut came_from: BTreeMap<usize, (usize, Edge)> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for (&to, &edge) in &self.edges[node] {
                if !component.contains(&to) || came_from.contains_key(&to) {
                    continue;
                }
                came_from.insert(to, (node, edge));
                if to == start {
                    let mut cycle = Vec::new();
                    let mut at = start;
                    loop {
                        let (from, edge) = came_from[&at];
                        cycle.push((from, edge));
                        at = from;
                        if at == start {
                            cycle.reverse();
                            return Some(cycle);
                        }
                    }
                }
                queue.push_back(to);
            }
        }
        None
    }
}
