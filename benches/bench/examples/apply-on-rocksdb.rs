//! What a new object alert costs to apply, and an exact search without a hit to answer, on RocksDB alone: one thread, no
//! node, no disk to wait for. Counts what either asks of the engine, and takes the filters of the index families as it is
//! told, so that two ways can be compared in turns.
//! `cargo run --release -p alert-bench --example apply-on-rocksdb -- --stored 20000 --alerts 4000 --searches 20000`

use std::{cell::Cell, sync::Arc};

use alert_core::{
    alert::{AlertId, Caller, Label, LabelId, Role, RuleSet, Viewer},
    codec,
    search::{self, LabelSource, Normaliser, SearchLimits, index::prefix_length, query},
    state::{
        self, Caches, Cursor, View, ViewError, Write,
        command::{Batch, Command, Proposal, RequestKey},
        family::Family,
        founding, read_label,
    },
};
use alert_proto::v1 as pb;
use alert_synth::{Generator, codes};
use clap::Parser;
use prost::Message;
use rocksdb::{
    BlockBasedOptions, ColumnFamilyDescriptor, DB, DBRawIterator, Options, ReadOptions, SliceTransform, Snapshot,
    WriteBatch,
};

/// Any moment after those of the synthetic records.
const NOW_MS: u64 = 1_790_000_000_000;
/// Callers whose request ids grow beside each other.
const SESSIONS: u64 = 64;
const MIB: usize = 1024 * 1024;

#[derive(Parser)]
struct Arguments {
    /// Alerts that are there before anything is measured.
    #[arg(long, default_value_t = 20_000)]
    stored: u64,
    /// Alerts that are measured.
    #[arg(long, default_value_t = 4000)]
    alerts: u64,
    /// Exact searches that are measured.
    #[arg(long, default_value_t = 20_000)]
    searches: usize,
    /// Alerts in one log entry.
    #[arg(long, default_value_t = 40)]
    together: u64,
    /// Filters of the index families hold whole keys beside their prefixes.
    #[arg(long)]
    whole_keys: bool,
    /// Bits of the filter of an index family's table in memory, as a part of its 32 MiB.
    #[arg(long, default_value_t = 0.02)]
    filter_ratio: f64,
}

fn open(path: &std::path::Path, arguments: &Arguments) -> DB {
    let family = |family: &Family| {
        let (mut options, mut table) = (Options::default(), BlockBasedOptions::default());
        table.set_bloom_filter(10.0, false);
        let prefix = prefix_length(*family);
        options.set_write_buffer_size(32 * MIB);
        options.set_memtable_whole_key_filtering(prefix.is_none() || arguments.whole_keys);
        options.set_memtable_prefix_bloom_ratio(0.02);
        if let Some(length) = prefix {
            table.set_whole_key_filtering(arguments.whole_keys);
            options.set_memtable_prefix_bloom_ratio(arguments.filter_ratio);
            options.set_prefix_extractor(SliceTransform::create_fixed_prefix(length));
        }
        options.set_block_based_table_factory(&table);
        ColumnFamilyDescriptor::new(family.name(), options)
    };
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    let default = ColumnFamilyDescriptor::new("default", Options::default());
    let families = Family::ALL.iter().map(family).chain([default]);
    DB::open_cf_descriptors(&options, path, families).expect("an empty directory opens")
}

fn handle(db: &DB, family: Family) -> &rocksdb::ColumnFamily {
    db.cf_handle(family.name()).expect("every family was made")
}

fn write(db: &DB, writes: Vec<Write>) {
    let families: Vec<_> = Family::ALL.iter().map(|family| handle(db, *family)).collect();
    let bytes = |(_, key, value): &Write| 8 + key.len() + value.as_ref().map_or(0, Vec::len);
    let mut batch = WriteBatch::with_capacity_bytes(writes.iter().map(bytes).sum());
    for (family, key, value) in writes {
        match value {
            Some(value) => batch.put_cf(families[family as usize], key, value),
            None => batch.delete_cf(families[family as usize], key),
        }
    }
    db.write(batch).expect("the disk takes it");
}

/// What was asked of the engine.
#[derive(Default)]
struct Asked {
    gets: Cell<u64>,
    cursors: Cell<u64>,
    seeks: Cell<u64>,
}

fn one_more(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

struct Moment<'a> {
    db: &'a DB,
    snapshot: Snapshot<'a>,
    options: ReadOptions,
    asked: &'a Asked,
}

impl<'a> Moment<'a> {
    fn new(db: &'a DB, asked: &'a Asked) -> Self {
        let snapshot = db.snapshot();
        let mut options = ReadOptions::default();
        options.set_snapshot(&snapshot);
        Self { db, snapshot, options, asked }
    }

    fn iterator(&self, family: Family, within_prefix: bool) -> DBRawIterator<'_> {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        options.set_prefix_same_as_start(within_prefix);
        options.set_total_order_seek(!within_prefix);
        self.db.raw_iterator_cf_opt(handle(self.db, family), options)
    }
}

impl View for Moment<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ViewError> {
        one_more(&self.asked.gets);
        let found = self.db.get_pinned_cf_opt(handle(self.db, family), key, &self.options);
        Ok(found.map_err(|error| ViewError(error.to_string()))?.map(|value| value.to_vec()))
    }

    fn cursor(&self, family: Family) -> Box<dyn Cursor + '_> {
        one_more(&self.asked.cursors);
        Box::new(Walk { moment: self, family, iterator: None, prefix: Vec::new(), valid: false })
    }
}

/// A cursor that is used for prefixes of one kind only: long enough for the filter, or not.
struct Walk<'a> {
    moment: &'a Moment<'a>,
    family: Family,
    iterator: Option<DBRawIterator<'a>>,
    prefix: Vec<u8>,
    valid: bool,
}

impl<'a> Walk<'a> {
    fn step(&mut self, step: impl FnOnce(&mut DBRawIterator<'a>)) {
        let within_prefix = prefix_length(self.family).is_some_and(|length| self.prefix.len() >= length);
        let iterator = self.iterator.get_or_insert_with(|| self.moment.iterator(self.family, within_prefix));
        step(iterator);
        self.valid = iterator.key().is_some_and(|key| key.starts_with(&self.prefix));
    }
}

impl Cursor for Walk<'_> {
    fn seek(&mut self, key: &[u8], prefix: &[u8]) -> Result<(), ViewError> {
        one_more(&self.moment.asked.seeks);
        prefix.clone_into(&mut self.prefix);
        self.step(|iterator| iterator.seek(key));
        Ok(())
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.iterator.as_ref().filter(|_| self.valid)?.item()
    }

    fn next(&mut self) -> Result<(), ViewError> {
        if self.valid {
            self.step(DBRawIterator::next);
        }
        Ok(())
    }
}

struct Labels<'a>(&'a dyn View);

impl LabelSource for Labels<'_> {
    fn label(&self, id: LabelId) -> Result<Arc<Label>, ViewError> {
        read_label(self.0, id)
    }
}

fn caller(role: Role) -> Caller {
    Caller { country: "GB".into(), authority: "nca".into(), system: "bench".into(), role }
}

fn proposal(generator: &Generator, number: u64) -> Proposal {
    let mut alert = generator.object(number);
    if let Some(owner) = alert.core.as_mut().and_then(|core| core.owner.as_mut()) {
        owner.party = codes::party("GB");
        owner.authority = codes::some_code("authority", "nca");
    }
    let id = AlertId::from_time_and_random(NOW_MS + number, [(number * 37 % 251) as u8; 10]);
    let content = pb::Alert { id: String::new(), lifecycle: None, ..alert }.encode_to_vec();
    let session = [(number % SESSIONS) as u8; 16];
    Proposal {
        caller: Some(caller(Role::Bureau)),
        request: Some(RequestKey { session, sequence: 1 + number / SESSIONS, content_hash: [2; 16] }),
        rules_revision: 0,
        command: Command::Create { id, alert: content, as_draft: false },
    }
}

/// A number or a plate that no alert is about.
fn question(number: u64) -> pb::Query {
    let text = format!("{:016X}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    if number.is_multiple_of(2) {
        return pb::Query { any_number: text[..9].into(), ..Default::default() };
    }
    let plate = pb::NumberPlate { number: text[..7].into(), country: codes::party("GB") };
    pb::Query { vehicle: Some(pb::VehicleQuery { plate: Some(plate), ..Default::default() }), ..Default::default() }
}

/// Processor time of this thread, in microseconds.
fn processor_us() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    said.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("schedstat begins with nanoseconds") / 1000.0
}

fn main() {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = open(directory.path(), &arguments);
    let asked = Asked::default();
    let mut caches = Caches::default();
    let mut keys = 0;
    let mut apply = |entry: &[u8]| {
        let batch: Batch = codec::decode(entry).expect("encoded here");
        let moment = Moment::new(&db, &asked);
        let effects = state::apply(&moment, &mut caches, &[batch]).expect("RocksDB reads");
        assert!(effects.answers.iter().flatten().all(Result::is_ok), "a synthetic record was refused");
        keys += effects.writes.len();
        write(&db, effects.writes);
    };
    let entry = |proposals| codec::encode(&Batch { proposed_at_ms: NOW_MS, proposals });
    apply(&entry(vec![Proposal { caller: None, request: None, rules_revision: 0, command: founding() }]));

    let generator = Generator::new(1);
    let numbers: Vec<u64> = (0..arguments.stored + arguments.alerts).collect();
    let chunk = |numbers: &[u64]| entry(numbers.iter().map(|number| proposal(&generator, *number)).collect());
    let together = usize::try_from(arguments.together).unwrap_or(1).max(1);
    let entries: Vec<Vec<u8>> = numbers.chunks(together).map(chunk).collect();
    let (stored, measured) = entries.split_at(arguments.stored as usize / together);
    stored.iter().for_each(|entry| apply(entry));
    let before = processor_us();
    measured.iter().for_each(|entry| apply(entry));
    let apply_us = (processor_us() - before) / arguments.alerts.max(1) as f64;
    let of = |count: u64| count as f64 / numbers.len().max(1) as f64;
    println!(
        "apply: {apply_us:.2} us an alert; {:.2} gets, {:.2} cursors, {:.2} seeks, {:.2} keys",
        of(asked.gets.get()),
        of(asked.cursors.get()),
        of(asked.seeks.get()),
        of(keys as u64)
    );

    let asked = Asked::default();
    let moment = Moment::new(&db, &asked);
    let rules = RuleSet::defaults();
    let viewer = Viewer::of_authority(caller(Role::Search), None, &rules);
    let queries: Vec<_> = (0..1024)
        .map(|number| query::parse(&question(number), 2026, Normaliser::default()).expect("it is a question"))
        .collect();
    let before = processor_us();
    for query in queries.iter().cycle().take(arguments.searches) {
        let (labels, limits) = (Labels(&moment), SearchLimits::default());
        let found = search::run(&moment, query, &viewer, &labels, rules.search_profile(), limits);
        assert!(found.expect("RocksDB reads").found.is_empty(), "a question about nobody has a hit");
    }
    let each = arguments.searches.max(1) as f64;
    let search_us = (processor_us() - before) / each;
    println!("search: {search_us:.2} us; {:.2} seeks", asked.seeks.get() as f64 / each);
}
