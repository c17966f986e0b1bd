//! From a file to a checked configuration.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    fault::{ConfigError, Fault},
    locate::{Lines, syntax_fault},
    settings::SectionDoc,
};

/// A kind of configuration file.
pub trait Config: Serialize + DeserializeOwned {
    /// Its sections in the order of the sample.
    const SECTIONS: &'static [SectionDoc];

    /// Everything wrong with it, without looking at other files. Empty: it can be used.
    fn validate(&self) -> Vec<Fault>;

    /// Makes relative paths start at `directory` (that of the file), so that a node may be started from anywhere.
    fn resolve_paths(&mut self, directory: &Path);

    /// The configuration that the sample file shows.
    fn sample() -> Self;

    /// Reads and checks a text. `origin` names it in errors. Relative paths stay as they are.
    fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let invalid = |mut faults: Vec<Fault>| {
            faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
            ConfigError::Invalid { origin: origin.to_owned(), faults }
        };
        let (lines, tables) = Lines::read(text).map_err(|fault| invalid(vec![fault]))?;
        let mut faults = lines.strangers_and_gaps(&tables, Self::SECTIONS);
        let strangers: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        let config = match without(text, &strangers) {
            Ok(config) => config,
            // The table has told of strangers and gaps already, better than serde would.
            Err(_) if !faults.is_empty() => return Err(invalid(faults)),
            Err(error) => {
                let mut fault = syntax_fault(text, &error);
                fault.path = fault.line.and_then(|line| lines.key_on(line)).unwrap_or_default().to_owned();
                return Err(invalid(vec![fault]));
            }
        };
        faults.extend(
            Self::validate(&config)
                .into_iter()
                .map(|fault| Fault { line: fault.line.or(lines.of(&fault.path)), ..fault }),
        );
        if faults.is_empty() { Ok(config) } else { Err(invalid(faults)) }
    }

    /// Reads and checks a file; relative paths in it start at its directory.
    fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config = Self::parse(&text, &path.display().to_string())?;
        let path = std::path::absolute(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        config.resolve_paths(path.parent().unwrap_or(Path::new("/")));
        Ok(config)
    }

    /// As a file's text, without comments.
    fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has no keys but texts and no value that TOML lacks")
    }
}

/// Reads `text` as if it did not hold the keys of `strangers`, so that what else is wrong shows too.
fn without<C: Config>(text: &str, strangers: &[&str]) -> Result<C, toml::de::Error> {
    if strangers.is_empty() {
        return toml::from_str(text);
    }
    let mut table: toml::Table = toml::from_str(text)?;
    for path in strangers {
        let mut parts: Vec<&str> = path.split('.').collect();
        let key = parts.pop().unwrap_or_default();
        let parent = parts.into_iter().try_fold(&mut table, |table, part| {
            let (name, index) = part.split_once('[').map_or((part, None), |(name, index)| (name, Some(index)));
            let value = table.get_mut(name)?;
            let value = match index {
                None => value,
                Some(index) => value.get_mut(index.trim_end_matches(']').parse::<usize>().ok()?)?,
            };
            value.as_table_mut()
        });
        parent.and_then(|parent| parent.remove(key));
    }
    table.try_into()
}
