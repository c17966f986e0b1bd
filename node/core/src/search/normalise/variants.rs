//! Which names are the same name though they neither look nor sound alike: BILL and WILLIAM, IVAN and JOHN, WANG and WONG.
//!
//! The table is a filtered copy of two public collections (`data/NOTICE` says which, and how it is made again). It is asked
//! on the query's side alone and is no part of index keys: another table needs no new index.

use std::{io::Read, ops::Range, sync::LazyLock};

use super::{name::Class, sketch::Sketch};

/// Names a line, the groups of one name apart; made by `examples/name_variants.rs`.
const COMPRESSED: &[u8] = include_bytes!("../../../data/name-variants.gz");

/// Most other classes that one name is sought under; the groups with the fewest names come first.
pub const CLASSES_MAX: usize = 24;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(COMPRESSED));

/// The groups of names.
struct Table {
    /// (hash of a romanised name, the group it is in), sorted.
    names: Vec<(u64, u32)>,
    /// Where the classes of each group end.
    ends: Vec<u32>,
    /// Classes of the names of each group, each once.
    classes: Vec<Class>,
    /// Where the words of each group end.
    word_ends: Vec<u32>,
    /// Each name of each group.
    words: Vec<Sketch>,
}

impl Table {
    fn read(compressed: &[u8]) -> Self {
        let mut text = String::new();
        flate2::read::GzDecoder::new(compressed)
            .read_to_string(&mut text)
            .expect("the table is part of the program, and a test reads it");
        let mut table =
            Self { names: Vec::new(), ends: Vec::new(), classes: Vec::new(), word_ends: Vec::new(), words: Vec::new() };
        for (group, line) in text.lines().enumerate() {
            let first = table.classes.len();
            for name in line.split(' ') {
                table.names.push((hash(name), group as u32));
                table.words.push(Sketch::of(name));
                let class = Class::of_skeleton(&super::skeleton::skeleton(name));
                if !table.classes[first..].contains(&class) {
                    table.classes.push(class);
                }
            }
            table.ends.push(table.classes.len() as u32);
            table.word_ends.push(table.words.len() as u32);
        }
        table.names.sort_unstable();
        table
    }

    fn groups(&self, name: &str) -> &[(u64, u32)] {
        let hash = hash(name);
        let first = self.names.partition_point(|(known, _)| *known < hash);
        let count = self.names[first..].iter().take_while(|(known, _)| *known == hash).count();
        &self.names[first..first + count]
    }

    fn classes(&self, group: u32) -> &[Class] {
        &self.classes[range(&self.ends, group)]
    }

    fn words(&self, group: u32) -> &[Sketch] {
        &self.words[range(&self.word_ends, group)]
    }
}

/// The place of one group among all, from where each ends.
fn range(ends: &[u32], group: u32) -> Range<usize> {
    let start = group.checked_sub(1).map_or(0, |before| ends[before as usize] as usize);
    start..ends[group as usize] as usize
}

fn hash(name: &str) -> u64 {
    u64::from_be_bytes(Class::of_word(name).0)
}

/// Every name that is the same as `name` (romanised), as signatures have them.
pub fn words(name: &str) -> impl Iterator<Item = Sketch> {
    let table = &*TABLE;
    table.groups(name).iter().flat_map(|(_, group)| table.words(*group)).copied()
}

/// Classes of other names that are the same as `name` (romanised), its own included where it is in the table.
pub fn classes(name: &str) -> Vec<Class> {
    let table = &*TABLE;
    let mut groups: Vec<&[Class]> = table.groups(name).iter().map(|(_, group)| table.classes(*group)).collect();
    groups.sort_by_key(|classes| classes.len());
    let mut found = Vec::new();
    for class in groups.into_iter().flatten() {
        if found.len() < CLASSES_MAX && !found.contains(class) {
            found.push(*class);
        }
    }
    found
}

/// The groups that a name (romanised) is in; none for most.
pub fn groups(name: &str) -> &'static [(u64, u32)] {
    TABLE.groups(name)
}

/// True when the two have a group in common: they are one name.
pub fn share_a_group(a: &[(u64, u32)], b: &[(u64, u32)]) -> bool {
    a.iter().any(|(_, group)| b.iter().any(|(_, other)| other == group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_the_same(a: &str, b: &str) -> bool {
        share_a_group(groups(a), groups(b))
    }

    #[test]
    fn nicknames_and_names_of_other_languages_are_the_same_name() {
        for (a, b) in
            [("BILL", "WILLIAM"), ("PEGGY", "MARGARET"), ("IVAN", "JOHN"), ("MARY", "MARIA"), ("WANG", "WONG")]
        {
            assert!(are_the_same(a, b) && are_the_same(b, a), "{a} {b}");
        }
        for (a, b) in [("PETER", "ANNA"), ("RON", "ERIN"), ("", ""), ("NOBODYSNAME", "NOBODYSNAME")] {
            assert!(!are_the_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn a_name_is_sought_under_few_classes() {
        let class = |name: &str| Class::of_skeleton(&crate::search::normalise::skeleton::skeleton(name));
        assert!(classes("BILL").contains(&class("WILLIAM")));
        for name in ["BILL", "JOHN", "MARIA", "MARGARET", "WANG"] {
            assert!((1..=CLASSES_MAX).contains(&classes(name).len()), "{name}");
        }
        assert!(classes("NOBODYSNAME").is_empty());
    }
}
