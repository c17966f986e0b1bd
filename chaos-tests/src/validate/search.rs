//! The search for an order: Wing and Gong's algorithm with Lowe's cache, as Porcupine and Knossos do it.
//!
//! Our own, for two reasons: the crates for it bring benchmarking frameworks along, and bound their search by wall time,
//! so that a verdict would depend on how busy the machine is. This one counts steps.

use std::collections::HashSet;

use crate::model::{AlertState, Call, Outcome, accepts};

/// What the search came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Possible,
    Impossible,
    /// It did not come to an end within its steps.
    Unknown,
}

/// A call with its outcome, from when to when. Open calls (`None`) may have any place after their beginning, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub called_us: u64,
    pub returned_us: Option<u64>,
    pub call: Call,
    pub outcome: Outcome,
}

const END: usize = usize::MAX;

/// A call or a return in the list of what is not placed yet.
struct Moment {
    operation: usize,
    is_call: bool,
    next: usize,
    before: usize,
}

/// Moments in order of time, as a list that operations are lifted out of and put back into. Place 0 is the head.
struct Moments {
    list: Vec<Moment>,
    /// Where each operation returns; 0 = it does not.
    returns: Vec<usize>,
    returns_left: usize,
}

impl Moments {
    fn new(operations: &[Interval]) -> Self {
        let mut times: Vec<(u64, bool, usize)> = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            // At one moment calls come first: such operations are concurrent.
            times.push((operation.called_us, false, number));
            times.extend(operation.returned_us.map(|at| (at, true, number)));
        }
        times.sort_unstable();
        let mut list = vec![Moment { operation: 0, is_call: false, next: END, before: END }];
        let mut returns = vec![0; operations.len()];
        for (_, is_return, operation) in times {
            let place = list.len();
            list[place - 1].next = place;
            list.push(Moment { operation, is_call: !is_return, next: END, before: place - 1 });
            if is_return {
                returns[operation] = place;
            }
        }
        let returns_left = returns.iter().filter(|place| **place != 0).count();
        Self { list, returns, returns_left }
    }

    fn unlink(&mut self, place: usize) {
        let (before, next) = (self.list[place].before, self.list[place].next);
        self.list[before].next = next;
        if next != END {
            self.list[next].before = before;
        }
    }

    fn link(&mut self, place: usize) {
        let (before, next) = (self.list[place].before, self.list[place].next);
        self.list[before].next = place;
        if next != END {
            self.list[next].before = place;
        }
    }

    fn lift(&mut self, call: usize) {
        self.unlink(call);
        let place = self.returns[self.list[call].operation];
        if place != 0 {
            self.unlink(place);
            self.returns_left -= 1;
        }
    }

    /// The opposite of [`Moments::lift`], in the opposite order.
    fn put_back(&mut self, call: usize) {
        let place = self.returns[self.list[call].operation];
        if place != 0 {
            self.link(place);
            self.returns_left += 1;
        }
        self.link(call);
    }
}

/// Is there an order of `operations`, each between its call and its return, that starts from no alert and makes sense?
pub(super) fn search(operations: &[Interval], steps_max: u64) -> Answer {
    let mut moments = Moments::new(operations);
    let mut placed = vec![0u64; operations.len().div_ceil(64)];
    let mut seen: HashSet<(Vec<u64>, AlertState)> = HashSet::new();
    let mut path: Vec<(usize, AlertState)> = Vec::new();
    let mut state = AlertState::default();
    let mut at = moments.list[0].next;
    let mut steps = 0;
    while moments.returns_left > 0 {
        steps += 1;
        if steps > steps_max {
            return Answer::Unknown;
        }
        let Moment { operation, is_call, next, .. } = moments.list[at];
        if is_call {
            let Interval { call, outcome, .. } = &operations[operation];
            if let Some(after) = accepts(&state, call, outcome) {
                placed[operation / 64] |= 1 << (operation % 64);
                if seen.insert((placed.clone(), after)) {
                    path.push((at, state));
                    state = after;
                    moments.lift(at);
                    at = moments.list[0].next;
                    continue;
                }
                placed[operation / 64] &= !(1 << (operation % 64));
            }
            at = next;
        } else {
            // Nothing that may come first makes sense here: the last choice was wrong.
            let Some((call, before)) = path.pop() else { return Answer::Impossible };
            let operation = moments.list[call].operation;
            placed[operation / 64] &= !(1 << (operation % 64));
            state = before;
            moments.put_back(call);
            at = moments.list[call].next;
        }
    }
    Answer::Possible
}
