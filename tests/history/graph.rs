//! A graph of who comes before whom, and its cycles.

use std::collections::{BTreeMap, VecDeque};

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

/// Nodes of a component through which a cycle is sought.
const STARTS: usize = 200;

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

    /// Cycles, none when there are none: the shortest through each of the earliest nodes of each
    /// strongly connected component, as the nodes with the edge that leaves each. Those that need
    /// no real time say more, so the others are sought only where there are none of them.
    pub(crate) fn cycles(&self) -> Vec<Vec<(usize, Edge)>> {
        let all = self.components();
        if all.is_empty() {
            return Vec::new();
        }
        let timeless = self.without(Edge::RealTime);
        let components = timeless.components();
        match components.is_empty() {
            true => self.shortest_cycles(&all),
            false => timeless.shortest_cycles(&components),
        }
    }

    fn without(&self, left_out: Edge) -> Graph {
        let mut edges = self.edges.clone();
        edges.iter_mut().for_each(|edges| edges.retain(|_, edge| *edge != left_out));
        Graph { edges }
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

    fn shortest_cycles(&self, components: &[Vec<usize>]) -> Vec<Vec<(usize, Edge)>> {
        let mut is_member = vec![false; self.edges.len()];
        let mut cycles = Vec::new();
        for component in components {
            component.iter().for_each(|node| is_member[*node] = true);
            let mut starts = component.clone();
            starts.sort_unstable();
            let starts = starts.iter().take(STARTS);
            cycles.extend(starts.filter_map(|start| self.cycle_through(*start, &is_member)));
            component.iter().for_each(|node| is_member[*node] = false);
        }
        cycles
    }

    /// The shortest cycle through a node, within a component.
    fn cycle_through(&self, start: usize, is_member: &[bool]) -> Option<Vec<(usize, Edge)>> {
        let mut came_from: BTreeMap<usize, (usize, Edge)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for (&to, &edge) in &self.edges[node] {
                if !is_member[to] || came_from.contains_key(&to) {
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
