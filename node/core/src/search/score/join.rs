//! Neighbours of a name as one word: ABDUL RAHMAN and ABDULRAHMAN, HYUN MIN and HYEONMIN.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};

use super::{FULL, distance};
use crate::{
    pb,
    search::normalise::{
        name::{Role, Token},
        skeleton,
    },
};

/// Joined names agree a little less than equal ones.
const JOINED: u32 = 9_700;
/// Spellings that one query has met: candidates share most of their words and joins.
#[derive(Default)]
pub struct SpellingBook {
    spellings: RefCell<HashMap<String, Rc<Spelling>>>,
    skeletons: RefCell<HashMap<String, Rc<str>>>,
}

impl SpellingBook {
    /// The spelling of these letters.
    pub fn of(&self, letters: &str) -> Rc<Spelling> {
        if let Some(known) = self.spellings.borrow().get(letters) {
            return Rc::clone(known);
        }
        let spelling = Rc::new(Spelling::new(letters));
        self.spellings.borrow_mut().insert(letters.to_owned(), Rc::clone(&spelling));
        spelling
    }

    /// The consonants of a romanised word.
    fn skeleton(&self, base: &str) -> Rc<str> {
        if let Some(known) = self.skeletons.borrow().get(base) {
            return Rc::clone(known);
        }
        let skeleton: Rc<str> = skeleton::skeleton(base).into();
        self.skeletons.borrow_mut().insert(base.to_owned(), Rc::clone(&skeleton));
        skeleton
    }
}

/// A word or a join, loosely spelt, with its sounds worked out once, and only when asked for.
pub struct Spelling {
    loose: String,
    sounds: OnceCell<(String, String)>,
}

impl Spelling {
    fn new(letters: &str) -> Self {
        Self { loose: skeleton::loose(letters), sounds: OnceCell::new() }
    }

    /// Its skeleton and its sounds.
    fn heard(&self) -> &(String, String) {
        self.sounds.get_or_init(|| (skeleton::skeleton(&self.loose), skeleton::sounds(&self.loose)))
    }
}

/// A run of two or three neighbours as one word; of three also without a particle in the middle.
pub struct Join {
    /// Which.
    pub run: Range<usize>,
    /// Without the particle in the middle.
    is_bare: bool,
    spelling: Rc<Spelling>,
    /// Its consonants, romanised; worked out when asked for.
    skeleton: OnceCell<Rc<str>>,
}

/// The joins of those neighbours that are free.
pub fn joins(tokens: &[Token], free: &[bool], book: &SpellingBook) -> Vec<Join> {
    let mut joins = Vec::new();
    for length in 2..=3 {
        for start in 0..(tokens.len() + 1).saturating_sub(length) {
            let range = start..start + length;
            if free[range.clone()].contains(&false) {
                continue;
            }
            let run = &tokens[range.clone()];
            let joined: String = run.iter().map(|token| token.letters()).collect();
            let skeleton = OnceCell::new();
            joins.push(Join { run: range.clone(), is_bare: false, spelling: book.of(&joined), skeleton });
            if length == 3 && run[1].role == Role::Particle {
                let joined = format!("{}{}", run[0].letters(), run[2].letters());
                let skeleton = OnceCell::new();
                joins.push(Join { run: range, is_bare: true, spelling: book.of(&joined), skeleton });
            }
        }
    }
    joins
}

/// A join that is spelt otherwise needs so many consonants, and so many sounds at most that differ.
const JOIN_SIGNS_MIN: usize = 3;
const JOIN_SOUNDS_APART_MAX: usize = 2;
/// A join of fewer letters must be the same word to count.
const JOIN_LETTERS_MIN: usize = 6;

/// A join and a word that differ by more bytes than this are not compared: no two spellings of one name do.
const JOIN_BYTES_APART_MAX: usize = 8;

/// What names joined in one script and apart in another earn where their consonants are the same.
pub const JOINED_ACROSS_SCRIPTS: u32 = 9_000;

impl Join {
    /// What the join, of `tokens`, is worth as `word`, spelt `whole`.
    pub fn likeness(
        &self,
        tokens: &[Token],
        word: &Token,
        whole: &Spelling,
        book: &SpellingBook,
        profile: &pb::SearchProfile,
    ) -> Option<u32> {
        self.in_one_script(whole, profile).or_else(|| self.across_scripts(&tokens[self.run.clone()], word, book))
    }

    fn in_one_script(&self, whole: &Spelling, profile: &pb::SearchProfile) -> Option<u32> {
        let (joined, word) = (self.spelling.loose.as_str(), whole.loose.as_str());
        if joined == word {
            return Some(JOINED);
        }
        if joined.len().abs_diff(word.len()) > JOIN_BYTES_APART_MAX {
            return None;
        }
        let near = joined.len() >= JOIN_LETTERS_MIN && joined.len().abs_diff(word.len()) <= 1;
        if near && distance::within_one(joined, word) {
            return Some(FULL.saturating_sub(profile.typing_error_points));
        }
        // Joined and spelt otherwise: HYUN MIN and HYEONMIN.
        let ((signs, sounds), (other_signs, other_sounds)) = (self.spelling.heard(), whole.heard());
        let sounds_alike = signs == other_signs
            && !skeleton::is_whole(signs)
            && signs.chars().count() >= JOIN_SIGNS_MIN
            && distance::errors(sounds, other_sounds, JOIN_SOUNDS_APART_MAX) <= JOIN_SOUNDS_APART_MAX;
        sounds_alike.then(|| FULL.saturating_sub(2 * profile.variant_points))
    }

    fn across_scripts(&self, run: &[Token], whole: &Token, book: &SpellingBook) -> Option<u32> {
        if run[0].script == whole.script || skeleton::is_whole(whole.skeleton()) {
            return None;
        }
        // Few consonants say little; scripts of syllables have vowels besides.
        let has_few = whole.skeleton().chars().count() <= JOIN_SIGNS_MIN;
        if has_few && !run[0].script.is_syllabic() && !whole.script.is_syllabic() {
            return None;
        }
        let base = || -> String {
            // NOUREDDINE hears no article in نور الدين: it is that of the letter that follows.
            let heard = run.iter().enumerate().filter(|(at, _)| !self.is_bare || *at != 1);
            heard.map(|(_, token)| token.base.as_str()).collect()
        };
        let joined = self.skeleton.get_or_init(|| book.skeleton(&base()));
        let sounds_alike = || {
            let sounds = skeleton::sounds(&base());
            distance::errors(&sounds, whole.sounds(), JOIN_SOUNDS_APART_MAX) <= JOIN_SOUNDS_APART_MAX
        };
        let is_same = whole.skeletons().any(|whole| whole == &**joined) && (!has_few || sounds_alike());
        is_same.then_some(JOINED_ACROSS_SCRIPTS)
    }
}
