//! What clients did and saw, and whether it is enough: a run with too little of it proves nothing.

use alert_core::alert::Role;

use crate::{
    model::{Call, Followed, History, Level, Question, Searched},
    traffic::clients::Recorder,
    validate::Findings,
};

const LEAST_WRITES: usize = 30;
const LEAST_READS: usize = 30;
const LEAST_SEARCHES: usize = 20;
const LEAST_EVENTS: usize = 10;
const LEAST_PARTNERS_ANSWERS: usize = 5;
const LEAST_SUSPENSIONS: usize = 1;

/// All that clients did and saw.
pub struct Load {
    pub history: History,
    pub searches: Vec<Searched>,
    pub feeds: Vec<Followed>,
    suspensions: usize,
}

impl Load {
    pub fn of(recorder: &Recorder) -> Self {
        Self {
            history: recorder.history(),
            searches: recorder.searches(),
            feeds: recorder.feeds(),
            suspensions: recorder.suspensions() as usize,
        }
    }

    /// Calls, searches and events.
    pub fn operations(&self) -> u64 {
        (self.history.operations.len() + self.searches.len() + self.events()) as u64
    }

    fn events(&self) -> usize {
        self.feeds.iter().map(|feed| feed.items.len()).sum()
    }

    /// Notes in `findings` what there is too little of.
    pub fn judge(&self, findings: &mut Findings) {
        let linearizable = Call::Read { level: Level::Linearizable };
        let reads = self
            .history
            .operations
            .iter()
            .filter(|operation| operation.call == linearizable && operation.is_answered_read());
        let numbers = self.searches.iter().filter(|search| matches!(search.question, Question::Number(_)));
        let persons = self.searches.iter().filter(|search| matches!(search.question, Question::Person { .. }));
        let partners = self.searches.iter().filter(|search| search.caller.role == Role::Partner);
        let counts = [
            ("acknowledged writes", acknowledged(&self.history), LEAST_WRITES),
            ("linearizable reads", reads.count(), LEAST_READS),
            ("searches for a number", numbers.count(), LEAST_SEARCHES),
            ("searches for a person", persons.count(), LEAST_SEARCHES),
            ("events of the feed", self.events(), LEAST_EVENTS),
            ("answers to the partner", partners.count(), LEAST_PARTNERS_ANSWERS),
            ("suspensions of the agreement", self.suspensions, LEAST_SUSPENSIONS),
        ];
        for (what, count, least) in counts {
            if count < least {
                findings.inconclusive.push(format!("too little load: {count} {what}, at least {least} are needed"));
            }
        }
    }

    pub fn is_enough(&self) -> bool {
        let mut findings = Findings::default();
        self.judge(&mut findings);
        findings.inconclusive.is_empty()
    }
}

/// Writes that were acknowledged.
pub fn acknowledged(history: &History) -> usize {
    history.operations.iter().filter(|operation| operation.is_acknowledged()).count()
}
