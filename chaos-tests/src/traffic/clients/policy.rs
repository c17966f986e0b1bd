//! The keeper of agreements: makes one with a partner, and suspends, resumes and changes it while others work.

use alert_client::{AlertClient, Error, pb};

use super::{Client, Hands};

/// The one agreement of a run.
pub const AGREEMENT: &str = "fr-1";

fn code(list: &str, value: &str) -> pb::Code {
    pb::Code { list: list.into(), value: value.into() }
}

/// Whether the partner may see covert alerts changes now and then.
fn agreement(covert: bool) -> pb::Agreement {
    let rights =
        |fields: &[&str]| Some(pb::FieldRights { fields: fields.iter().map(|field| (*field).to_owned()).collect() });
    let categories = if covert { &["arrest", "discreet-check"][..] } else { &["arrest"] };
    pb::Agreement {
        id: AGREEMENT.into(),
        partner: Some(pb::Party { code: "FR".into() }),
        categories: categories.iter().map(|category| code("category", category)).collect(),
        covert,
        candidate_fields: rights(&["action", "title"]),
        record_fields: rights(&["identities", "action"]),
        purposes: vec![code("purpose", "border-control")],
        legal_regime: "treaty".into(),
        transfer_basis: "adequacy".into(),
        ..Default::default()
    }
}

pub(super) async fn run(client: &Client, hands: &mut Hands) {
    let api = client.connect();
    // As it was last seen; nothing is known after a call that may have taken effect.
    let mut known: Option<pb::Agreement> = None;
    while client.recorder.traffic_runs() {
        let api = api.with_deadline(hands.millis(500..3000));
        let current = match known.take() {
            Some(known) => Ok(known),
            None => look(&api).await,
        };
        let done = match current {
            Ok(current) => change(client, hands, &api, &current).await,
            Err(error) => Err(error),
        };
        if let Ok(answer) = done {
            let revision = answer.answer.map_or(0, |answer| answer.revision);
            client.recorder.agreement_changed(revision, client.recorder.time.next_us());
            known = answer.agreement;
            if let Some(agreement) = &known {
                let words = format!("version {}: {:?}", agreement.version, agreement.state());
                client.recorder.timeline.note("agreement", words);
            }
            // Long enough for what is under way to be seen at its work.
            let suspended = known.as_ref().is_some_and(|known| known.state() == pb::AgreementState::Suspended);
            hands.pause(if suspended { 400..1800 } else { 800..2500 }).await;
        } else {
            hands.pause(20..100).await;
        }
    }
}

/// The agreement as it is; one without a version when there is none yet.
async fn look(api: &AlertClient) -> Result<pb::Agreement, Error> {
    let request = pb::GetAgreementRequest { agreement_id: AGREEMENT.into(), ..Default::default() };
    match api.agreement(request).await {
        Ok(answer) => Ok(answer.agreement.unwrap_or_default()),
        Err(error) if error.code == "NOT_FOUND" => Ok(pb::Agreement::default()),
        Err(error) => Err(error),
    }
}

async fn change(
    client: &Client,
    hands: &mut Hands,
    api: &AlertClient,
    current: &pb::Agreement,
) -> Result<pb::AgreementResponse, Error> {
    let agreement_id = AGREEMENT.to_owned();
    if current.version > 0 && current.state() == pb::AgreementState::Suspended {
        return api.resume_agreement(pb::ResumeAgreementRequest { agreement_id, ..Default::default() }).await;
    }
    if current.version > 0 && hands.percent(60) {
        let answer = api.suspend_agreement(pb::SuspendAgreementRequest { agreement_id, ..Default::default() }).await?;
        client.recorder.suspended();
        return Ok(answer);
    }
    let request = pb::PutAgreementRequest {
        agreement: Some(agreement(hands.percent(40))),
        expected_version: current.version,
        ..Default::default()
    };
    api.put_agreement(request).await
}
