//! Small makers of contract values: codes, parties, times.

use alert_proto::v1 as pb;

/// The first day that generated records look back from (1 January 2026), in days since 1970. Fixed, so that a record
/// is the same whenever it is made.
pub const BASE_DAY: i64 = 20_454;
/// The year of [`BASE_DAY`].
pub const BASE_YEAR: u32 = 2026;

/// `value` out of the code list `list`.
pub fn code(list: &str, value: &str) -> pb::Code {
    pb::Code { list: list.into(), value: value.into() }
}

/// The same, ready for an optional field.
pub fn some_code(list: &str, value: &str) -> Option<pb::Code> {
    Some(code(list, value))
}

/// A country, territory or organisation.
pub fn party(code: &str) -> Option<pb::Party> {
    Some(pb::Party { code: code.into() })
}

/// Midnight of a day, given in days since 1970, plus some seconds.
pub fn time(day: i64, second: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: day * 86_400 + second, nanos: 0 })
}

/// Year, month and day of a day since 1970, in the Gregorian calendar (Howard Hinnant's algorithm).
pub fn civil(day: i64) -> (u32, u32, u32) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u32, month as u32, day_of_month as u32)
}

/// A full partial date.
pub fn partial_date(day: i64) -> Option<pb::PartialDate> {
    let (year, month, day) = civil(day);
    Some(pb::PartialDate { year: Some(year), month: Some(month), day: Some(day) })
}

/// (alpha-2, alpha-3 as documents show it, English name) of the countries that this crate uses.
const COUNTRIES: &[(&str, &str, &str)] = &[
    ("AF", "AFG", "Afghanistan"),
    ("AL", "ALB", "Albania"),
    ("AO", "AGO", "Angola"),
    ("AR", "ARG", "Argentina"),
    ("AT", "AUT", "Austria"),
    ("AU", "AUS", "Australia"),
    ("BD", "BGD", "Bangladesh"),
    ("BE", "BEL", "Belgium"),
    ("BG", "BGR", "Bulgaria"),
    ("BR", "BRA", "Brazil"),
    ("BY", "BLR", "Belarus"),
    ("CA", "CAN", "Canada"),
    ("CH", "CHE", "Switzerland"),
    ("CN", "CHN", "China"),
    ("CO", "COL", "Colombia"),
    ("CY", "CYP", "Cyprus"),
    ("CZ", "CZE", "Czechia"),
    ("DE", "D", "Germany"),
    ("DK", "DNK", "Denmark"),
    ("DZ", "DZA", "Algeria"),
    ("EC", "ECU", "Ecuador"),
    ("EE", "EST", "Estonia"),
    ("EG", "EGY", "Egypt"),
    ("ES", "ESP", "Spain"),
    ("FI", "FIN", "Finland"),
    ("FR", "FRA", "France"),
    ("GB", "GBR", "United Kingdom"),
    ("GH", "GHA", "Ghana"),
    ("GM", "GMB", "Gambia"),
    ("GR", "GRC", "Greece"),
    ("HK", "HKG", "Hong Kong"),
    ("IE", "IRL", "Ireland"),
    ("IN", "IND", "India"),
    ("IQ", "IRQ", "Iraq"),
    ("IR", "IRN", "Iran"),
    ("IT", "ITA", "Italy"),
    ("JO", "JOR", "Jordan"),
    ("KP", "PRK", "Democratic People's Republic of Korea"),
    ("KR", "KOR", "Republic of Korea"),
    ("KW", "KWT", "Kuwait"),
    ("KZ", "KAZ", "Kazakhstan"),
    ("LB", "LBN", "Lebanon"),
    ("LK", "LKA", "Sri Lanka"),
    ("LT", "LTU", "Lithuania"),
    ("LU", "LUX", "Luxembourg"),
    ("LV", "LVA", "Latvia"),
    ("LY", "LBY", "Libya"),
    ("MA", "MAR", "Morocco"),
    ("MD", "MDA", "Moldova"),
    ("MK", "MKD", "North Macedonia"),
    ("ML", "MLI", "Mali"),
    ("MX", "MEX", "Mexico"),
    ("MY", "MYS", "Malaysia"),
    ("NG", "NGA", "Nigeria"),
    ("NL", "NLD", "Netherlands"),
    ("NO", "NOR", "Norway"),
    ("NP", "NPL", "Nepal"),
    ("PE", "PER", "Peru"),
    ("PK", "PAK", "Pakistan"),
    ("PL", "POL", "Poland"),
    ("PT", "PRT", "Portugal"),
    ("RO", "ROU", "Romania"),
    ("RU", "RUS", "Russian Federation"),
    ("SA", "SAU", "Saudi Arabia"),
    ("SD", "SDN", "Sudan"),
    ("SE", "SWE", "Sweden"),
    ("SG", "SGP", "Singapore"),
    ("SL", "SLE", "Sierra Leone"),
    ("SN", "SEN", "Senegal"),
    ("SY", "SYR", "Syria"),
    ("TJ", "TJK", "Tajikistan"),
    ("TN", "TUN", "Tunisia"),
    ("TR", "TUR", "Türkiye"),
    ("TW", "TWN", "Taiwan"),
    ("UA", "UKR", "Ukraine"),
    ("US", "USA", "United States"),
    ("VN", "VNM", "Viet Nam"),
    ("YE", "YEM", "Yemen"),
    ("ZA", "ZAF", "South Africa"),
];

/// The code that a machine-readable zone carries (ICAO 9303 part 3, section 5): three letters, or `D`.
pub fn zone_code(party: &str) -> &str {
    COUNTRIES.iter().find(|(short, ..)| *short == party).map_or(party, |(_, zone, _)| zone)
}

/// The country's English name, or its code where there is none.
pub fn country_name(party: &str) -> &str {
    COUNTRIES.iter().find(|(short, ..)| *short == party).map_or(party, |(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(BASE_DAY), (2026, 1, 1));
        assert_eq!(civil(BASE_DAY - 1), (2025, 12, 31));
        assert_eq!(civil(11_016), (2000, 2, 29));
    }
}
