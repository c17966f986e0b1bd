//! Persons: names in any order, script and spelling, dates known in part or wrongly.

use super::store::*;
use crate::{
    pb,
    search::{Normaliser, explain},
};

const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";

/// Finds the one alert by `asked` (with `born`), among some others that resemble nobody.
fn finds(name: &str, born: Option<pb::PartialDate>, asked: &str, asked_born: Option<pb::PartialDate>) -> bool {
    let mut store = Store::new();
    let wanted = store.add(1, person(name, born));
    for (at, other) in ["Grace Okafor", "Pieter Janssen", "Rosa Delgado", "Wang Fang", "Noor"].into_iter().enumerate() {
        store.add(at as u8 + 10, person(other, Some(date(1960 + at as u32, 5, 17))));
    }
    store.ids(&pb::Query { person: Some(by_name(asked, asked_born)), ..Default::default() }).first() == Some(&wanted)
}

#[test]
fn a_name_is_found_however_it_is_spelt() {
    let born = Some(date(1974, 8, 12));
    for (name, asked) in [
        ("Anna Maria Eriksson", "ERIKSSON, Anna Maria"),
        ("Anna Maria Eriksson", "Eriksson Anna"),
        ("Anna Maria Eriksson", "Anna Maria Erikson"),
        ("Anna Maria Eriksson", "Anan Maria Eriksson"),
        ("Anna Maria Eriksson", "Ana Mariah Ericksson"),
        ("Anna Maria Eriksson", "A M Eriksson"),
        ("Anna Maria Eriksson", "Annamaria Eriksson"),
        ("Jürgen Groß", "Juergen Gross"),
        ("Jürgen Groß", "Jurgen Gros"),
        ("Søren Ågård", "Soeren Aagaard"),
        ("Søren Ågård", "Soren Agard"),
        ("Łukasz Świątek", "Lukasz Swiatek"),
        ("Юрий Щербаков", "Iurii Shcherbakov"),
        ("Юрий Щербаков", "Yuri Scherbakow"),
        ("Iurii Shcherbakov", "Юрий Щербаков"),
        ("Γεώργιος Παπαδόπουλος", "Georgios Papadopoulos"),
        ("Mohamed al-Hassan", "محمد الحسن"),
        ("محمد الحسن", "Muhammad Al Hasan"),
        ("Abd al-Rahman Said", "Abdurrahman Saeed"),
        ("Seán O'Brien", "Sean OBrien"),
        ("Seán O'Brien", "O Brien Sean"),
        ("Jean-Luc Dupont", "Jean Luc Dupont"),
        ("Juan de la Cruz García", "Garcia Cruz Juan"),
        ("Maria van den Berg", "Vandenberg Maria"),
        ("Mohamed Ali", "Mohammad Aly"),
        ("Sergej Jovanović", "Sergey Jovanovich"),
        ("Yusuf Osman", "Yousef Othman"),
        ("Nguyễn Văn An", "Nguyen Van An"),
        ("김민준", "Kim Minjun"),
        ("王小明", "王小明"),
        ("דוד כהן", "David Cohen"),
    ] {
        assert!(finds(name, born, asked, born), "{name} by {asked} with a date");
    }
    for (name, asked) in [
        ("Anna Maria Eriksson", "Eriksson Anna Maria"),
        ("Anna Maria Eriksson", "Anna Eriksson"),
        ("Anna Eriksson", "Anna Erixson"),
        ("Anna Eriksson", "Ana Eriksson"),
        ("Anna Eriksson", "Hanna Eriksson"),
        ("Martin Keller", "Martin Kelelr"),
        ("Martin Keller", "Nartin Keller"),
        ("Martin Keller", "M Keller"),
        ("Martin Keller", "Martinkeller"),
        ("Annamaria Keller", "Anna Maria Keller"),
        ("Anna Maria Keller", "Annamaria Keller"),
        ("Abdul Rahman Said", "Abdulrahman Said"),
    ] {
        assert!(finds(name, born, asked, None), "{name} by {asked} without a date");
        assert!(finds(name, None, asked, born), "{name} by {asked}, date not recorded");
    }
}

#[test]
fn short_names_and_single_names_are_found_and_told_apart() {
    let born = Some(date(1990, 3, 4));
    for name in ["Li", "Lu", "Eo", "Ai", "Ng", "O", "Suharto", "Bin", "王", "LI WEI", "Ai Eo"] {
        assert!(finds(name, born, name, born), "{name} with a date");
        assert!(finds(name, born, name, None), "{name} without a date");
        assert!(finds(name, None, name, born), "{name} without a recorded date");
    }
    assert!(!finds("Li", born, "Lu", born));
    assert!(finds("Suharto", born, "Suharot", born), "a misspelt single name");
    assert!(finds("Suharto", born, "Soeharto", None), "another spelling of a single name");
    assert!(finds("Suharto", born, "FNU Suharto", born), "FNU is no name");
    assert!(finds("Suharto", born, "XXX Suharto", None));
    assert!(finds("Suharto", born, "Ahmad Suharto", born), "a second name that the alert does not have");
}

#[test]
fn a_date_may_be_swapped_one_digit_off_known_in_part_or_not_at_all() {
    let full = Some(date(1974, 8, 12));
    let year = Some(pb::PartialDate { year: Some(1974), ..Default::default() });
    for asked in [
        full,
        Some(date(1974, 12, 8)),
        Some(date(1974, 8, 13)),
        Some(date(1974, 9, 12)),
        Some(date(1984, 8, 12)),
        Some(date(1874, 8, 12)),
        Some(date(1973, 8, 12)),
        Some(date(1974, 1, 1)),
        year,
        Some(pb::PartialDate { year: Some(1975), ..Default::default() }),
        None,
    ] {
        assert!(finds("Anna Eriksson", full, "Anna Eriksson", asked), "{asked:?}");
        assert!(finds("Anna Eriksson", asked, "Anna Eriksson", full), "recorded {asked:?}");
    }
    assert!(!finds("Anna Eriksson", full, "Anna Eriksson", Some(date(1991, 2, 27))));
    assert!(finds("Anna Eriksson", full, "Anna", full), "a date with one name part");
    assert!(finds("Anna Eriksson", full, "Eriksson", None), "one name part alone");
}

#[test]
fn a_score_is_explained_token_by_token() {
    let mut store = Store::new();
    store.add(1, person("Anna Maria Eriksson", Some(date(1974, 8, 12))));
    let query = pb::Query { person: Some(by_name("Anna Ericksson", Some(date(1974, 12, 8)))), ..Default::default() };
    let answer = store.search(&officer(), &query);
    let explanation = &answer.found[0].explanation;
    let tokens: Vec<_> =
        explanation.tokens.iter().map(|t| (t.query.as_str(), t.matched.as_str(), t.how.as_str())).collect();
    assert_eq!(tokens[0], ("ANNA", "ANNA", explain::EXACT));
    assert_eq!((tokens[1].0, tokens[1].1), ("ERICKSSON", "ERIKSSON"));
    assert_eq!(explanation.date, explain::DATE_SWAPPED);
    assert!(explanation.adjustments.iter().any(|a| a.what == explain::MISSING_PART && a.points < 0));
    assert_eq!(answer.found[0].identity_kind, "confirmed");
    assert_eq!(answer.found[0].title, "ANNA MARIA ERIKSSON");
}

#[test]
fn gender_and_nationality_weigh_and_filter_only_when_asked() {
    let mut alert = person("Anna Eriksson", Some(date(1974, 8, 12)));
    let identity = &mut alert.identities.as_mut().unwrap().identities[0];
    identity.gender = code("gender", "female");
    identity.nationalities = vec![pb::Party { code: "SWE".into() }];
    let mut store = Store::new();
    let id = store.add(1, alert);
    let unknown = store.add(2, person("Anna Eriksson", Some(date(1974, 8, 12))));
    let query = |gender: &str, country: &str, strict| pb::PersonQuery {
        gender: code("gender", gender),
        nationalities: vec![pb::Party { code: country.into() }],
        strict,
        ..by_name("Anna Eriksson", Some(date(1974, 8, 12)))
    };
    assert!(store.score(id, query("female", "SE", false)) > store.score(id, query("male", "SE", false)));
    assert!(store.score(id, query("female", "SE", false)) > store.score(id, query("female", "NO", false)));
    assert!(store.score(id, query("male", "NO", false)) > 0, "they weigh");
    assert_eq!(store.score(id, query("male", "SE", true)), 0, "they filter");
    assert_eq!(store.score(id, query("female", "NO", true)), 0);
    assert!(store.score(unknown, query("male", "NO", true)) > 0, "unknown never excludes");
}

#[test]
fn an_alias_is_found_with_the_date_of_the_confirmed_identity_and_says_what_it_is() {
    let mut store = Store::new();
    let mut misused = identity("misused", "Grace Okafor", Some(date(1991, 2, 27)));
    misused.documents.clear();
    let id = store.add(
        1,
        person_alert(vec![
            identity("confirmed", "Anna Eriksson", Some(date(1974, 8, 12))),
            identity("alias-good", "Berit Lindqvist", None),
            misused,
        ]),
    );
    let find = |name: &str, born| {
        let query = pb::Query { person: Some(by_name(name, Some(born))), ..Default::default() };
        let answer = store.search(&officer(), &query);
        answer.found.first().map(|found| (found.id, found.identity_kind.clone(), found.score))
    };
    assert_eq!(find("Berit Lindqvist", date(1974, 8, 12)), Some((id, "alias-good".into(), 10_000)));
    assert_eq!(find("Grace Okafor", date(1991, 2, 27)), Some((id, "misused".into(), 10_000)));
    assert_eq!(find("Grace Okafor", date(1974, 8, 12)), None, "a misused identity keeps its own dates");
}

#[test]
fn an_unlisted_passport_of_a_wanted_holder_hits_by_the_person_leg() {
    let mut store = Store::new();
    let wanted = store.add(1, person("Anna Maria Eriksson", Some(date(1974, 8, 12))));
    let zone = pb::Query { mrz: TD3.into(), ..Default::default() };
    assert_eq!(store.ids(&zone), [wanted]);
    let stolen = store.add(2, passport("L898902C3", "UTO"));
    assert_eq!(store.ids(&zone), [stolen, wanted], "a number that matches ranks first and hides nobody");
    let damaged = pb::Query { mrz: TD3.replace("7408122", "7408132"), ..Default::default() };
    let answer = store.search(&officer(), &damaged);
    assert_eq!(answer.found.iter().map(|found| found.id).collect::<Vec<_>>(), [stolen, wanted]);
    assert!(answer.found[1].explanation.notes.iter().any(|note| note.contains("birth_date")));
}

#[test]
fn a_name_cut_short_by_the_zone_is_matched_as_a_beginning() {
    let mut store = Store::new();
    let wanted = store.add(1, person("Jonathon Alexandros Stevenson Papandropoulous", Some(date(1974, 8, 12))));
    let zone = "P<UTOPAPANDROPOULOUS<<JONATHON<ALEXANDROSTEV\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
    assert_eq!(store.ids(&pb::Query { mrz: zone.replace("ROSTEV", "ROS<ST"), ..Default::default() }), [wanted]);
}

#[test]
fn an_alert_found_by_number_and_by_name_is_one_candidate_with_both_reasons() {
    let mut alert = person("Anna Maria Eriksson", Some(date(1974, 8, 12)));
    alert.identities.as_mut().unwrap().identities[0].documents.push(pb::IdentityDocument {
        number: "L898902C3".into(),
        issuing_country: party("UTO"),
        ..Default::default()
    });
    let mut store = Store::new();
    store.add(1, alert);
    let answer = store.search(&officer(), &pb::Query { mrz: TD3.into(), ..Default::default() });
    let [found] = answer.found.as_slice() else { panic!("one candidate") };
    assert!(found.by_number && found.score == 10_000);
    assert_eq!((found.explanation.number_how.as_str(), found.explanation.date.as_str()), ("exact", "exact"));
    assert_eq!(found.explanation.tokens.len(), 3);
}

#[test]
fn likeness_to_alerts_in_the_store_is_found_by_names_and_numbers_and_leaves_out_itself() {
    let mut store = Store::new();
    let mut alert = person("Anna Maria Eriksson", Some(date(1974, 8, 12)));
    alert.objects = passport("533190426", "GB").objects;
    let own = store.add(1, alert.clone());
    let namesake = store.add(2, person("Ana Eriksson", Some(date(1974, 8, 12))));
    let same_passport = store.add(3, passport("533190426", "GB"));
    store.add(4, person("Grace Okafor", Some(date(1974, 8, 12))));
    alert.id = own.to_string();
    let profile = store.rules.search_profile();
    let answer = crate::search::duplicates(
        &store.view,
        &alert,
        Normaliser::default(),
        &officer(),
        &store,
        profile,
        Default::default(),
    )
    .unwrap();
    assert_eq!(answer.found.iter().map(|found| found.id).collect::<Vec<_>>(), [same_passport, namesake]);
}

#[test]
fn organisations_are_found_by_name() {
    let mut store = Store::new();
    let organisation = pb::OrganisationIdentity {
        names: vec![pb::NameForm { full_text: "Nordwind Handels GmbH".into(), ..Default::default() }],
        ..Default::default()
    };
    let alert = pb::Alert {
        identities: Some(pb::IdentitySection { organisations: vec![organisation], ..Default::default() }),
        ..Default::default()
    };
    let id = store.add(1, alert);
    let query = pb::Query { person: Some(by_name("Nordwind Handels", None)), ..Default::default() };
    assert_eq!(store.ids(&query), [id]);
}

#[test]
fn a_name_that_is_merely_near_takes_no_other_names_place() {
    let born = Some(date(1974, 8, 12));
    for (name, asked) in [
        ("Mason", "Simon Mason"),
        ("Jones", "Jason Jones"),
        ("Rose", "Sara Rose"),
        ("JP Wistiewxki", "J P Maria Wisniewski"),
    ] {
        assert!(finds(name, born, asked, born), "{name} by {asked}");
    }
}

#[test]
fn every_spelling_of_a_name_may_be_misspelt() {
    let mut store = Store::new();
    let identities = ["Mohamed Keller", "Muhammad Keller"].map(|name| identity("main", name, Some(date(1974, 8, 12))));
    let wanted = store.add(1, person_alert(identities.to_vec()));
    for asked in ["Nuhammad Keller", "Nohamed Keller"] {
        // Day and month swapped: the list by surname and year alone leads there.
        let person = Some(by_name(asked, Some(date(1974, 12, 8))));
        assert_eq!(store.ids(&pb::Query { person, ..Default::default() }), [wanted], "{asked}");
    }
}

#[test]
fn who_has_the_same_letters_in_another_order_does_not_bear_the_name() {
    let mut store = Store::new();
    let wanted = store.add(1, person("Roman Garcia", None));
    store.add(2, person("Ramon Garcia", Some(date(1950, 3, 7))));
    let person = Some(by_name("Roman Garcia", Some(date(1974, 8, 12))));
    assert_eq!(store.ids(&pb::Query { person, ..Default::default() }), [wanted]);
}

#[test]
fn a_day_without_a_year_finds_who_was_born_on_it() {
    let day = pb::PartialDate { year: None, month: Some(8), day: Some(12) };
    assert!(finds("John Featherstonehaugh", Some(date(1974, 8, 12)), "J Featherstonehaugh", Some(day)));
}
