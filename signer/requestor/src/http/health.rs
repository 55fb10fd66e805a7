//! `GET /healthcheck`: which servers are up, and whether every group has enough of them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use symbolon_threshold::ShareIndex;

use super::Front;
use crate::peers::Contact;

/// UP when there is a group and each has t members that answer and are trusted.
pub(super) async fn healthcheck(State(front): State<Front>) -> Response {
    let state = front.engine.state();
    let mut checks = Vec::new();
    let mut usable: BTreeMap<ShareIndex, bool> = BTreeMap::new();
    for peer in state.peers.iter() {
        let index = peer.index();
        let held = front.engine.quarantine().holds(index);
        let (up, note) = match peer.contact() {
            Contact::Up if held => (true, "up, in quarantine for a wrong answer".to_owned()),
            Contact::Up => (true, "up".to_owned()),
            Contact::Untried => (false, "not tried yet".to_owned()),
            Contact::Refusing(why) | Contact::Down(why) => (false, why),
        };
        usable.insert(index, up && !held);
        let latency = front.engine.health().of(index).latency_micros / 1000.0;
        let data = json!({ "name": peer.name(), "note": note, "latency_ms": latency });
        checks.push(check(&format!("member-{index}"), up, &data));
    }
    let mut all = !state.directory.groups().is_empty();
    for group in state.directory.groups() {
        let lagrange = group.signers().lagrange();
        let members = lagrange.group().iter();
        let have = members
            .filter(|member| usable.get(member) == Some(&true))
            .count();
        let need = lagrange.threshold().t();
        all &= have >= need;
        let name = hex::encode(group.transcript())
            .chars()
            .take(8)
            .collect::<String>();
        let data = json!({ "usable": have, "needed": need, "keys": group.keys().count() });
        checks.push(check(&format!("group-{name}"), have >= need, &data));
    }
    for problem in state.directory.problems() {
        checks.push(check("group-file", false, &json!({ "note": problem })));
    }
    let word = word(all);
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    super::json(
        status,
        &json!({ "status": word, "outcome": word, "checks": checks }),
    )
}

fn check(id: &str, up: bool, data: &Value) -> Value {
    json!({ "id": id, "status": word(up), "data": data })
}

const fn word(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}
