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
        let config: Self = match toml::from_str(text) {
            Ok(config) => config,
            Err(error) => {
                // The table has told of strangers and gaps already, better than serde would.
                if faults.is_empty() {
                    let mut fault = syntax_fault(text, &error);
                    fault.path = fault.line.and_then(|line| lines.key_on(line)).unwrap_or_default().to_owned();
                    faults.push(fault);
                }
                return Err(invalid(faults));
            }
        };
        faults.extend(
            config.validate().into_iter().map(|fault| Fault { line: fault.line.or(lines.of(&fault.path)), ..fault }),
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
