//! The demo: a key that nobody has signs everything a validator needs, a server dies, another lies,
//! and nothing slashable gets through.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use symbolon_duties::Slot;
use symbolon_protocol::sign::{RefusalClass, SignAnswer};

use crate::direct::DirectRequestor;
use crate::error::LabError;
use crate::fault::FaultMode;
use crate::kind::RequestKind;
use crate::lab::Lab;
use crate::options::LabOptions;
use crate::proof::proved_lies;
use crate::sample::{Sample, Sampler};
use crate::story::Story;

/// What was measured.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Requests that came back with a signature.
    pub signed: usize,
    /// Signatures that verify under the validator's public key.
    pub verified: usize,
    /// Types of request among them.
    pub kinds: usize,
    /// The server that was caught lying, by name.
    pub liar: String,
    /// The server that was killed, by name.
    pub dead: String,
    /// Servers that refused the slashable request.
    pub slashable_refused_by: usize,
    /// Status code that a validator client got for it.
    pub slashable_status: u16,
    /// Seconds of the ceremony.
    pub dkg_seconds: f64,
    /// Seconds in all.
    pub seconds: f64,
}

/// How the demo ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was measured.
    pub figures: Figures,
    /// What did not hold; empty when everything did.
    pub failures: Vec<String>,
    /// The cluster, where it came up.
    pub lab: Option<Lab>,
}

/// Runs the demo in `dir`, or in a temporary folder.
#[must_use]
pub fn quickstart(dir: Option<PathBuf>, story: &Story) -> Outcome {
    story.line("Five servers of five owners make a validator key that nobody has.\n");
    let options = LabOptions {
        dir,
        ..LabOptions::default()
    };
    let mut demo = Demo {
        story,
        figures: Figures::default(),
        failures: Vec::new(),
    };
    let mut lab = None;
    match Lab::up(&options, story) {
        Ok(up) => {
            demo.figures.dkg_seconds = up.record().ceremony_seconds;
            let up = lab.insert(up);
            if let Err(error) = demo.play(up) {
                demo.fail(error);
            }
        }
        Err(error) => demo.fail(error),
    }
    demo.figures.seconds = story.seconds();
    Outcome {
        figures: demo.figures,
        failures: demo.failures,
        lab,
    }
}

struct Demo<'a> {
    story: &'a Story,
    figures: Figures,
    failures: Vec<String>,
}

impl Demo<'_> {
    fn play(&mut self, lab: &mut Lab) -> Result<(), LabError> {
        let key = lab.sampler()?.key;
        self.story.detail(format!("the validator: {key}"));
        let vote = self.every_kind(lab)?;
        self.lose_and_lie(lab)?;
        self.slashable(lab, &vote)
    }

    /// One request of each type; gives the vote among them.
    fn every_kind(&mut self, lab: &Lab) -> Result<Sample, LabError> {
        let sampler = lab.sampler()?;
        // The vote of the last epoch: the next one is for later.
        let slots = lab.network().preset().slots_per_epoch();
        let before = Sampler {
            slot: Slot(sampler.slot.0.saturating_sub(slots)),
            ..sampler
        };
        let vote = before.sample(RequestKind::Attestation)?;
        for kind in RequestKind::ALL {
            let sample = match kind {
                RequestKind::Attestation => vote.clone(),
                // Two blocks of one slot would be slashable.
                RequestKind::Block => before.sample(kind)?,
                _ => sampler.sample(kind)?,
            };
            if self.sign(lab, &sample)? {
                self.figures.kinds += 1;
            }
        }
        let (kinds, verified) = (self.figures.kinds, self.figures.verified);
        let all = RequestKind::ALL.len();
        self.story.tell(format!(
            "{kinds} of {all} types of request were signed; {verified} signatures verified with the \
             public key alone"
        ));
        self.hold(kinds == all, format!("{kinds} of {all} types were signed"));
        Ok(vote)
    }

    /// One server is killed, another signs with a share that is not its own.
    fn lose_and_lie(&mut self, lab: &mut Lab) -> Result<(), LabError> {
        let dead = lab.server(DEAD)?.name.clone();
        lab.kill9(DEAD)?;
        self.story.tell(format!("{dead} is dead (kill -9)"));
        let liar = lab.server(LIAR)?.name.clone();
        lab.fault(LIAR, FaultMode::Wrong)?;
        self.story.tell(format!(
            "{liar} lies from now on: valid points, made with another share"
        ));
        self.figures.dead = dead;

        let sampler = lab.sampler()?;
        let before = (self.figures.signed, self.figures.verified);
        self.sign(lab, &sampler.sample(RequestKind::Attestation)?)?;
        let mut asked = 1_usize;
        let mut lies = Vec::new();
        // A lie that comes after enough true answers hurts nobody and is not looked at: it takes a
        // few requests until one comes in time.
        for offset in 1..=MORE {
            let later = Sampler {
                slot: Slot(sampler.slot.0.saturating_add(offset)),
                ..sampler
            };
            for kind in [RequestKind::BlockV2, RequestKind::SyncCommitteeMessage] {
                self.sign(lab, &later.sample(kind)?)?;
                asked = asked.saturating_add(1);
            }
            lies = proved_lies(lab.record(), lab.network())?;
            if offset >= LEAST && !lies.is_empty() {
                break;
            }
        }
        let signed = self.figures.signed.saturating_sub(before.0);
        let verified = self.figures.verified.saturating_sub(before.1);
        self.story.tell(format!(
            "the other three went on: {signed} of {asked} requests signed, {verified} verified"
        ));
        let named: Vec<&str> = lies.iter().map(|lie| lie.name.as_str()).collect();
        self.hold(
            !named.is_empty() && named.iter().all(|name| *name == liar),
            format!("evidence names {named:?}, the liar is {liar}"),
        );
        if let Some(lie) = lies.first() {
            self.figures.liar.clone_from(&lie.name);
            self.story
                .tell(format!("{} is named: {}", lie.name, lie.fault));
            let folder = lab.record().requestor.dir.join("evidence");
            self.story.detail(format!(
                "proof for anybody: {}",
                folder.join(&lie.file).display()
            ));
        }
        Ok(())
    }

    /// A second vote for an epoch that was voted in.
    fn slashable(&mut self, lab: &mut Lab, vote: &Sample) -> Result<(), LabError> {
        lab.start(DEAD)?;
        self.story
            .tell(format!("{} is back, with its marks", self.figures.dead));
        let slot = vote.body["attestation"]["slot"]
            .as_str()
            .and_then(|slot| slot.parse().ok());
        let slot = Slot(slot.unwrap_or_default());
        let conflicting = Sampler {
            slot,
            salt: 1,
            ..lab.sampler()?
        };
        let conflicting = conflicting.sample(RequestKind::Attestation)?;
        let answer = lab.request(&conflicting)?;
        self.figures.slashable_status = answer.status;
        self.story.tell(format!(
            "a second, different vote for the same epoch: status {}, no signature",
            answer.status
        ));
        self.hold(
            answer.status == 412,
            format!("status {} for a double vote", answer.status),
        );

        let direct = DirectRequestor::of(lab.record(), lab.network())?;
        let batch = direct.batch(std::slice::from_ref(&conflicting), FIRST_EPOCH)?;
        for server in &lab.record().servers {
            match direct.ask(server.index, &batch)?.answers.first() {
                Some(SignAnswer::Refused(refusal))
                    if refusal.code.class() == RefusalClass::Slashing =>
                {
                    self.figures.slashable_refused_by += 1;
                    self.story
                        .detail(format!("{} refuses: {refusal}", server.name));
                }
                other => self.fail(format!(
                    "{} was asked for a double vote: {other:?}",
                    server.name
                )),
            }
        }
        let (refused, servers) = (
            self.figures.slashable_refused_by,
            lab.record().servers.len(),
        );
        self.story.tell(format!(
            "asked one by one, {refused} of {servers} servers refused it"
        ));
        self.hold(
            refused == servers,
            format!("{refused} of {servers} servers refused"),
        );
        Ok(())
    }

    /// Sends a request and verifies what comes back.
    fn sign(&mut self, lab: &Lab, sample: &Sample) -> Result<bool, LabError> {
        let answer = lab.request(sample)?;
        if answer.status == 200 {
            self.figures.signed += 1;
        }
        let verdict =
            crate::verify::verify_answer(lab.network(), &sample.key, &sample.body, &answer);
        match verdict {
            Ok(_) => {
                self.figures.verified += 1;
                Ok(true)
            }
            Err(error) => {
                self.fail(format!("{}: {error}", sample.kind));
                Ok(false)
            }
        }
    }

    fn hold(&mut self, holds: bool, otherwise: String) {
        if !holds {
            self.fail(otherwise);
        }
    }

    fn fail(&mut self, what: impl std::fmt::Display) {
        self.story.tell(format!("FAILED: {what}"));
        self.failures.push(what.to_string());
    }
}

impl Outcome {
    /// Whether everything held.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// The line for scripts.
    ///
    /// # Errors
    ///
    /// Never: figures are numbers and names.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Line {
            demo: "quickstart",
            ok: self.is_ok(),
            figures: &self.figures,
        })
    }
}

#[derive(Serialize)]
struct Line<'a> {
    demo: &'static str,
    ok: bool,
    figures: &'a Figures,
}

/// A command line that signs something, for people who want to try.
///
/// # Errors
///
/// The cluster has no key.
pub fn curl_line(lab: &Lab) -> Result<String, LabError> {
    let sample = lab.sampler()?.sample(RequestKind::RandaoReveal)?;
    let mut line = String::new();
    // Writing into a String never fails.
    write!(
        line,
        "curl -s -X POST {}{} -H 'content-type: application/json' -d '{}'",
        lab.record().requestor_url,
        sample.path(),
        sample.body
    )
    .ok();
    Ok(line)
}

const DEAD: u16 = 5;
const LIAR: u16 = 2;
/// Slots after the running one in which more is signed, at least and at most.
const LEAST: u64 = 3;
const MORE: u64 = 50;
/// Group epoch of keys that were never reshared.
const FIRST_EPOCH: u32 = 1;
