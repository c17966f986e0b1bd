//! Synthetic alerts of a simulation. Nobody in particular is meant.

use alert_core::alert::time::from_ms;
use alert_proto::v1 as pb;
use alert_synth::{codes::some_code, plain};

/// Given and family names of the persons that alerts are about: nobody is like another, and each many are in another
/// script than the next.
const NAMES: [(&str, &str); 12] = [
    ("Quentin", "Hawthorne"),
    ("Дмитрий", "Зимин"),
    ("Bora", "Özgür"),
    ("Ελένη", "Παπαδάκη"),
    ("Siobhán", "O'Flaherty"),
    ("Nguyen", "Phuc"),
    ("Wojciech", "Krzyżanowski"),
    ("Fatima", "al-Rashidi"),
    ("Jun", "Tanabe"),
    ("Chukwuemeka", "Adeyemi"),
    ("Lars", "Bergqvist"),
    ("Isabella", "Montenegro-Vidal"),
];

pub use alert_synth::plain::passport as number_of;

/// A person who is wanted, or to be checked discreetly. `value` is what a history tells apart; `ends_ms` is when it is to
/// end by itself.
pub fn record(alert: u64, value: u64, covert: bool, ends_ms: Option<u64>) -> pb::Alert {
    let what = if covert { "discreet-check" } else { "arrest" };
    let mut record = plain::person(alert, format!("SIM-{alert}"));
    let who = Person::of(alert);
    for identity in &mut record.identities.get_or_insert_default().identities {
        who.is_put_into(identity);
    }
    let core = record.core.get_or_insert_default();
    core.category = some_code("category", what);
    core.decision.get_or_insert_default().reference = format!("W-{value}");
    core.requested_expiry = ends_ms.map(from_ms);
    record.action.get_or_insert_default().action = some_code("action", what);
    record
}

/// One of the persons that alerts are about; several alerts are about the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person(u64);

impl Person {
    /// Whom an alert is about.
    pub fn of(alert: u64) -> Self {
        Self(alert % NAMES.len() as u64)
    }

    /// Given and family name.
    pub fn name(self) -> (&'static str, &'static str) {
        NAMES[self.0 as usize]
    }

    /// Year, month and day: no two are alike.
    fn born(self) -> (u32, u32, u32) {
        let number = self.0 as u32;
        (1941 + 5 * number, 1 + number, 3 + 2 * number)
    }

    fn is_put_into(self, identity: &mut pb::Identity) {
        let (given, family) = self.name();
        let part = |kind: &str, text: &str| pb::NamePart { kind: some_code("name-part", kind), text: text.into() };
        let parts = vec![part("forename", given), part("surname", family)];
        identity.names = vec![pb::NameForm { parts, ..Default::default() }];
        let (year, month, day) = self.born();
        let born = pb::BirthDate { year: Some(year), month: Some(month), day: Some(day), ..Default::default() };
        identity.birth_dates = vec![born];
    }

    /// The person looked for, with the whole date of birth; `reversed`: the family name first, in capitals.
    pub fn query(self, reversed: bool) -> pb::PersonQuery {
        let (given, family) = self.name();
        let name = if reversed { format!("{} {given}", family.to_uppercase()) } else { format!("{given} {family}") };
        let (year, month, day) = self.born();
        let birth_date = pb::PartialDate { year: Some(year), month: Some(month), day: Some(day) };
        pb::PersonQuery { names: vec![name], birth_date: Some(birth_date), ..Default::default() }
    }
}

/// What [`record`] was given as its value; 0 when it is not one of ours.
pub fn value_of(alert: &pb::Alert) -> u64 {
    let decision = alert.core.as_ref().and_then(|core| core.decision.as_ref());
    decision.and_then(|decision| decision.reference.strip_prefix("W-")?.parse().ok()).unwrap_or(0)
}
