//! Many bear a common name: who is left out because of that, and who never is.

use super::store::*;
use crate::{
    alert::{AlertId, Role, Viewer},
    pb,
    search::explain,
};

/// So many others are called like the wanted person.
const BEARERS: u8 = 120;
const NAME: &str = "John Smith";

/// A store in which the name says little: its bearers were born on many days, none near 1974.
fn crowd() -> Store {
    let mut store = Store::new();
    for number in 0..BEARERS {
        let (year, month) = (1940 + u32::from(number % 25), 1 + u32::from(number % 12));
        store.add(number + 2, person(NAME, Some(date(year, month, 20 + u32::from(number % 7)))));
    }
    store
}

fn ids(store: &Store, asked: pb::PersonQuery) -> Vec<AlertId> {
    store.ids(&pb::Query { person: Some(asked), ..Default::default() })
}

#[test]
fn the_whole_date_finds_the_bearer_of_the_commonest_name_with_any_one_mistake_in_the_name() {
    let mut store = crowd();
    let born = Some(date(1974, 8, 12));
    let wanted = store.add(1, person(NAME, born));
    for asked in [NAME, "Smith John", "Jon Smith", "John Smth", "Jhon Smith", "J Smith", "Johnsmith", "Smith", "John"] {
        assert_eq!(ids(&store, by_name(asked, born)), [wanted], "{asked}");
    }
}

#[test]
fn a_year_or_no_date_at_all_leaves_nobody_out() {
    let mut store = crowd();
    let wanted = store.add(1, person(NAME, Some(date(1974, 8, 12))));
    let year = pb::PartialDate { year: Some(1974), ..Default::default() };
    assert_eq!(ids(&store, by_name(NAME, Some(year))), [wanted]);
    let profile = pb::SearchProfile { max_candidates: 1_000, ..*store.rules.search_profile() };
    let query = pb::Query { person: Some(by_name(NAME, None)), ..Default::default() };
    assert_eq!(store.search_within(&officer(), &query, &profile).found.len(), usize::from(BEARERS) + 1);
}

#[test]
fn a_date_that_agrees_in_part_is_believed_for_a_rare_name_only() {
    let mut store = crowd();
    let born = Some(date(1974, 8, 12));
    let (common, rare) = (store.add(1, person(NAME, born)), store.add(250, person("Orla Featherstone", born)));
    for near in [date(1974, 8, 13), date(1974, 1, 1), date(1975, 8, 12)] {
        let query = pb::Query { person: Some(by_name(NAME, Some(near))), ..Default::default() };
        let answer = store.search(&officer(), &query);
        assert!(answer.found.is_empty(), "{near:?}");
        assert_eq!(answer.coincidences, 1, "who is left out is counted: {near:?}");
        let all = pb::PersonQuery { with_coincidences: true, ..by_name(NAME, Some(near)) };
        assert_eq!(ids(&store, all), [common], "and shown when asked for: {near:?}");
        assert_eq!(ids(&store, by_name("Orla Featherstone", Some(near))), [rare], "{near:?}");
    }
    assert_eq!(ids(&store, by_name(NAME, Some(date(1974, 12, 8)))), [common], "nobody swaps day and month by chance");
}

#[test]
fn a_name_that_is_not_believed_does_not_hide_another_name_of_the_same_alert() {
    // The misused identity is a common name with a date one digit off, and scores higher; the subject's own name is
    // misspelt in the query's other half, with the whole date.
    let mut store = crowd();
    let wanted = store.add(
        1,
        person_alert(vec![
            identity("misused", NAME, Some(date(1974, 8, 13))),
            identity("confirmed", "John Smythe", Some(date(1974, 8, 12))),
        ]),
    );
    let query = pb::Query { person: Some(by_name(NAME, Some(date(1974, 8, 12)))), ..Default::default() };
    let answer = store.search(&officer(), &query);
    let found: Vec<_> = answer.found.iter().map(|found| (found.id, found.identity_kind.as_str())).collect();
    assert_eq!(found, [(wanted, "confirmed")]);
}

#[test]
fn whose_number_is_in_the_alert_is_met_by_no_coincidence() {
    let mut store = crowd();
    let mut wanted = person(NAME, Some(date(1974, 8, 12)));
    wanted.identities.as_mut().unwrap().identities[0].documents.push(pb::IdentityDocument {
        r#type: code("document-type", "passport"),
        issuing_country: party("GB"),
        number: "533190426".into(),
        ..Default::default()
    });
    let wanted = store.add(1, wanted);
    let query = pb::Query {
        document: Some(pb::DocumentQuery { number: "533190426".into(), ..Default::default() }),
        person: Some(by_name(NAME, Some(date(1974, 8, 13)))),
        ..Default::default()
    };
    let answer = store.search(&officer(), &query);
    assert_eq!(answer.found.iter().map(|found| found.id).collect::<Vec<_>>(), [wanted]);
    let explanation = &answer.found[0].explanation;
    assert_eq!((explanation.number_kind.as_str(), explanation.date.as_str()), ("document", explain::DATE_DIGIT));
    assert_eq!(explanation.tokens.len(), 2, "the name is explained beside the number");
}

#[test]
fn hidden_bearers_make_a_name_no_commoner() {
    // Only the bearers that the caller may see are counted: a foreign caller without covert rights is answered as if
    // the covert ones were not there.
    let mut store = Store::new();
    let wanted = store.add(1, person(NAME, Some(date(1974, 8, 12))));
    for number in 0..BEARERS {
        store.add_covert(number + 2, person(NAME, Some(date(1940 + u32::from(number % 25), 3, 20))));
    }
    let query = pb::Query { person: Some(by_name(NAME, Some(date(1974, 8, 13)))), ..Default::default() };
    let ids = |viewer: &_| store.search(viewer, &query).found.iter().map(|found| found.id).collect::<Vec<_>>();
    assert_eq!(ids(&officer()), [], "whoever sees them all knows how common the name is");
    assert_eq!(ids(&Viewer::new(caller("GB", Role::SearchOpen), None)), [wanted]);
}

#[test]
fn a_record_without_a_date_is_shown_to_whoever_bears_its_whole_name() {
    let mut store = Store::new();
    let wanted = store.add(1, person("Orla Featherstone", None));
    let born = Some(date(1974, 8, 12));
    let whole = ["Orla Featherstone", "Featherstone, Orla", "ORLA FÉATHERSTONE"];
    let near = ["Orla Featherstome", "Orla Mary Featherstone"];
    for asked in whole.iter().chain(&near) {
        assert_eq!(ids(&store, by_name(asked, born)), [wanted], "{asked}: nobody else has either name");
    }
    // Each of its parts is now that of some others, who are called otherwise.
    for number in 0..15 {
        store.add(10 + number, person(&format!("Orla {}", ["Keller", "Silva"][usize::from(number % 2)]), born));
        store.add(40 + number, person(&format!("{} Featherstone", ["Martin", "Paulo"][usize::from(number % 2)]), born));
    }
    let elsewhen = Some(date(1988, 3, 1));
    for asked in whole {
        assert_eq!(ids(&store, by_name(asked, elsewhen)), [wanted], "{asked}");
    }
    // Two doubts: no date, and not quite the name.
    for asked in near {
        let query = pb::Query { person: Some(by_name(asked, elsewhen)), ..Default::default() };
        let answer = store.search(&officer(), &query);
        assert_eq!((answer.found.len(), answer.coincidences), (0, 1), "{asked}: left out, and counted");
        let all = pb::PersonQuery { with_coincidences: true, ..by_name(asked, elsewhen) };
        assert_eq!(ids(&store, all), [wanted], "{asked}: shown when asked for");
    }
    // Its rarest part is now common: somebody else of the name is to be expected, though nobody has come yet.
    for number in 100..=u8::MAX {
        let other = [identity("confirmed", "Orla Brandt", born), identity("alias-good", "Inge Featherstone", born)];
        store.add(number, person_alert(other.into()));
    }
    let query = pb::Query { person: Some(by_name(whole[0], elsewhen)), ..Default::default() };
    let answer = store.search(&officer(), &query);
    assert_eq!((answer.found.len(), answer.coincidences), (0, 1));
}

#[test]
fn a_common_name_alone_and_a_date_are_no_evidence_against_somebody_who_has_two_names() {
    let born = Some(date(1974, 8, 12));
    let mut store = Store::new();
    let wanted = store.add(1, person("Robert", born));
    let query = pb::Query { person: Some(by_name("Robert Lewis", born)), ..Default::default() };
    assert_eq!(store.ids(&query), [wanted], "few are called so and nothing else");
    for number in 2..=u8::MAX {
        store.add(number, person("Robert", Some(date(1940 + u32::from(number % 25), 3, 20))));
    }
    let answer = store.search(&officer(), &query);
    assert_eq!((answer.found.len(), answer.coincidences), (0, 1));
    assert_eq!(ids(&store, by_name("Robert", born)), [wanted], "all that was asked for agrees");
}
