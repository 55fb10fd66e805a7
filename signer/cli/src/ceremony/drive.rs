//! What a member is to be asked next, read off the folder alone.

use std::time::Duration;

use anyhow::{Context as _, bail};
use minicbor::bytes::ByteVec;
use symbolon_ceremony::wire::{CeremonyReply, CeremonyRequest};
use symbolon_ceremony::{Complaint, DealerId, FileName, GroupEpoch, GroupLabel, VerifiedPlan};
use symbolon_protocol::{NetworkId, Signed};
use symbolon_threshold::ShareIndex;

use super::Folder;
use crate::servers::Server;

/// Checking a thousand keys takes seconds, and smart cards take their time over ECDH.
const STEP: Duration = Duration::from_secs(180);

/// What comes next for one member.
pub(crate) enum Step {
    /// Ask this; the answer goes into that file.
    Ask(CeremonyRequest, FileName),
    /// Nothing before others have done this.
    Wait(&'static str),
    /// Nothing more.
    Done,
}

/// The next step of `member` in the making of `group`.
pub(crate) fn next_step(
    folder: &Folder,
    group: &GroupLabel,
    member: ShareIndex,
) -> anyhow::Result<Step> {
    if folder.read(FileName::Offer(member))?.is_none() {
        let request = CeremonyRequest::Offer {
            group: group.clone(),
            group_epoch: GroupEpoch::FIRST,
        };
        return Ok(Step::Ask(request, FileName::Offer(member)));
    }
    if folder.draft()?.is_none() {
        return Ok(Step::Wait("the plan"));
    }
    let plan = folder.plan()?;
    if plan.receiver(member).is_none() {
        bail!("member {member} has no part in this plan");
    }
    deal_step(folder, &plan, member)
}

fn deal_step(folder: &Folder, plan: &VerifiedPlan, member: ShareIndex) -> anyhow::Result<Step> {
    let own = FileName::Deal(DealerId::Member(member));
    if plan.dealer(DealerId::Member(member)).is_some() && folder.read(own)?.is_none() {
        let request = CeremonyRequest::Plan(plan.to_bytes().into());
        return Ok(Step::Ask(request, own));
    }
    let Some(deals) = folder.deals(plan)? else {
        return Ok(Step::Wait("the deals of the others"));
    };
    let confirmation = FileName::Confirmation(member);
    if folder.read(confirmation)?.is_none() {
        let deals = deals.into_iter().map(ByteVec::from).collect();
        let request = CeremonyRequest::Deals {
            ceremony: plan.id(),
            deals,
        };
        return Ok(Step::Ask(request, confirmation));
    }
    let Some(certificate) = folder.certificate(plan)? else {
        return Ok(Step::Wait("the confirmations of the others"));
    };
    let activation = FileName::Activation(member);
    if folder.read(activation)?.is_none() {
        let request = CeremonyRequest::Certificate(certificate.to_bytes().to_vec().into());
        return Ok(Step::Ask(request, activation));
    }
    Ok(Step::Done)
}

/// Does one step of a member and stores its answer. A member of an import, which deals nothing, is
/// shown the plan before the deals.
pub(crate) async fn member_step(
    folder: &Folder,
    network: NetworkId,
    server: &Server,
    request: CeremonyRequest,
    file: FileName,
) -> anyhow::Result<()> {
    if let CeremonyRequest::Deals { .. } = &request {
        let plan = folder.plan()?;
        if !plan.born_in_ceremony() {
            let show = CeremonyRequest::Plan(plan.to_bytes().into());
            ask(server, &show).await?;
        }
    }
    let (bytes, file) = match (ask(server, &request).await?, file) {
        (CeremonyReply::Offer(bytes), FileName::Offer(_))
        | (CeremonyReply::Deal(bytes), FileName::Deal(_))
        | (CeremonyReply::Confirmation(bytes), FileName::Confirmation(_))
        | (CeremonyReply::Activation(bytes), FileName::Activation(_)) => (bytes, file),
        (CeremonyReply::Complaint(bytes), FileName::Confirmation(member)) => {
            let number = Signed::<Complaint>::from_bytes(network, &bytes)
                .context("a complaint that does not parse")?
                .unverified()
                .value()
                .dealer;
            let dealer =
                ShareIndex::try_from(u64::from(number)).map_or(DealerId::Import, DealerId::Member);
            folder.write(FileName::Complaint(member, dealer), &bytes)?;
            bail!(
                "{} complains of the deal of {dealer}: this ceremony is dead. The complaint is in {}; \
                 show it to the dealer, then judge with: symbolon ceremony audit",
                server.name(),
                folder.dir().display()
            );
        }
        _ => bail!(
            "{} gave an answer of another kind than was asked",
            server.name()
        ),
    };
    folder.write(file, &bytes)
}

/// Asks; a refusal is an error that says who is blamed.
pub(crate) async fn ask(
    server: &Server,
    request: &CeremonyRequest,
) -> anyhow::Result<CeremonyReply> {
    let bytes = server.ceremony(request.to_bytes(), STEP).await?;
    let reply = CeremonyReply::from_bytes(&bytes)
        .with_context(|| format!("{} answered with bytes that are no reply", server.name()))?;
    if let CeremonyReply::Refused(refusal) = reply {
        let standing = match (refusal.culprit, refusal.proved) {
            (None, _) => String::new(),
            (Some(0), proved) => format!(" (the dealer of the import; proved: {proved})"),
            (Some(member), proved) => format!(" (member {member}; proved: {proved})"),
        };
        bail!(
            "{} refuses: {} [{}]{standing}",
            server.name(),
            refusal.message,
            refusal.code
        );
    }
    Ok(reply)
}
