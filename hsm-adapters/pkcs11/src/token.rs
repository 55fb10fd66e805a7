//! One token, logged in to: its sessions and the handles found so far.

use std::collections::HashMap;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use hsm_api::{HsmError, KeyId, TokenId};
use symbolon_secmem::SecretBytes;

use crate::fault::{Fault, explain, explain_login, is_stale};
use crate::key::Role;

/// A logged-in token. One thread at a time uses it.
pub(crate) struct Token {
    module: Pkcs11,
    slot: Slot,
    id: TokenId,
    device: String,
    /// The device has accepted it once, so logging in again with it is no second guess.
    pin: SecretBytes,
    /// Held open and otherwise unused: closing the last session logs out.
    login: Session,
    work: Option<Work>,
    /// Whether the token could be described when it was found; some modules cannot, ever.
    describes: bool,
    refused: Option<HsmError>,
}

/// The session for calls, with the handles found in it. Dropped after any error: some modules
/// leave a failed operation active in its session for ever.
pub(crate) struct Work {
    pub(crate) session: Session,
    pub(crate) handles: HashMap<(KeyId, Role), ObjectHandle>,
}

impl Token {
    /// Logs in, one attempt.
    pub(crate) fn login(
        module: Pkcs11,
        slot: Slot,
        id: TokenId,
        device: String,
        pin: SecretBytes,
    ) -> Result<Self, HsmError> {
        let login = module
            .open_rw_session(slot)
            .map_err(|error| explain(&error))?;
        present(&login, &pin).map_err(|error| explain_login(&error, &id.to_string()))?;
        let describes = module.get_token_info(slot).is_ok();
        Ok(Self {
            module,
            slot,
            id,
            device,
            pin,
            login,
            work: None,
            describes,
            refused: None,
        })
    }

    pub(crate) const fn id(&self) -> &TokenId {
        &self.id
    }

    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    /// Performs calls in the work session. Stale handles or a lost login are renewed once, then
    /// `calls` starts over; any failed call costs the session.
    pub(crate) fn with<T>(
        &mut self,
        mut calls: impl FnMut(&mut Work) -> Result<T, Fault>,
    ) -> Result<T, HsmError> {
        let first = self.once(&mut calls);
        let result = if self.needs_login(&first) {
            self.work = None;
            self.renew_login()
                .map_err(Fault::Ours)
                .and_then(|()| self.once(&mut calls))
        } else {
            first
        };
        match result {
            Ok(value) => Ok(value),
            Err(Fault::Ours(error)) => Err(self.doubt(error)),
            Err(Fault::Module(error)) => Err(self.doubt(explain(&error))),
        }
    }

    /// A session of its own for one trial; it and its objects are gone afterwards.
    pub(crate) fn trial<T>(
        &self,
        calls: impl FnOnce(&Session) -> Result<T, Fault>,
    ) -> Result<T, HsmError> {
        let session = self
            .module
            .open_rw_session(self.slot)
            .map_err(|error| explain(&error))?;
        calls(&session).map_err(|fault| match fault {
            Fault::Ours(error) => error,
            Fault::Module(error) => explain(&error),
        })
    }

    /// Forgets all handles, so that the next call looks at the token and not at memory.
    pub(crate) fn forget(&mut self) {
        self.work = None;
    }

    /// Whether a result may come from a lost login. Without one, private objects are not refused
    /// but invisible.
    fn needs_login<T>(&self, result: &Result<T, Fault>) -> bool {
        match result {
            Err(Fault::Module(error)) => is_stale(error),
            Err(Fault::Ours(HsmError::NotFound { .. })) => !is_user(&self.login),
            _ => false,
        }
    }

    fn once<T>(
        &mut self,
        calls: &mut impl FnMut(&mut Work) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        let mut work = match self.work.take() {
            Some(work) => work,
            None => Work {
                session: self.module.open_rw_session(self.slot)?,
                handles: HashMap::new(),
            },
        };
        let result = calls(&mut work);
        if !matches!(result, Err(Fault::Module(_))) {
            self.work = Some(work);
        }
        result
    }

    /// Logs in again with the PIN that was accepted before. A refusal now means that the PIN was
    /// changed: then nothing is tried any more.
    fn renew_login(&mut self) -> Result<(), HsmError> {
        let login = self
            .module
            .open_rw_session(self.slot)
            .map_err(|error| explain(&error))?;
        match present(&login, &self.pin) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {
                self.login = login;
                Ok(())
            }
            Err(error) => {
                let error = explain_login(&error, &self.id.to_string());
                if matches!(
                    error,
                    HsmError::AuthFailed { .. } | HsmError::AuthLocked { .. }
                ) {
                    self.refused = Some(error.clone());
                }
                Err(error)
            }
        }
    }

    /// Nothing found and odd errors are also what a vanished or exchanged token looks like.
    fn doubt(&self, error: HsmError) -> HsmError {
        if !self.describes || !matches!(error, HsmError::NotFound { .. } | HsmError::Other { .. }) {
            return error;
        }
        match self.module.get_token_info(self.slot) {
            Ok(info)
                if info.label() == self.id.label() && info.serial_number() == self.id.serial() =>
            {
                error
            }
            Ok(info) => HsmError::gone(format!(
                "slot {} now holds token {:?} (serial {:?}) instead of {}",
                self.slot,
                info.label(),
                info.serial_number(),
                self.id
            )),
            Err(lost) => HsmError::gone(format!(
                "{error}; and the token no longer answers: {}",
                explain(&lost)
            )),
        }
    }
}

/// Whether a session says that it is logged in.
pub(crate) fn is_user(session: &Session) -> bool {
    session.get_session_info().is_ok_and(|info| {
        matches!(
            info.session_state(),
            SessionState::RwUser | SessionState::RoUser
        )
    })
}

fn present(session: &Session, pin: &SecretBytes) -> Result<(), Error> {
    let pin = pin.expose(|pin| RawAuthPin::new(Box::new(pin.to_vec())));
    session.login_with_raw(UserType::User, &pin)
}
