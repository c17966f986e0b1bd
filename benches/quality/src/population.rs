//! Who is in the store, and what is asked about them.

use std::sync::Arc;

use alert_core::{alert::AlertId, pb};
use alert_synth::{Generator, Origin, query::name_parts, query_for};

use crate::febrl::{self, Febrl};

/// Generated persons by number, with the records of FEBRL behind them.
pub struct Population {
    generator: Generator,
    generated: u64,
    febrl: Arc<Febrl>,
}

/// One question with what is known of the person it is about.
#[derive(Debug, Clone)]
pub struct Question {
    /// As somebody with the right papers would ask.
    pub asked: pb::PersonQuery,
    /// Where the name comes from.
    pub origin: Origin,
    /// The script of the question.
    pub script: Script,
}

/// Scripts that are told apart in tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    Latin,
    LatinWithMarks,
    Cyrillic,
    Greek,
    Arabic,
    Han,
    Hangul,
    Other,
}

/// Of these, one in so many persons of another script has no Latin form in the store: found across scripts or not at all.
const NATIVE_ONLY_ONE_IN: u64 = 20;

impl Population {
    /// `generated` persons of one seed, and the records of FEBRL that are put among them.
    pub fn new(seed: u64, generated: u64, febrl: Arc<Febrl>) -> Self {
        Self { generator: Generator::new(seed), generated, febrl }
    }

    /// How many records the store holds.
    pub fn len(&self) -> u64 {
        self.generated + self.febrl.stored.len() as u64
    }

    /// How many of them are generated; numbers from here to `len` are FEBRL's.
    pub fn generated(&self) -> u64 {
        self.generated
    }

    /// The alert with this number, as it is stored.
    pub fn alert(&self, number: u64) -> pb::Alert {
        if number >= self.generated
            && let Some(record) = self.febrl.stored.get((number - self.generated) as usize)
        {
            return febrl::alert(record);
        }
        let mut alert = self.generator.person(number);
        if Self::is_native_only(number)
            && let Some(identities) = alert.identities.as_mut()
        {
            for identity in &mut identities.identities {
                if identity.names.iter().any(|form| !is_latin(form)) {
                    identity.names.retain(|form| !is_latin(form));
                }
            }
        }
        alert
    }

    /// The question about person `number` (who need not be in the store): by the first name of the first identity, with
    /// date of birth, gender and nationality. `None` for persons without a name or without a whole date.
    pub fn question(&self, number: u64) -> Option<Question> {
        let asked = query_for(&self.generator.person(number))?.person?;
        asked.birth_date.filter(|date| date.year.is_some() && date.month.is_some() && date.day.is_some())?;
        let script = Script::of(&asked.names);
        Some(Question { asked, origin: self.generator.origin(number), script })
    }

    /// The question in Latin letters about somebody of whom the store has another script alone; `None` for others.
    pub fn across_scripts(&self, number: u64) -> Option<Question> {
        if !Self::is_native_only(number) {
            return None;
        }
        let mut question = self.question(number)?;
        let alert = self.generator.person(number);
        let forms = &alert.identities.as_ref()?.identities.first()?.names;
        let latin = forms.iter().find(|form| is_latin(form))?;
        forms.iter().find(|form| !is_latin(form))?;
        question.asked.names = name_parts(latin);
        question.script = Script::of(&question.asked.names);
        Some(question)
    }

    /// The question with a whole date about somebody whose record has the year alone or a span of years (`by_year`), or no
    /// date; `None` for others. The day is made up, the same for a person each time.
    pub fn recorded_in_part(&self, number: u64, by_year: bool) -> Option<Question> {
        let alert = self.generator.person(number);
        let identities = alert.identities.as_ref()?;
        let mut asked = query_for(&alert)?.person?;
        let recorded = identities.identities.iter().flat_map(|identity| &identity.birth_dates).next();
        let is_by_year = recorded.is_some_and(|date| date.month.is_none() && date.year.is_some());
        if is_by_year != by_year || recorded.is_some() && !by_year {
            return None;
        }
        let made_up = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32;
        let years = recorded.map_or((1950, 2005), |date| {
            let from = date.year.unwrap_or_default();
            (from, date.year_to.unwrap_or(from))
        });
        asked.birth_date = Some(pb::PartialDate {
            year: Some(years.0 + made_up % (years.1 - years.0 + 1)),
            month: Some(1 + made_up / 64 % 12),
            day: Some(2 + made_up / 1024 % 27),
        });
        let script = Script::of(&asked.names);
        Some(Question { asked, origin: self.generator.origin(number), script })
    }

    fn is_native_only(number: u64) -> bool {
        number % NATIVE_ONLY_ONE_IN == 7
    }
}

/// The id of a person.
pub fn id(number: u64) -> AlertId {
    AlertId::from_time_and_random(number, [0; 10])
}

fn is_latin(form: &pb::NameForm) -> bool {
    form.script == "Latn"
}

impl Script {
    fn of(names: &[String]) -> Self {
        let text = names.concat();
        let has = |low: u32, high: u32| text.chars().any(|letter| (low..=high).contains(&u32::from(letter)));
        match () {
            () if has(0x400, 0x52f) => Self::Cyrillic,
            () if has(0x370, 0x3ff) || has(0x1f00, 0x1fff) => Self::Greek,
            () if has(0x600, 0x77f) => Self::Arabic,
            () if has(0xac00, 0xd7a3) => Self::Hangul,
            () if has(0x3400, 0x9fff) => Self::Han,
            () if text.is_ascii() => Self::Latin,
            () if has(0xc0, 0x24f) || has(0x1e00, 0x1eff) => Self::LatinWithMarks,
            () => Self::Other,
        }
    }
}
