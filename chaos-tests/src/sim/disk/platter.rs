//! The disk itself: content and names as programs see them, and the durable half of both.

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::DiskEffects;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    Directory,
    File(u64),
}

#[derive(Debug, Clone, Default)]
pub struct Content {
    pub bytes: Vec<u8>,
    pub durable: Vec<u8>,
    /// Written, and never to become durable: an fsync of it failed.
    dropped: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
pub enum NameChange {
    Set(PathBuf, Entry),
    Remove(PathBuf),
    Rename(PathBuf, PathBuf, Entry),
}

impl NameChange {
    fn concerns(&self, directory: &Path) -> bool {
        let inside = |path: &PathBuf| path.parent() == Some(directory);
        match self {
            Self::Set(path, _) | Self::Remove(path) => inside(path),
            Self::Rename(from, to, _) => inside(from) || inside(to),
        }
    }

    fn apply(self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            Self::Set(path, entry) => drop(names.insert(path, entry)),
            Self::Remove(path) => drop(names.remove(&path)),
            Self::Rename(from, to, entry) => {
                names.remove(&from);
                names.insert(to, entry);
            }
        }
    }
}

/// What is shared by all who use the disk.
pub struct Disk {
    pub mounted: BTreeMap<PathBuf, Entry>,
    pub names: BTreeMap<PathBuf, Entry>,
    pub durable_names: BTreeMap<PathBuf, Entry>,
    pub pending: Vec<NameChange>,
    pub files: BTreeMap<u64, Content>,
    pub next_file: u64,
    pub random: SmallRng,
    pub powered: bool,
    /// The power goes before the so-manieth change from now.
    pub cut_after: Option<u32>,
    /// Syncs below this path fail from now on.
    pub failing: Option<PathBuf>,
    pub effects: DiskEffects,
}

/// There is no such name.
pub fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, path.display().to_string())
}

impl Disk {
    /// An empty disk, but for the durable directories `mounted`.
    pub fn new(seed: u64, mounted: &[PathBuf]) -> Self {
        let mut names = BTreeMap::new();
        for path in mounted {
            names.extend(path.ancestors().map(|path| (path.to_path_buf(), Entry::Directory)));
        }
        Self {
            durable_names: names.clone(),
            mounted: names.clone(),
            names,
            pending: Vec::new(),
            files: BTreeMap::new(),
            next_file: 1,
            random: SmallRng::seed_from_u64(seed),
            powered: true,
            cut_after: None,
            failing: None,
            effects: DiskEffects::default(),
        }
    }

    /// An empty disk in the place of this one.
    pub fn wipe(&mut self) {
        self.names = self.mounted.clone();
        self.durable_names = self.mounted.clone();
        self.pending.clear();
        self.files.clear();
    }

    pub fn on(&self) -> io::Result<()> {
        if self.powered { Ok(()) } else { Err(io::Error::other("the power is off")) }
    }

    /// Before each change: the power may go just now.
    pub fn change(&mut self) -> io::Result<()> {
        self.on()?;
        if let Some(left) = self.cut_after.as_mut() {
            if *left == 0 {
                self.lose_power();
                return self.on();
            }
            *left -= 1;
        }
        Ok(())
    }

    pub fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Entry::File(id)) => Ok(*id),
            Some(Entry::Directory) => Err(io::Error::new(io::ErrorKind::IsADirectory, path.display().to_string())),
            None => Err(missing(path)),
        }
    }

    pub fn content(&mut self, id: u64) -> &mut Content {
        self.files.entry(id).or_default()
    }

    pub fn set_name(&mut self, path: &Path, entry: Entry) -> io::Result<()> {
        if path.parent().is_some_and(|parent| !self.names.contains_key(parent)) {
            return Err(missing(path));
        }
        self.names.insert(path.to_path_buf(), entry);
        self.pending.push(NameChange::Set(path.to_path_buf(), entry));
        Ok(())
    }

    pub fn create(&mut self, path: &Path) -> io::Result<u64> {
        if let Ok(id) = self.file(path) {
            return Ok(id);
        }
        let id = self.next_file;
        self.next_file += 1;
        self.set_name(path, Entry::File(id))?;
        self.files.insert(id, Content::default());
        Ok(id)
    }

    pub fn sync(&mut self, id: u64, path: &Path) -> io::Result<()> {
        self.change()?;
        self.effects.syncs += 1;
        let fails = self.failing.as_ref().is_some_and(|failing| path.starts_with(failing));
        let content = self.content(id);
        if fails {
            let kept = common_prefix(&content.bytes, &content.durable);
            if kept < content.bytes.len() {
                content.dropped.push(kept..content.bytes.len());
            }
            self.effects.syncs_failed += 1;
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        content.durable = content.bytes.clone();
        Ok(())
    }

    pub fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        self.change()?;
        if self.names.get(path) != Some(&Entry::Directory) {
            return Err(missing(path));
        }
        let (done, pending) = std::mem::take(&mut self.pending).into_iter().partition(|change| change.concerns(path));
        self.pending = pending;
        let done: Vec<NameChange> = done;
        done.into_iter().for_each(|change| change.apply(&mut self.durable_names));
        Ok(())
    }

    pub fn lose_power(&mut self) {
        self.powered = false;
        self.effects.power_losses += 1;
        let pending = std::mem::take(&mut self.pending);
        let kept = self.random.random_range(0..=pending.len());
        self.effects.names_lost += (pending.len() - kept) as u64;
        pending.into_iter().take(kept).for_each(|change| change.apply(&mut self.durable_names));
        // What lies below a directory that is not there is not there either.
        let durable = self.durable_names.clone();
        self.durable_names.retain(|path, _| path.ancestors().skip(1).all(|above| durable.contains_key(above)));
        self.names = self.durable_names.clone();
        let used: Vec<u64> = self
            .names
            .values()
            .filter_map(|entry| match entry {
                Entry::File(id) => Some(*id),
                Entry::Directory => None,
            })
            .collect();
        let mut old = std::mem::take(&mut self.files);
        for id in used {
            let content = old.remove(&id).unwrap_or_default();
            let left = self.left_of(content);
            self.files.insert(id, left);
        }
    }

    pub fn left_of(&mut self, mut content: Content) -> Content {
        for range in std::mem::take(&mut content.dropped) {
            for bytes in [&mut content.bytes, &mut content.durable] {
                let end = range.end.min(bytes.len());
                bytes[range.start.min(end)..end].fill(0);
            }
        }
        if content.bytes != content.durable {
            let written = content.bytes.len();
            let kept = common_prefix(&content.bytes, &content.durable);
            let appended = kept == content.durable.len();
            let left = match self.random.random_range(0..3) {
                0 => content.durable.clone(),
                1 => content.bytes.clone(),
                _ if appended => {
                    self.effects.files_torn += 1;
                    content.bytes[..self.random.random_range(kept..=written)].to_vec()
                }
                _ => content.durable.clone(),
            };
            self.effects.bytes_lost += written.saturating_sub(left.len()) as u64;
            content.durable = left;
        }
        content.bytes = content.durable.clone();
        content
    }

    pub fn rot(&mut self, directory: &Path) -> bool {
        let candidates: Vec<u64> = self
            .names
            .iter()
            .filter(|(path, _)| path.starts_with(directory))
            .filter_map(|(_, entry)| match entry {
                Entry::File(id) if self.files.get(id).is_some_and(|file| !file.durable.is_empty()) => Some(*id),
                _ => None,
            })
            .collect();
        if candidates.is_empty() {
            return false;
        }
        let id = candidates[self.random.random_range(0..candidates.len())];
        let length = self.content(id).durable.len();
        let (at, bit) = (self.random.random_range(0..length), self.random.random_range(0..8));
        let content = self.content(id);
        content.durable[at] ^= 1 << bit;
        content.bytes = content.durable.clone();
        self.effects.bytes_rotten += 1;
        true
    }
}

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
