//! Where the fields of each format lie (ICAO 9303 parts 4 to 7), counted from zero.

use super::Format;

/// (line, first character, one past the last).
pub type Field = (usize, usize, usize);

/// The fields of one format.
#[derive(Debug)]
pub struct Layout {
    pub line_chars: usize,
    pub code: Field,
    pub issuer: Field,
    pub names: Field,
    /// Its check digit follows it, as after the dates.
    pub number: Field,
    pub nationality: Field,
    pub birth: Field,
    pub gender: Field,
    pub expires: Field,
    /// The optional data that a long number runs into.
    pub optional: Field,
    pub long_numbers: bool,
    /// The parts under the composite check digit, and where that stands; visas have none.
    pub composite: Option<(&'static [Field], Field)>,
}

const TD1: Layout = Layout {
    line_chars: 30,
    code: (0, 0, 2),
    issuer: (0, 2, 5),
    names: (2, 0, 30),
    number: (0, 5, 14),
    nationality: (1, 15, 18),
    birth: (1, 0, 6),
    gender: (1, 7, 8),
    expires: (1, 8, 14),
    optional: (0, 15, 30),
    long_numbers: true,
    composite: Some((&[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)], (1, 29, 30))),
};

const TD2: Layout = Layout {
    line_chars: 36,
    code: (0, 0, 2),
    issuer: (0, 2, 5),
    names: (0, 5, 36),
    number: (1, 0, 9),
    nationality: (1, 10, 13),
    birth: (1, 13, 19),
    gender: (1, 20, 21),
    expires: (1, 21, 27),
    optional: (1, 28, 35),
    long_numbers: true,
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 35)], (1, 35, 36))),
};

const TD3: Layout = Layout {
    line_chars: 44,
    names: (0, 5, 44),
    optional: (1, 28, 42),
    long_numbers: false,
    composite: Some((&[(1, 0, 10), (1, 13, 20), (1, 21, 43)], (1, 43, 44))),
    ..TD2
};

const MRV_A: Layout = Layout { optional: (1, 28, 44), composite: None, ..TD3 };

const MRV_B: Layout = Layout { optional: (1, 28, 36), long_numbers: false, composite: None, ..TD2 };

/// The fields of `format`.
pub const fn layout(format: Format) -> &'static Layout {
    match format {
        Format::Td1 => &TD1,
        Format::Td2 => &TD2,
        Format::Td3 => &TD3,
        Format::MrvA => &MRV_A,
        Format::MrvB => &MRV_B,
    }
}
