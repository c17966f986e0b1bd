//! The tool as people use it: the real `alertctl` against real nodes.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use alert_chaos::process::{LocalCluster, find};
use serde_json::Value;
use tempfile::TempDir;

/// How standard output is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Json,
}

/// Somebody at a desk with the tool, the cluster's client configurations, and a directory for files.
pub struct Desk<'a> {
    pub cluster: &'a LocalCluster,
    program: PathBuf,
    directory: TempDir,
}

impl<'a> Desk<'a> {
    pub fn new(cluster: &'a LocalCluster) -> Self {
        let program = find("alertctl", "alert-client").unwrap();
        Self { cluster, program, directory: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file; its path as an argument.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// The tool with the configuration of a client, not started yet.
    pub fn command(&self, client: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("ALERTCTL_CONFIG", self.cluster.client_config_path(client).unwrap())
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end, whatever that is.
    pub fn run(&self, client: &str, arguments: &[&str]) -> Ran {
        Ran::new(arguments, &self.command(client, arguments).output().unwrap())
    }

    /// Runs it, and it must succeed with data of the form that was asked for.
    pub fn done(&self, client: &str, form: Form, arguments: &[&str]) -> Ran {
        let mut arguments = arguments.to_vec();
        if form == Form::Json {
            arguments.extend(["-o", "json"]);
        }
        let ran = self.run(client, &arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_ne!(ran.data.trim(), "", "data goes to standard output: {ran:?}");
        match form {
            Form::Json => drop(ran.json()),
            Form::Table => assert!(serde_json::from_str::<Value>(&ran.data).is_err(), "a table is no JSON: {ran:?}"),
        }
        ran
    }

    /// Runs it, and it must end with `code`, say nothing on standard output, and `sentence` on standard error.
    pub fn refused(&self, client: &str, arguments: &[&str], code: i32, sentence: &str) {
        let ran = self.run(client, arguments);
        assert_eq!((ran.code, ran.data.as_str()), (code, ""), "{ran:?}");
        assert!(ran.talk.contains(sentence), "{sentence}: {ran:?}");
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Ran {
    /// What it was asked; shown when a test fails.
    #[expect(dead_code, reason = "for its Debug")]
    arguments: Vec<String>,
    pub code: i32,
    pub data: String,
    pub talk: String,
}

impl Ran {
    pub fn new(arguments: &[&str], output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            code: output.status.code().unwrap_or(-1),
            data: text(&output.stdout),
            talk: text(&output.stderr),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A value of JSON by its pointer, or the first cell of a table's first row, or what stands beside `label`.
    pub fn value(&self, form: Form, pointer: &str, label: &str) -> String {
        match form {
            Form::Json => match self.json().pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => panic!("no {pointer}: {self:?}"),
            },
            Form::Table if label.is_empty() => {
                let row = self.data.lines().nth(1).unwrap_or_else(|| panic!("no row: {self:?}"));
                row.split_whitespace().next().unwrap_or_default().to_owned()
            }
            Form::Table => {
                let line = self.data.lines().find_map(|line| line.strip_prefix(label));
                line.unwrap_or_else(|| panic!("no {label}: {self:?}")).trim().to_owned()
            }
        }
    }

    /// Shows all of this, in whatever form: people get codes in capitals and without hyphens.
    pub fn shows(self, words: &[&str]) -> Self {
        let fold = |text: &str| text.to_lowercase().replace('-', " ");
        let data = fold(&self.data);
        for word in words {
            assert!(data.contains(&fold(word)), "{word}: {self:?}");
        }
        self
    }
}
