//! The pipe between a server and its HSM worker, at the worker's end.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use hsm_api::{
    AnchorName, AnchorRecord, CKA_ID_BYTES, Capabilities, Dek, FoundToken, Health, Hsm, HsmError, Kek, KeyCheck,
    KeyId, Opener, P256Public, ProvisionPlan, ProvisionReport, RANDOM_MAX, SealedDek, TokenId,
    TokenSelector, serve,
};
use minicbor::{Decoder, Encoder};
use symbolon_protocol::IdentitySigner;
use symbolon_secmem::{Locked, SecretBytes};

use crate::fixture::identity;
use crate::reader::Reader;
use crate::{Seed, sealed};

/// A few calls.
pub const MAX_LEN: usize = 2048;

/// Every call gets one answer, with its own number, until one is no call; the device is not used
/// before the login, and the PIN does not come back.
pub fn check(data: &[u8]) {
    let mut reader = Reader(data);
    let mut calls = Vec::new();
    if reader.byte() % 2 == 1 {
        calls.extend([find(), login()]);
    }
    while !reader.is_empty() {
        let len = reader.short() % 1024;
        let call = reader.bytes(len);
        // A file of this machine could be named there.
        if !names_a_file(call) {
            calls.push(call.to_vec());
        }
    }
    calls.push(token(LAST));
    let (done, reader_is_done) = channel();
    let input = Calls {
        bytes: calls.iter().flat_map(|call| frame(call)).collect(),
        at: 0,
        _done: done,
    };
    let answers = Answers::default();
    let bench = Bench::default();
    serve(&bench, input, answers.clone(), || {});
    wait_for(&reader_is_done);
    check_answers(&calls, &answers.0.lock().unwrap());
}

fn check_answers(calls: &[Vec<u8>], stream: &[u8]) {
    let mut rest = Reader(stream);
    let mut calls = calls.iter();
    while !rest.is_empty() {
        let len = usize::try_from(u32::from_be_bytes(rest.array())).unwrap();
        assert!(len <= 16 * 1024);
        let answer = rest.bytes(len);
        assert_eq!(answer.len(), len);
        let number = number_of(answer).expect("an answer begins with a number");
        assert_eq!(calls.next().and_then(|call| number_of(call)), Some(number));
        assert!(!answer.windows(PIN.len()).any(|part| part == PIN));
    }
}

fn number_of(message: &[u8]) -> Option<u64> {
    let mut decoder = Decoder::new(message);
    decoder.array().ok()?;
    decoder.u64().ok()
}

fn names_a_file(call: &[u8]) -> bool {
    let variant = |bytes: &[u8]| -> Result<u32, minicbor::decode::Error> {
        let mut decoder = Decoder::new(bytes);
        decoder.array()?;
        decoder.skip()?;
        decoder.skip()?;
        decoder.array()?;
        decoder.u32()
    };
    variant(call).is_ok_and(|variant| variant == 2)
}

/// The calls, then more of the last one for as long as anybody listens.
struct Calls {
    bytes: Vec<u8>,
    at: usize,
    /// Dropped with this value, when the thread that reads has ended.
    _done: Sender<()>,
}

impl Read for Calls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.bytes.len() {
            self.bytes = frame(&token(LAST));
            self.at = 0;
        }
        let read = (&self.bytes[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// Gathers answers; ends the service at the answer to the last call.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<Vec<u8>>>);

impl Write for Answers {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut gathered = self.0.lock().unwrap();
        gathered.extend_from_slice(bytes);
        if number_of(bytes) == Some(LAST) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn wait_for(done: &Receiver<()>) {
    // Nothing is ever sent: this returns when the sender is dropped.
    assert!(done.recv().is_err());
}

#[derive(Default)]
struct Bench {
    logged_in: Arc<AtomicBool>,
}

impl Opener for Bench {
    type Found = Found;

    fn find(&self, _module: &Path, token: &TokenSelector) -> Result<Found, HsmError> {
        let id = TokenId::new(&token.label, token.serial.as_deref().unwrap_or_default());
        let object = || HsmError::NotFound {
            object: token.label.clone(),
        };
        Ok(Found {
            token: id.ok_or_else(object)?,
            logged_in: Arc::clone(&self.logged_in),
        })
    }
}

struct Found {
    token: TokenId,
    logged_in: Arc<AtomicBool>,
}

impl FoundToken for Found {
    fn token(&self) -> &TokenId {
        &self.token
    }

    fn login(self, pin: SecretBytes) -> Result<Box<dyn Hsm>, HsmError> {
        if !pin.ct_eq(&SecretBytes::take_from(&mut PIN.to_vec()).unwrap()) {
            let token = self.token.label().to_owned();
            return Err(HsmError::AuthFailed { token });
        }
        self.logged_in.store(true, Ordering::Relaxed);
        Ok(Box::new(Device { token: self.token }))
    }
}

/// A device that answers everything with fixed values.
struct Device {
    token: TokenId,
}

impl Device {
    fn public() -> P256Public {
        P256Public::from_sec1(identity(7).public().compressed()).unwrap()
    }
}

impl Hsm for Device {
    fn token(&self, _: Instant) -> Result<TokenId, HsmError> {
        Ok(self.token.clone())
    }

    fn probe(&self, _: Instant) -> Result<Capabilities, HsmError> {
        Ok(Capabilities {
            token: self.token.clone(),
            device: "bench".into(),
            seal_kinds: hsm_api::SealKind::DEFAULT_ORDER.to_vec(),
            ecdsa_p256: true,
            ecdh_p256: true,
            random: true,
            data_objects: true,
            trials: Vec::new(),
        })
    }

    fn health(&self, identity: Option<&KeyId>, _: Instant) -> Health {
        match identity {
            Some(key) => Health::Degraded {
                reason: format!("no key {key}"),
            },
            None => Health::Good { micros: 1 },
        }
    }

    fn random(&self, out: &mut [u8], _: Instant) -> Result<(), HsmError> {
        assert!(out.len() <= RANDOM_MAX);
        out.fill(4);
        Ok(())
    }

    fn provision(&self, plan: &ProvisionPlan, _: Instant) -> Result<ProvisionReport, HsmError> {
        let kind = plan.order.first().copied();
        let kind = kind.ok_or_else(|| hsm_api::no_scheme(&plan.order))?;
        let kek = hsm_api::KeyName::Kek(plan.member.clone(), kind.family()).id();
        let identity = hsm_api::KeyName::Identity(plan.member.clone()).id();
        Ok(ProvisionReport {
            token: self.token.clone(),
            kek: Kek { key: kek, kind },
            kek_made: true,
            identity,
            identity_public: Self::public(),
            identity_made: false,
        })
    }

    fn p256_public(&self, _: &KeyId, _: Instant) -> Result<P256Public, HsmError> {
        Ok(Self::public())
    }

    fn sign_p256(&self, _: &KeyId, digest: &[u8; 32], _: Instant) -> Result<[u8; 64], HsmError> {
        let mut signature = [1; 64];
        signature[..32].copy_from_slice(digest);
        Ok(signature)
    }

    fn ensure_ecdh_key(&self, _: &KeyId, _: Instant) -> Result<P256Public, HsmError> {
        Ok(Self::public())
    }

    fn ecdh_p256(&self, _: &KeyId, peer: &P256Public, _: Instant) -> Result<Locked<32>, HsmError> {
        assert!(peer.to_key().is_ok());
        Ok(Locked::init_with(|secret| secret.fill(2)))
    }

    fn destroy_key(&self, key: &KeyId, _: Instant) -> Result<bool, HsmError> {
        Ok(key.label().len().is_multiple_of(2))
    }

    fn seal_dek(&self, _: &Kek, _: &Dek, _: Instant) -> Result<SealedDek, HsmError> {
        Ok(sealed::blob(KeyCheck::PublicKey([6; 32])))
    }

    fn open_dek(&self, sealed: &SealedDek, _: Instant) -> Result<Dek, HsmError> {
        sealed.accept(Locked::init_with(|key| key.fill(3)))
    }

    fn anchor_read(&self, _: &AnchorName, _: Instant) -> Result<Option<AnchorRecord>, HsmError> {
        Ok(Some(AnchorRecord {
            generation: 1,
            epoch: 2,
        }))
    }

    fn anchor_advance(
        &self,
        _: &AnchorName,
        next: AnchorRecord,
        _: Instant,
    ) -> Result<(), HsmError> {
        let now = AnchorRecord {
            generation: 1,
            epoch: 2,
        };
        if now.allows(next) {
            return Ok(());
        }
        Err(HsmError::policy("nothing goes down"))
    }
}

const PIN: &[u8] = b"a PIN of some length";

/// Number of the call that ends the service.
const LAST: u64 = u64::MAX;

fn frame(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&len[..], message].concat()
}

type Encoded = Result<(), minicbor::encode::Error<Infallible>>;

/// A call as the other end of the pipe writes it: number, milliseconds, variant and its fields.
fn call(number: u64, variant: u32, count: u64, fields: fn(&mut Encoder<Vec<u8>>) -> Encoded) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.array(3).unwrap().u64(number).unwrap().u64(5000).unwrap();
    encoder.array(2).unwrap().u32(variant).unwrap().array(count).unwrap();
    fields(&mut encoder).unwrap();
    encoder.into_writer()
}

fn token(number: u64) -> Vec<u8> {
    call(number, 16, 0, |_| Ok(()))
}

fn find() -> Vec<u8> {
    call(1, 0, 4, |e| e.u32(1)?.str("/module.so")?.str("rack 7")?.null()?.ok())
}

fn login() -> Vec<u8> {
    call(2, 1, 1, |e| e.bytes(PIN)?.ok())
}

/// One session of every call, each call alone after the login, and calls out of turn.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let calls = calls();
    let joined = |calls: &[(&str, Vec<u8>)]| -> Vec<u8> {
        calls.iter().flat_map(|(_, call)| framed(call)).collect()
    };
    let mut seeds = vec![
        ("session", [vec![1], joined(&calls)].concat()),
        ("before-login", [vec![0], joined(&calls[..3])].concat()),
        (
            "find-login-token",
            [vec![0], framed(&find()), framed(&login()), framed(&token(3))].concat(),
        ),
        ("login-twice", [vec![1], framed(&login())].concat()),
    ];
    seeds.extend(calls.iter().map(|(name, call)| (*name, [vec![1], framed(call)].concat())));
    seeds
}

/// A call as [`check`] reads it.
fn framed(call: &[u8]) -> Vec<u8> {
    let len = u16::try_from(call.len()).unwrap().to_be_bytes();
    [&len[..], call].concat()
}

fn calls() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("probe", call(10, 3, 0, |_| Ok(()))),
        ("health", call(11, 4, 1, key)),
        ("random", call(12, 5, 1, |e| e.u32(32)?.ok())),
        (
            "provision",
            call(13, 6, 2, |e| e.str("m1")?.array(2)?.u8(1)?.u8(3)?.ok()),
        ),
        ("public", call(14, 7, 1, key)),
        (
            "sign",
            call(15, 8, 2, |e| {
                key(e)?;
                e.bytes(&[5; 32])?.ok()
            }),
        ),
        ("ensure-ecdh-key", call(16, 9, 1, key)),
        (
            "ecdh",
            call(17, 10, 2, |e| {
                key(e)?;
                e.bytes(Device::public().uncompressed())?.ok()
            }),
        ),
        ("destroy-key", call(18, 11, 1, key)),
        (
            "seal-dek",
            call(19, 12, 2, |e| {
                e.map(2)?.u8(0)?;
                key(e)?;
                e.u8(1)?.u8(3)?.bytes(&[3; 32])?.ok()
            }),
        ),
        (
            "open-dek",
            call(20, 13, 1, |e| {
                let sealed = sealed::blob(KeyCheck::PublicKey([6; 32]));
                e.bytes(&sealed.encode())?.ok()
            }),
        ),
        ("anchor-read", call(21, 14, 1, |e| e.str("m1")?.ok())),
        (
            "anchor-advance",
            call(22, 15, 2, |e| e.str("m1")?.map(2)?.u8(0)?.u8(3)?.u8(1)?.u8(4)?.ok()),
        ),
        ("token", token(23)),
    ]
}

fn key(encoder: &mut Encoder<Vec<u8>>) -> Encoded {
    let label = "symbolon/m1/identity";
    encoder.map(2)?.u8(0)?.str(label)?.u8(1)?.bytes(&[9; CKA_ID_BYTES])?.ok()
}
