use super::*;
use crate::alert::sample::code;

#[test]
fn failed_check_digits_never_block() {
    let object = |class: &str, detail| {
        let faults = vehicle_with(|alert| {
            let object = &mut alert.objects.as_mut().unwrap().objects[0];
            object.class = code("object-class", class);
            object.detail = Some(detail);
        });
        (blocking(&faults), warnings(&faults))
    };
    let vin = |vin: &str| {
        object("vehicle", pb::object::Detail::Vehicle(pb::Vehicle { vin: vin.into(), ..Default::default() }))
    };
    let path = "objects.objects[0]";
    assert_eq!(vin("1m8g-dm9a-xkp042788"), (vec![], vec![]));
    assert_eq!(vin("1M8GDM9AXKP042789"), (vec![], vec![format!("{path}.vehicle.vin CHECK_DIGIT")]));
    assert_eq!(vin("WVWZZZ1JZOW000001"), (vec![], vec![format!("{path}.vehicle.vin BAD_FORMAT")]));
    assert_eq!(vin("CHASSIS-77"), (vec![], vec![]));
    let container = |number: &str| {
        let container = pb::Container { number: number.into(), ..Default::default() };
        object("container", pb::object::Detail::Container(container))
    };
    assert_eq!(container("CSQU 305438 3"), (vec![], vec![]));
    assert_eq!(container("CSQU 305438 4"), (vec![], vec![format!("{path}.container.number CHECK_DIGIT")]));
    assert_eq!(container("305438"), (vec![], vec![format!("{path}.container.number BAD_FORMAT")]));
    let boat = |imo: &str| {
        let boat = pb::Boat { imo_number: imo.into(), ..Default::default() };
        object("boat", pb::object::Detail::Boat(boat))
    };
    assert_eq!(boat("IMO 9074729"), (vec![], vec![]));
    assert_eq!(boat("9074728"), (vec![], vec![format!("{path}.boat.imo_number CHECK_DIGIT")]));
}

#[test]
fn an_object_has_a_detail_of_its_class_and_a_number() {
    let faults = vehicle_with(|alert| {
        alert.objects.as_mut().unwrap().objects[0].class = code("object-class", "firearm");
    });
    assert_eq!(blocking(&faults), ["objects.objects[0].vehicle INCONSISTENT"]);
    let faults = vehicle_with(|alert| alert.objects.as_mut().unwrap().objects[0].detail = None);
    assert_eq!(blocking(&faults), ["objects.objects[0] REQUIRED", "objects.objects[0].identifier MINIMUM_FIELD"]);
    let faults = vehicle_with(|alert| {
        let object = &mut alert.objects.as_mut().unwrap().objects[0];
        object.detail = None;
        object.numbers =
            vec![pb::ObjectNumber { kind: code("number-kind", "vin"), number: "- -".into(), country: None }];
    });
    assert!(blocking(&faults).contains(&"objects.objects[0].numbers[0].number BAD_FORMAT".into()));
    // A painting has no number: its description stands in.
    let mut painting = sample::vehicle();
    core_of(&mut painting).source.as_mut().unwrap().system = "INTERPOL-WOA".into();
    painting.objects.as_mut().unwrap().objects[0] = pb::Object {
        class: code("object-class", "other"),
        detail: Some(pb::object::Detail::Other(pb::OtherObject {
            kind: code("object-kind", "work-of-art"),
            name: "Synthetic landscape".into(),
            ..Default::default()
        })),
        ..Default::default()
    };
    assert_eq!(faults_of(&painting), []);
}

#[test]
fn ranges_belong_to_documents_and_banknotes() {
    let banknote = |from: &str, to: &str| {
        blocking(&vehicle_with(|alert| {
            let object = &mut alert.objects.as_mut().unwrap().objects[0];
            object.class = code("object-class", "banknote");
            object.number_range_to = to.into();
            object.detail = Some(pb::object::Detail::Banknote(pb::Banknote {
                serial_number: from.into(),
                currency: "GBP".into(),
                denomination: "20".into(),
            }));
        }))
    };
    assert_eq!(banknote("AA01000", "AA01999"), [""; 0]);
    assert_eq!(banknote("AA01999", "AA01000"), ["objects.objects[0].number_range_to INCONSISTENT"]);
    assert_eq!(banknote("AA01000", "AA1"), ["objects.objects[0].number_range_to INCONSISTENT"]);
    let faults = vehicle_with(|alert| alert.objects.as_mut().unwrap().objects[0].number_range_to = "9".into());
    assert_eq!(blocking(&faults), ["objects.objects[0].number_range_to INCONSISTENT"]);
}
