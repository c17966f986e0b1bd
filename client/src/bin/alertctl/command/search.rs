//! `alertctl search`.

use alert_client::{pb, present};
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    App,
    arguments::{code_if, partial_date, party},
    exit::{Exit, Failure},
};

/// Arguments of `search`.
#[derive(Args)]
pub struct Search {
    /// Candidates at most; default: as the search profile says.
    #[arg(long, global = true, default_value_t = 0, hide_default_value = true)]
    max: u32,
    /// Sources to ask; default: all that you may ask.
    #[arg(long = "source", global = true)]
    sources: Vec<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// By name, in any order and script, and date of birth.
    Person {
        /// Names; each argument one or more parts.
        #[arg(required = true)]
        names: Vec<String>,
        /// Date of birth: 1990-05-17, 1990-05, 1990, 1990-??-17.
        #[arg(long, value_parser = partial_date)]
        born: Option<pb::PartialDate>,
        /// A value of the code list "gender".
        #[arg(long)]
        gender: Option<String>,
        /// Nationality; may be given several times.
        #[arg(long = "nationality")]
        nationalities: Vec<String>,
        /// Gender and nationality filter instead of weighing.
        #[arg(long)]
        strict: bool,
        /// Names may be cut short, as in a machine-readable zone.
        #[arg(long)]
        cut: bool,
    },
    /// By the number of an identity document.
    Document {
        /// The number.
        number: String,
        /// A value of the code list "document-type".
        #[arg(long = "type")]
        kind: Option<String>,
        /// Issuing country.
        #[arg(long)]
        country: Option<String>,
    },
    /// By a machine-readable zone; finds the document and its holder.
    Mrz {
        /// Its lines, each one argument.
        #[arg(required = true, num_args = 1..=3)]
        lines: Vec<String>,
    },
    /// By vehicle identification number (whole or last 8), plate or engine number.
    Vehicle {
        /// Vehicle identification number.
        #[arg(long, required_unless_present_any = ["plate", "engine"])]
        vin: Option<String>,
        /// Number plate.
        #[arg(long)]
        plate: Option<String>,
        /// Country of the plate.
        #[arg(long, requires = "plate")]
        country: Option<String>,
        /// Engine number.
        #[arg(long)]
        engine: Option<String>,
        /// Make: narrows.
        #[arg(long)]
        make: Option<String>,
        /// Model: narrows.
        #[arg(long)]
        model: Option<String>,
    },
    /// By the serial or other number of an object.
    Object {
        /// The number.
        number: String,
        /// A value of the code list "object-class".
        #[arg(long)]
        class: Option<String>,
        /// Make: narrows.
        #[arg(long)]
        make: Option<String>,
        /// Model: narrows.
        #[arg(long)]
        model: Option<String>,
        /// Calibre, for firearms: narrows.
        #[arg(long)]
        calibre: Option<String>,
        /// Currency (ISO 4217), for banknotes.
        #[arg(long)]
        currency: Option<String>,
        /// Denomination, for banknotes.
        #[arg(long)]
        denomination: Option<String>,
    },
    /// By any number, among every kind of number of every alert.
    Number {
        /// The number.
        number: String,
    },
}

pub async fn run(app: &App, search: Search) -> Result<Exit, Failure> {
    // Chosen here and not by the client, so that it can be told: a report of a hit names it.
    let search_id = Uuid::now_v7().to_string();
    let request = pb::SearchRequest {
        context: Some(pb::CallContext { search_id: search_id.clone(), ..Default::default() }),
        query: Some(query(search.what)),
        max_candidates: search.max,
        sources: search.sources,
        ..Default::default()
    };
    let answer = app.client.search(request).await?;
    app.output.message(&answer, present::search)?;
    eprintln!("search id {search_id}");
    let complete = present::verdict(&answer.sources).is_complete();
    Ok(if complete { Exit::Ok } else { Exit::Partial })
}

fn query(what: What) -> pb::Query {
    match what {
        What::Person { names, born, gender, nationalities, strict, cut } => pb::Query {
            person: Some(pb::PersonQuery {
                names,
                birth_date: born,
                gender: code_if("gender", gender),
                nationalities: nationalities.into_iter().map(party).collect(),
                strict,
                names_may_be_cut: cut,
                ..Default::default()
            }),
            ..Default::default()
        },
        What::Document { number, kind, country } => pb::Query {
            document: Some(pb::DocumentQuery {
                number,
                r#type: code_if("document-type", kind),
                issuing_country: country.map(party),
            }),
            ..Default::default()
        },
        What::Mrz { lines } => pb::Query { mrz: lines.join("\n"), ..Default::default() },
        What::Vehicle { vin, plate, country, engine, make, model } => pb::Query {
            vehicle: Some(pb::VehicleQuery {
                vin: vin.unwrap_or_default(),
                plate: plate.map(|number| pb::NumberPlate { number, country: country.map(party) }),
                engine_number: engine.unwrap_or_default(),
                make: code_if("vehicle-make", make),
                model: model.unwrap_or_default(),
            }),
            ..Default::default()
        },
        What::Object { number, class, make, model, calibre, currency, denomination } => pb::Query {
            object: Some(pb::ObjectQuery {
                class: code_if("object-class", class),
                number,
                make: code_if("make", make),
                model: model.unwrap_or_default(),
                calibre: code_if("calibre", calibre),
                currency: currency.unwrap_or_default(),
                denomination: denomination.unwrap_or_default(),
            }),
            ..Default::default()
        },
        What::Number { number } => pb::Query { any_number: number, ..Default::default() },
    }
}
