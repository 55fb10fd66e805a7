//! The software device as something a worker can open.

use std::path::{Path, PathBuf};

use hsm_api::{FoundToken, Hsm, HsmError, Opener, TokenId, TokenSelector};
use symbolon_secmem::SecretBytes;

use crate::{FaultPlan, SoftHsm};

/// Opens a software token; the PIN is [`SoftOpener::PIN`].
#[derive(Clone, Debug)]
pub struct SoftOpener {
    /// Where the keys are kept.
    pub store: PathBuf,
    /// The fault plan's text form.
    pub faults: String,
}

impl SoftOpener {
    /// The PIN of all software tokens.
    pub const PIN: &str = "123456";
}

impl Opener for SoftOpener {
    type Found = FoundSoft;

    fn find(&self, _: &Path, token: &TokenSelector) -> Result<FoundSoft, HsmError> {
        let faults =
            FaultPlan::parse(&self.faults).map_err(|error| HsmError::policy(error.to_string()))?;
        Ok(FoundSoft(SoftHsm::at(&token.label, &self.store, faults)?))
    }
}

/// A software token that was found.
#[derive(Debug)]
pub struct FoundSoft(SoftHsm);

impl FoundToken for FoundSoft {
    fn token(&self) -> &TokenId {
        self.0.token_id()
    }

    fn login(self, pin: SecretBytes) -> Result<Box<dyn Hsm>, HsmError> {
        self.0.note_login()?;
        if pin.expose(|pin| pin == SoftOpener::PIN.as_bytes()) {
            Ok(Box::new(self.0))
        } else {
            Err(HsmError::AuthFailed {
                token: self.0.token_id().to_string(),
            })
        }
    }
}
