//! A simulated disk: what programs see, and what would be left of it if the power went.
//!
//! Content becomes durable by fsync of the file, names by fsync of their directory; nothing else is promised. At a power
//! loss each file keeps its durable content and a random part of what was written since, and of the changes of names
//! since a random number of the oldest. After an fsync that failed, what it should have made durable is gone, however
//! often one tries again (the kernel has marked the pages as clean).

use std::{
    collections::BTreeMap,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use alert_node::seam::{AppendFile, FileInfo, FileSystem};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng, rngs::SmallRng};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Directory,
    File(u64),
}

#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Written, and never to become durable: an fsync of it failed.
    dropped: Vec<Range<usize>>,
}

#[derive(Debug, Clone)]
enum NameChange {
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

/// What faults did to a disk: a fault without an effect proves nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskEffects {
    pub syncs: u64,
    pub syncs_failed: u64,
    pub power_losses: u64,
    pub bytes_lost: u64,
    pub files_torn: u64,
    pub names_lost: u64,
    pub bytes_rotten: u64,
}

struct Disk {
    mounted: BTreeMap<PathBuf, Entry>,
    names: BTreeMap<PathBuf, Entry>,
    durable_names: BTreeMap<PathBuf, Entry>,
    pending: Vec<NameChange>,
    files: BTreeMap<u64, Content>,
    next_file: u64,
    random: SmallRng,
    powered: bool,
    /// The power goes before the so-manieth change from now.
    cut_after: Option<u32>,
    /// Syncs below this path fail from now on.
    failing: Option<PathBuf>,
    effects: DiskEffects,
}

/// A machine's disk. Clones share it; it outlives the processes that use it.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Disk>>);

fn missing(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, path.display().to_string())
}

impl SimDisk {
    /// An empty disk, but for the durable directories `mounted`.
    pub fn new(seed: u64, mounted: &[PathBuf]) -> Self {
        let mut names = BTreeMap::new();
        for path in mounted {
            names.extend(path.ancestors().map(|path| (path.to_path_buf(), Entry::Directory)));
        }
        Self(Arc::new(Mutex::new(Disk {
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
        })))
    }

    /// The power goes: only what is durable, and a random part of the rest, is there when it comes back.
    pub fn lose_power(&self) {
        self.0.lock().lose_power();
    }

    /// Lets the power go in the middle of the work: before the `changes`-th change from now.
    pub fn lose_power_after(&self, changes: u32) {
        self.0.lock().cut_after = Some(changes);
    }

    /// False between a power loss and [`SimDisk::restore_power`].
    pub fn is_powered(&self) -> bool {
        self.0.lock().powered
    }

    pub fn restore_power(&self) {
        let mut disk = self.0.lock();
        (disk.powered, disk.cut_after) = (true, None);
    }

    /// A power loss that was to come in the middle of the work does not come.
    pub fn disarm(&self) {
        self.0.lock().cut_after = None;
    }

    /// An empty disk is put in the place of this one.
    pub fn wipe(&self) {
        let mut disk = self.0.lock();
        disk.names = disk.mounted.clone();
        disk.durable_names = disk.mounted.clone();
        disk.pending.clear();
        disk.files.clear();
    }

    /// Lets every fsync below `path` fail from now on; `None` heals the disk.
    pub fn fail_syncs(&self, path: Option<&Path>) {
        self.0.lock().failing = path.map(Path::to_path_buf);
    }

    /// Flips one bit of the durable content of a file below `directory`; false when there is nothing to flip.
    pub fn rot(&self, directory: &Path) -> bool {
        self.0.lock().rot(directory)
    }

    pub fn effects(&self) -> DiskEffects {
        self.0.lock().effects
    }
}

impl Disk {
    fn on(&self) -> io::Result<()> {
        if self.powered { Ok(()) } else { Err(io::Error::other("the power is off")) }
    }

    /// Before each change: the power may go just now.
    fn change(&mut self) -> io::Result<()> {
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

    fn file(&self, path: &Path) -> io::Result<u64> {
        match self.names.get(path) {
            Some(Entry::File(id)) => Ok(*id),
            Some(Entry::Directory) => Err(io::Error::new(io::ErrorKind::IsADirectory, path.display().to_string())),
            None => Err(missing(path)),
        }
    }

    fn content(&mut self, id: u64) -> &mut Content {
        self.files.entry(id).or_default()
    }

    fn set_name(&mut self, path: &Path, entry: Entry) -> io::Result<()> {
        if path.parent().is_some_and(|parent| !self.names.contains_key(parent)) {
            return Err(missing(path));
        }
        self.names.insert(path.to_path_buf(), entry);
        self.pending.push(NameChange::Set(path.to_path_buf(), entry));
        Ok(())
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        if let Ok(id) = self.file(path) {
            return Ok(id);
        }
        let id = self.next_file;
        self.next_file += 1;
        self.set_name(path, Entry::File(id))?;
        self.files.insert(id, Content::default());
        Ok(id)
    }

    fn sync(&mut self, id: u64, path: &Path) -> io::Result<()> {
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

    fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
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

    fn lose_power(&mut self) {
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

    fn left_of(&mut self, mut content: Content) -> Content {
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

    fn rot(&mut self, directory: &Path) -> bool {
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

struct Appending {
    disk: SimDisk,
    id: u64,
    path: PathBuf,
}

impl AppendFile for Appending {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.0.lock();
        disk.change()?;
        disk.content(self.id).bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.0.lock().sync(self.id, &self.path)
    }

    fn size_bytes(&self) -> u64 {
        self.disk.0.lock().content(self.id).bytes.len() as u64
    }
}

impl FileSystem for SimDisk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut disk = self.0.lock();
        disk.on()?;
        let id = disk.file(path)?;
        Ok(disk.content(id).bytes.clone())
    }

    fn read_at(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut disk = self.0.lock();
        disk.on()?;
        let id = disk.file(path)?;
        let bytes = &disk.content(id).bytes;
        let from = (offset as usize).min(bytes.len());
        Ok(bytes[from..(from + length).min(bytes.len())].to_vec())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let id = disk.create(path)?;
        disk.content(id).bytes = bytes.to_vec();
        Ok(())
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut disk = self.0.lock();
        disk.on()?;
        let id = disk.create(path)?;
        Ok(Box::new(Appending { disk: self.clone(), id, path: path.to_path_buf() }))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let id = disk.file(path)?;
        disk.content(id).bytes.resize(length as usize, 0);
        Ok(())
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.on()?;
        let id = disk.file(path)?;
        disk.sync(id, path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.lock().sync_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let entry = *disk.names.get(from).ok_or_else(|| missing(from))?;
        if entry == Entry::Directory {
            // The directory's entries move with it.
            let moved: Vec<(PathBuf, Entry)> = disk
                .names
                .range(from.to_path_buf()..)
                .take_while(|(path, _)| path.starts_with(from))
                .map(|(path, entry)| (path.clone(), *entry))
                .collect();
            let durable: Vec<(PathBuf, Entry)> = disk
                .durable_names
                .range(from.to_path_buf()..)
                .take_while(|(path, _)| path.starts_with(from))
                .map(|(path, entry)| (path.clone(), *entry))
                .collect();
            let place = |path: &Path| to.join(path.strip_prefix(from).unwrap_or(path));
            for (path, entry) in moved.into_iter().skip(1) {
                disk.names.remove(&path);
                disk.names.insert(place(&path), entry);
            }
            // Below the new name they count as soon as that name is durable, below the old one as long as it is.
            for (path, entry) in durable.into_iter().skip(1) {
                disk.durable_names.insert(place(&path), entry);
            }
            for change in &mut disk.pending {
                match change {
                    NameChange::Set(path, _) | NameChange::Remove(path) if path.starts_with(from) && path != from => {
                        *path = place(path);
                    }
                    _ => {}
                }
            }
        }
        disk.names.remove(from);
        disk.names.insert(to.to_path_buf(), entry);
        disk.pending.push(NameChange::Rename(from.to_path_buf(), to.to_path_buf(), entry));
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let id = disk.file(from)?;
        disk.set_name(to, Entry::File(id))
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        for path in above {
            if !disk.names.contains_key(path) {
                disk.set_name(path, Entry::Directory)?;
            }
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        disk.file(path)?;
        disk.names.remove(path);
        disk.pending.push(NameChange::Remove(path.to_path_buf()));
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.change()?;
        let below: Vec<PathBuf> = disk
            .names
            .range(path.to_path_buf()..)
            .map(|(path, _)| path.clone())
            .take_while(|below| below.starts_with(path))
            .collect();
        for path in below.into_iter().rev() {
            disk.names.remove(&path);
            disk.pending.push(NameChange::Remove(path));
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<FileInfo>> {
        let mut disk = self.0.lock();
        disk.on()?;
        if disk.names.get(path) != Some(&Entry::Directory) {
            return Err(missing(path));
        }
        let inside: Vec<(PathBuf, Entry)> = disk
            .names
            .range(path.to_path_buf()..)
            .take_while(|(below, _)| below.starts_with(path))
            .filter(|(below, _)| below.parent() == Some(path))
            .map(|(below, entry)| (below.clone(), *entry))
            .collect();
        Ok(inside
            .into_iter()
            .map(|(path, entry)| match entry {
                Entry::Directory => FileInfo { path, size_bytes: 0, is_directory: true },
                Entry::File(id) => {
                    FileInfo { path, size_bytes: disk.content(id).bytes.len() as u64, is_directory: false }
                }
            })
            .collect())
    }

    fn exists(&self, path: &Path) -> bool {
        let disk = self.0.lock();
        disk.powered && disk.names.contains_key(path)
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        self.0.lock().on()?;
        Ok(1 << 40)
    }
}

#[cfg(test)]
mod tests {
    use alert_node::storage::engine::{
        Access, EngineSpec, Engines, FamilySpec, Recovery, Tuning, WriteBatch, conformance, memory::MemoryEngines,
    };

    use super::*;

    fn disk(seed: u64) -> SimDisk {
        SimDisk::new(seed, &[PathBuf::from("/d")])
    }

    #[test]
    fn the_simulated_engine_is_an_engine() {
        let disk = disk(1);
        conformance::run(&MemoryEngines::new(Arc::new(disk.clone())), &disk, Path::new("/d"));
    }

    /// The state is not synced, and its log is cut behind a checkpoint.
    #[test]
    fn what_a_checkpoint_holds_survives_a_power_loss_in_the_database_too() {
        let plain = FamilySpec { name: "plain", prefix_length: None, tuning: Tuning::Records, personal_data: false };
        let spec =
            EngineSpec { name: "state", families: vec![plain], recovery: Recovery::KeepPrefix, wal_in_memory: false };
        for seed in 0..20 {
            let disk = disk(seed);
            let (path, copy) = (Path::new("/d/database"), Path::new("/d/copy"));
            let engine = MemoryEngines::new(Arc::new(disk.clone())).open(path, &spec, Access::ReadWrite).unwrap();
            disk.sync_directory(Path::new("/d")).unwrap();
            let mut batch = WriteBatch::default();
            batch.put(0, *b"a", *b"1");
            engine.write(batch).unwrap();
            engine.checkpoint(copy).unwrap();
            disk.lose_power();
            disk.restore_power();
            let engine = MemoryEngines::new(Arc::new(disk)).open(path, &spec, Access::ReadWrite).unwrap();
            assert_eq!(engine.get(0, b"a"), Ok(Some(b"1".to_vec())), "seed {seed}");
        }
    }

    #[test]
    fn what_was_synced_survives_a_power_loss_and_what_was_not_may_be_lost_or_torn() {
        let (mut lost, mut torn, mut kept) = (0, 0, 0);
        for seed in 0..200 {
            let disk = disk(seed);
            let path = Path::new("/d/file");
            let mut file = disk.open_append(path).unwrap();
            file.append(b"synced").unwrap();
            file.sync().unwrap();
            disk.sync_directory(Path::new("/d")).unwrap();
            file.append(b" and not").unwrap();
            disk.lose_power();
            assert!(disk.read(path).is_err(), "the power is off");
            disk.restore_power();
            let left = disk.read(path).unwrap();
            assert!(b"synced and not".starts_with(&left) && left.len() >= 6, "{left:?}");
            match left.len() {
                6 => lost += 1,
                14 => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(lost > 0 && torn > 0 && kept > 0, "lost {lost}, torn {torn}, kept {kept}");
    }

    #[test]
    fn a_name_is_durable_with_its_directory_and_a_rename_happens_or_not() {
        let (mut old, mut new) = (0, 0);
        for seed in 0..50 {
            let disk = disk(seed);
            let (from, to) = (Path::new("/d/a"), Path::new("/d/b"));
            for (path, text) in [(from, b"new"), (to, b"old")] {
                disk.write(path, text).unwrap();
                disk.sync_file(path).unwrap();
            }
            disk.sync_directory(Path::new("/d")).unwrap();
            disk.rename(from, to).unwrap();
            disk.lose_power();
            disk.restore_power();
            match disk.read(to).unwrap().as_slice() {
                b"old" => old += 1,
                _ => new += 1,
            }
            disk.rename(to, from).unwrap();
            disk.sync_directory(Path::new("/d")).unwrap();
            disk.lose_power();
            disk.restore_power();
            assert!(disk.exists(from) && !disk.exists(to));
        }
        assert!(old > 0 && new > 0);
    }

    #[test]
    fn after_a_failed_fsync_the_data_is_gone_even_if_a_later_one_succeeds() {
        let disk = disk(3);
        let path = Path::new("/d/file");
        let mut file = disk.open_append(path).unwrap();
        disk.sync_directory(Path::new("/d")).unwrap();
        file.append(b"data").unwrap();
        disk.fail_syncs(Some(Path::new("/d")));
        assert!(file.sync().is_err());
        disk.fail_syncs(None);
        file.sync().unwrap();
        disk.lose_power();
        disk.restore_power();
        assert_eq!(disk.read(path).unwrap(), [0; 4]);
    }

    #[test]
    fn the_power_can_go_between_a_write_and_its_sync() {
        let disk = disk(4);
        let path = Path::new("/d/file");
        let mut file = disk.open_append(path).unwrap();
        disk.lose_power_after(1);
        file.append(b"data").unwrap();
        assert!(file.sync().is_err() && !disk.is_powered());
    }
}
