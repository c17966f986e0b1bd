//! Names to tokens: words in one form, with the role that each plays.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    east,
    script::{self, Script},
    skeleton, text,
};

/// Most tokens of one name that are looked at.
pub const TOKENS_MAX: usize = 12;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Identifies: it has index classes.
    Name,
    /// Al, bin, de, van...: left out or joined at will. Compared, but not looked up.
    Particle,
    /// One letter.
    Initial,
}

/// The class of a token in index keys: eight bytes of the hash of its skeleton.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub [u8; 8]);

impl Class {
    /// Stands for the second name of whoever has only one.
    pub const NONE: Class = Class([0; 8]);

    /// From a skeleton.
    pub fn of_skeleton(skeleton: &str) -> Self {
        let hash = blake3::hash(skeleton.as_bytes());
        let mut class = [0; 8];
        class.copy_from_slice(&hash.as_bytes()[..8]);
        Self(class)
    }

    /// Of the word itself, for signatures and tables.
    pub fn of_word(word: &str) -> Self {
        Self::of_skeleton(word)
    }

    /// Two bytes of it, for signatures.
    pub fn short(self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }
}

/// One word of a name.
#[derive(Debug, Clone)]
pub struct Token {
    /// Upper case and composed, in its own script.
    pub original: String,
    /// Romanised, marks dropped.
    pub base: String,
    /// The script it is written in.
    pub script: Script,
    /// What it is good for.
    pub role: Role,
    /// Shared by copies of the token.
    spellings: Arc<OnceLock<Spellings>>,
}

/// Words that candidates of a search have had: most share theirs with others, and what a word can be read as is worked out
/// once.
#[derive(Debug, Default)]
pub struct KnownWords(HashMap<String, Arc<OnceLock<Spellings>>>);

impl KnownWords {
    /// Lets `token` share what is known of its word.
    pub fn share(&mut self, token: &mut Token) {
        match self.0.get(&token.original) {
            Some(known) => token.spellings = Arc::clone(known),
            None => {
                self.0.insert(token.original.clone(), Arc::clone(&token.spellings));
            }
        }
    }
}

/// What a token's letters can be read as. Worked out when first asked for: most tokens of candidates are the query's own
/// letters, or never looked at.
#[derive(Debug, Clone)]
struct Spellings {
    expanded: String,
    letters: String,
    loose: String,
    sounds: String,
    skeleton: String,
    other_skeleton: Option<String>,
}

impl PartialEq for Token {
    /// All else follows from the word.
    fn eq(&self, other: &Self) -> bool {
        self.role == other.role && self.original == other.original
    }
}

impl Eq for Token {}

impl Token {
    /// From one word as [`text::words`] gives it.
    pub fn new(word: &str) -> Self {
        let (script, base) = if word.bytes().all(|letter| letter.is_ascii_uppercase()) {
            (Script::Latin, word.to_owned())
        } else {
            let romanised = script::romanise(word);
            (romanised.script, romanised.base)
        };
        let is_syllabic = script.is_syllabic();
        let role = if PARTICLES.contains(&base.as_str()) && !is_syllabic {
            Role::Particle
        } else if is_initial(word, script) {
            Role::Initial
        } else {
            Role::Name
        };
        Self { original: word.to_owned(), base, script, role, spellings: Arc::default() }
    }

    fn spellings(&self) -> &Spellings {
        self.spellings.get_or_init(|| {
            let script::Romanised { base, expanded, letters, .. } = script::romanise(&self.original);
            let skeleton = skeleton::skeleton(&base);
            let other_reading =
                if expanded == base { skeleton::behind_article(&base) } else { Some(expanded.as_str()) };
            let other_skeleton = other_reading.map(skeleton::skeleton).filter(|other| *other != skeleton);
            let (loose, sounds) = (skeleton::loose(&base), skeleton::sounds(&base));
            Spellings { expanded, letters, loose, sounds, skeleton, other_skeleton }
        })
    }

    /// Romanised, marks spelt out.
    pub fn expanded(&self) -> &str {
        &self.spellings().expanded
    }

    /// The letters that somebody types; typing errors are counted in them.
    pub fn letters(&self) -> &str {
        &self.spellings().letters
    }

    /// `base` with doubled letters and spelt-out marks reduced.
    pub fn loose(&self) -> &str {
        &self.spellings().loose
    }

    /// `base` as it sounds.
    pub fn sounds(&self) -> &str {
        &self.spellings().sounds
    }

    /// The consonant skeleton of `base`.
    pub fn skeleton(&self) -> &str {
        &self.spellings().skeleton
    }

    /// The skeleton of the other spelling, where it is another: letters of other scripts that can be read in two ways.
    pub fn other_skeleton(&self) -> Option<&str> {
        self.spellings().other_skeleton.as_deref()
    }

    /// Its class in index keys.
    pub fn class(&self) -> Class {
        Class::of_skeleton(self.skeleton())
    }

    /// Its skeletons: one, or two where its letters can be read in two ways.
    pub fn skeletons(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.skeleton()).chain(self.other_skeleton())
    }

    /// The classes it is indexed under.
    pub fn classes(&self) -> impl Iterator<Item = Class> + '_ {
        self.skeletons().map(Class::of_skeleton)
    }

    /// The first letter, for signatures: a byte, 0 for letters outside A to Z.
    pub fn first_letter(&self) -> u8 {
        self.base.bytes().next().filter(u8::is_ascii).unwrap_or(0)
    }
}

/// One letter of an alphabet; one ideograph or one syllable is a name.
fn is_initial(word: &str, script: Script) -> bool {
    let syllabic = |letter: char| matches!(u32::from(letter), 0x3040..=0x31ff | 0xa000..=0xa4cf);
    if word.is_ascii() {
        return word.len() == 1;
    }
    let mut letters = word.nfd().filter(|letter| !is_combining_mark(*letter));
    match (letters.next(), letters.next()) {
        (Some(letter), None) => !script.is_syllabic() && !syllabic(letter),
        _ => false,
    }
}

/// Written or left out at will; not counted as names unless there is nothing else.
const PARTICLES: &[&str] = &[
    "AL", "EL", "BIN", "IBN", "BINT", "DE", "DEL", "DELLA", "DI", "DA", "DAS", "DOS", "DU", "DES", "LA", "LAS", "LOS",
    "VAN", "VON", "DER", "DEN", "TEN", "TER", "ZU", "ZUM", "ZUR", "AF", "AV", "Y", "E", "JR", "SR", "II", "III", "MR",
    "MRS", "MS",
];

/// Those that stand behind or alone, whatever follows.
const AFTER: &[&str] = &["Y", "E", "JR", "SR", "II", "III", "MR", "MRS", "MS"];

/// What forms write for a name that is not known.
const FILLERS: &[&str] = &["FNU", "LNU", "NFN", "NLN", "NMN", "XX", "XXX", "XXXX", "XXXXX", "UNKNOWN", "UNK"];

/// The tokens of one name. Fillers are left out; when nothing but particles and initials is there, they are the name.
pub fn tokens<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Token> {
    let words: Vec<String> = texts.into_iter().flat_map(text::words).take(TOKENS_MAX).collect();
    let mut tokens: Vec<Token> = Vec::new();
    for word in words.iter().filter(|word| !FILLERS.contains(&word.as_str())) {
        if let Some(rest) = article(word) {
            tokens.extend([Token::new("AL"), Token::new(rest)]);
        } else if let Some((surname, given)) = east::parts(word).filter(|_| is_alone(word, &words)) {
            tokens.extend([Token::new(surname), Token::new(given)]);
        } else {
            tokens.push(Token::new(word));
        }
    }
    tokens.truncate(TOKENS_MAX);
    // What nothing follows introduces nothing: DAS and VAN are names of Bengal and Vietnam.
    if let Some(last) =
        tokens.last_mut().filter(|last| last.role == Role::Particle && !AFTER.contains(&last.base.as_str()))
    {
        last.role = Role::Name;
    }
    if !tokens.iter().any(|token| token.role == Role::Name) {
        for token in &mut tokens {
            token.role = Role::Name;
        }
    }
    tokens
}

/// No other word is written in its script: it is then a whole name without spaces, and not a part of one.
fn is_alone(word: &str, words: &[String]) -> bool {
    let script = Script::of(word);
    words.iter().filter(|other| Script::of(other) == script).count() == 1
}

/// What follows the Arabic article when it is written as one word with its name.
fn article(word: &str) -> Option<&str> {
    word.strip_prefix("ال").filter(|rest| rest.chars().count() >= 3 && !rest.starts_with("له"))
}

/// Tokens that identify, in order.
pub fn effective(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    tokens.iter().filter(|token| token.role == Role::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(name: &str) -> Vec<(String, Role)> {
        tokens([name]).into_iter().map(|token| (token.base, token.role)).collect()
    }

    #[test]
    fn tokens_know_their_roles() {
        assert_eq!(
            roles("J. van der Berg"),
            [
                ("J".into(), Role::Initial),
                ("VAN".into(), Role::Particle),
                ("DER".into(), Role::Particle),
                ("BERG".into(), Role::Name)
            ]
        );
        assert_eq!(roles("Amit Das")[1], ("DAS".into(), Role::Name));
        assert_eq!(roles("Tran Thi Van")[2], ("VAN".into(), Role::Name));
        assert_eq!(roles("Martin Jr")[1], ("JR".into(), Role::Particle));
        assert_eq!(roles("FNU MUSTERMANN"), [("MUSTERMANN".into(), Role::Name)]);
        assert_eq!(roles("Bin"), [("BIN".into(), Role::Name)], "a particle alone is the name");
        assert_eq!(roles("E"), [("E".into(), Role::Name)]);
        assert_eq!(roles("Li Eo"), [("LI".into(), Role::Name), ("EO".into(), Role::Name)]);
        assert!(roles("FNU LNU").is_empty());
    }

    #[test]
    fn a_name_meets_itself_across_scripts_in_its_class() {
        for (latin, other) in [
            ("Mohamed", "محمد"),
            ("Hassan", "حسن"),
            ("Shcherbakov", "Щербаков"),
            ("Papadopoulos", "Παπαδόπουλος"),
            ("Walid", "وليد"),
            ("Shalom", "שלום"),
        ] {
            let (a, b) = (Token::new(&latin.to_uppercase()), Token::new(&text::words(other)[0]));
            assert_eq!(a.class(), b.class(), "{latin} {} and {other} {}", a.skeleton(), b.skeleton());
        }
        let article = tokens(["الحسن"]);
        assert_eq!(article.len(), 2);
        assert_eq!(article[1].skeleton(), Token::new("HASSAN").skeleton());
    }

    #[test]
    fn a_very_long_name_is_cut() {
        assert_eq!(tokens(["a b c d e f g h i j k l m n o"]).len(), TOKENS_MAX);
    }
}
