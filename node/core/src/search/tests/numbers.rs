//! Numbers: documents, vehicles, things.

use super::store::*;
use crate::{
    pb,
    search::{NORMALISER_VERSION, explain},
};

fn by_vin(vin: &str) -> pb::Query {
    pb::Query { vehicle: Some(pb::VehicleQuery { vin: vin.into(), ..Default::default() }), ..Default::default() }
}

fn by_plate(number: &str, country: &str) -> pb::Query {
    let plate =
        pb::NumberPlate { number: number.into(), country: Some(country).filter(|c| !c.is_empty()).and_then(party) };
    pb::Query { vehicle: Some(pb::VehicleQuery { plate: Some(plate), ..Default::default() }), ..Default::default() }
}

fn by_document(number: &str, country: &str) -> pb::Query {
    let document = pb::DocumentQuery {
        number: number.into(),
        r#type: code("document-type", "passport"),
        issuing_country: Some(country).filter(|c| !c.is_empty()).and_then(party),
    };
    pb::Query { document: Some(document), ..Default::default() }
}

#[test]
fn a_document_is_found_by_number_with_or_without_its_country() {
    let mut store = Store::new();
    let gb = store.add(1, passport("533190426", "GBR"));
    let fr = store.add(2, passport("533190426", "FR"));
    assert_eq!(store.ids(&by_document("533 190 426", "GB")), [gb]);
    assert_eq!(store.ids(&by_document("533190426", "")), [gb, fr]);
    assert_eq!(store.ids(&by_document("533190427", "GB")), []);
    let answer = store.search(&officer(), &by_document("533190426", "GB"));
    let found = &answer.found[0];
    assert_eq!((found.score, found.by_number, found.title.as_str()), (10_000, true, "533190426"));
    assert_eq!(found.explanation.number_kind, "document");
    assert_eq!(found.explanation.number_how, explain::NUMBER_EXACT);
}

#[test]
fn at_most_two_look_alikes_may_differ_and_an_exact_number_ranks_first() {
    let mut store = Store::new();
    let exact = store.add(1, vehicle("", "BD51 SMR", "GB"));
    let alike = store.add(2, vehicle("", "8051 SMR", "GB"));
    let farther = store.add(3, vehicle("", "80S1 5MR", "GB"));
    assert_eq!(store.ids(&by_plate("bd51smr", "GB")), [exact, alike]);
    assert_eq!(store.ids(&by_plate("8051-smr", "")), [alike, exact, farther]);
    assert_eq!(store.ids(&by_plate("BD51 SMR", "FR")), []);
    let answer = store.search(&officer(), &by_plate("BD51SMR", "GB"));
    assert_eq!(answer.found[1].explanation.number_how, explain::NUMBER_LOOK_ALIKE);
}

#[test]
fn a_chassis_is_found_whole_by_its_last_eight_and_misread() {
    let mut store = Store::new();
    let whole = store.add(1, vehicle("1M8GDM9AXKP042788", "", ""));
    let tail = store.add(2, vehicle("KP042788", "", ""));
    let old = store.add(3, vehicle("OLD 1234-7", "", ""));
    assert_eq!(store.ids(&by_vin("1M8GDM9AXKP042788")), [whole, tail]);
    assert_eq!(store.ids(&by_vin("KP042788")), [tail, whole]);
    assert_eq!(store.ids(&by_vin("IM8GDM9AXKPO42788")), [whole, tail], "no chassis number has I, O or Q");
    assert_eq!(store.ids(&by_vin("old12347")), [old]);
    let answer = store.search(&officer(), &by_vin("KP042788"));
    assert_eq!(answer.found[1].explanation.number_how, explain::NUMBER_LAST_8);
}

#[test]
fn any_number_finds_every_kind_and_explicit_legs_restrict() {
    let mut store = Store::new();
    let gun = store.add(
        1,
        object_alert(
            "firearm",
            pb::object::Detail::Firearm(pb::Firearm { serial_number: "AB-12345".into(), ..Default::default() }),
        ),
    );
    let document = store.add(2, passport("AB12345", "GB"));
    let plate = store.add(3, vehicle("", "AB 12345", "GB"));
    assert_eq!(store.ids(&any("ab12345")).len(), 3);
    assert_eq!(store.ids(&by_plate("AB12345", "")), [plate, gun, document], "another kind is found too, for less");
    let only = pb::Query { legs: vec![pb::Leg::Vehicle as i32], ..by_plate("AB12345", "") };
    assert_eq!(store.ids(&only), [plate]);
    let only = pb::Query { legs: vec![pb::Leg::Document as i32], ..any("AB12345") };
    assert_eq!(store.ids(&only), [document]);
    let object =
        pb::ObjectQuery { class: code("object-class", "firearm"), number: "AB12345".into(), ..Default::default() };
    assert_eq!(store.ids(&pb::Query { object: Some(object), ..Default::default() })[0], gun);
}

#[test]
fn every_kind_of_identifier_is_found() {
    use pb::object::Detail;
    let numbers = |kind: &str, number: &str| pb::ObjectNumber {
        kind: code("number-kind", kind),
        number: number.into(),
        country: None,
    };
    let cases: Vec<(Detail, &str)> = vec![
        (Detail::Vehicle(pb::Vehicle { engine_number: "EN-1001".into(), ..Default::default() }), "EN1001"),
        (Detail::Boat(pb::Boat { hull_number: "GB-ABC12345D404".into(), ..Default::default() }), "GBABC12345D404"),
        (Detail::Boat(pb::Boat { imo_number: "IMO 9074729".into(), ..Default::default() }), "9074729"),
        (Detail::Boat(pb::Boat { registration: "SSR 123456".into(), ..Default::default() }), "SSR123456"),
        (Detail::Aircraft(pb::Aircraft { registration: "G-ABCD".into(), ..Default::default() }), "GABCD"),
        (Detail::Aircraft(pb::Aircraft { serial_number: "28-7102".into(), ..Default::default() }), "287102"),
        (Detail::Engine(pb::Engine { serial_number: "OB 77123".into(), ..Default::default() }), "OB77123"),
        (Detail::Container(pb::Container { number: "CSQU 305438".into(), ..Default::default() }), "CSQU3054383"),
        (Detail::Equipment(pb::Equipment { serial_number: "SN:99-1".into(), ..Default::default() }), "SN991"),
        (
            Detail::RegistrationCertificate(pb::RegistrationCertificate {
                number: "V5C 1".into(),
                ..Default::default()
            }),
            "V5C1",
        ),
        (Detail::NumberPlate(pb::NumberPlate { number: "X 77 YZ".into(), country: None }), "X77YZ"),
        (Detail::Banknote(pb::Banknote { serial_number: "HB 21 1".into(), ..Default::default() }), "HB211"),
        (Detail::PaymentMeans(pb::PaymentMeans { number: "4000 1".into(), ..Default::default() }), "40001"),
        (Detail::Other(pb::OtherObject { serial_number: "Q-7".into(), ..Default::default() }), "Q7"),
    ];
    let mut store = Store::new();
    let mut expected = Vec::new();
    for (at, (detail, number)) in cases.into_iter().enumerate() {
        expected.push((store.add(at as u8 + 1, object_alert("other", detail)), number));
    }
    let mut further = object_alert("other", Detail::Other(pb::OtherObject::default()));
    further.objects.as_mut().unwrap().objects[0].numbers.push(numbers("serial", "F 5555"));
    expected.push((store.add(90, further), "F5555"));
    let mut holder = person("Anna Eriksson", None);
    holder.identities.as_mut().unwrap().identities[0].national_numbers.push(pb::NationalNumber {
        kind: code("national-number", "gb-nino"),
        country: party("GB"),
        number: "QQ 12 34 56 C".into(),
    });
    expected.push((store.add(91, holder), "QQ123456C"));
    for (id, number) in expected {
        assert_eq!(store.ids(&any(number)), [id], "{number}");
    }
}

#[test]
fn a_number_inside_a_range_of_blank_documents_is_found() {
    let mut store = Store::new();
    let mut blanks = passport("A0001200", "GB");
    blanks.objects.as_mut().unwrap().objects[0].number_range_to = "A0002999".into();
    let blanks = store.add(1, blanks);
    for number in ["A0001200", "A0001201", "A0002500", "A0002999"] {
        assert_eq!(store.ids(&by_document(number, "GB")), [blanks], "{number}");
    }
    for number in ["A0001199", "A0003000", "B0001500"] {
        assert_eq!(store.ids(&by_document(number, "GB")), [], "{number}");
    }
    let answer = store.search(&officer(), &by_document("A0002500", "GB"));
    assert_eq!(answer.found[0].explanation.number_how, explain::NUMBER_IN_RANGE);
}

#[test]
fn numbers_attached_to_a_person_find_the_persons_alert() {
    let mut store = Store::new();
    let mut alert = person("Anna Eriksson", Some(date(1974, 8, 12)));
    alert.objects = vehicle("", "BD51 SMR", "GB").objects;
    let alert = store.add(1, alert);
    assert_eq!(store.ids(&by_plate("BD51SMR", "GB")), [alert]);
}

#[test]
fn a_make_that_differs_leaves_out_a_serial_number_but_not_a_plate() {
    let mut store = Store::new();
    let mut gun =
        pb::Firearm { serial_number: "77123".into(), make: code("firearm-make", "glock"), ..Default::default() };
    let glock = store.add(1, object_alert("firearm", pb::object::Detail::Firearm(gun.clone())));
    gun.make = code("firearm-make", "beretta");
    let beretta = store.add(2, object_alert("firearm", pb::object::Detail::Firearm(gun)));
    let query = |make: &str| pb::Query {
        object: Some(pb::ObjectQuery {
            class: code("object-class", "firearm"),
            number: "77123".into(),
            make: code("firearm-make", make).filter(|_| !make.is_empty()),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(store.ids(&query("glock")), [glock]);
    assert_eq!(store.ids(&query("")), [glock, beretta]);
}

#[test]
fn alerts_on_one_subject_are_told_by_their_strong_identifiers() {
    let mut store = Store::new();
    let a = store.add(1, passport("533190426", "GB"));
    let hidden = store.add_covert(2, passport("533190426", "GB"));
    store.add(3, passport("533190426", "FR"));
    store.add(4, vehicle("", "533190426", "GB"));
    let sharing = |alert| crate::search::sharing_an_identifier(&store.view, NORMALISER_VERSION, &alert).unwrap();
    assert_eq!(sharing(passport("533 190 426", "GBR")), [a, hidden]);
    assert_eq!(sharing(vehicle("", "533190426", "GB")), [], "plates go from car to car");
}
