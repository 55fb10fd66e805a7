//! The folder of one ceremony.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use symbolon_ceremony::{
    CheckedDeals, Cosigned, DealerId, FileName, GroupDescriptor, Outcome, Plan,
    VerifiedCertificate, VerifiedPlan,
};
use symbolon_protocol::NetworkId;
use symbolon_protocol::roster::Roster;
use symbolon_threshold::ShareIndex;

/// A deal of a thousand keys has less than a megabyte.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// A folder that holds the messages of one ceremony.
pub(crate) struct Folder {
    dir: PathBuf,
    network: NetworkId,
    roster: Roster,
}

impl Folder {
    /// Opens (and makes) the folder of a ceremony under `roster`.
    pub(crate) fn open(dir: &Path, network: NetworkId, roster: &Roster) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self {
            dir: dir.to_path_buf(),
            network,
            roster: roster.clone(),
        })
    }

    /// Where it lies.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A message, if it is there.
    pub(crate) fn read(&self, name: FileName) -> anyhow::Result<Option<Vec<u8>>> {
        let path = self.path(name);
        if !path.exists() {
            return Ok(None);
        }
        crate::input::bytes(&path, MAX_FILE).map(Some)
    }

    /// Stores a message. The same bytes may come again; others under the same name may not.
    pub(crate) fn write(&self, name: FileName, bytes: &[u8]) -> anyhow::Result<()> {
        if let Some(old) = self.read(name)? {
            if old == bytes {
                return Ok(());
            }
            bail!(
                "{} is there with other bytes: keep both, one of them may be evidence",
                self.path(name).display()
            );
        }
        self.replace(name, bytes)
    }

    /// Stores a message that may change (a plan that gathers signatures).
    pub(crate) fn replace(&self, name: FileName, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.path(name);
        symbolon_daemon::files::write_atomic(&path, bytes)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The plan with the signatures gathered so far.
    pub(crate) fn draft(&self) -> anyhow::Result<Option<Cosigned<Plan>>> {
        let Some(bytes) = self.read(FileName::Plan)? else {
            return Ok(None);
        };
        let plan = Cosigned::from_bytes(self.network, &bytes)
            .with_context(|| format!("{} is refused", self.path(FileName::Plan).display()))?;
        Ok(Some(plan))
    }

    /// The plan, fully signed and checked; an error says what it lacks.
    pub(crate) fn plan(&self) -> anyhow::Result<VerifiedPlan> {
        let bytes = self
            .read(FileName::Plan)?
            .context("the plan is not there yet")?;
        VerifiedPlan::verify(self.network, &self.roster, &bytes)
            .with_context(|| format!("{} is refused", self.path(FileName::Plan).display()))
    }

    /// All deals of the plan, or nothing while one is missing.
    pub(crate) fn deals(&self, plan: &VerifiedPlan) -> anyhow::Result<Option<Vec<Vec<u8>>>> {
        plan.dealers()
            .iter()
            .map(|dealer| self.read(FileName::Deal(dealer.id)))
            .collect()
    }

    /// Joins the confirmations; nothing while one is missing.
    pub(crate) fn certificate(
        &self,
        plan: &VerifiedPlan,
    ) -> anyhow::Result<Option<VerifiedCertificate>> {
        let confirmations: Option<Vec<Vec<u8>>> = plan
            .indices()
            .into_iter()
            .map(|index| self.read(FileName::Confirmation(index)))
            .collect::<anyhow::Result<_>>()?;
        let Some(confirmations) = confirmations else {
            return Ok(None);
        };
        let parts = confirmations.iter().map(Vec::as_slice);
        let certificate = VerifiedCertificate::assemble(plan, parts)
            .context("the confirmations make no certificate (symbolon ceremony audit says why)")?;
        self.write(FileName::Certificate, certificate.to_bytes())?;
        Ok(Some(certificate))
    }

    /// The finished group's descriptor, once every member has activated.
    pub(crate) fn descriptor(&self, plan: &VerifiedPlan) -> anyhow::Result<Vec<u8>> {
        let deals = self.deals(plan)?.context("a deal is missing")?;
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        let checked = CheckedDeals::check(plan, &deals, &fresh).context("a deal is refused")?;
        let outcome = Outcome::of(plan, &checked)?;
        let certificate = self
            .certificate(plan)?
            .context("a confirmation is missing")?;
        if certificate.transcript() != outcome.transcript {
            bail!("the members confirmed another transcript than these deals make");
        }
        let descriptor = GroupDescriptor::new(plan, &outcome, &certificate)
            .body()
            .to_vec();
        self.write(FileName::Group, &descriptor)?;
        Ok(descriptor)
    }

    /// All complaints in the folder: of whom, about whose deal, and the bytes.
    pub(crate) fn complaints(&self) -> anyhow::Result<Vec<(ShareIndex, DealerId, Vec<u8>)>> {
        let mut complaints = Vec::new();
        for (name, bytes) in self.files()? {
            if let FileName::Complaint(member, dealer) = name {
                complaints.push((member, dealer, bytes));
            }
        }
        Ok(complaints)
    }

    /// Every message in the folder, by name.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<(FileName, Vec<u8>)>> {
        let entries = std::fs::read_dir(&self.dir)
            .with_context(|| format!("cannot read the folder {}", self.dir.display()))?;
        let mut names: Vec<FileName> = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.parse().ok()) {
                names.push(name);
            }
        }
        names.sort();
        names
            .into_iter()
            .map(|name| Ok((name, crate::input::bytes(&self.path(name), MAX_FILE)?)))
            .collect()
    }

    fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }
}
