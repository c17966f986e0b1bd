//! The disk behind the node's seam for files.

use std::{
    io,
    path::{Path, PathBuf},
};

use alert_node::seam::{AppendFile, FileInfo, FileSystem};

use super::{
    SimDisk,
    platter::{Entry, NameChange, missing},
};

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
