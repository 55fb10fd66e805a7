//! How the judge goes about it.

use std::collections::{BTreeMap, BTreeSet};

use symbolon_protocol::roster::RosterChain;
use symbolon_protocol::{EnvelopeError, Signed, Unsigned, Verified};
use symbolon_threshold::ShareIndex;

use super::finding::{Culprit, Finding, FindingKind};
use crate::blame::{BlameError, Judgement, judge, verify_complaint, verify_opening};
use crate::certificate::{CertificateError, VerifiedCertificate, verify_confirmation};
use crate::complaint::{Complaint, Opening};
use crate::confirmation::{Certificate, Confirmation};
use crate::deal::{Deal, DealerId};
use crate::descriptor::roster_of;
use crate::fault::{DealError, Standing};
use crate::inspection::{CheckedDeal, CheckedDeals, is_signed_by};
use crate::message::MessageKind;
use crate::name::{CeremonyId, DealHash};
use crate::outcome::Outcome;
use crate::plan::{PlanError, VerifiedPlan};

/// What the judge found in one ceremony.
#[derive(Debug, Clone)]
pub struct AuditReport {
    /// The ceremony.
    pub ceremony: CeremonyId,
    /// Everything that is wrong; proved things first.
    pub findings: Vec<Finding>,
    /// Whether a complete certificate is among the messages.
    pub certified: bool,
}

/// Why nothing can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// There is no plan among the messages.
    #[error("no plan among the messages: add the plan of the ceremony")]
    NoPlan,
    /// There are several.
    #[error("plans of several ceremonies among the messages: judge one at a time")]
    ManyPlans,
    /// The plan does not hold.
    #[error("the plan does not hold: {0}")]
    Plan(#[from] PlanError),
    /// The plan is of an unknown roster.
    #[error("the plan was made under roster {0}, which is not in the chain")]
    UnknownRoster(String),
}

/// Judges the messages of one ceremony, given in any order. `fresh` is 32 fresh random bytes for
/// batch checks.
///
/// # Errors
///
/// [`AuditError`] when there is not exactly one plan that holds.
pub fn audit(
    chain: &RosterChain,
    messages: &[Vec<u8>],
    fresh: &[u8; 32],
) -> Result<AuditReport, AuditError> {
    let plan = plan_among(chain, messages)?;
    let mut court = Court::new(&plan);
    for (place, bytes) in messages.iter().enumerate() {
        court.read(place, bytes);
    }
    court.judge_deals(fresh);
    court.judge_confirmations(fresh);
    court.judge_complaints();
    let mut findings = court.findings;
    findings.sort_by_key(|finding| (finding.standing, finding.culprit));
    Ok(AuditReport {
        ceremony: plan.id(),
        findings,
        certified: court.certified,
    })
}

impl AuditReport {
    /// What can be shown to anybody.
    pub fn proved(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.standing == Standing::Proved)
    }
}

fn plan_among(chain: &RosterChain, messages: &[Vec<u8>]) -> Result<VerifiedPlan, AuditError> {
    let plans = messages
        .iter()
        .filter(|bytes| MessageKind::of(bytes) == Some(MessageKind::Plan));
    let mut found: Option<VerifiedPlan> = None;
    let mut failed: Option<AuditError> = None;
    for bytes in plans {
        match verify_plan(chain, bytes) {
            Ok(plan) => match &found {
                Some(other) if other.id() != plan.id() => return Err(AuditError::ManyPlans),
                _ => found = Some(plan),
            },
            Err(error) => failed = Some(error),
        }
    }
    found.ok_or_else(|| failed.unwrap_or(AuditError::NoPlan))
}

fn verify_plan(chain: &RosterChain, bytes: &[u8]) -> Result<VerifiedPlan, AuditError> {
    let hash = roster_of(chain.network(), bytes)?;
    let unknown = || AuditError::UnknownRoster(hex::encode(hash));
    let roster = chain.with_hash(&hash).ok_or_else(unknown)?;
    Ok(VerifiedPlan::verify(chain.network(), &roster, bytes)?)
}

/// Messages that are what they say, and what is wrong with them.
struct Court<'a> {
    plan: &'a VerifiedPlan,
    deals: BTreeMap<(DealerId, DealHash), (usize, Signed<Deal>)>,
    checked: BTreeMap<(DealerId, DealHash), CheckedDeal>,
    confirmations: BTreeMap<(u16, [u8; 32]), (usize, Verified<Confirmation>)>,
    complaints: Vec<(usize, Verified<Complaint>)>,
    openings: Vec<(usize, Verified<Opening>)>,
    certified: bool,
    findings: Vec<Finding>,
}

impl<'a> Court<'a> {
    const fn new(plan: &'a VerifiedPlan) -> Self {
        Self {
            plan,
            deals: BTreeMap::new(),
            checked: BTreeMap::new(),
            confirmations: BTreeMap::new(),
            complaints: Vec::new(),
            openings: Vec::new(),
            certified: false,
            findings: Vec::new(),
        }
    }

    fn find(&mut self, culprit: Culprit, standing: Standing, kind: FindingKind, at: &[usize]) {
        self.findings.push(Finding {
            culprit,
            standing,
            kind,
            evidence: at.to_vec(),
        });
    }

    /// Bytes that prove nothing against their author, only that they came from someone else.
    fn blame_carrier(&mut self, kind: FindingKind, place: usize) {
        self.find(Culprit::Carrier, Standing::Suspected, kind, &[place]);
    }

    fn read(&mut self, place: usize, bytes: &[u8]) {
        match MessageKind::of(bytes) {
            Some(MessageKind::Deal) => self.read_deal(place, bytes),
            Some(MessageKind::Confirmation) => self.read_confirmation(place, bytes),
            Some(MessageKind::Certificate) => self.read_certificate(place, bytes),
            Some(MessageKind::Complaint) => match verify_complaint(self.plan, bytes) {
                Ok(complaint) => self.complaints.push((place, complaint)),
                Err(error) => self.blame_carrier(kind_of_blame(&error), place),
            },
            Some(MessageKind::Opening) => match verify_opening(self.plan, bytes) {
                Ok(opening) => self.openings.push((place, opening)),
                Err(error) => self.blame_carrier(kind_of_blame(&error), place),
            },
            Some(
                MessageKind::Plan
                | MessageKind::Offer
                | MessageKind::Activation
                | MessageKind::Group,
            ) => {}
            None => self.blame_carrier(FindingKind::Unreadable, place),
        }
    }

    fn read_deal(&mut self, place: usize, bytes: &[u8]) {
        let Ok(signed) = Signed::<Deal>::from_bytes(self.plan.network(), bytes) else {
            return self.blame_carrier(FindingKind::Unreadable, place);
        };
        let deal = signed.unverified().value();
        let id = DealerId::from_number(deal.dealer);
        let dealer = self
            .plan
            .dealer(id)
            .filter(|_| deal.ceremony == self.plan.id());
        let Some((_, dealer)) = dealer else {
            return self.blame_carrier(FindingKind::Foreign, place);
        };
        if !is_signed_by(&signed, dealer) {
            return self.blame_carrier(FindingKind::Altered, place);
        }
        let hash = DealHash(signed.unverified().digest());
        self.deals.entry((id, hash)).or_insert((place, signed));
    }

    fn read_certificate(&mut self, place: usize, bytes: &[u8]) {
        let unsigned = Unsigned::<Certificate>::from_body(self.plan.network(), bytes);
        let Ok(unsigned) = unsigned else {
            return self.blame_carrier(FindingKind::Unreadable, place);
        };
        if unsigned.value().ceremony != self.plan.id() {
            return self.blame_carrier(FindingKind::Foreign, place);
        }
        for confirmation in &unsigned.value().confirmations {
            self.read_confirmation(place, confirmation);
        }
        if VerifiedCertificate::verify(self.plan, bytes).is_ok() {
            self.certified = true;
        } else {
            self.blame_carrier(FindingKind::FalseCertificate, place);
        }
    }

    fn read_confirmation(&mut self, place: usize, bytes: &[u8]) {
        match verify_confirmation(self.plan, bytes) {
            Ok(confirmation) => {
                let key = (confirmation.member, confirmation.digest());
                self.confirmations
                    .entry(key)
                    .or_insert((place, confirmation));
            }
            Err(error) => self.blame_carrier(kind_of(&error), place),
        }
    }

    fn judge_deals(&mut self, fresh: &[u8; 32]) {
        for (id, places) in self.deal_places() {
            if let [first, second, ..] = places.as_slice() {
                let at = [*first, *second];
                let culprit = Culprit::Dealer(id);
                self.find(culprit, Standing::Proved, FindingKind::TwoDeals, &at);
            }
        }
        for ((id, hash), (place, signed)) in core::mem::take(&mut self.deals) {
            match CheckedDeal::check(self.plan, id, &signed, fresh) {
                Ok(checked) => {
                    self.checked.insert((id, hash), checked);
                }
                Err(DealError { fault, .. }) => {
                    let kind = FindingKind::BadDeal(fault);
                    self.find(Culprit::Dealer(id), Standing::Proved, kind, &[place]);
                }
            }
            self.deals.insert((id, hash), (place, signed));
        }
    }

    fn deal_places(&self) -> BTreeMap<DealerId, Vec<usize>> {
        let mut places: BTreeMap<DealerId, Vec<usize>> = BTreeMap::new();
        for ((id, _), (place, _)) in &self.deals {
            places.entry(*id).or_default().push(*place);
        }
        places
    }

    fn judge_confirmations(&mut self, fresh: &[u8; 32]) {
        let mut by_member: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        let mut by_dealer: BTreeMap<DealerId, BTreeSet<DealHash>> = BTreeMap::new();
        let mut places = Vec::new();
        for ((member, _), (place, confirmation)) in &self.confirmations {
            by_member.entry(*member).or_default().push(*place);
            places.push(*place);
            for (dealer, hash) in self.plan.dealers().iter().zip(&confirmation.deals) {
                by_dealer.entry(dealer.id).or_default().insert(*hash);
            }
        }
        for (member, at) in by_member {
            if at.len() > 1 {
                let kind = FindingKind::TwoConfirmations;
                self.find(receiver(member), Standing::Proved, kind, &at);
            }
        }
        let seen = self.deal_places();
        for (dealer, hashes) in by_dealer {
            // Where both forms are at hand the dealer is proved to have made two; without them it
            // may as well be a receiver who says so.
            let proved = seen.get(&dealer).is_some_and(|places| places.len() > 1);
            if hashes.len() > 1 && !proved {
                let kind = FindingKind::DifferentDeals;
                self.find(Culprit::Dealer(dealer), Standing::Suspected, kind, &places);
            }
        }
        self.judge_transcripts(fresh);
    }

    /// A transcript follows from the deals that its own confirmation names.
    fn judge_transcripts(&mut self, fresh: &[u8; 32]) {
        let mut outcomes: BTreeMap<Vec<DealHash>, Option<Outcome>> = BTreeMap::new();
        let mut wrong = Vec::new();
        for ((member, _), (place, confirmation)) in &self.confirmations {
            let outcome = outcomes
                .entry(confirmation.deals.clone())
                .or_insert_with(|| {
                    let named = self.plan.dealers().iter().zip(&confirmation.deals);
                    let deals: Option<Vec<Vec<u8>>> = named
                        .map(|(dealer, hash)| {
                            Some(self.deals.get(&(dealer.id, *hash))?.1.to_bytes())
                        })
                        .collect();
                    let deals = CheckedDeals::check(self.plan, &deals?, fresh).ok()?;
                    Outcome::of(self.plan, &deals).ok()
                });
            if outcome
                .as_ref()
                .is_some_and(|made| made.transcript != confirmation.transcript)
            {
                wrong.push((*member, *place));
            }
        }
        for (member, place) in wrong {
            let kind = FindingKind::WrongTranscript;
            self.find(receiver(member), Standing::Proved, kind, &[place]);
        }
    }

    fn judge_complaints(&mut self) {
        for (place, complaint) in core::mem::take(&mut self.complaints) {
            let member = complaint.member;
            let confirmed = self
                .confirmations
                .iter()
                .find(|((other, _), _)| *other == member);
            if let Some((_, (other, _))) = confirmed {
                let at = [place, *other];
                let kind = FindingKind::ComplainedAndConfirmed;
                self.find(receiver(member), Standing::Proved, kind, &at);
            }
            let dealer = DealerId::from_number(complaint.dealer);
            // A deal that is wrong for everybody is found already, and needs no opening.
            let known = self.deals.contains_key(&(dealer, complaint.deal));
            let Some(deal) = self.checked.get(&(dealer, complaint.deal)) else {
                if !known {
                    let kind = FindingKind::UnknownDeal;
                    self.find(receiver(member), Standing::Suspected, kind, &[place]);
                }
                continue;
            };
            let judged: Vec<(usize, Judgement)> = self
                .openings
                .iter()
                .filter_map(|(other, opening)| {
                    Some((*other, judge(self.plan, deal, &complaint, opening)?))
                })
                .collect();
            // One key only fits the envelope: it decides, whatever else was opened.
            let fits = |(_, judgement): &&(usize, Judgement)| *judgement != Judgement::OtherKey;
            let judged = judged.iter().find(fits).or(judged.first()).copied();
            let (culprit, standing, kind, at) = match judged {
                Some((other, Judgement::Complainer)) => {
                    let kind = FindingKind::FalseComplaint;
                    (receiver(member), Standing::Proved, kind, vec![place, other])
                }
                Some((other, Judgement::OtherKey)) => {
                    let kind = FindingKind::WrongOpening;
                    (
                        Culprit::Dealer(dealer),
                        Standing::Proved,
                        kind,
                        vec![place, other],
                    )
                }
                Some((other, Judgement::Dealer(reason))) => {
                    let kind = FindingKind::BadEnvelope(reason);
                    (
                        Culprit::Dealer(dealer),
                        Standing::Proved,
                        kind,
                        vec![place, other],
                    )
                }
                None => {
                    let kind = FindingKind::NoOpening;
                    (
                        Culprit::Dealer(dealer),
                        Standing::Suspected,
                        kind,
                        vec![place],
                    )
                }
            };
            self.find(culprit, standing, kind, &at);
        }
    }
}

fn receiver(member: u16) -> Culprit {
    // Confirmations and complaints were matched with receivers, whose indices are not zero.
    ShareIndex::try_from(u64::from(member)).map_or(Culprit::Carrier, Culprit::Receiver)
}

const fn kind_of(error: &CertificateError) -> FindingKind {
    match error {
        CertificateError::Envelope(_) => FindingKind::Unreadable,
        CertificateError::Signature(_) => FindingKind::Altered,
        _ => FindingKind::Foreign,
    }
}

const fn kind_of_blame(error: &BlameError) -> FindingKind {
    match error {
        BlameError::Envelope(EnvelopeError::Signature { .. }) => FindingKind::Altered,
        BlameError::Envelope(_) => FindingKind::Unreadable,
        BlameError::Foreign(_) => FindingKind::Foreign,
    }
}
