//! The worker's end of the pipe: one call at a time, in order.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use symbolon_secmem::SecretBytes;
use zeroize::Zeroizing;

use crate::worker::frame;
use crate::worker::message::{Answer, Call, PROTOCOL, Request, Response, encode};
use crate::worker::pin;
use crate::{
    AnchorName, Dek, Hsm, HsmError, ObjectLabel, ProvisionPlan, RANDOM_MAX, SealedDek, TokenId,
};

/// A kind of device that a worker can open.
pub trait Opener {
    /// A token that was found and not yet logged in to.
    type Found: FoundToken;

    /// Loads the module and finds the one token that the selector names.
    ///
    /// # Errors
    ///
    /// [`HsmError::NotFound`], [`HsmError::Ambiguous`], [`HsmError::DeviceGone`].
    fn find(&self, module: &Path, token: &TokenSelector) -> Result<Self::Found, HsmError>;
}

/// A token that was found.
pub trait FoundToken {
    /// Which token.
    fn token(&self) -> &TokenId;

    /// Logs in, one attempt.
    ///
    /// # Errors
    ///
    /// [`HsmError::AuthFailed`], [`HsmError::AuthLocked`], [`HsmError::DeviceGone`].
    fn login(self, pin: SecretBytes) -> Result<Box<dyn Hsm>, HsmError>;
}

/// Which token to use: by label, and by serial number where two tokens share a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSelector {
    /// The token label.
    pub label: String,
    /// The serial number, when given.
    pub serial: Option<String>,
}

/// Serves until `input` ends, then returns. `input` ends when the parent process does.
///
/// A module that hangs keeps this thread busy, so a second one reads `input`: when that ends it
/// calls `abandon` after [`GRACE`], which must end the process.
pub fn serve<O: Opener>(
    opener: &O,
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
    abandon: impl FnOnce() + Send + 'static,
) {
    let (calls, queue) = sync_channel::<Zeroizing<Vec<u8>>>(1);
    // Never joined: it ends with the process.
    thread::spawn(move || {
        while let Ok(Some(call)) = frame::read(&mut input) {
            if calls.send(call).is_err() {
                return;
            }
        }
        drop(calls);
        thread::sleep(GRACE);
        abandon();
    });
    let mut device = State::New;
    while let Some(answer) = next(&queue, opener, &mut device) {
        if frame::write(&mut output, &answer).is_err() {
            return;
        }
    }
}

enum State<F> {
    New,
    Found(F),
    Open(Box<dyn Hsm>),
    Closed,
}

fn next<O: Opener>(
    queue: &Receiver<Zeroizing<Vec<u8>>>,
    opener: &O,
    device: &mut State<O::Found>,
) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = queue.recv().ok()?;
    // A parent that does not speak our protocol is not answered: ending is the answer.
    let call: Call<'_> = minicbor::decode(&bytes).ok()?;
    let deadline =
        Instant::now() + Duration::from_millis(call.budget_millis.min(BUDGET_MAX_MILLIS));
    let number = call.number;
    let reply = |response: Response<'_>| encode(&Answer { number, response });
    let operation = call.request.name();
    let result = match call.request {
        Request::Find {
            protocol,
            module,
            label,
            serial,
        } => find(opener, device, protocol, Path::new(module), label, serial)
            .and_then(|token| reply(Response::Token(token))),
        Request::Login { pin } => SecretBytes::take_from(&mut Zeroizing::new(pin.to_vec()))
            .map_err(|error| HsmError::policy(format!("PIN: {error}")))
            .and_then(|pin| login(device, pin))
            .and_then(|()| reply(Response::Done)),
        Request::LoginFromFile { path } => pin::read_file(Path::new(path))
            .and_then(|pin| login(device, pin))
            .and_then(|()| reply(Response::Done)),
        request => match device {
            State::Open(hsm) => perform(hsm.as_ref(), request, deadline, reply),
            _ => Err(HsmError::gone("the worker has not opened its token")),
        },
    };
    result
        .or_else(|error| {
            tracing::warn!(operation, %error, "refused or failed");
            reply(Response::Failed(error))
        })
        .ok()
}

fn find<O: Opener>(
    opener: &O,
    device: &mut State<O::Found>,
    protocol: u32,
    module: &Path,
    label: &str,
    serial: Option<&str>,
) -> Result<TokenId, HsmError> {
    if protocol != PROTOCOL {
        return Err(HsmError::policy(format!(
            "worker speaks protocol {PROTOCOL}, its parent {protocol}; install both from one release"
        )));
    }
    let selector = TokenSelector {
        label: label.to_owned(),
        serial: serial.map(str::to_owned),
    };
    let found = opener.find(module, &selector)?;
    let token = found.token().clone();
    *device = State::Found(found);
    Ok(token)
}

fn login<F: FoundToken>(device: &mut State<F>, pin: SecretBytes) -> Result<(), HsmError> {
    match std::mem::replace(device, State::Closed) {
        State::Found(found) => {
            *device = State::Open(found.login(pin)?);
            Ok(())
        }
        _ => Err(HsmError::policy(
            "a worker logs in once, after it has found its token",
        )),
    }
}

fn perform(
    hsm: &dyn Hsm,
    request: Request<'_>,
    deadline: Instant,
    reply: impl Fn(Response<'_>) -> Result<Zeroizing<Vec<u8>>, HsmError>,
) -> Result<Zeroizing<Vec<u8>>, HsmError> {
    match request {
        Request::Find { .. } | Request::Login { .. } | Request::LoginFromFile { .. } => {
            Err(HsmError::policy("the token is open already"))
        }
        Request::Token => reply(Response::Token(hsm.token(deadline)?)),
        Request::Probe => reply(Response::Capabilities(hsm.probe(deadline)?)),
        Request::Health { identity } => {
            reply(Response::Health(hsm.health(identity.as_ref(), deadline)))
        }
        Request::Random { len } => {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            if len > RANDOM_MAX {
                return Err(HsmError::policy(format!(
                    "at most {RANDOM_MAX} random bytes in one call"
                )));
            }
            let mut bytes = Zeroizing::new(vec![0; len]);
            hsm.random(&mut bytes, deadline)?;
            reply(Response::Secret(&bytes))
        }
        Request::Provision { member, order } => {
            let plan = ProvisionPlan {
                member: member_label(member)?,
                order,
            };
            reply(Response::Provisioned(hsm.provision(&plan, deadline)?))
        }
        Request::Public { key } => reply(Response::Public(hsm.p256_public(&key, deadline)?)),
        Request::Sign { key, digest } => {
            reply(Response::Signature(hsm.sign_p256(&key, &digest, deadline)?))
        }
        Request::EnsureEcdhKey { key } => {
            reply(Response::Public(hsm.ensure_ecdh_key(&key, deadline)?))
        }
        Request::Ecdh { key, peer } => hsm
            .ecdh_p256(&key, &peer, deadline)?
            .expose(|secret| reply(Response::Secret(secret))),
        Request::DestroyKey { key } => reply(Response::Destroyed(hsm.destroy_key(&key, deadline)?)),
        Request::SealDek { kek, dek } => {
            let dek = symbolon_secmem::Locked::take_from(&mut Zeroizing::new(dek.to_vec()))
                .ok_or_else(|| HsmError::policy("a DEK has 32 bytes"))?;
            let sealed = hsm.seal_dek(&kek, &Dek::new(dek), deadline)?;
            reply(Response::Sealed(&sealed.encode()))
        }
        Request::OpenDek { sealed } => {
            let dek = hsm.open_dek(&SealedDek::decode(sealed)?, deadline)?;
            dek.key().expose(|key| reply(Response::Secret(key)))
        }
        Request::AnchorRead { member } => {
            let name = AnchorName::of(member_label(member)?);
            reply(Response::Anchor(hsm.anchor_read(&name, deadline)?))
        }
        Request::AnchorAdvance { member, next } => {
            hsm.anchor_advance(&AnchorName::of(member_label(member)?), next, deadline)?;
            reply(Response::Done)
        }
    }
}

fn member_label(text: &str) -> Result<ObjectLabel, HsmError> {
    ObjectLabel::parse(text).map_err(|error| HsmError::policy(error.to_string()))
}

/// How long a call may go on after the parent is gone, so that a write to the token can end.
pub const GRACE: Duration = Duration::from_secs(2);

/// An hour: no call takes longer, and adding it to the clock cannot overflow.
const BUDGET_MAX_MILLIS: u64 = 3_600_000;
