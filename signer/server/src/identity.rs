//! The member's identity key, which the device holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hsm_api::{Hsm, HsmError, KeyId};
use symbolon_protocol::{IdentityError, IdentityPublic, IdentitySignature, IdentitySigner};

/// Signs with the identity key in the device. Blocks: call it from a thread that may.
pub(crate) struct HsmIdentity {
    hsm: Arc<dyn Hsm>,
    key: KeyId,
    public: IdentityPublic,
}

impl HsmIdentity {
    /// Looks the key up.
    pub(crate) fn open(hsm: Arc<dyn Hsm>, key: KeyId, deadline: Instant) -> Result<Self, HsmError> {
        let public = hsm.p256_public(&key, deadline)?;
        let public = IdentityPublic::from_sec1(public.uncompressed())
            .map_err(|error| HsmError::policy(format!("identity key on the token: {error}")))?;
        Ok(Self { hsm, key, public })
    }
}

impl IdentitySigner for HsmIdentity {
    fn public(&self) -> IdentityPublic {
        self.public
    }

    fn sign_digest(&self, digest: &[u8; 32]) -> Result<IdentitySignature, IdentityError> {
        let signature = self
            .hsm
            .sign_p256(&self.key, digest, after(SIGN_TIME))
            .map_err(|error| IdentityError::Signer(error.to_string()))?;
        Ok(IdentitySignature(signature))
    }
}

/// The moment that lies `time` from now.
pub(crate) fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

const SIGN_TIME: Duration = Duration::from_secs(10);
