//! Person search, against what a team would build on PostgreSQL: trigrams (`pg_trgm`) with the year of birth, with the exact
//! date, and without a date; and double metaphone of two words of the name with the year (`fuzzystrmatch`).
//!
//! One server and one node of ours, the same persons, the same questions. Rates are of strangers, whom nearly every search is
//! about; recall is of persons in the store whose name was typed with one error.

use std::{collections::HashSet, path::Path, sync::Arc};

use alert_client::AlertClient;
use alert_cluster_config::identity::roles;
use alert_peers::{Postgres, PostgresSettings};
use alert_proto::v1 as pb;
use alert_synth::{
    Generator,
    perturb::{Fault, Perturb},
    query::{name_parts, person_query, sorted_words},
};
use futures::future::BoxFuture;
use tokio_postgres::{
    Client, Statement,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::{CompareOptions, Rounds, rounds::Contender, skip};
use crate::{
    load::{Done, Work},
    report::{Report, Table},
    row,
    target::{Records, Target},
};

/// Calls at once, and connections, on both sides: PostgreSQL answers one query at a time on each.
const CLIENTS: usize = 8;
/// Different strangers asked for.
const STRANGERS: u64 = 4096;
/// Persons of the store asked for with a typing error.
const ASKED: u64 = 300;
/// So many first answers may hold the person.
const SHOWN: usize = 50;

/// Names in lower case with their words sorted, as anybody would store them; an unknown part of a date is 0.
const TABLES: &str = "
    CREATE EXTENSION pg_trgm; CREATE EXTENSION fuzzystrmatch;
    CREATE TABLE person (number int8 NOT NULL, name text NOT NULL, year int4 NOT NULL, born int4 NOT NULL);
";
const INDEXES: &str = "
    CREATE INDEX ON person USING gin (name gin_trgm_ops);
    CREATE INDEX ON person (year);
    CREATE INDEX ON person (born);
    CREATE TABLE pair AS
        SELECT DISTINCT number, least(x.code, y.code) AS a, greatest(x.code, y.code) AS b, year
        FROM (SELECT number, year, array_agg(dmetaphone(word)) AS codes
              FROM (SELECT ctid AS row, number, year, regexp_split_to_table(name, ' ') AS word FROM person) AS words
              GROUP BY row, number, year) AS coded,
             unnest(codes) WITH ORDINALITY AS x(code, i), unnest(codes) WITH ORDINALITY AS y(code, j)
        WHERE i < j;
    CREATE INDEX ON pair (a, b, year);
    ANALYZE;
";

/// A way of asking PostgreSQL. `$1`: the sorted name, `$2`: the year, `$3`: the date.
const WAYS: [(&str, &str); 4] = [
    (
        "pg_trgm, year within one",
        "SELECT number FROM person WHERE name % $1 AND year BETWEEN $2 - 1 AND $2 + 1 AND $3 = $3
         ORDER BY similarity(name, $1) DESC LIMIT 50",
    ),
    (
        "pg_trgm, exact date",
        "SELECT number FROM person WHERE name % $1 AND born = $3 AND $2 = $2
         ORDER BY similarity(name, $1) DESC LIMIT 50",
    ),
    (
        "pg_trgm, name alone",
        "SELECT number FROM person WHERE name % $1 AND $2 = $2 AND $3 = $3
         ORDER BY similarity(name, $1) DESC LIMIT 50",
    ),
    (
        "dmetaphone of two words, year within one",
        "SELECT DISTINCT pair.number FROM pair,
             (SELECT DISTINCT least(x.code, y.code) AS a, greatest(x.code, y.code) AS b
              FROM (SELECT dmetaphone(word) AS code, i
                    FROM regexp_split_to_table($1, ' ') WITH ORDINALITY AS w(word, i)) AS x,
                   (SELECT dmetaphone(word) AS code, i
                    FROM regexp_split_to_table($1, ' ') WITH ORDINALITY AS w(word, i)) AS y
              WHERE x.i < y.i) AS asked
         WHERE pair.a = asked.a AND pair.b = asked.b AND pair.year BETWEEN $2 - 1 AND $2 + 1 AND $3 = $3 LIMIT 50",
    ),
];
/// Similarity from which a trigram match counts; the extension's own 0.3 shows hundreds.
const SIMILAR_MIN: &str = "SET pg_trgm.similarity_threshold = 0.5";

/// All of them, in turns.
pub(super) async fn compare(
    directory: &Path,
    records: &Records,
    options: &CompareOptions,
    report: &mut Report,
) -> anyhow::Result<()> {
    let postgres = match Postgres::start(directory, &PostgresSettings::default()).await {
        Ok(postgres) => postgres,
        Err(error) => return skip(report, error),
    };
    load(&postgres.connect().await?, records, options.persons).await?;
    let target = Target::start(1, Some(directory)).await?;
    target.import(futures::stream::iter(records.mixed(0..options.persons, 0..0))).await?;

    let strangers = questions(&Generator::new(0x57a6), 0..STRANGERS, None);
    let typed = questions(records.generator(), 0..options.persons, Some(&Perturb::new(77)));
    let step = (typed.len() / ASKED as usize).max(1);
    let typed: Vec<_> = typed.into_iter().step_by(step).take(ASKED as usize).collect();

    let mut found = Table::new(
        "Persons of the store, one typing error in the name, whole date",
        &["what", "asked", "found %", "others shown, each search"],
    );
    let mut contenders = Vec::new();
    for (name, dated) in [("this store, name and date", true), ("this store, name alone", false)] {
        let clients = target.clients(roles::SEARCH, CLIENTS)?;
        let ours = Ours { clients, questions: asked(&strangers, dated) };
        let (hits, others) = ours.recall(&asked(&typed, dated), records).await?;
        found.push(row![name, typed.len() as u64, hits, others]);
        contenders.push(Contender::new(name, Arc::new(ours), target.pids()));
    }
    for (name, select) in WAYS {
        let mut sessions = Vec::new();
        for _ in 0..CLIENTS {
            let client = postgres.connect().await?;
            client.batch_execute(SIMILAR_MIN).await?;
            let statement = client.prepare_typed(select, &[Type::TEXT, Type::INT4, Type::INT4]).await?;
            sessions.push((client, statement));
        }
        let theirs = Theirs { sessions, questions: strangers.clone() };
        let (hits, others) = theirs.recall(&typed).await?;
        found.push(row![name, typed.len() as u64, hits, others]);
        contenders.push(Contender::new(name, Arc::new(theirs), postgres.pids()));
    }
    let title = format!("Searches for strangers among {} persons, {CLIENTS} at once, one server each", options.persons);
    let rounds = Rounds { clients: CLIENTS, rounds: options.rounds, time: options.time };
    report.table(rounds.run(&title, contenders, Some(2)).await?);
    report.table(found);
    report.note("PostgreSQL speaks over a Unix socket, in plain text, with prepared statements, and keeps no audit.");
    Ok(())
}

async fn load(client: &Client, records: &Records, persons: u64) -> anyhow::Result<()> {
    client.batch_execute(TABLES).await?;
    let sink = client.copy_in("COPY person (number, name, year, born) FROM STDIN BINARY").await?;
    let columns = [Type::INT8, Type::TEXT, Type::INT4, Type::INT4];
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &columns));
    for number in 0..persons {
        for (name, year, born) in rows(&records.person(number)) {
            let row: [&(dyn ToSql + Sync); 4] = [&(number as i64), &name, &year, &born];
            writer.as_mut().write(&row).await?;
        }
    }
    writer.as_mut().finish().await?;
    client.batch_execute(INDEXES).await?;
    Ok(())
}

/// Every name of a record with every date that goes with it.
fn rows(alert: &pb::Alert) -> HashSet<(String, i32, i32)> {
    let identities = alert.identities.iter().flat_map(|section| &section.identities);
    let all = identities.flat_map(|identity| {
        let own = identity.birth_dates.iter();
        let mut dates: Vec<(i32, i32)> = own.map(|date| date_of(date.year, date.month, date.day)).collect();
        if dates.is_empty() {
            dates.push((0, 0));
        }
        let names: Vec<String> = identity.names.iter().map(|form| sorted_words(&name_parts(form))).collect();
        names
            .into_iter()
            .flat_map(move |name| dates.clone().into_iter().map(move |(year, born)| (name.clone(), year, born)))
    });
    all.collect()
}

/// (year, the date as one number); 0 = unknown.
fn date_of(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> (i32, i32) {
    let (year, month, day) = (year.unwrap_or(0), month.unwrap_or(0), day.unwrap_or(0));
    (year as i32, (year * 10_000 + month * 100 + day) as i32)
}

/// A question to both sides.
#[derive(Clone)]
struct Asked {
    /// Who is meant, where it is somebody in the store.
    number: u64,
    query: pb::PersonQuery,
    name: String,
    year: i32,
    born: i32,
}

/// Of those persons who have a name of two words and a whole date, by these alone.
fn questions(generator: &Generator, numbers: std::ops::Range<u64>, perturb: Option<&Perturb>) -> Vec<Asked> {
    let made = numbers.filter_map(|number| {
        let alert = generator.person(number);
        let mut query = person_query(alert.identities.as_ref()?.identities.first()?)?;
        (query.gender, query.nationalities) = (None, Vec::new());
        query.birth_date.and_then(|date| date.day)?;
        if let Some(perturb) = perturb {
            query = perturb.apply(Fault::TypingError, number, &query)?;
        }
        let name = sorted_words(&query.names);
        let date = query.birth_date?;
        let (year, born) = date_of(date.year, date.month, date.day);
        name.contains(' ').then_some(Asked { number, query, name, year, born })
    });
    made.collect()
}

/// With or without the date.
fn asked(questions: &[Asked], dated: bool) -> Vec<Asked> {
    let mut questions = questions.to_vec();
    if !dated {
        questions.iter_mut().for_each(|question| question.query.birth_date = None);
    }
    questions
}

/// Counts hits and others, both for each question.
#[derive(Default)]
struct Tally {
    hits: usize,
    others: usize,
}

impl Tally {
    fn add(&mut self, shown: usize, hit: bool) {
        self.hits += usize::from(hit);
        self.others += shown - usize::from(hit);
    }

    /// (found in a hundred, others in each).
    fn of(&self, asked: usize) -> (f64, f64) {
        (100.0 * self.hits as f64 / asked as f64, self.others as f64 / asked as f64)
    }
}

struct Ours {
    clients: Vec<AlertClient>,
    questions: Vec<Asked>,
}

impl Ours {
    async fn ask(&self, client: usize, question: &Asked) -> anyhow::Result<Vec<pb::Candidate>> {
        let request = pb::SearchRequest {
            query: Some(pb::Query { person: Some(question.query.clone()), ..Default::default() }),
            ..Default::default()
        };
        let answer = self.clients[client % self.clients.len()].search(request).await?;
        Ok(answer.sources.into_iter().flat_map(|source| source.candidates).collect())
    }

    async fn recall(&self, questions: &[Asked], records: &Records) -> anyhow::Result<(f64, f64)> {
        let mut tally = Tally::default();
        for question in questions {
            let wanted = records.person(question.number);
            let reference = |source: Option<&pb::Source>| source.map(|source| source.reference.clone());
            let wanted = reference(wanted.core.as_ref().and_then(|core| core.source.as_ref()));
            let shown = self.ask(0, question).await?;
            let hit = shown.iter().take(SHOWN).any(|candidate| reference(candidate.source.as_ref()) == wanted);
            tally.add(shown.len(), hit);
        }
        Ok(tally.of(questions.len()))
    }
}

impl Work for Ours {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let question = &self.questions[number as usize % self.questions.len()];
            self.ask(client, question).await.map(|_| Done::one("search")).map_err(|error| error.to_string())
        })
    }
}

struct Theirs {
    sessions: Vec<(Client, Statement)>,
    questions: Vec<Asked>,
}

impl Theirs {
    async fn ask(&self, client: usize, question: &Asked) -> anyhow::Result<Vec<i64>> {
        let (client, statement) = &self.sessions[client % self.sessions.len()];
        let rows = client.query(statement, &[&question.name, &question.year, &question.born]).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn recall(&self, questions: &[Asked]) -> anyhow::Result<(f64, f64)> {
        let mut tally = Tally::default();
        for question in questions {
            // A person may stand there with several names.
            let shown: HashSet<i64> = self.ask(0, question).await?.into_iter().collect();
            tally.add(shown.len(), shown.contains(&(question.number as i64)));
        }
        Ok(tally.of(questions.len()))
    }
}

impl Work for Theirs {
    fn once(&self, client: usize, number: u64) -> BoxFuture<'_, Result<Done, String>> {
        Box::pin(async move {
            let question = &self.questions[number as usize % self.questions.len()];
            self.ask(client, question).await.map(|_| Done::one("search")).map_err(|error| error.to_string())
        })
    }
}
