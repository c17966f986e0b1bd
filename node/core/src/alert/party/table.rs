//! The table of party codes.
//!
//! Sources: ISO 3166-1 (countries), ISO 3166-3 (withdrawn codes), ICAO Doc 9303 part 3 section 5 (special codes and
//! organisations), ISO 3166-2:GB (jurisdictions).

use super::PartyKind::{self, *};

/// Canonical code, other codes for the same party (space-separated), kind, state it belongs to ("" = itself).
pub(super) type Row = (&'static str, &'static str, PartyKind, &'static str);

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    ("AD", "AND", Country, ""), ("AE", "ARE", Country, ""), ("AF", "AFG", Country, ""), ("AG", "ATG", Country, ""),
    ("AI", "AIA", OverseasTerritory, ""), ("AL", "ALB", Country, ""), ("AM", "ARM", Country, ""),
    ("AO", "AGO", Country, ""), ("AQ", "ATA", Country, ""), ("AR", "ARG", Country, ""), ("AS", "ASM", Country, ""),
    ("AT", "AUT", Country, ""), ("AU", "AUS", Country, ""), ("AW", "ABW", Country, ""), ("AX", "ALA", Country, ""),
    ("AZ", "AZE", Country, ""), ("BA", "BIH", Country, ""), ("BB", "BRB", Country, ""), ("BD", "BGD", Country, ""),
    ("BE", "BEL", Country, ""), ("BF", "BFA HV HVO", Country, ""), ("BG", "BGR", Country, ""),
    ("BH", "BHR", Country, ""), ("BI", "BDI", Country, ""), ("BJ", "BEN DY DHY", Country, ""),
    ("BL", "BLM", Country, ""), ("BM", "BMU", OverseasTerritory, ""), ("BN", "BRN", Country, ""),
    ("BO", "BOL", Country, ""), ("BQ", "BES", Country, ""), ("BR", "BRA", Country, ""), ("BS", "BHS", Country, ""),
    ("BT", "BTN", Country, ""), ("BV", "BVT", Country, ""), ("BW", "BWA", Country, ""), ("BY", "BLR BYS", Country, ""),
    ("BZ", "BLZ", Country, ""), ("CA", "CAN", Country, ""), ("CC", "CCK", Country, ""),
    ("CD", "COD ZR ZAR", Country, ""), ("CF", "CAF", Country, ""), ("CG", "COG", Country, ""),
    ("CH", "CHE", Country, ""), ("CI", "CIV", Country, ""), ("CK", "COK", Country, ""), ("CL", "CHL", Country, ""),
    ("CM", "CMR", Country, ""), ("CN", "CHN", Country, ""), ("CO", "COL", Country, ""), ("CR", "CRI", Country, ""),
    ("CU", "CUB", Country, ""), ("CV", "CPV", Country, ""), ("CW", "CUW", Country, ""), ("CX", "CXR", Country, ""),
    ("CY", "CYP", Country, ""), ("CZ", "CZE", Country, ""), ("DE", "DEU D", Country, ""), ("DJ", "DJI", Country, ""),
    ("DK", "DNK", Country, ""), ("DM", "DMA", Country, ""), ("DO", "DOM", Country, ""), ("DZ", "DZA", Country, ""),
    ("EC", "ECU", Country, ""), ("EE", "EST", Country, ""), ("EG", "EGY", Country, ""), ("EH", "ESH", Country, ""),
    ("ER", "ERI", Country, ""), ("ES", "ESP", Country, ""), ("ET", "ETH", Country, ""), ("FI", "FIN", Country, ""),
    ("FJ", "FJI", Country, ""), ("FK", "FLK", OverseasTerritory, ""), ("FM", "FSM", Country, ""),
    ("FO", "FRO", Country, ""), ("FR", "FRA FX FXX", Country, ""), ("GA", "GAB", Country, ""),
    ("GB", "GBR UK", Country, ""), ("GD", "GRD", Country, ""), ("GE", "GEO", Country, ""), ("GF", "GUF", Country, ""),
    ("GG", "GGY", CrownDependency, ""), ("GH", "GHA", Country, ""), ("GI", "GIB", OverseasTerritory, ""),
    ("GL", "GRL", Country, ""), ("GM", "GMB", Country, ""), ("GN", "GIN", Country, ""), ("GP", "GLP", Country, ""),
    ("GQ", "GNQ", Country, ""), ("GR", "GRC", Country, ""), ("GS", "SGS", OverseasTerritory, ""),
    ("GT", "GTM", Country, ""), ("GU", "GUM", Country, ""), ("GW", "GNB", Country, ""), ("GY", "GUY", Country, ""),
    ("HK", "HKG", Country, ""), ("HM", "HMD", Country, ""), ("HN", "HND", Country, ""), ("HR", "HRV", Country, ""),
    ("HT", "HTI", Country, ""), ("HU", "HUN", Country, ""), ("ID", "IDN", Country, ""), ("IE", "IRL", Country, ""),
    ("IL", "ISR", Country, ""), ("IM", "IMN", CrownDependency, ""), ("IN", "IND", Country, ""),
    ("IO", "IOT", OverseasTerritory, ""), ("IQ", "IRQ", Country, ""), ("IR", "IRN", Country, ""),
    ("IS", "ISL", Country, ""), ("IT", "ITA", Country, ""), ("JE", "JEY", CrownDependency, ""),
    ("JM", "JAM", Country, ""), ("JO", "JOR", Country, ""), ("JP", "JPN", Country, ""), ("KE", "KEN", Country, ""),
    ("KG", "KGZ", Country, ""), ("KH", "KHM", Country, ""), ("KI", "KIR", Country, ""), ("KM", "COM", Country, ""),
    ("KN", "KNA", Country, ""), ("KP", "PRK", Country, ""), ("KR", "KOR", Country, ""), ("KW", "KWT", Country, ""),
    ("KY", "CYM", OverseasTerritory, ""), ("KZ", "KAZ", Country, ""), ("LA", "LAO", Country, ""),
    ("LB", "LBN", Country, ""), ("LC", "LCA", Country, ""), ("LI", "LIE", Country, ""), ("LK", "LKA", Country, ""),
    ("LR", "LBR", Country, ""), ("LS", "LSO", Country, ""), ("LT", "LTU", Country, ""), ("LU", "LUX", Country, ""),
    ("LV", "LVA", Country, ""), ("LY", "LBY", Country, ""), ("MA", "MAR", Country, ""), ("MC", "MCO", Country, ""),
    ("MD", "MDA", Country, ""), ("ME", "MNE", Country, ""), ("MF", "MAF", Country, ""), ("MG", "MDG", Country, ""),
    ("MH", "MHL", Country, ""), ("MK", "MKD", Country, ""), ("ML", "MLI", Country, ""),
    ("MM", "MMR BU BUR", Country, ""), ("MN", "MNG", Country, ""), ("MO", "MAC", Country, ""),
    ("MP", "MNP", Country, ""), ("MQ", "MTQ", Country, ""), ("MR", "MRT", Country, ""),
    ("MS", "MSR", OverseasTerritory, ""), ("MT", "MLT", Country, ""), ("MU", "MUS", Country, ""),
    ("MV", "MDV", Country, ""), ("MW", "MWI", Country, ""), ("MX", "MEX", Country, ""), ("MY", "MYS", Country, ""),
    ("MZ", "MOZ", Country, ""), ("NA", "NAM", Country, ""), ("NC", "NCL", Country, ""), ("NE", "NER", Country, ""),
    ("NF", "NFK", Country, ""), ("NG", "NGA", Country, ""), ("NI", "NIC", Country, ""), ("NL", "NLD", Country, ""),
    ("NO", "NOR", Country, ""), ("NP", "NPL", Country, ""), ("NR", "NRU", Country, ""), ("NU", "NIU", Country, ""),
    ("NZ", "NZL", Country, ""), ("OM", "OMN", Country, ""), ("PA", "PAN", Country, ""), ("PE", "PER", Country, ""),
    ("PF", "PYF", Country, ""), ("PG", "PNG", Country, ""), ("PH", "PHL", Country, ""), ("PK", "PAK", Country, ""),
    ("PL", "POL", Country, ""), ("PM", "SPM", Country, ""), ("PN", "PCN", OverseasTerritory, ""),
    ("PR", "PRI", Country, ""), ("PS", "PSE", Country, ""), ("PT", "PRT", Country, ""), ("PW", "PLW", Country, ""),
    ("PY", "PRY", Country, ""), ("QA", "QAT", Country, ""), ("RE", "REU", Country, ""), ("RO", "ROU ROM", Country, ""),
    ("RS", "SRB", Country, ""), ("RU", "RUS", Country, ""), ("RW", "RWA", Country, ""), ("SA", "SAU", Country, ""),
    ("SB", "SLB", Country, ""), ("SC", "SYC", Country, ""), ("SD", "SDN", Country, ""), ("SE", "SWE", Country, ""),
    ("SG", "SGP", Country, ""), ("SH", "SHN", OverseasTerritory, ""), ("SI", "SVN", Country, ""),
    ("SJ", "SJM", Country, ""), ("SK", "SVK", Country, ""), ("SL", "SLE", Country, ""), ("SM", "SMR", Country, ""),
    ("SN", "SEN", Country, ""), ("SO", "SOM", Country, ""), ("SR", "SUR", Country, ""), ("SS", "SSD", Country, ""),
    ("ST", "STP", Country, ""), ("SV", "SLV", Country, ""), ("SX", "SXM", Country, ""), ("SY", "SYR", Country, ""),
    ("SZ", "SWZ", Country, ""), ("TC", "TCA", OverseasTerritory, ""), ("TD", "TCD", Country, ""),
    ("TF", "ATF", Country, ""), ("TG", "TGO", Country, ""), ("TH", "THA", Country, ""), ("TJ", "TJK", Country, ""),
    ("TK", "TKL", Country, ""), ("TL", "TLS TP TMP", Country, ""), ("TM", "TKM", Country, ""),
    ("TN", "TUN", Country, ""), ("TO", "TON", Country, ""), ("TR", "TUR", Country, ""), ("TT", "TTO", Country, ""),
    ("TV", "TUV", Country, ""), ("TW", "TWN", Country, ""), ("TZ", "TZA", Country, ""), ("UA", "UKR", Country, ""),
    ("UG", "UGA", Country, ""), ("UM", "UMI", Country, ""), ("US", "USA", Country, ""), ("UY", "URY", Country, ""),
    ("UZ", "UZB", Country, ""), ("VA", "VAT", Country, ""), ("VC", "VCT", Country, ""), ("VE", "VEN", Country, ""),
    ("VG", "VGB", OverseasTerritory, ""), ("VI", "VIR", Country, ""), ("VN", "VNM", Country, ""),
    ("VU", "VUT NH NHB", Country, ""), ("WF", "WLF", Country, ""), ("WS", "WSM", Country, ""),
    ("YE", "YEM", Country, ""), ("YT", "MYT", Country, ""), ("ZA", "ZAF", Country, ""), ("ZM", "ZMB", Country, ""),
    ("ZW", "ZWE RH RHO", Country, ""),
    // Parts of the territory of Saint Helena with reserved codes of their own, and Kosovo's user-assigned codes.
    ("AC", "ASC", OverseasTerritory, "SH"), ("TA", "TAA", OverseasTerritory, "SH"), ("XK", "XKX RKS", Country, ""),

    // Withdrawn codes of states that split or merged (ISO 3166-3): persons and documents still carry them. States that
    // were only renamed are other codes of their successor above. CS was used twice and so names neither.
    ("AN", "ANT", Withdrawn, ""), ("CSK", "CSHH", Withdrawn, ""), ("CT", "CTE", Withdrawn, "KI"),
    ("DD", "DDR", Withdrawn, "DE"), ("JT", "JTN", Withdrawn, "UM"), ("MI", "MID", Withdrawn, "UM"),
    ("NT", "NTZ", Withdrawn, ""), ("PC", "PCI", Withdrawn, ""), ("PZ", "PCZ", Withdrawn, "PA"),
    ("SCG", "CSXX", Withdrawn, ""), ("SU", "SUN", Withdrawn, ""), ("VD", "VDR", Withdrawn, "VN"),
    ("WK", "WAK", Withdrawn, "UM"), ("YD", "YMD", Withdrawn, "YE"), ("YU", "YUG", Withdrawn, ""),

    // British nationalities other than British citizen (ICAO 9303 part 3, section 5, part B).
    ("GBD", "", Special, "GB"), ("GBN", "", Special, "GB"), ("GBO", "", Special, "GB"), ("GBP", "", Special, "GB"),
    ("GBS", "", Special, "GB"),
    // Persons without a defined nationality (part D): stateless, refugee (1951 Convention), other refugee, unknown.
    ("XXA", "", Special, ""), ("XXB", "", Special, ""), ("XXC", "", Special, ""), ("XXX", "", Special, ""),
    // A resident of Kosovo with a document of the United Nations' interim administration (part C).
    ("UNK", "", Special, ""),
    // The code of specimens: never a real document.
    ("UTO", "", Special, ""),

    // Organisations (parts C and E).
    ("UN", "UNO", Organisation, ""), ("UNA", "", Organisation, ""), ("EU", "EUE", Organisation, ""),
    ("XBA", "", Organisation, ""), ("XIM", "", Organisation, ""), ("XCC", "", Organisation, ""),
    ("XCE", "", Organisation, ""), ("XCO", "", Organisation, ""), ("XDC", "", Organisation, ""),
    ("XEC", "", Organisation, ""), ("XES", "", Organisation, ""), ("XMP", "", Organisation, ""),
    ("XOM", "", Organisation, ""), ("XPO", "INTERPOL", Organisation, ""), ("EUROPOL", "", Organisation, ""),

    // Jurisdictions of the United Kingdom (ISO 3166-2:GB). England and Wales are one.
    ("GB-EAW", "GB-ENG GB-WLS", Jurisdiction, "GB"), ("GB-SCT", "", Jurisdiction, "GB"),
    ("GB-NIR", "", Jurisdiction, "GB"),
];
