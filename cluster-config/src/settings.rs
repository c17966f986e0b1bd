//! One table for a section of the configuration: its fields with their types, defaults, bounds and explanations.
//!
//! The macro makes of it the struct that serde reads, the documentation, the check of the bounds, and the table from
//! which the sample file is written and unknown or missing keys are found. So they cannot tell different stories.

use crate::fault::Fault;

/// A field of a section.
#[derive(Debug, Clone, Copy)]
pub struct FieldDoc {
    /// Its key in the file.
    pub name: &'static str,
    /// What it means, line by line.
    pub doc: &'static [&'static str],
    /// Smallest and largest value of a number.
    pub range: Option<(u64, u64)>,
    /// A value to show in the sample, in TOML, where there is no default.
    pub example: Option<&'static str>,
    /// What it is where the file does not name it, in TOML; none for fields that are then absent.
    pub default: fn() -> Option<String>,
    /// The file must name it.
    pub required: bool,
}

/// A section of a file.
#[derive(Debug, Clone, Copy)]
pub struct SectionDoc {
    /// For example `tls.client_cas`.
    pub path: &'static str,
    /// What it is about, line by line.
    pub doc: &'static [&'static str],
    /// Its fields in the order of the sample.
    pub fields: &'static [FieldDoc],
    /// Written `[[path]]`, any number of times.
    pub list: bool,
    /// The file must hold it.
    pub required: bool,
}

impl SectionDoc {
    pub(crate) const fn of<S: Section>(path: &'static str) -> Self {
        Self { path, doc: S::DOC, fields: S::FIELDS, list: false, required: S::REQUIRED }
    }

    pub(crate) const fn list_of<S: Section>(path: &'static str) -> Self {
        Self { path, doc: S::DOC, fields: S::FIELDS, list: true, required: false }
    }
}

/// What [`settings!`] knows of a section.
pub(crate) trait Section {
    const DOC: &'static [&'static str];
    const FIELDS: &'static [FieldDoc];
    /// Some of its fields have no default.
    const REQUIRED: bool;
    /// Adds a fault for each number outside its bounds. `path` is the section's own.
    fn check_bounds(&self, path: &str, faults: &mut Vec<Fault>);
}

/// A number that may have bounds; absent ones are within them.
pub(crate) trait Bounded {
    fn number(&self) -> Option<u64>;
}

impl Bounded for u64 {
    fn number(&self) -> Option<u64> {
        Some(*self)
    }
}

impl Bounded for Option<u64> {
    fn number(&self) -> Option<u64> {
        *self
    }
}

pub(crate) fn check(path: &str, name: &str, value: &impl Bounded, (low, high): (u64, u64), faults: &mut Vec<Fault>) {
    if let Some(number) = value.number().filter(|number| !(low..=high).contains(number)) {
        faults.push(Fault::at(format!("{path}.{name}"), format!("{number} is not from {low} to {high}")));
    }
}

/// A value as TOML writes it; none for an absent one.
pub(crate) fn shown(value: impl serde::Serialize) -> Option<String> {
    toml::Value::try_from(value).ok().map(|value| value.to_string())
}

/// `optional Name { /// doc  field: Type = default, low to high, example "toml"; }`: every field has a default.
/// `required Name { /// doc  field: Type, low to high, example "toml"; }`: the file must name each one
/// (`Option`s apart).
macro_rules! settings {
    (
        $(#[doc = $section_doc:literal])*
        optional $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $type:ty = $default:expr $(, $low:literal to $high:literal)? $(, example $example:literal)? ;
            )*
        }
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                #[doc = ""]
                #[doc = concat!("Default: `", stringify!($default), "`" $(, "; from ", $low, " to ", $high)?, ".")]
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        settings!(@section $name, false, [$($section_doc)*],
            $($field: $type, [$default] [$($doc)*] [$($low, $high)?] [$($example)?])*);
    };
    (
        $(#[doc = $section_doc:literal])*
        required $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $field:ident : $type:ty $(, $low:literal to $high:literal)? $(, example $example:literal)? ;
            )*
        }
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                $(#[doc = ""] #[doc = concat!("From ", $low, " to ", $high, ".")])?
                pub $field: $type,
            )*
        }

        settings!(@section $name, true, [$($section_doc)*],
            $($field: $type, [] [$($doc)*] [$($low, $high)?] [$($example)?])*);
    };
    (
        @section $name:ident, $required:literal, [$($section_doc:literal)*],
        $($field:ident : $type:ty, [$($default:expr)?] [$($doc:literal)*] [$($low:literal, $high:literal)?] [$($example:literal)?])*
    ) => {
        impl $crate::settings::Section for $name {
            const DOC: &'static [&'static str] = &[$($section_doc),*];
            const FIELDS: &'static [$crate::settings::FieldDoc] = &[$(
                $crate::settings::FieldDoc {
                    name: stringify!($field),
                    doc: &[$($doc),*],
                    range: settings!(@some $(($low, $high))?),
                    example: settings!(@some $($example)?),
                    default: settings!(@default $type $(, $default)?),
                    // A field with an example has no value in the sample: an `Option`.
                    required: $required && settings!(@none $($example)?),
                },
            )*];
            const REQUIRED: bool = $required;

            #[allow(unused_variables, reason = "a section without numbers has no bounds")]
            fn check_bounds(&self, path: &str, faults: &mut Vec<$crate::fault::Fault>) {
                $($(
                    $crate::settings::check(path, stringify!($field), &self.$field, ($low, $high), faults);
                )?)*
            }
        }
    };
    (@default $type:ty) => { || None };
    (@default $type:ty, $default:expr) => { || { let value: $type = $default; $crate::settings::shown(value) } };
    (@none) => { true };
    (@none $value:expr) => { false };
    (@some) => { None };
    (@some $value:expr) => { Some($value) };
}

pub(crate) use settings;
