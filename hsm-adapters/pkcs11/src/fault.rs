//! From return codes to errors that say what to do.

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};
use hsm_api::HsmError;

/// What stopped a sequence of calls: the module, or a rule of ours.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A call failed; its session must not be used again.
    Module(Error),
    /// We refused.
    Ours(HsmError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Module(error)
    }
}

impl From<HsmError> for Fault {
    fn from(error: HsmError) -> Self {
        Self::Ours(error)
    }
}

/// Whether handles or the login went stale, so that logging in and finding anew may help.
pub(crate) const fn is_stale(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::SessionHandleInvalid
                | RvError::SessionClosed
                | RvError::UserNotLoggedIn
                | RvError::ObjectHandleInvalid
                | RvError::KeyHandleInvalid
                | RvError::UnwrappingKeyHandleInvalid
                | RvError::WrappingKeyHandleInvalid,
            _
        )
    )
}

/// The error for a failed call, in general.
pub(crate) fn explain(error: &Error) -> HsmError {
    match error {
        Error::Pkcs11(code, function) => explain_code(*code, *function),
        Error::NotSupported | Error::NullFunctionPointer => HsmError::Unsupported {
            operation: "a function that the module does not have".to_owned(),
        },
        Error::LibraryLoading(_) => HsmError::NotFound {
            object: format!("loadable PKCS#11 module ({error})"),
        },
        Error::MissingSymbol(_) => HsmError::NotFound {
            object: format!("PKCS#11 module in that file ({error})"),
        },
        other => HsmError::Other {
            code: other.to_string(),
            function: "the module's answer".to_owned(),
        },
    }
}

fn explain_code(code: RvError, function: Function) -> HsmError {
    match code {
        RvError::DeviceError
        | RvError::DeviceRemoved
        | RvError::TokenNotPresent
        | RvError::TokenNotRecognized
        | RvError::CryptokiNotInitialized
        | RvError::SlotIdInvalid
        | RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::UserNotLoggedIn => HsmError::gone(format!("{function:?} gave {}", name(code))),
        RvError::MechanismInvalid
        | RvError::MechanismParamInvalid
        | RvError::FunctionNotSupported
        | RvError::CurveNotSupported => HsmError::Unsupported {
            operation: format!("{function:?} ({})", name(code)),
        },
        RvError::TokenWriteProtected | RvError::SessionReadOnly => HsmError::policy(format!(
            "the token is read-only ({}); make it writable",
            name(code)
        )),
        RvError::DeviceMemory => HsmError::policy(format!(
            "the token is full ({function:?} gave {}); delete objects that are not needed",
            name(code)
        )),
        RvError::PinExpired => {
            HsmError::policy("the PIN has expired; set a new one with the vendor's tool")
        }
        RvError::UserPinNotInitialized => {
            HsmError::policy("the token has no user PIN; its security officer sets one")
        }
        _ => HsmError::Other {
            code: name(code),
            function: format!("{function:?}"),
        },
    }
}

/// The error for a failed login.
pub(crate) fn explain_login(error: &Error, token: &str) -> HsmError {
    match error {
        Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _) => {
            HsmError::AuthFailed {
                token: token.to_owned(),
            }
        }
        Error::Pkcs11(RvError::PinLocked, _) => HsmError::AuthLocked {
            token: token.to_owned(),
        },
        Error::Pkcs11(RvError::UserAlreadyLoggedIn, _) => HsmError::policy(format!(
            "token {token} was logged in to before our PIN was checked; use a module instance of our own"
        )),
        other => explain(other),
    }
}

/// The name of a return code in the standard's spelling.
fn name(code: RvError) -> String {
    if let RvError::VendorDefined(number) | RvError::UnknownErrorCode(number) = code {
        return format!("CKR {number:#x}");
    }
    let mut name = String::from("CKR");
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelled_as_in_the_standard() {
        assert_eq!(name(RvError::GeneralError), "CKR_GENERAL_ERROR");
        assert_eq!(
            name(RvError::ObjectHandleInvalid),
            "CKR_OBJECT_HANDLE_INVALID"
        );
        assert_eq!(name(RvError::VendorDefined(0x8000_0001)), "CKR 0x80000001");
    }

    #[test]
    fn families_are_told_apart() {
        let explain = |code| explain(&Error::Pkcs11(code, Function::Sign));
        assert!(matches!(
            explain(RvError::DeviceRemoved),
            HsmError::DeviceGone { .. }
        ));
        assert!(matches!(
            explain(RvError::MechanismInvalid),
            HsmError::Unsupported { .. }
        ));
        assert!(matches!(
            explain(RvError::TokenWriteProtected),
            HsmError::Policy { .. }
        ));
        let other = explain(RvError::GeneralError);
        assert_eq!(
            other,
            HsmError::Other {
                code: "CKR_GENERAL_ERROR".into(),
                function: "Sign".into()
            }
        );
        let wrong = Error::Pkcs11(RvError::PinIncorrect, Function::Login);
        assert!(matches!(
            explain_login(&wrong, "t"),
            HsmError::AuthFailed { .. }
        ));
        let locked = Error::Pkcs11(RvError::PinLocked, Function::Login);
        assert!(matches!(
            explain_login(&locked, "t"),
            HsmError::AuthLocked { .. }
        ));
    }
}
