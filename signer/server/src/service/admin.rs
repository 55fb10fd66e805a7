//! `Admin.Call`: what an operator asks of this server.

use std::fmt;
use std::sync::Arc;

use symbolon_daemon::health::{Health, State};
use symbolon_duties::ValidatorPublicKey;
use symbolon_protocol::admin::{AdminReply, AdminRequest, KeyStatus, ServerStatus};
use symbolon_protocol::roster::ClientKind;
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::admin_server::Admin;
use symbolon_slashing::{ImportPlan, Interchange};
use tokio_stream::Iter;
use tonic::{Request, Response, Status};

use super::{Answer, caller, frame, malformed};
use crate::engine::Engine;
use crate::notices::Notices;
use crate::parties::Parties;
use crate::pool::Priority;
use crate::reload::Reloader;
use crate::store::Memory;

/// Answers operators of the roster.
pub(crate) struct AdminService {
    pub(crate) member: u16,
    pub(crate) parties: Arc<Parties>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) reloader: Arc<Reloader>,
    pub(crate) health: Health,
    pub(crate) notices: Notices,
}

/// A failure that is told to the operator.
struct Failed(String);

impl<E: fmt::Display> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

#[tonic::async_trait]
impl Admin for AdminService {
    type CallStream = Iter<std::vec::IntoIter<Result<Frame, Status>>>;

    async fn call(&self, request: Request<Frame>) -> Answer<Self::CallStream> {
        let (_, operator) =
            caller(&request, &self.parties, ClientKind::Operator).map_err(|status| *status)?;
        let call = AdminRequest::from_bytes(&request.get_ref().value)
            .map_err(|error| malformed(&error))?;
        let what = name(&call);
        let replies = match self.answer(call).await {
            Ok(replies) => {
                tracing::info!(operator, request = what, "answered an operator");
                replies
            }
            Err(Failed(reason)) => {
                tracing::warn!(operator, request = what, reason, "could not do as asked");
                vec![AdminReply::Failed(reason)]
            }
        };
        let frames: Vec<_> = replies
            .iter()
            .map(|reply| Ok(frame(reply.to_bytes())))
            .collect();
        Ok(Response::new(tokio_stream::iter(frames)))
    }
}

impl AdminService {
    async fn answer(&self, call: AdminRequest) -> Result<Vec<AdminReply>, Failed> {
        match call {
            AdminRequest::Status => self.status().await,
            AdminRequest::ListKeys => self.keys().await,
            AdminRequest::SlashingExport(keys) => self.export(keys).await,
            AdminRequest::SlashingImport {
                interchange,
                dry_run,
            } => self.import(interchange.into(), dry_run).await,
            AdminRequest::Reload => {
                let reloader = Arc::clone(&self.reloader);
                let done = tokio::task::spawn_blocking(move || reloader.reload()).await??;
                Ok(vec![AdminReply::Done(done)])
            }
            AdminRequest::SetEnabled { keys, enabled } => self.set_enabled(keys, enabled).await,
        }
    }

    async fn status(&self) -> Result<Vec<AdminReply>, Failed> {
        let head = self.run(|memory| memory.head()).await?;
        let chain = self.parties.chain();
        let roster = chain.current();
        let health = self.health.snapshot();
        let degraded = health.parts.iter().filter_map(|(part, state)| match state {
            State::Ready => None,
            State::Waiting { reason } | State::Dead { reason } => Some(format!("{part}: {reason}")),
        });
        let seal = self.engine.custody.sealed().header();
        let (signed, refused) = self.engine.metrics.totals();
        let name = roster.member(self.member).map(|member| member.name.clone());
        Ok(vec![AdminReply::Status(ServerStatus {
            member: self.member,
            name: name.unwrap_or_default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ready: health.ready,
            degraded: degraded.chain(self.notices.all()).collect(),
            roster_number: roster.number,
            keys: u64::try_from(self.engine.ring.load().len()).unwrap_or(u64::MAX),
            seal: seal.kind.name().to_owned(),
            token: seal.token.label().to_owned(),
            signed,
            refused,
            journal_sequence: head.sequence.0,
        })])
    }

    async fn keys(&self) -> Result<Vec<AdminReply>, Failed> {
        let ring = self.engine.ring.load_full();
        let statuses = self
            .run(move |memory| {
                let status =
                    |group: &crate::shares::GroupShares, key: ValidatorPublicKey| KeyStatus {
                        key,
                        group: group.label().to_owned(),
                        group_epoch: group.group_epoch(),
                        threshold: group.threshold(),
                        members: u16::try_from(group.members().len()).unwrap_or(u16::MAX),
                        born_in_ceremony: group.born_in_ceremony(),
                        enabled: memory.is_enabled(&key),
                    };
                let groups = ring.groups().iter();
                groups
                    .flat_map(|group| group.keys().map(|key| status(group, key.key)))
                    .collect::<Vec<_>>()
            })
            .await?;
        if statuses.is_empty() {
            return Ok(vec![AdminReply::Keys(Vec::new())]);
        }
        Ok(statuses
            .chunks(KEYS_A_FRAME)
            .map(|part| AdminReply::Keys(part.to_vec()))
            .collect())
    }

    async fn export(&self, keys: Vec<ValidatorPublicKey>) -> Result<Vec<AdminReply>, Failed> {
        let ring = self.engine.ring.load();
        if let Some(unknown) = keys.iter().find(|key| ring.get(key).is_none()) {
            return Err(Failed(format!("no share of key {unknown} is held here")));
        }
        let marks = self.run(move |memory| memory.marks(&keys)).await?;
        let root = self.engine.network.genesis_validators_root();
        let text = symbolon_slashing::export(root, marks);
        Ok(pieces(&text).into_iter().map(AdminReply::Text).collect())
    }

    async fn import(&self, json: Vec<u8>, dry_run: bool) -> Result<Vec<AdminReply>, Failed> {
        let parse = move || Interchange::parse(&json);
        let interchange = tokio::task::spawn_blocking(parse).await??;
        let (ring, network) = (
            self.engine.ring.load_full(),
            Arc::clone(&self.engine.network),
        );
        let (plan, ticket) = self
            .run(move |memory| memory.import(&interchange, &network, &ring, dry_run))
            .await??;
        let durable = ticket.is_some();
        if let Some(ticket) = ticket {
            ticket.await?;
        }
        Ok(vec![AdminReply::Done(report(&plan, dry_run, durable))])
    }

    async fn set_enabled(
        &self,
        keys: Vec<ValidatorPublicKey>,
        enabled: bool,
    ) -> Result<Vec<AdminReply>, Failed> {
        let ring = self.engine.ring.load();
        if keys.is_empty() {
            return Err(Failed("no key was named".to_owned()));
        }
        if let Some(unknown) = keys.iter().find(|key| ring.get(key).is_none()) {
            return Err(Failed(format!("no share of key {unknown} is held here")));
        }
        let count = keys.len();
        let ticket = self
            .run(move |memory| memory.set_enabled(&keys, enabled))
            .await??;
        drop(ticket.await?);
        let done = if enabled { "enabled" } else { "disabled" };
        Ok(vec![AdminReply::Done(format!("{count} keys are {done}"))])
    }

    async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Memory) -> R + Send + 'static,
    ) -> Result<R, Failed> {
        Ok(self.engine.owner.run(Priority::Normal, job).await?)
    }
}

const fn name(call: &AdminRequest) -> &'static str {
    match call {
        AdminRequest::Status => "status",
        AdminRequest::ListKeys => "list-keys",
        AdminRequest::SlashingExport(_) => "slashing-export",
        AdminRequest::SlashingImport { .. } => "slashing-import",
        AdminRequest::Reload => "reload",
        AdminRequest::SetEnabled { .. } => "set-enabled",
    }
}

fn report(plan: &ImportPlan, dry_run: bool, durable: bool) -> String {
    let report = &plan.report;
    let verb = match (dry_run, durable) {
        (true, _) => "would change",
        (false, true) => "changed",
        (false, false) => "nothing to change in",
    };
    let mut text = format!(
        "{verb} {} marks ({} new, {} raised); {} unchanged; {} blocks and {} attestations read",
        plan.changes.len(),
        report.new,
        report.raised,
        report.unchanged,
        report.blocks,
        report.attestations,
    );
    if !report.unknown.is_empty() {
        let unknown = report.unknown.len();
        text.push_str(&format!(
            "; {unknown} keys are not held here and were left out"
        ));
    }
    if report.unusable_roots > 0 {
        let roots = report.unusable_roots;
        text.push_str(&format!(
            "; {roots} signing roots are no roots and were left out"
        ));
    }
    if let Some(slot) = report.highest_slot {
        text.push_str(&format!("; highest slot {slot}"));
    }
    if let Some(epoch) = report.highest_epoch {
        text.push_str(&format!("; highest epoch {epoch}"));
    }
    text
}

/// A text in pieces that each fit a frame; at least one.
fn pieces(text: &str) -> Vec<String> {
    let mut rest = text;
    let mut pieces = Vec::new();
    while rest.len() > TEXT_A_FRAME {
        let cut = (0..=TEXT_A_FRAME)
            .rev()
            .find(|at| rest.is_char_boundary(*at))
            .unwrap_or(0);
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece.to_owned());
        rest = tail;
    }
    pieces.push(rest.to_owned());
    pieces
}

impl fmt::Debug for AdminService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminService")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

const KEYS_A_FRAME: usize = 1000;

const TEXT_A_FRAME: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_and_nothing_is_lost() {
        let text = "e\u{301}\u{1f600}".repeat(200_000);
        let cut = pieces(&text);
        assert!(cut.len() > 1 && cut.iter().all(|piece| piece.len() <= TEXT_A_FRAME));
        assert_eq!(cut.concat(), text);
        assert_eq!(pieces(""), [""]);
    }
}
