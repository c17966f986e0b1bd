//! Makes `data/name-variants.gz` again: `make name-variants RIGOUR=<folder> NICKNAMES=<folder>`; `data/NOTICE` says from
//! what. The same input gives the same bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use alert_core::search::normalise::{
    script::{self, Script},
    skeleton::skeleton,
    text,
};

/// Larger groups mix different names.
const NAMES_MAX: usize = 120;

fn main() {
    let [rigour, nicknames, more, target] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().expect("the three sources and the file to write");
    let mut groups = BTreeSet::new();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    for line in read(&rigour).lines().filter(|line| !line.starts_with('#')) {
        let Some((names, _)) = line.rsplit_once(" => ") else { continue };
        // What shares a skeleton is found without a table, and these are many.
        groups.extend(group(names.split(", ")).filter(has_two_skeletons));
    }
    for line in read(&nicknames).lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        if let [name, "has_nickname", nickname] = fields.as_slice() {
            groups.extend(group([*name, *nickname].into_iter()));
        }
    }
    for line in read(&more).lines().filter(|line| !line.starts_with('#')) {
        groups.extend(group(line.split(' ')));
    }
    let groups = without_those_inside_others(groups);
    let file = std::fs::File::create(&target).expect("the file can be written");
    // No name, no time: the same bytes each time.
    let mut compressed = flate2::GzBuilder::new().write(file, flate2::Compression::best());
    for group in &groups {
        writeln!(compressed, "{}", group.iter().cloned().collect::<Vec<_>>().join(" "))
            .expect("the file can be written");
    }
    compressed.finish().expect("the file can be written");
    eprintln!("{} groups, {} names", groups.len(), groups.iter().map(BTreeSet::len).sum::<usize>());
}

/// The names of one line in one form, where they are worth keeping: single words in scripts that searches read.
fn group<'a>(names: impl Iterator<Item = &'a str>) -> Option<BTreeSet<String>> {
    let mut kept = BTreeSet::new();
    for name in names {
        let words = text::words(name);
        let [word] = words.as_slice() else { continue };
        let romanised = script::romanise(word);
        let letters = romanised.base.chars().count();
        let is_read = match romanised.script {
            Script::Other => false,
            _ => letters >= 2,
        };
        if is_read && word.chars().all(char::is_alphabetic) {
            kept.insert(romanised.base);
        }
    }
    (2..=NAMES_MAX).contains(&kept.len()).then_some(kept)
}

fn has_two_skeletons(names: &BTreeSet<String>) -> bool {
    names.iter().map(|name| skeleton(name)).collect::<BTreeSet<String>>().len() >= 2
}

/// A group that lies within another says nothing more.
fn without_those_inside_others(groups: BTreeSet<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let groups: Vec<BTreeSet<String>> = groups.into_iter().collect();
    let mut by_name: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        for name in group {
            by_name.entry(name).or_default().push(at);
        }
    }
    let is_inside = |at: usize| {
        let group = &groups[at];
        let rarest = group.iter().min_by_key(|name| by_name[name].len());
        rarest.is_some_and(|name| {
            by_name[name]
                .iter()
                .any(|other| *other != at && groups[*other].len() > group.len() && group.is_subset(&groups[*other]))
        })
    };
    let kept: Vec<bool> = (0..groups.len()).map(|at| !is_inside(at)).collect();
    groups.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(group, _)| group).collect()
}
