//! Searches as a person would make them, and what each must find.

use std::time::Instant;

use alert_client::{AlertClient, present};
use alert_proto::v1 as pb;
use alert_synth::{codes, known};
use anyhow::{Context, bail};

use super::{
    load::partner_name,
    stage::{Stage, milliseconds},
};
use crate::process::LocalCluster;

/// Value of the code list "purpose" for whoever searches here.
pub(super) const PURPOSE: &str = "border-control";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Partner,
    UnitedKingdom,
}

struct Question {
    scene: &'static str,
    asker: Asker,
    query: pb::Query,
    /// The source reference of the alert that must be found; `None`: nothing must be.
    finds: Option<String>,
}

fn questions() -> Vec<Question> {
    let asks = |scene, asker, known: known::Known| {
        let source = known.alert.core.and_then(|core| core.source).unwrap_or_default();
        Question { scene, asker, query: known.query, finds: Some(source.reference) }
    };
    let partner = Asker::Partner;
    vec![
        asks("A passport, reported stolen", partner, known::stolen_passport()),
        asks(
            "A passport fresh from the printer: no alert knows its number, but its holder is wanted",
            partner,
            known::wanted_holder(),
        ),
        asks("A car, by its chassis number", partner, known::stolen_car()),
        asks("A van, by its plate, typed without the space", partner, known::stolen_van()),
        asks("A traveller, the name typed wrongly, with the date of birth", partner, known::misspelt()),
        asks("A person under a discreet check, asked for by a British officer", Asker::UnitedKingdom, known::covert()),
        Question { finds: None, ..asks("The same person, asked for by the partner", partner, known::covert()) },
        Question { scene: "Somebody of whom nothing is known", asker: partner, query: known::no_hit(), finds: None },
    ]
}

/// The partner's client, ready to search.
pub(super) fn partner(cluster: &LocalCluster) -> anyhow::Result<AlertClient> {
    searcher(cluster, &partner_name())
}

fn searcher(cluster: &LocalCluster, name: &str) -> anyhow::Result<AlertClient> {
    Ok(cluster.client(name)?.with_defaults(|defaults| defaults.purpose = PURPOSE.to_owned()))
}

/// Asks all of them.
pub(super) async fn ask(cluster: &LocalCluster, stage: &mut Stage) -> anyhow::Result<()> {
    stage.heading("Searches, through the client crate");
    let (partner, domestic) = (partner(cluster)?, searcher(cluster, "search")?);
    for question in questions() {
        let (client, who) = match question.asker {
            Asker::Partner => (&partner, format!("{} asks", codes::country_name(known::PARTNER))),
            Asker::UnitedKingdom => (&domestic, "the United Kingdom asks".to_owned()),
        };
        stage.line(question.scene);
        stage.line(&format!("> {who}: {}", in_words(&question.query)));
        let started = Instant::now();
        let request = pb::SearchRequest { query: Some(question.query.clone()), ..Default::default() };
        let answer = client.search(request).await.with_context(|| question.scene.to_owned())?;
        let time = started.elapsed();
        stage.block(&present::search(&answer));
        stage.block(&format!("answered in {}", milliseconds(time)));
        stage.gap();
        judge(&question, &answer)?;
    }
    Ok(())
}

/// The demo promises these answers.
fn judge(question: &Question, answer: &pb::SearchResponse) -> anyhow::Result<()> {
    let verdict = present::verdict(&answer.sources);
    if !verdict.is_complete() {
        bail!("'{}' was not fully searched: {verdict}", question.scene);
    }
    let found = answer.sources.iter().flat_map(|source| &source.candidates);
    let mut references = found.filter_map(|candidate| candidate.source.as_ref()).map(|source| &source.reference);
    match (&question.finds, references.next()) {
        (Some(expected), Some(best)) if best == expected => Ok(()),
        (Some(expected), Some(best)) => bail!("'{}' found {best} first, not {expected}", question.scene),
        (Some(expected), None) => bail!("'{}' did not find {expected}", question.scene),
        (None, Some(found)) => bail!("'{}' found {found}, and should have found nothing", question.scene),
        (None, None) if verdict.count() > 0 => bail!("'{}' found something, and should not have", question.scene),
        (None, None) => Ok(()),
    }
}

/// The question as one would say it.
fn in_words(query: &pb::Query) -> String {
    let country =
        |party: &Option<pb::Party>| party.as_ref().map_or_else(String::new, |party| format!(" ({})", party.code));
    if !query.mrz.is_empty() {
        return format!("machine-readable zone\n       {}", query.mrz.replace('\n', "\n       "));
    }
    if let Some(document) = &query.document {
        let kind = document.r#type.as_ref().map_or("document", |kind| kind.value.as_str());
        return format!("{kind} number {}{}", document.number, country(&document.issuing_country));
    }
    if let Some(vehicle) = &query.vehicle {
        return match &vehicle.plate {
            Some(plate) => format!("plate {}{}", plate.number, country(&plate.country)),
            None => format!("vehicle identification number {}", vehicle.vin),
        };
    }
    let person = query.person.clone().unwrap_or_default();
    let born = person.birth_date.as_ref().map_or_else(String::new, |date| {
        let part = |part: Option<u32>, width: usize| part.map_or("?".repeat(width), |part| format!("{part:0width$}"));
        format!(", born {}-{}-{}", part(date.year, 4), part(date.month, 2), part(date.day, 2))
    });
    format!("{}{born}", person.names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_read_as_people_ask_them() {
        let words: Vec<String> = questions().iter().map(|question| in_words(&question.query)).collect();
        assert_eq!(words[0], format!("passport number {} (GB)", known::PASSPORT_NUMBER));
        assert!(words[1].starts_with("machine-readable zone\n       P<GBRQUENTHORPE<<TAMSIN"), "{}", words[1]);
        assert_eq!(words[3], "plate BD51SMR (GB)");
        assert_eq!(words[4], "Wendlin Vostermann, born 1979-05-14");
    }

    #[test]
    fn a_covert_alert_that_a_partner_sees_fails_the_demo() {
        let covert = questions().into_iter().find(|question| question.scene.starts_with("The same person")).unwrap();
        let answer = |candidates| pb::SearchResponse {
            sources: vec![pb::SourceAnswer {
                candidates,
                status: pb::SourceStatus::Complete as i32,
                ..Default::default()
            }],
            ..Default::default()
        };
        assert!(judge(&covert, &answer(vec![pb::Candidate::default()])).is_err());
        assert!(judge(&covert, &answer(vec![])).is_ok());
        assert!(judge(&covert, &pb::SearchResponse::default()).is_err(), "nothing was searched");
    }
}
