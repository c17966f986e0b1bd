//! Why a subject is sought, by whom, from which source, and what is to be done: the sections around the subject.

use alert_proto::v1 as pb;

use crate::{
    codes::{BASE_DAY, code, country_name, party, some_code, time},
    rng::Rng,
};

/// Where records come from, in the proportions of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Uk,
    InterpolNominal,
    InterpolSltd,
    InterpolSmv,
    InterpolIarms,
    InterpolSv,
    Bilateral,
}

impl System {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Uk => "UK",
            Self::InterpolNominal => "INTERPOL-NOMINAL",
            Self::InterpolSltd => "INTERPOL-SLTD",
            Self::InterpolSmv => "INTERPOL-SMV",
            Self::InterpolIarms => "INTERPOL-IARMS",
            Self::InterpolSv => "INTERPOL-SV",
            Self::Bilateral => "BILATERAL",
        }
    }
}

/// Values of "authority" that own United Kingdom alerts, the largest first.
const UK_AUTHORITIES: &[(&str, u32)] = &[
    ("met", 190),
    ("border-force", 120),
    ("nca", 70),
    ("greater-manchester", 60),
    ("police-scotland", 80),
    ("psni", 30),
    ("west-midlands", 60),
    ("west-yorkshire", 45),
    ("merseyside", 30),
    ("thames-valley", 35),
    ("kent", 35),
    ("essex", 30),
    ("hampshire", 30),
    ("south-wales", 25),
    ("south-yorkshire", 25),
    ("northumbria", 25),
    ("lancashire", 25),
    ("sussex", 25),
    ("avon-and-somerset", 25),
    ("devon-and-cornwall", 22),
    ("btp", 20),
    ("immigration-enforcement", 45),
    ("hmrc", 15),
];

/// Whose alerts come in from abroad.
const PARTNERS: &[(&str, u32)] = &[
    ("FR", 150),
    ("DE", 120),
    ("ES", 90),
    ("IT", 80),
    ("PL", 80),
    ("RO", 70),
    ("NL", 60),
    ("BE", 50),
    ("IE", 60),
    ("TR", 40),
    ("US", 50),
    ("IN", 30),
    ("PK", 30),
    ("NG", 20),
    ("SE", 20),
    ("GR", 20),
    ("BG", 20),
    ("PT", 20),
    ("LT", 10),
];

/// One kind of alert and its usual content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub category: &'static str,
    pub action: &'static str,
    pub reasons: &'static [&'static str],
    pub offences: &'static [&'static str],
    pub role: &'static str,
    pub decision: Option<&'static str>,
    /// Warning markers and their chance in per mille.
    pub markers: &'static [(&'static str, u64)],
    /// Ages of the persons sought.
    pub ages: (u32, u32),
    /// False: the rules ask a United Kingdom alert of this category for a date of birth.
    pub birth_may_be_unknown: bool,
}

const CRIMES: &[&str] = &[
    "drug-trafficking",
    "fraud",
    "burglary",
    "grievous-bodily-harm",
    "robbery",
    "money-laundering",
    "human-trafficking",
    "rape",
    "murder",
    "armed-robbery",
    "weapons-trafficking",
    "arson",
    "kidnapping",
    "theft",
    "computer-crime",
    "child-sexual-exploitation",
    "criminal-organisation",
    "document-forgery",
    "assault",
    "extortion",
];
const DANGER: &[(&str, u64)] = &[
    ("violent", 180),
    ("weapons", 90),
    ("escaped", 60),
    ("drugs", 70),
    ("armed", 35),
    ("suicide-risk", 20),
    ("contagious", 8),
];

/// Kinds of person alerts and their weights: the mix of the Schengen Information System, seen from the United Kingdom.
const PERSON_KINDS: &[(Kind, u32)] = &[
    (
        Kind {
            category: "arrest",
            action: "arrest",
            reasons: &[
                "tca-arrest-warrant",
                "warrant-first-instance",
                "warrant-conviction",
                "failure-to-appear",
                "recall-to-prison",
                "escape-from-custody",
            ],
            offences: CRIMES,
            role: "suspect",
            decision: Some("warrant"),
            markers: DANGER,
            ages: (18, 68),
            birth_may_be_unknown: false,
        },
        190,
    ),
    (
        Kind {
            category: "refusal-of-entry",
            action: "refuse-entry",
            reasons: &["deportation-order", "exclusion-order", "serious-crime"],
            offences: &["immigration-offence", "drug-trafficking", "theft", "fraud"],
            role: "convicted",
            decision: Some("expulsion-order"),
            markers: &[("violent", 60), ("terrorism-related", 8)],
            ages: (18, 70),
            birth_may_be_unknown: false,
        },
        280,
    ),
    (
        Kind {
            category: "missing",
            action: "protect",
            reasons: &["missing-report", "trafficking-risk"],
            offences: &[],
            role: "missing",
            decision: None,
            markers: &[("suicide-risk", 90), ("mental-health", 110), ("vulnerable", 150), ("medical", 60)],
            ages: (6, 85),
            birth_may_be_unknown: true,
        },
        130,
    ),
    (
        Kind {
            category: "child-at-risk",
            action: "prevent-travel",
            reasons: &["parental-abduction", "forced-marriage-risk", "fgm-risk"],
            offences: &["child-abduction", "forced-marriage"],
            role: "at-risk",
            decision: Some("court-order"),
            markers: &[("vulnerable", 300)],
            ages: (1, 16),
            birth_may_be_unknown: false,
        },
        20,
    ),
    (
        Kind {
            category: "vulnerable-person",
            action: "prevent-travel",
            reasons: &["forced-marriage-risk", "trafficking-risk"],
            offences: &["forced-marriage"],
            role: "at-risk",
            decision: Some("court-order"),
            markers: &[("vulnerable", 400)],
            ages: (18, 75),
            birth_may_be_unknown: false,
        },
        15,
    ),
    (
        Kind {
            category: "judicial-procedure",
            action: "communicate-place-of-residence",
            reasons: &["witness-summons", "summons", "judgment-service"],
            offences: &["theft", "assault", "fraud", "burglary"],
            role: "witness",
            decision: Some("summons"),
            markers: &[("violent", 30)],
            ages: (18, 75),
            birth_may_be_unknown: false,
        },
        150,
    ),
    (
        Kind {
            category: "discreet-check",
            action: "discreet-check",
            reasons: &["serious-crime", "national-security", "terrorism"],
            offences: &["drug-trafficking", "criminal-organisation", "terrorism", "money-laundering"],
            role: "suspect",
            decision: Some("authorisation"),
            markers: &[("armed", 50), ("terrorism-related", 90), ("violent", 90)],
            ages: (18, 65),
            birth_may_be_unknown: true,
        },
        120,
    ),
    (
        Kind {
            category: "inquiry-check",
            action: "inquiry-check",
            reasons: &["serious-crime", "terrorism"],
            offences: &["terrorism", "weapons-trafficking"],
            role: "suspect",
            decision: Some("authorisation"),
            markers: &[("terrorism-related", 120)],
            ages: (18, 60),
            birth_may_be_unknown: true,
        },
        12,
    ),
    (
        Kind {
            category: "specific-check",
            action: "specific-check",
            reasons: &["serious-crime", "national-security"],
            offences: &["drug-trafficking", "weapons-trafficking"],
            role: "suspect",
            decision: Some("authorisation"),
            markers: &[("armed", 90), ("violent", 120)],
            ages: (18, 60),
            birth_may_be_unknown: true,
        },
        14,
    ),
    (
        Kind {
            category: "information-alert",
            action: "report-presence",
            reasons: &["terrorism", "serious-crime"],
            offences: &["terrorism"],
            role: "suspect",
            decision: None,
            markers: &[("terrorism-related", 500)],
            ages: (18, 60),
            birth_may_be_unknown: true,
        },
        6,
    ),
    (
        Kind {
            category: "locate",
            action: "locate-and-report",
            reasons: &["interpol-blue-notice"],
            offences: CRIMES,
            role: "associate",
            decision: None,
            markers: &[("violent", 40)],
            ages: (18, 65),
            birth_may_be_unknown: true,
        },
        30,
    ),
    (
        Kind {
            category: "criminal-activity-warning",
            action: "caution",
            reasons: &["interpol-green-notice"],
            offences: &["child-sexual-exploitation", "fraud", "swindling", "drug-trafficking"],
            role: "convicted",
            decision: None,
            markers: &[("sex-offender", 350), ("child-risk", 300)],
            ages: (20, 75),
            birth_may_be_unknown: true,
        },
        20,
    ),
    (
        Kind {
            category: "un-sanctions",
            action: "report-presence",
            reasons: &["interpol-un-special-notice"],
            offences: &["terrorism"],
            role: "other",
            decision: Some("sanctions-listing"),
            markers: &[("terrorism-related", 600)],
            ages: (25, 70),
            birth_may_be_unknown: true,
        },
        5,
    ),
    (
        Kind {
            category: "unknown-wanted",
            action: "identify",
            reasons: &["serious-crime"],
            offences: &["murder", "rape", "armed-robbery"],
            role: "suspect",
            decision: None,
            markers: &[("violent", 250)],
            ages: (18, 50),
            birth_may_be_unknown: true,
        },
        4,
    ),
];

/// Everything around the subject, decided before the subject is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub kind: Kind,
    pub system: System,
    /// Party code of the owner.
    pub owner: &'static str,
    /// Value of "authority" for a United Kingdom owner.
    pub authority: &'static str,
    /// When the record was made at its source, days since 1970.
    pub made: i64,
}

impl Case {
    /// A person's case.
    pub(crate) fn person(rng: &mut Rng) -> Self {
        let kind = rng.weighted(PERSON_KINDS);
        // What only INTERPOL has comes from there; covert checks of others are shared bilaterally.
        let foreign_only = kind.reasons[0].starts_with("interpol");
        let system = match (kind.category, rng.below(100)) {
            _ if foreign_only => System::InterpolNominal,
            ("arrest" | "missing", 0..18) => System::InterpolNominal,
            ("arrest" | "missing" | "discreet-check", 90..) => System::Bilateral,
            _ => System::Uk,
        };
        Self::new(kind, system, rng)
    }

    pub(crate) fn new(kind: Kind, system: System, rng: &mut Rng) -> Self {
        let owner = if system == System::Uk { "GB" } else { rng.weighted(PARTNERS) };
        let authority = match (system, kind.category) {
            (System::Uk, "refusal-of-entry") => rng.pick(&["border-force", "immigration-enforcement", "home-office"]),
            (System::Uk, "inquiry-check" | "specific-check" | "information-alert") => rng.pick(&["nca", "ctp"]),
            (System::Uk, _) => rng.weighted(UK_AUTHORITIES),
            _ => "",
        };
        Self { kind, system, owner, authority, made: BASE_DAY - 1 - rng.below(700) as i64 }
    }

    /// A date of birth may be missing: foreign records are taken with quality flags.
    pub(crate) fn birth_may_be_unknown(&self) -> bool {
        self.kind.birth_may_be_unknown || self.system != System::Uk
    }

    /// The core section; `reference` is unique within the source.
    pub(crate) fn core(&self, subject: pb::SubjectKind, reference: String, rng: &mut Rng) -> pb::Core {
        let Kind { category, reasons, offences, decision, .. } = self.kind;
        let reason = match (self.system, category) {
            (System::InterpolNominal, "arrest") => "interpol-red-notice",
            (System::InterpolNominal, "missing") => "interpol-yellow-notice",
            _ => rng.pick(reasons),
        };
        let decided = self.made - rng.below(400) as i64;
        pb::Core {
            owner: Some(self.owner()),
            source: Some(pb::Source {
                system: self.system.name().into(),
                reference,
                source_version: 1 + rng.below(3),
                source_changed_at: time(self.made, rng.below(86_400) as i64),
                received_at: None,
            }),
            subject_kind: subject as i32,
            category: some_code("category", category),
            reason: some_code("reason", reason),
            decision: decision.map(|kind| pb::DecisionReference {
                reference: format!("{}/{}/{}", rng.text("ABCDEFGHKLMNPRSTW", 2), 2020 + rng.below(6), rng.digits(6)),
                authority: self.court(rng),
                country: party(self.owner),
                decided_at: time(decided, 0),
                // Far away where it is known at all: the period of the category decides.
                ends_at: rng.chance(150).then(|| time(BASE_DAY + 3650 + rng.below(3650) as i64, 0)).flatten(),
                kind: some_code("decision-kind", kind),
            }),
            offences: if offences.is_empty() { vec![] } else { self.offences(offences, decided, rng) },
            missing_person_case: None,
            handling: if rng.chance(120) { vec![code("handling", "law-enforcement-only")] } else { vec![] },
            distribution: self.distribution(rng),
            jurisdictions: match self.authority {
                "police-scotland" if rng.chance(150) => vec![code("jurisdiction", "scotland")],
                "psni" if rng.chance(150) => vec![code("jurisdiction", "northern-ireland")],
                _ => vec![],
            },
            purposes: vec![],
            valid_from: rng.chance(200).then(|| time(self.made, 0)).flatten(),
            requested_expiry: None,
            parent_alert_id: String::new(),
            quality_flags: vec![],
            urgency: (category == "child-at-risk" && rng.chance(300)).then(|| code("urgency", "urgent")),
        }
    }

    fn owner(&self) -> pb::Owner {
        let (authority, name, phone, mail) = if self.system == System::Uk {
            (self.authority.to_owned(), format!("Duty desk {}", self.authority), "+44 20 7946 0", "example.police.uk")
        } else {
            let bureau = format!("ncb-{}", self.owner.to_lowercase());
            (bureau, format!("National Central Bureau {}", country_name(self.owner)), "+00 555 0", "ncb.example.org")
        };
        // Numbers out of Ofcom's range for drama; mail under a name reserved for examples.
        let number = 100 + authority.bytes().map(u32::from).sum::<u32>() % 900;
        pb::Owner {
            party: party(self.owner),
            contact: Some(pb::Contact {
                name,
                phone: format!("{phone}{number}"),
                email: format!("duty@{authority}.{mail}"),
                available_24h: true,
            }),
            authority: some_code("authority", &authority),
        }
    }

    fn court(&self, rng: &mut Rng) -> String {
        if self.system == System::Uk {
            let place =
                rng.pick(&["Northmarket", "Eastbridge", "Southwell Cross", "Weston Hythe", "Midvale", "Kingsferry"]);
            format!("{place} {}", rng.pick(&["Magistrates' Court", "Crown Court", "Sheriff Court"]))
        } else {
            format!("Court of first instance {}, {}", rng.between(1, 40), country_name(self.owner))
        }
    }

    fn offences(&self, offences: &[&str], decided: i64, rng: &mut Rng) -> Vec<pb::Offence> {
        let count = if rng.chance(150) { 2 } else { 1 };
        (0..count)
            .map(|_| pb::Offence {
                offence: some_code("offence", rng.pick(offences)),
                description: String::new(),
                date: crate::codes::partial_date(decided - rng.below(900) as i64 - 1),
                place: rng.chance(300).then(|| pb::Place { country: party(self.owner), ..Default::default() }),
                maximum_sentence_months: rng.chance(600).then(|| 12 * rng.between(1, 20)),
                sentence_months: rng.chance(150).then(|| rng.between(4, 120)),
            })
            .collect()
    }

    fn distribution(&self, rng: &mut Rng) -> Option<pb::Distribution> {
        match (self.system, rng.below(100)) {
            // A diffusion goes to chosen countries; here always to the United Kingdom too.
            (System::InterpolNominal, 0..12) => {
                let allow = ["GB", rng.weighted(PARTNERS), rng.weighted(PARTNERS)];
                let allow = std::collections::BTreeSet::from(allow);
                Some(pb::Distribution {
                    allow: allow.into_iter().filter_map(party).collect(),
                    deny: vec![],
                    no_onward: true,
                })
            }
            (System::Bilateral, _) => Some(pb::Distribution { no_onward: true, ..Default::default() }),
            (System::Uk, 0..2) => Some(pb::Distribution {
                deny: party(rng.weighted(PARTNERS)).into_iter().collect(),
                ..Default::default()
            }),
            _ => None,
        }
    }

    /// What to do.
    pub(crate) fn action(&self, adult_missing: bool, rng: &mut Rng) -> pb::ActionSection {
        let action = if adult_missing && rng.chance(600) { "inform-owner" } else { self.kind.action };
        let text = match action {
            "arrest" => "Arrest. Contact the owner before transport.",
            "refuse-entry" => "Refuse entry and hand over the notice of decision.",
            "protect" => "Place under protection and contact the owner at once.",
            "prevent-travel" => "Do not let the person travel; contact the owner at once.",
            "inform-owner" => "Confirm wellbeing; whereabouts only with the person's consent.",
            "discreet-check" => "Note route, company, vehicle and luggage; the person shall not notice.",
            "seize" => "Seize and contact the owner.",
            "seize-document" => "Withdraw the document and contact the owner.",
            "secure-evidence" => "Secure as evidence; handle with gloves.",
            _ => "Contact the owner.",
        };
        let certified = self.system != System::Uk && self.kind.category == "arrest" && rng.chance(300);
        pb::ActionSection {
            action: some_code("action", action),
            texts: vec![pb::LocalisedText { language: "en".into(), text: text.into() }],
            local_effects: if certified { vec![local_effect(self.made, rng)] } else { vec![] },
        }
    }

    /// For the owner's bureau only.
    pub(crate) fn internal(&self, rng: &mut Rng) -> Option<pb::InternalSection> {
        (self.system == System::Uk).then(|| pb::InternalSection {
            case_reference: format!("{}/{}", rng.digits(7), 23 + rng.below(3)),
            note: if rng.chance(100) { "Intelligence held under another reference.".into() } else { String::new() },
            created_by: format!("officer-{}", rng.digits(5)),
            keywords: if rng.chance(80) { vec![format!("operation-{}", rng.digits(3))] } else { vec![] },
        })
    }
}

fn local_effect(made: i64, rng: &mut Rng) -> pb::LocalEffect {
    pb::LocalEffect {
        jurisdiction: some_code("jurisdiction", "uk-wide"),
        action: some_code("action", "arrest-provisional"),
        legal_basis: "Extradition Act 2003 s.74A".into(),
        certificate_reference: format!("C{}", rng.digits(6)),
        certified_by: "nca".into(),
        certified_at: time(made + 1, 0),
        withdrawn_at: None,
    }
}
