//! Questions of operators to servers, and the answers.

use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::admin::{AdminReply, AdminRequest, KeyStatus, ServerStatus};

use crate::Seed;

/// Each kind of frame with a few entries.
pub const MAX_LEN: usize = 4096;

/// Accepted bytes are canonical.
pub fn check(data: &[u8]) {
    if let Ok(request) = AdminRequest::from_bytes(data) {
        assert_eq!(request.to_bytes(), data);
        assert_eq!(AdminRequest::from_bytes(data), Ok(request));
    }
    if let Ok(reply) = AdminReply::from_bytes(data) {
        assert_eq!(reply.to_bytes(), data);
        assert_eq!(AdminReply::from_bytes(data), Ok(reply));
    }
}

/// One of each kind.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let keys = vec![ValidatorPublicKey([7; 48]), ValidatorPublicKey([8; 48])];
    let import = AdminRequest::SlashingImport {
        interchange: b"{}".to_vec().into(),
        dry_run: true,
    };
    let set_enabled = AdminRequest::SetEnabled {
        keys: keys.clone(),
        enabled: false,
    };
    let status = ServerStatus {
        member: 1,
        name: "server-1".into(),
        version: "0.1.0".into(),
        ready: true,
        degraded: vec!["the anchor is behind".into()],
        roster_number: 2,
        keys: 1000,
        seal: "rsa-oaep-sha256".into(),
        token: "rack 7".into(),
        signed: 70_000,
        refused: 3,
        journal_sequence: u64::MAX,
    };
    let key = KeyStatus {
        key: keys[0],
        group: "north".into(),
        group_epoch: 1,
        threshold: 3,
        members: 5,
        born_in_ceremony: true,
        enabled: true,
    };
    vec![
        ("status", AdminRequest::Status.to_bytes()),
        ("list-keys", AdminRequest::ListKeys.to_bytes()),
        ("export", AdminRequest::SlashingExport(keys).to_bytes()),
        ("import", import.to_bytes()),
        ("reload", AdminRequest::Reload.to_bytes()),
        ("set-enabled", set_enabled.to_bytes()),
        ("reply-status", AdminReply::Status(status).to_bytes()),
        ("reply-keys", AdminReply::Keys(vec![key]).to_bytes()),
        ("reply-text", AdminReply::Text("text".into()).to_bytes()),
        ("reply-done", AdminReply::Done("done".into()).to_bytes()),
        ("reply-failed", AdminReply::Failed("no".into()).to_bytes()),
    ]
}
