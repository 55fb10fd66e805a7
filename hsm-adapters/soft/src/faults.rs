//! What goes wrong, and at which call.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hsm_api::HsmError;

/// A list of faults, each at one call or at all calls of the device. Calls count from one.
///
/// The text form, for arguments, is a comma-separated list of `kind@call`, where `call` is a number
/// or `*` and `kind` is one of `delay=MS`, `hang`, `crash`, `gone`, `wrong`, `auth`, `fail`.
#[derive(Debug, Default)]
pub struct FaultPlan {
    faults: Vec<(Kind, When)>,
    calls: AtomicU64,
}

impl FaultPlan {
    /// Parses the text form; the empty text is no fault at all.
    ///
    /// # Errors
    ///
    /// [`FaultPlanError`] names the part that is not understood.
    pub fn parse(text: &str) -> Result<Self, FaultPlanError> {
        let parts = text.split(',').filter(|part| !part.is_empty());
        let faults = parts.map(parse_one).collect::<Result<_, _>>()?;
        Ok(Self {
            faults,
            calls: AtomicU64::new(0),
        })
    }

    /// Counts a call and lets its faults happen. `Ok(true)` means that the answer has to be wrong.
    pub(crate) fn strike(&self) -> Result<bool, HsmError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mut wrong = false;
        for (kind, _) in self.faults.iter().filter(|(_, when)| when.is(call)) {
            match kind {
                Kind::Delay(time) => thread::sleep(*time),
                Kind::Hang => loop {
                    thread::park();
                },
                Kind::Crash => std::process::abort(),
                Kind::Gone => return Err(HsmError::gone(format!("fault at call {call}"))),
                Kind::Wrong => wrong = true,
                Kind::Auth => {
                    return Err(HsmError::AuthFailed {
                        token: format!("software, fault at call {call}"),
                    });
                }
                Kind::Fail => {
                    let function = format!("fault at call {call}");
                    return Err(HsmError::Other {
                        code: "CKR_FUNCTION_FAILED".to_owned(),
                        function,
                    });
                }
            }
        }
        Ok(wrong)
    }
}

fn parse_one(part: &str) -> Result<(Kind, When), FaultPlanError> {
    let error = || FaultPlanError {
        part: part.to_owned(),
    };
    let (kind, when) = part.split_once('@').ok_or_else(error)?;
    let when = match when {
        "*" => When::Always,
        number => When::At(number.parse().map_err(|_| error())?),
    };
    let kind = match kind.split_once('=') {
        Some(("delay", millis)) => {
            Kind::Delay(Duration::from_millis(millis.parse().map_err(|_| error())?))
        }
        None if kind == "hang" => Kind::Hang,
        None if kind == "crash" => Kind::Crash,
        None if kind == "gone" => Kind::Gone,
        None if kind == "wrong" => Kind::Wrong,
        None if kind == "auth" => Kind::Auth,
        None if kind == "fail" => Kind::Fail,
        _ => return Err(error()),
    };
    Ok((kind, when))
}

/// A part of a fault plan is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} is no fault; write kind@call, for example hang@3 or delay=50@*")]
pub struct FaultPlanError {
    part: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Delay(Duration),
    Hang,
    Crash,
    Gone,
    Wrong,
    Auth,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    At(u64),
    Always,
}

impl When {
    const fn is(self, call: u64) -> bool {
        match self {
            Self::At(at) => at == call,
            Self::Always => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_at_its_call_only() {
        let plan = FaultPlan::parse("gone@2,wrong@3,fail@4").unwrap();
        assert_eq!(plan.strike(), Ok(false));
        assert!(matches!(plan.strike(), Err(HsmError::DeviceGone { .. })));
        assert_eq!(plan.strike(), Ok(true));
        assert!(matches!(plan.strike(), Err(HsmError::Other { .. })));
        assert_eq!(plan.strike(), Ok(false));
    }

    #[test]
    fn refuses_what_it_does_not_understand() {
        for text in [
            "hang",
            "hang@",
            "hang@x",
            "burn@1",
            "delay@1",
            "delay=x@1",
            "hang=3@1",
        ] {
            assert!(FaultPlan::parse(text).is_err(), "{text}");
        }
        assert!(FaultPlan::parse("").unwrap().faults.is_empty());
    }
}
