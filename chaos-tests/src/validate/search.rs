//! The search for an order: Wing and Gong's algorithm with Lowe's cache, as Porcupine and Knossos do it.
//!
//! Our own, for two reasons: the crates for it bring benchmarking frameworks along, and bound their search by wall time,
//! so that a verdict would depend on how busy the machine is. This one counts steps. It is compared with trying every order.

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

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

    use super::*;
    use crate::model::{Change, Expects, Level};

    /// Calls of one history: all orders of so many are tried.
    const CALLS_MAX: usize = 6;
    const HISTORIES: usize = 4000;

    /// The definition and nothing else: some of the calls, among them all that returned, in some order that no call which
    /// returned before another began breaks, and that makes sense from the beginning.
    fn some_order_makes_sense(operations: &[Interval]) -> bool {
        fn extend(operations: &[Interval], order: &mut Vec<usize>) -> bool {
            let has_all =
                (0..operations.len()).all(|one| operations[one].returned_us.is_none() || order.contains(&one));
            if has_all && keeps_time(operations, order) && makes_sense(operations, order) {
                return true;
            }
            (0..operations.len()).any(|one| {
                if order.contains(&one) {
                    return false;
                }
                order.push(one);
                let found = extend(operations, order);
                order.pop();
                found
            })
        }
        fn keeps_time(operations: &[Interval], order: &[usize]) -> bool {
            order.iter().enumerate().all(|(place, later)| {
                // Nothing that stands before it began after it had returned.
                let returned = operations[*later].returned_us.unwrap_or(u64::MAX);
                order[..place].iter().all(|earlier| operations[*earlier].called_us <= returned)
            })
        }
        fn makes_sense(operations: &[Interval], order: &[usize]) -> bool {
            let mut state = AlertState::default();
            order.iter().all(|one| match accepts(&state, &operations[*one].call, &operations[*one].outcome) {
                Some(after) => {
                    state = after;
                    true
                }
                None => false,
            })
        }
        extend(operations, &mut Vec::new())
    }

    fn random_call(random: &mut StdRng, value: u64) -> Call {
        let expects = match random.random_range(0..6) {
            0 => Expects::Absent,
            1 => Expects::Any,
            _ => Expects::Version(random.random_range(1..4)),
        };
        match random.random_range(0..10) {
            0..4 => Call::Read { level: Level::Linearizable },
            4..8 => Call::Write { expects, change: Change::Set(value) },
            8 => Call::Write { expects, change: Change::Touch },
            _ => Call::Write { expects, change: *[Change::Cancel, Change::Erase].choose(random).unwrap() },
        }
    }

    /// What `call` would be answered in `state`, and the state after it.
    fn answer(state: AlertState, call: Call) -> (Outcome, AlertState) {
        let staleness_us = None;
        let AlertState { version, value, .. } = state;
        let possible = [
            Outcome::Written { version: version + 1 },
            Outcome::Found { version, value, staleness_us },
            Outcome::Ended { version, staleness_us },
            Outcome::Absent { staleness_us },
            Outcome::Conflict,
        ];
        let answered = possible.into_iter().find_map(|outcome| Some((outcome, accepts(&state, &call, &outcome)?)));
        answered.expect("every call has an answer in every state")
    }

    /// Calls that take effect one after the other, each somewhere within its time; then some answers are lost, and sometimes
    /// one is changed.
    fn random_history(random: &mut StdRng) -> Vec<Interval> {
        let mut state = AlertState::default();
        let count = random.random_range(2..=CALLS_MAX);
        let mut operations: Vec<Interval> = (0..count as u64)
            .map(|number| {
                let create = Call::Write { expects: Expects::Absent, change: Change::Set(number) };
                let call = if number == 0 { create } else { random_call(random, number) };
                let (outcome, after) = answer(state, call);
                state = after;
                let at = 10 * (number + 1);
                let (before, behind) = (random.random_range(0..25).min(at), random.random_range(0..25));
                Interval { called_us: at - before, returned_us: Some(at + behind), call, outcome }
            })
            .collect();
        for operation in &mut operations {
            if random.random_bool(0.1) {
                (operation.returned_us, operation.outcome) = (None, Outcome::Unknown);
            }
        }
        if random.random_bool(0.6) {
            let version = random.random_range(0..4);
            let (one, value) = (random.random_range(0..count), random.random_range(0..count as u64));
            let lie = match operations[one].call {
                Call::Read { .. } => Outcome::Found { version, value, staleness_us: None },
                Call::Write { .. } => *[Outcome::Written { version }, Outcome::Conflict].choose(random).unwrap(),
            };
            if operations[one].returned_us.is_some() {
                operations[one].outcome = lie;
            }
        }
        operations
    }

    #[test]
    fn the_search_finds_what_trying_every_order_finds() {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let seed = now.as_micros() as u64;
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let (mut possible, mut impossible) = (0, 0);
        for _ in 0..HISTORIES {
            let history = random_history(&mut random);
            let expected = if some_order_makes_sense(&history) { Answer::Possible } else { Answer::Impossible };
            *(if expected == Answer::Possible { &mut possible } else { &mut impossible }) += 1;
            assert_eq!(search(&history, u64::MAX), expected, "seed {seed}: {history:#?}");
        }
        assert!(
            possible > HISTORIES / 5 && impossible > HISTORIES / 10,
            "{possible} possible, {impossible} impossible"
        );
    }
}
