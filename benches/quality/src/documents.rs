//! Documents asked for by number as a machine misreads it: 0 for O, 1 for I, 5 for S, 8 for B, and the other way about.

use alert_core::{
    pb,
    search::{Normaliser, SearchLimits, query, run},
    state::View,
};
use alert_synth::rng::Rng;
use anyhow::Result;

use crate::{
    evaluate::{self, YEAR},
    population::{Population, id},
    store::OneLabel,
    tally::{Tally, share},
};

/// Asks for `each` documents with so many characters misread, and for documents of nobody in the store; prints a table.
pub fn measure(
    view: &dyn View,
    population: &Population,
    each: u64,
    seed: u64,
    profile: &pb::SearchProfile,
) -> Result<()> {
    println!("\n| document number | n | found % (95 %) | with others % (95 %) |\n|---|--:|--:|--:|");
    for (name, misread) in [("as printed", 0), ("one character misread", 1), ("two misread", 2), ("three misread", 3)] {
        let asked = (0..population.generated()).filter_map(|number| {
            let mut document = document(population, number)?;
            document.number = misreading(&document.number, misread, &mut Rng::new(seed, name, number))?;
            Some((document, Some(number)))
        });
        print(name, &tally(view, asked.take(each as usize), profile)?);
    }
    let strangers = (population.len()..).filter_map(|number| Some((document(population, number)?, None)));
    print("of a stranger", &tally(view, strangers.take(4 * each as usize), profile)?);
    Ok(())
}

fn tally(
    view: &dyn View,
    asked: impl Iterator<Item = (pb::DocumentQuery, Option<u64>)>,
    profile: &pb::SearchProfile,
) -> Result<Tally> {
    let (labels, viewer) = (OneLabel::new(), evaluate::viewer());
    let mut tally = Tally::default();
    for (document, wanted) in asked {
        let query = pb::Query { document: Some(document), ..Default::default() };
        let started = evaluate::processor_time();
        let Ok(parsed) = query::parse(&query, YEAR, Normaliser::default()) else { continue };
        let answer = run(view, &parsed, &viewer, &labels, profile, SearchLimits::default())?;
        tally.add(&answer, wanted.map(id), evaluate::processor_time() - started);
    }
    Ok(tally)
}

fn print(name: &str, tally: &Tally) {
    let found = if tally.found > 0 { share(tally.found, tally.asked) } else { "-".into() };
    println!("| {name} | {} | {found} | {} |", tally.asked, share(tally.with_others, tally.asked));
}

/// The first document that a person's record has a number of.
fn document(population: &Population, number: u64) -> Option<pb::DocumentQuery> {
    let identities = population.alert(number).identities?.identities;
    let document = identities.into_iter().flat_map(|identity| identity.documents).find(|it| !it.number.is_empty())?;
    Some(pb::DocumentQuery { number: document.number, r#type: None, issuing_country: document.issuing_country })
}

/// The number with so many characters misread; `None` where fewer can be.
fn misreading(number: &str, misread: usize, rng: &mut Rng) -> Option<String> {
    let mut characters: Vec<char> = number.chars().collect();
    let mut places: Vec<usize> = (0..characters.len()).filter(|at| look_alike(characters[*at]).is_some()).collect();
    if places.len() < misread {
        return None;
    }
    for _ in 0..misread {
        let at = places.swap_remove(rng.below(places.len() as u64) as usize);
        characters[at] = look_alike(characters[at])?;
    }
    Some(characters.into_iter().collect())
}

fn look_alike(character: char) -> Option<char> {
    Some(match character {
        'O' => '0',
        '0' => 'O',
        'I' => '1',
        '1' => 'I',
        'S' => '5',
        '5' => 'S',
        'B' => '8',
        '8' => 'B',
        _ => return None,
    })
}
