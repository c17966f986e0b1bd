//! Walks a message, keeps the path of where it is, and collects faults.

use std::collections::BTreeSet;

use prost_types::Timestamp;

use crate::{
    alert::{
        RuleSet,
        fault::{self, fault, warning},
        party::{self, PartyKind},
        rules::CodeStatus,
        time,
    },
    limits::{CODE_BYTES_MAX, FAULTS_MAX, LIST_ITEMS_MAX, LONG_TEXT_BYTES_MAX, SHORT_TEXT_BYTES_MAX},
    pb,
};

/// Whether a field may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// Collects faults with their paths.
pub(super) struct Checker<'a> {
    pub rules: &'a RuleSet,
    pub now_ms: u64,
    path: String,
    faults: Vec<pb::Fault>,
    /// (list, value) of withdrawn codes that the record had before: it may keep them.
    pub kept_codes: BTreeSet<(String, String)>,
    /// (list, value) of withdrawn codes met.
    pub withdrawn_codes: BTreeSet<(String, String)>,
}

impl<'a> Checker<'a> {
    pub fn new(rules: &'a RuleSet, now_ms: u64) -> Self {
        Self {
            rules,
            now_ms,
            path: String::new(),
            faults: Vec::new(),
            kept_codes: BTreeSet::new(),
            withdrawn_codes: BTreeSet::new(),
        }
    }

    pub fn finish(self) -> Vec<pb::Fault> {
        self.faults
    }

    /// A fault where the walk is.
    pub fn fault(&mut self, code: &str, message: &str) {
        self.push(fault(self.path.clone(), code, message));
    }

    /// A warning where the walk is.
    pub fn warn(&mut self, code: &str, message: &str) {
        self.push(warning(self.path.clone(), code, message));
    }

    /// A fault of a field below.
    pub fn fault_at(&mut self, field: &str, code: &str, message: &str) {
        self.within(field, |check| check.fault(code, message));
    }

    /// A warning on a field below.
    pub fn warn_at(&mut self, field: &str, code: &str, message: &str) {
        self.within(field, |check| check.warn(code, message));
    }

    fn push(&mut self, fault: pb::Fault) {
        // A fault that blocks is never lost behind warnings.
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        } else if !fault.warning
            && let Some(place) = self.faults.iter_mut().rev().find(|kept| kept.warning)
        {
            *place = fault;
        }
    }

    /// Goes down into a field.
    pub fn within<R>(&mut self, field: &str, walk: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        if length > 0 && !field.starts_with('[') {
            self.path.push('.');
        }
        self.path.push_str(field);
        let result = walk(self);
        self.path.truncate(length);
        result
    }

    /// Goes down into each element of a list that may have up to `max`.
    pub fn each<T>(&mut self, field: &str, items: &[T], max: usize, mut walk: impl FnMut(&mut Self, &T)) {
        self.within(field, |check| {
            if items.len() > max {
                check.fault(fault::TOO_MANY, &format!("{} elements; at most {max} are allowed", items.len()));
            }
            for (index, item) in items.iter().enumerate().take(max) {
                check.within(&format!("[{index}]"), |check| walk(check, item));
            }
        });
    }

    /// A short text of one line.
    pub fn text(&mut self, field: &str, text: &str, need: Need) {
        self.any_text(field, text, need, SHORT_TEXT_BYTES_MAX, false);
    }

    /// A free text, line feeds allowed.
    pub fn long_text(&mut self, field: &str, text: &str, need: Need) {
        self.any_text(field, text, need, LONG_TEXT_BYTES_MAX, true);
    }

    /// Free texts in a list.
    pub fn texts(&mut self, field: &str, texts: &[String]) {
        self.each(field, texts, LIST_ITEMS_MAX, |check, text| check.long_text("", text, Need::Required));
    }

    fn any_text(&mut self, field: &str, text: &str, need: Need, max_bytes: usize, lines: bool) {
        if text.is_empty() && need == Need::Optional {
            return;
        }
        let walk = |check: &mut Self| {
            if text.trim().is_empty() {
                check.fault(fault::REQUIRED, "an empty text");
            }
            if text.len() > max_bytes {
                check.fault(fault::TOO_LONG, &format!("{} bytes; at most {max_bytes} are allowed", text.len()));
            }
            if text.chars().any(|character| is_forbidden(character, lines)) {
                check.fault(fault::BAD_CHARACTER, "a control character or one that changes the direction of text");
            }
        };
        if field.is_empty() { walk(self) } else { self.within(field, walk) }
    }

    /// A text that machines compare: letters, digits and `-_./:+` without spaces.
    pub fn token(&mut self, field: &str, text: &str, need: Need) {
        self.text(field, text, need);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:+".contains(&byte);
        if !text.is_empty() && !text.bytes().all(plain) {
            self.fault_at(field, fault::BAD_FORMAT, "only letters, digits and - _ . / : + are allowed");
        }
    }

    /// A code of one list; gives its value where it may be used.
    pub fn code<'c>(&mut self, field: &str, code: &'c Option<pb::Code>, list: &str, need: Need) -> Option<&'c str> {
        match code {
            None if need == Need::Required => {
                self.fault_at(field, fault::REQUIRED, &format!("a value of list \"{list}\" is needed"));
                None
            }
            None => None,
            Some(code) => self.within(field, |check| check.code_value(code, list)),
        }
    }

    /// Codes of one list, each at most once.
    pub fn codes(&mut self, field: &str, codes: &[pb::Code], list: &str) {
        let mut seen = BTreeSet::new();
        self.each(field, codes, LIST_ITEMS_MAX, |check, code| {
            check.code_value(code, list);
            if !seen.insert(code.value.clone()) {
                check.warn(fault::DUPLICATE, "the same value twice");
            }
        });
    }

    fn code_value<'c>(&mut self, code: &'c pb::Code, list: &str) -> Option<&'c str> {
        if code.list != list {
            self.fault_at("list", fault::WRONG_LIST, &format!("this field takes values of list \"{list}\""));
            return None;
        }
        if code.value.is_empty() {
            self.fault_at("value", fault::REQUIRED, &format!("a value of list \"{list}\" is needed"));
            return None;
        }
        if code.value.len() > CODE_BYTES_MAX || code.value.chars().any(|character| is_forbidden(character, false)) {
            self.fault_at("value", fault::BAD_FORMAT, &format!("a code has at most {CODE_BYTES_MAX} plain characters"));
            return None;
        }
        match self.rules.code(list, &code.value) {
            CodeStatus::Known(_) => {}
            CodeStatus::Withdrawn(_) => {
                let key = (list.to_owned(), code.value.clone());
                let message = format!("this value of list \"{list}\" is withdrawn: not for new alerts");
                if self.kept_codes.contains(&key) {
                    self.warn_at("value", fault::WITHDRAWN_CODE, &message);
                } else {
                    self.fault_at("value", fault::WITHDRAWN_CODE, &message);
                }
                self.withdrawn_codes.insert(key);
            }
            CodeStatus::Unknown { closed: true } | CodeStatus::NoSuchList => {
                self.fault_at("value", fault::UNKNOWN_CODE, &format!("list \"{list}\" has no such value"));
                return None;
            }
            CodeStatus::Unknown { closed: false } => {
                self.warn_at("value", fault::UNKNOWN_CODE, &format!("list \"{list}\" does not name this value"));
            }
        }
        Some(&code.value)
    }

    /// A party; gives what it is where it is known.
    pub fn party(&mut self, field: &str, party: &Option<pb::Party>, need: Need) -> Option<party::PartyEntry> {
        match party {
            None if need == Need::Required => {
                self.fault_at(field, fault::REQUIRED, "a party code is needed");
                None
            }
            None => None,
            Some(party) => self.within(field, |check| check.party_code(party)),
        }
    }

    /// A party that is a state, territory or organisation: one that owns, issues or receives.
    pub fn acting_party(&mut self, field: &str, party: &Option<pb::Party>, need: Need) -> Option<party::PartyEntry> {
        let entry = self.party(field, party, need)?;
        if matches!(entry.kind, PartyKind::Jurisdiction | PartyKind::Special | PartyKind::Withdrawn) {
            self.fault_at(
                field,
                fault::INCONSISTENT,
                "this code names no state, territory or organisation that can act",
            );
            return None;
        }
        Some(entry)
    }

    /// Parties, each at most once; gives their canonical codes.
    pub fn parties(&mut self, field: &str, parties: &[pb::Party]) -> BTreeSet<&'static str> {
        let mut seen = BTreeSet::new();
        self.each(field, parties, LIST_ITEMS_MAX, |check, party| {
            if let Some(entry) = check.party_code(party)
                && !seen.insert(entry.code)
            {
                check.warn(fault::DUPLICATE, "the same party twice");
            }
        });
        seen
    }

    fn party_code(&mut self, party: &pb::Party) -> Option<party::PartyEntry> {
        if party.code.is_empty() {
            self.fault_at("code", fault::REQUIRED, "a party code is needed");
            return None;
        }
        let entry = party::lookup(&party.code);
        if entry.is_none() {
            let message = "neither ISO 3166, nor ICAO 9303 part 3, nor a known organisation";
            self.fault_at("code", fault::UNKNOWN_PARTY, message);
        }
        entry
    }

    /// A time; gives it in milliseconds since 1970.
    pub fn time(&mut self, field: &str, time: &Option<Timestamp>) -> Option<u64> {
        let given = time.as_ref()?;
        let ms = time::to_ms(given);
        if ms.is_none() {
            self.fault_at(field, fault::OUT_OF_RANGE, "no time between 1970 and 9999");
        }
        ms
    }

    /// A time that cannot lie ahead. Clocks of sources differ: up to a day passes.
    pub fn past_time(&mut self, field: &str, time: &Option<Timestamp>) -> Option<u64> {
        const CLOCK_TOLERANCE_MS: u64 = 24 * 60 * 60 * 1000;
        let ms = self.time(field, time)?;
        if ms > self.now_ms.saturating_add(CLOCK_TOLERANCE_MS) {
            self.fault_at(field, fault::OUT_OF_RANGE, "lies in the future");
        }
        Some(ms)
    }

    /// A value of a protobuf enum: known, and not "unspecified" where it is needed.
    pub fn enumeration<E: TryFrom<i32> + Into<i32> + Copy>(
        &mut self,
        field: &str,
        value: i32,
        need: Need,
    ) -> Option<E> {
        match E::try_from(value) {
            Ok(_) if value == 0 && need == Need::Required => {
                self.fault_at(field, fault::REQUIRED, "must be said");
                None
            }
            Ok(known) => Some(known),
            Err(_) => {
                self.fault_at(field, fault::OUT_OF_RANGE, "a value that this version does not know");
                None
            }
        }
    }

    /// A BCP 47 language tag, by form only.
    pub fn language(&mut self, field: &str, tag: &str, need: Need) {
        self.text(field, tag, need);
        let mut parts = tag.split('-');
        let first = parts.next().unwrap_or_default();
        let fine = (2..=8).contains(&first.len())
            && first.bytes().all(|byte| byte.is_ascii_alphabetic())
            && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if !tag.is_empty() && !fine {
            self.fault_at(field, fault::BAD_FORMAT, "no BCP 47 language tag, such as \"en\" or \"sr-Latn\"");
        }
    }
}

/// Control characters, noncharacters, and the controls that reorder the text around them, with which one name can be
/// made to look like another. Zero-width joiners stay: Persian and Indic scripts need them.
pub(super) fn is_forbidden(character: char, line_feeds: bool) -> bool {
    match character {
        '\n' => !line_feeds,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{fdd0}'..='\u{fdef}' | '\u{fffd}' => true,
        _ => character.is_control() || (character as u32) & 0xfffe == 0xfffe,
    }
}
