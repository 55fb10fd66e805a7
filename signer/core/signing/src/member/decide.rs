//! One duty: signed, repeated, or refused with a reason.

use symbolon_duties::{Duty, DutyError, Network, SigningRoot, ValidatorPublicKey, signing_root};
use symbolon_protocol::sign::{Refusal, RefusalCode, SignItem};
use symbolon_slashing::{Mark, Reason, Verdict, check_attestation, check_block};

use super::permit::Permit;
use crate::permission::{DutySet, Permissions};
use crate::window::Window;

/// A key of which this member holds a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldKey<'a> {
    /// Label of its group.
    pub group: &'a str,
    /// Group epoch of the active share.
    pub group_epoch: u32,
    /// Kinds of duty that the key was made for; no permission goes beyond them.
    pub duties: DutySet,
    /// Whether duties are signed.
    pub enabled: bool,
}

/// The keys of which this member holds shares.
pub trait Keys {
    /// One of them.
    fn held(&self, key: &ValidatorPublicKey) -> Option<HeldKey<'_>>;
}

/// What a decision depends on beside the duty and its mark.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a, K: Keys> {
    /// Name of the requestor, as its certificate proved.
    pub requestor: &'a str,
    /// The keys held here.
    pub keys: &'a K,
    /// The chain.
    pub network: &'a Network,
    /// Who may ask for what.
    pub permissions: &'a Permissions,
    /// Accepted slots.
    pub window: Window,
    /// The time, in unix seconds.
    pub now: u64,
}

/// What is done about one duty.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing; the reason is shown.
    Refuse(Refusal),
    /// Signed; no two signatures of this kind can conflict, so there is no mark.
    Unmarked(Permit),
    /// The very message that the mark holds, signed again; the mark stays.
    Repeat(Permit),
    /// Signed once this mark is durable.
    Sign(Mark, Permit),
}

/// Decides about one duty against the mark of its key. The order of the checks is fixed: a caller
/// without permission learns nothing about marks, and nothing is compared before it is computed.
pub(super) fn decide<K: Keys>(item: &SignItem, context: &Context<'_, K>, mark: &Mark) -> Decision {
    let permit = match permit(item, context) {
        Ok(permit) => permit,
        Err(refusal) => return Decision::Refuse(refusal),
    };
    let verdict = match &item.duty {
        Duty::Block(header) => check_block(mark, header.slot, permit.root()),
        Duty::Attestation(data) => {
            check_attestation(mark, data.source.epoch, data.target.epoch, permit.root())
        }
        _ => return Decision::Unmarked(permit),
    };
    match verdict {
        Verdict::Sign(mark) => Decision::Sign(mark, permit),
        Verdict::Repeat => Decision::Repeat(permit),
        Verdict::Refuse(reason) => Decision::Refuse(slashing_refusal(&reason)),
    }
}

/// Everything but slashing protection.
fn permit<K: Keys>(item: &SignItem, context: &Context<'_, K>) -> Result<Permit, Refusal> {
    let kind = item.duty.kind();
    let held = context.keys.held(&item.key).ok_or_else(|| {
        Refusal::new(RefusalCode::UnknownKey, "no share of this key is held here")
    })?;
    if !held.enabled {
        let text = "the key is disabled here; an operator can enable it";
        return Err(Refusal::new(RefusalCode::KeyDisabled, text));
    }
    if item.group_epoch != held.group_epoch {
        let (got, active) = (item.group_epoch, held.group_epoch);
        let text = format!("shares of group epoch {got} were asked for, {active} is active here");
        return Err(Refusal::new(RefusalCode::WrongGroupEpoch, text));
    }
    if !held.duties.hold(kind) {
        let text = format!(
            "keys of group {:?} were not made to sign {kind}",
            held.group
        );
        return Err(Refusal::new(RefusalCode::NotPermitted, text));
    }
    context
        .permissions
        .check(context.requestor, &item.key, held.group, kind)
        .map_err(|denied| Refusal::new(RefusalCode::NotPermitted, denied))?;
    let root = checked_root(item, context.network)?;
    context
        .window
        .check(&item.duty, context.network, context.now)
        .map_err(|outside| Refusal::new(RefusalCode::OutsideWindow, outside))?;
    Ok(Permit::new(item.key, held.group_epoch, kind, root))
}

fn checked_root(item: &SignItem, network: &Network) -> Result<SigningRoot, Refusal> {
    if let Some(named) = item.duty.named_pubkey()
        && *named != item.key
    {
        let text = format!("the message names key {named}, it cannot be signed by another");
        return Err(Refusal::new(RefusalCode::BadDuty, text));
    }
    let root = signing_root(&item.duty, item.fork_version, network).map_err(|error| {
        let code = match error {
            DutyError::MissingForkVersion { .. } | DutyError::UnknownForkVersion { .. } => {
                RefusalCode::UnknownFork
            }
            _ => RefusalCode::BadDuty,
        };
        Refusal::new(code, error)
    })?;
    if root != item.signing_root {
        let claimed = item.signing_root;
        let text = format!("the duty's signing root is {root}, the request claims {claimed}");
        return Err(Refusal::new(RefusalCode::WrongSigningRoot, text));
    }
    Ok(root)
}

fn slashing_refusal(reason: &Reason) -> Refusal {
    let code = match reason {
        Reason::DoubleProposal { .. } => RefusalCode::DoubleProposal,
        Reason::BelowMinimumSlot { .. } => RefusalCode::BlockBelowMark,
        Reason::DoubleVote { .. } => RefusalCode::DoubleVote,
        Reason::SourceAfterTarget { .. } => RefusalCode::SourceAfterTarget,
        _ => RefusalCode::AttestationBelowMark,
    };
    Refusal::new(code, reason).with_locked_root(reason.locked_root())
}
