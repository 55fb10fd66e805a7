//! Loading a module and finding the one token.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, TokenInfo};
use hsm_api::{FoundToken, Hsm, HsmError, Opener, TokenId, TokenSelector};
use symbolon_secmem::SecretBytes;

use crate::Pkcs11Hsm;
use crate::fault::explain;
use crate::token::Token;

/// Opens tokens behind any PKCS#11 module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pkcs11Opener;

impl Opener for Pkcs11Opener {
    type Found = FoundPkcs11;

    fn find(&self, module: &Path, token: &TokenSelector) -> Result<FoundPkcs11, HsmError> {
        FoundPkcs11::find(module, token)
    }
}

/// A token behind a loaded module, not logged in to.
#[derive(Debug)]
pub struct FoundPkcs11 {
    module: Pkcs11,
    slot: Slot,
    id: TokenId,
    device: String,
    info: TokenInfo,
}

impl FoundPkcs11 {
    fn find(path: &Path, selector: &TokenSelector) -> Result<Self, HsmError> {
        let module = Pkcs11::new(path).map_err(|error| explain(&error))?;
        // Never unloaded and never finalized: modules crash when either happens under a call.
        std::mem::forget(module.clone());
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(explain(&error)),
        }
        let slots = module
            .get_slots_with_token()
            .map_err(|error| explain(&error))?;
        let mut labels = Vec::new();
        let mut hits = Vec::new();
        for slot in slots {
            match module.get_token_info(slot) {
                Ok(info) if selects(selector, &info) => hits.push((slot, info)),
                Ok(info) if info.token_initialized() => labels.push(format!("{:?}", info.label())),
                Ok(_) => {}
                Err(error) => labels.push(format!("(slot {slot} cannot be read: {error})")),
            }
        }
        let object = format!("token labelled {:?}", selector.label);
        let count = u32::try_from(hits.len()).unwrap_or(u32::MAX);
        let (slot, info) = match (hits.pop(), hits.is_empty()) {
            (Some(hit), true) => hit,
            (Some(_), false) => return Err(HsmError::Ambiguous { object, count }),
            (None, _) => {
                return Err(HsmError::NotFound {
                    object: format!("{object} (the module shows: {})", labels.join(", ")),
                });
            }
        };
        let id = TokenId::new(info.label(), info.serial_number()).ok_or_else(|| {
            HsmError::policy("the token's label or serial number has an impossible length")
        })?;
        let library = module
            .get_library_info()
            .map(|info| {
                format!(
                    "; module {} {}",
                    info.library_description(),
                    info.library_version()
                )
            })
            .unwrap_or_default();
        let device = format!(
            "{} {}, firmware {}{library}",
            info.manufacturer_id(),
            info.model(),
            info.firmware_version()
        );
        Ok(Self {
            module,
            slot,
            id,
            device,
            info,
        })
    }

    /// Refuses a token on which a wrong PIN could do harm, before any PIN is sent.
    fn check_pin_state(&self) -> Result<(), HsmError> {
        let info = &self.info;
        if info.user_pin_locked() {
            return Err(HsmError::AuthLocked {
                token: self.id.to_string(),
            });
        }
        if info.user_pin_final_try() {
            return Err(HsmError::policy(format!(
                "token {} allows one last PIN attempt; log in once by hand with the vendor's tool, \
                 which resets its counter",
                self.id
            )));
        }
        if info.protected_authentication_path() {
            return Err(HsmError::Unsupported {
                operation: "login without its own PIN pad".to_owned(),
            });
        }
        Ok(())
    }
}

impl FoundToken for FoundPkcs11 {
    fn token(&self) -> &TokenId {
        &self.id
    }

    fn login(self, pin: SecretBytes) -> Result<Box<dyn Hsm>, HsmError> {
        self.check_pin_state()?;
        let token = Token::login(self.module, self.slot, self.id, self.device, pin)?;
        Ok(Box::new(Pkcs11Hsm::new(token)))
    }
}

fn selects(selector: &TokenSelector, info: &TokenInfo) -> bool {
    info.token_initialized()
        && info.label() == selector.label
        && selector
            .serial
            .as_ref()
            .is_none_or(|serial| info.serial_number() == serial)
}
