//! Which token of a query has which of a record: one to one, best first.

use std::ops::Range;

use super::token::Likeness;

/// One possible assignment: a run of the query's tokens with a run of the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairing {
    pub points: u32,
    pub how: &'static str,
    pub query: Range<usize>,
    pub record: Range<usize>,
}

/// Which tokens have found each other, and which are left.
pub struct Assignment {
    pub query_free: Vec<bool>,
    pub record_free: Vec<bool>,
    pub chosen: Vec<Pairing>,
}

impl Assignment {
    pub fn new(query: usize, record: usize) -> Self {
        Self { query_free: vec![true; query], record_free: vec![true; record], chosen: Vec::new() }
    }

    /// Both sides have tokens left.
    pub fn is_open(&self) -> bool {
        self.query_free.contains(&true) && self.record_free.contains(&true)
    }

    /// Takes what is free, best first; between equals the one that covers more, then in the order of the names: the same on
    /// every node.
    pub fn take(&mut self, mut pairings: Vec<Pairing>) {
        pairings.sort_by_key(|pairing| {
            let covers = pairing.query.len() + pairing.record.len();
            (std::cmp::Reverse(pairing.points), std::cmp::Reverse(covers), pairing.query.start, pairing.record.start)
        });
        for pairing in pairings {
            let query = &mut self.query_free[pairing.query.clone()];
            let record = &mut self.record_free[pairing.record.clone()];
            if !query.contains(&false) && !record.contains(&false) {
                query.fill(false);
                record.fill(false);
                self.chosen.push(pairing);
            }
        }
    }
}

impl Pairing {
    pub fn one_to_one(likeness: Likeness, query: usize, record: usize) -> Self {
        let Likeness { points, how } = likeness;
        Self { points, how, query: query..query + 1, record: record..record + 1 }
    }
}
