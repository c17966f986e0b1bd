//! The specimens of ICAO 9303 (Utopia), whole and damaged.

use super::*;

const YEAR: u32 = 2026;
const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";
const TD2: &str = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6";
const TD1: &str = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<";
const MRV_A: &str = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<";
const MRV_B: &str = "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<";

fn date(year: u16, month: u8, day: u8) -> Date {
    Date { year, month, day }
}

#[test]
fn the_specimen_of_each_format_is_read_without_a_fault() {
    for (text, format, number) in [
        (TD3, Format::Td3, "L898902C3"),
        (TD2, Format::Td2, "D23145890"),
        (TD1, Format::Td1, "D23145890"),
        (MRV_A, Format::MrvA, "L8988901C"),
        (MRV_B, Format::MrvB, "L8988901C"),
    ] {
        let zone = parse(text, YEAR).unwrap();
        assert_eq!((zone.format, zone.document_number.as_str()), (format, number));
        assert_eq!((zone.primary, zone.secondary), (vec!["ERIKSSON".into()], vec!["ANNA".into(), "MARIA".into()]));
        assert_eq!(zone.issuing_country, "UTO");
        assert_eq!(zone.gender, b'F');
        assert_eq!(zone.failed_checks, [""; 0], "{format:?}");
        assert!(!zone.names_may_be_cut && zone.notes.is_empty());
        let visa = matches!(format, Format::MrvA | Format::MrvB);
        assert_eq!(zone.birth_date, if visa { date(1940, 9, 7) } else { date(1974, 8, 12) });
    }
}

#[test]
fn lines_that_run_on_and_small_letters_are_read_the_same() {
    for text in [TD3, TD2, TD1, MRV_A, MRV_B] {
        assert_eq!(parse(&text.replace('\n', ""), YEAR), parse(text, YEAR));
        assert_eq!(parse(&text.to_lowercase().replace('\n', " \r\n "), YEAR), parse(text, YEAR));
    }
}

#[test]
fn a_long_number_runs_into_the_optional_data() {
    // ICAO 9303 part 5 appendix: a number of twelve characters, check digit behind its last part.
    let td1 = "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<";
    let zone = parse(td1, YEAR).unwrap();
    assert_eq!(zone.document_number, "D23145890734");
    assert_eq!(zone.failed_checks, [""; 0]);
    let td2 = "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8";
    let zone = parse(td2, YEAR).unwrap();
    assert_eq!(zone.document_number, "D23145890734");
    assert_eq!(zone.failed_checks, [""; 0]);
}

#[test]
fn a_name_that_fills_its_field_may_be_cut() {
    let line = "P<UTOPAPANDROPOULOUS<<JONATHON<ALEXANDROSTEV";
    assert_eq!(line.len(), 44);
    let zone = parse(&format!("{line}\n{}", TD3.lines().nth(1).unwrap()), YEAR).unwrap();
    assert!(zone.names_may_be_cut);
    let mononym = format!("P<UTOARKFREITH{}\n{}", "<".repeat(31), TD3.lines().nth(1).unwrap());
    let zone = parse(&mononym, YEAR).unwrap();
    assert_eq!((zone.primary.len(), zone.secondary.len()), (1, 0));
}

#[test]
fn unknown_date_parts_are_unknown_and_years_turn_at_the_pivot() {
    let birth = |digits: &str| {
        let line = format!("L898902C36UTO{digits}{}F1204159ZE184226B<<<<<10", check_digit(digits));
        parse(&format!("{}\n{line}", TD3.lines().next().unwrap()), YEAR).unwrap().birth_date
    };
    assert_eq!(birth("740000"), date(1974, 0, 0));
    assert_eq!(birth("74<<<<"), date(1974, 0, 0));
    assert_eq!(birth("<<0812"), date(0, 8, 12));
    assert_eq!(birth("000000"), Date::UNKNOWN);
    assert_eq!(birth("000101"), date(2000, 1, 1));
    assert_eq!(birth("260101"), date(2026, 1, 1));
    assert_eq!(birth("270101"), date(1927, 1, 1));
}

#[test]
fn damage_is_reported_and_never_fatal() {
    let wrong_digit = TD3.replace("7408122", "7408132");
    let zone = parse(&wrong_digit, YEAR).unwrap();
    assert_eq!(zone.failed_checks, ["birth_date", "composite"]);
    let look_alike = TD3.replace("7408122F", "74O8I22F");
    let zone = parse(&look_alike, YEAR).unwrap();
    assert_eq!(zone.birth_date, date(1974, 8, 12));
    assert!(zone.notes[0].contains("read as '740812'"), "{:?}", zone.notes);
    let misread_number = TD3.replace("L898902C36", "L8989O2C36");
    let zone = parse(&misread_number, YEAR).unwrap();
    assert!(zone.failed_checks.contains(&"document_number"));
    assert!(zone.notes[0].contains("L898902C3"), "{:?}", zone.notes);
    let short = TD3.replacen("<<<<<<<<<<<<<<<<<<<", "<<<<<<<<<<<<<<<<<", 1);
    let zone = parse(&short, YEAR).unwrap();
    assert_eq!(zone.document_number, "L898902C3");
    assert!(!zone.notes.is_empty());
    let short_below = TD3.replace("ZE184226B<<<<<10", "ZE184226B<<<10");
    assert_eq!(parse(&short_below, YEAR).unwrap().failed_checks, [""; 0], "missing fillers are put back");
}

#[test]
fn what_has_no_zones_shape_is_refused() {
    for text in ["", "HELLO", "A\nB\nC\nD", "P<UTO\nL8989", &"<".repeat(400), "\u{0}\u{1}é日本"] {
        assert!(parse(text, YEAR).is_err(), "{text}");
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    // Every specimen with every character replaced by each of a few, with cuts and doublings.
    for text in [TD3, TD2, TD1, MRV_A, MRV_B] {
        for at in 0..text.len() {
            for with in ["", "<", "0", "Z", "\n", "é", "<<<<<<<<<<"] {
                let _ = parse(&format!("{}{with}{}", &text[..at], &text[at + 1..]), YEAR);
            }
            let _ = parse(&text[..at], YEAR);
        }
    }
}
