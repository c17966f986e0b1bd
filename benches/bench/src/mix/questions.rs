//! What is asked at a border. The proportions are an assumption: 40 % a plate or a VIN, 40 % a passport's
//! machine-readable zone (document and holder), 15 % name and date of birth, 5 % another number.

use alert_proto::v1 as pb;
use alert_synth::{Generator, Zone, query_for, rng::Rng};

/// Questions made ahead: the generator must not cost what is measured.
const MADE: usize = 8192;
/// Hits in a million searches.
const HITS_PER_MILLION: u64 = 26;

/// Questions in their proportions; nearly all about subjects that no alert is about.
pub struct Questions {
    strangers: Vec<pb::Query>,
    wanted: Vec<pb::Query>,
}

impl Questions {
    /// Of a set of strangers; the few hits are about the first `stored` persons and objects of `generator`'s set.
    pub fn new(generator: &Generator, stored: u64, seed: u64) -> Self {
        let others = Generator::new(seed ^ 0x5eed_0f57_0000_0000);
        let mut rng = Rng::new(seed, "questions", 0);
        let strangers = (0..MADE as u64).map(|number| question(&others, number, &mut rng)).collect();
        let known = (0..stored.min(512)).flat_map(|number| [generator.person(number), generator.object(number)]);
        let wanted = known.filter_map(|alert| query_for(&alert)).collect();
        Self { strangers, wanted }
    }

    /// The question with this number.
    pub fn at(&self, number: u64) -> pb::Query {
        // Spread over the numbers, so that neighbours are no neighbours.
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        if mixed % 1_000_000 < HITS_PER_MILLION && !self.wanted.is_empty() {
            return self.wanted[mixed as usize % self.wanted.len()].clone();
        }
        self.strangers[number as usize % self.strangers.len()].clone()
    }

    /// Only questions that `is_asked` lets pass.
    #[must_use]
    pub fn only(mut self, is_asked: impl Fn(&pb::Query) -> bool) -> Self {
        self.strangers.retain(&is_asked);
        self.wanted.clear();
        self
    }
}

fn question(others: &Generator, number: u64, rng: &mut Rng) -> pb::Query {
    let fallback = || pb::Query { any_number: format!("X{number:07}"), ..Default::default() };
    match rng.weighted(&[(0, 20), (1, 20), (2, 40), (3, 15), (4, 5)]) {
        0 => {
            let plate = pb::NumberPlate { number: uk_plate(rng), country: alert_synth::codes::party("GB") };
            let vehicle = pb::VehicleQuery { plate: Some(plate), ..Default::default() };
            pb::Query { vehicle: Some(vehicle), ..Default::default() }
        }
        1 => {
            let vin = rng.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", 17);
            pb::Query { vehicle: Some(pb::VehicleQuery { vin, ..Default::default() }), ..Default::default() }
        }
        2 => pb::Query { mrz: zone(others, rng), ..Default::default() },
        3 => query_for(&others.person(number)).filter(|query| query.person.is_some()).unwrap_or_else(fallback),
        _ => pb::Query { any_number: rng.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", 9), ..Default::default() },
    }
}

fn uk_plate(rng: &mut Rng) -> String {
    format!("{}{} {}", rng.text("ABCDEFGHKLMNOPRSVWY", 2), rng.digits(2), rng.text("ABCDEFGHJKLMNOPRSTUVWXYZ", 3))
}

fn zone(others: &Generator, rng: &mut Rng) -> String {
    let names = others.names();
    let culture = names.draw_culture(rng);
    let gender = if rng.chance(500) { alert_synth::names::Gender::Male } else { alert_synth::names::Gender::Female };
    let name = names.draw_name(culture, gender, rng);
    let nationality = names.draw_nationality(culture, rng);
    Zone {
        issuer: nationality,
        nationality,
        number: &rng.digits(9),
        name: &name,
        birth: (rng.between(1940, 2008), rng.between(1, 12), rng.between(1, 28)),
        gender: Some(gender),
        expires: 21_000 + i64::from(rng.between(0, 3000)),
    }
    .passport()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proportions_are_those_that_are_said() {
        let questions = Questions::new(&Generator::new(1), 0, 7);
        let share = |is_it: fn(&pb::Query) -> bool| {
            questions.strangers.iter().filter(|query| is_it(query)).count() as f64 / questions.strangers.len() as f64
        };
        for (name, share, wanted) in [
            ("vehicle", share(|query| query.vehicle.is_some()), 0.40),
            ("zone", share(|query| !query.mrz.is_empty()), 0.40),
            ("person", share(|query| query.person.is_some()), 0.15),
            ("number", share(|query| !query.any_number.is_empty()), 0.05),
        ] {
            assert!((share - wanted).abs() < 0.02, "{name}: {share}");
        }
        let zone = questions.strangers.iter().find(|query| !query.mrz.is_empty()).unwrap();
        assert!(zone.mrz.lines().all(|line| line.len() == 44), "{}", zone.mrz);
    }
}
