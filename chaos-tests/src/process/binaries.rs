//! Where the programs are: beside the program that runs, as cargo lays them, or where the environment says.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The programs that a cluster needs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The server.
    pub alertd: PathBuf,
}

impl Binaries {
    /// Finds them; the error says how to build the missing one.
    pub fn find() -> anyhow::Result<Self> {
        Ok(Self { alertd: find("alertd", "alert-node")? })
    }
}

/// Finds the program `name` of the crate `package`: at NAME_BIN (for example ALERTD_BIN), or in cargo's directory of
/// the build that the running program belongs to.
pub fn find(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    locate(name, Path::new(name), &format!("-p {package} --bin {name}"))
}

/// The same for an example of the crate `package`, at NAME_BIN as well.
pub fn find_example(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    locate(name, &Path::new("examples").join(name), &format!("-p {package} --example {name}"))
}

/// `below`: its path below cargo's directory of a build. `built_by`: what builds it.
fn locate(name: &str, below: &Path, built_by: &str) -> anyhow::Result<PathBuf> {
    let variable = format!("{}_BIN", name.to_uppercase().replace('-', "_"));
    if let Some(path) = env::var_os(&variable).map(PathBuf::from) {
        if path.is_file() {
            return Ok(path);
        }
        bail!("{variable} names {}, where no such program is", path.display());
    }
    let this = env::current_exe().context("the path of the running program")?;
    let directory = build_directory(&this);
    let path = directory.join(below);
    if path.is_file() {
        return Ok(path);
    }
    bail!("{name} is not in {}: build it with `cargo build {built_by}`, or name it in {variable}", directory.display())
}

/// Programs lie in target/PROFILE, tests below it in deps/, examples in examples/.
fn build_directory(program: &Path) -> &Path {
    let directory = program.parent().unwrap_or(Path::new("."));
    match directory.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => directory.parent().unwrap_or(directory),
        _ => directory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_sought_beside_the_build_that_runs() {
        for program in ["/target/debug/alert-demo", "/target/debug/deps/cluster-1a2b", "/target/debug/examples/show"] {
            assert_eq!(build_directory(Path::new(program)), Path::new("/target/debug"));
        }
    }

    #[test]
    fn a_missing_program_is_told_with_how_to_build_it() {
        let error = find("no-such-program", "alert-node").unwrap_err().to_string();
        assert!(error.contains("`cargo build -p alert-node --bin no-such-program`"), "{error}");
        assert!(error.contains("NO_SUCH_PROGRAM_BIN"), "{error}");
    }
}
