//! `alert-synth`: synthetic alerts as newline-delimited JSON on standard output.

use std::io::{self, BufWriter, Write};

use alert_synth::{Generator, json::JsonWriter, known};
use clap::Parser;

/// Synthetic alerts as newline-delimited JSON (the protobuf JSON mapping of alertstore.v1.Alert), one a line.
///
/// The same seed and numbers give the same lines, on any machine.
#[derive(Debug, Parser)]
#[command(name = "alert-synth", version)]
struct Arguments {
    /// Names the set of records.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many person alerts, known ones included.
    #[arg(long, default_value_t = 0)]
    persons: u64,
    /// How many object alerts, known ones included.
    #[arg(long, default_value_t = 0)]
    objects: u64,
    /// Number of the first generated person and object, for a file made in shards.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Begin with the fixed records that the demo looks for; they count among the persons and objects.
    #[arg(long)]
    known: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match write(&arguments, BufWriter::with_capacity(1 << 20, io::stdout().lock())) {
        // The reader has enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn write(arguments: &Arguments, mut out: impl Write) -> io::Result<()> {
    let (generator, writer) = (Generator::new(arguments.seed), JsonWriter::new());
    let (mut persons, mut objects) = (arguments.persons, arguments.objects);
    if arguments.known {
        for record in known::records() {
            let count = if record.alert.identities.is_some() { &mut persons } else { &mut objects };
            *count = count.saturating_sub(1);
            writer.write(&record.alert, &mut out)?;
        }
    }
    for number in arguments.first..arguments.first + persons {
        writer.write(&generator.person(number), &mut out)?;
    }
    for number in arguments.first..arguments.first + objects {
        writer.write(&generator.object(number), &mut out)?;
    }
    out.flush()
}
