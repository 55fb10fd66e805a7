//! Requests and responses between a server and its worker process.
//!
//! Secrets are borrowed from the frame, which wipes itself.

use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::worker::frame::FRAME_MAX;
use crate::{
    AnchorRecord, Capabilities, Health, HsmError, Kek, KeyId, P256Public, ProvisionReport,
    SealKind, TokenId,
};

/// One request with its number and the time left for it.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Call<'b> {
    /// Rises by one with each call; the answer repeats it.
    #[n(0)]
    pub(crate) number: u64,
    /// Milliseconds until the caller gives up.
    #[n(1)]
    pub(crate) budget_millis: u64,
    #[b(2)]
    pub(crate) request: Request<'b>,
}

/// One response.
#[derive(Debug, Encode, Decode)]
pub(crate) struct Answer<'b> {
    #[n(0)]
    pub(crate) number: u64,
    #[b(1)]
    pub(crate) response: Response<'b>,
}

/// What a worker is asked.
#[derive(Encode, Decode)]
pub(crate) enum Request<'b> {
    /// Load the module and find the token. The first call of a worker; no PIN yet.
    #[n(0)]
    Find {
        #[n(0)]
        protocol: u32,
        #[b(1)]
        module: &'b str,
        #[b(2)]
        label: &'b str,
        #[b(3)]
        serial: Option<&'b str>,
    },
    /// Log in with the PIN given. The second call of a worker, made once.
    #[n(1)]
    Login {
        #[cbor(b(0), with = "minicbor::bytes")]
        pin: &'b [u8],
    },
    /// Log in with the PIN in a file.
    #[n(2)]
    LoginFromFile {
        #[b(0)]
        path: &'b str,
    },
    #[n(3)]
    Probe,
    #[n(4)]
    Health {
        #[n(0)]
        identity: Option<KeyId>,
    },
    #[n(5)]
    Random {
        #[n(0)]
        len: u32,
    },
    #[n(6)]
    Provision {
        #[b(0)]
        member: &'b str,
        #[n(1)]
        order: Vec<SealKind>,
    },
    #[n(7)]
    Public {
        #[n(0)]
        key: KeyId,
    },
    #[n(8)]
    Sign {
        #[n(0)]
        key: KeyId,
        #[cbor(n(1), with = "minicbor::bytes")]
        digest: [u8; 32],
    },
    #[n(9)]
    EnsureEcdhKey {
        #[n(0)]
        key: KeyId,
    },
    #[n(10)]
    Ecdh {
        #[n(0)]
        key: KeyId,
        #[n(1)]
        peer: P256Public,
    },
    #[n(11)]
    DestroyKey {
        #[n(0)]
        key: KeyId,
    },
    #[n(12)]
    SealDek {
        #[n(0)]
        kek: Kek,
        #[cbor(b(1), with = "minicbor::bytes")]
        dek: &'b [u8],
    },
    #[n(13)]
    OpenDek {
        #[cbor(b(0), with = "minicbor::bytes")]
        sealed: &'b [u8],
    },
    #[n(14)]
    AnchorRead {
        #[b(0)]
        member: &'b str,
    },
    #[n(15)]
    AnchorAdvance {
        #[b(0)]
        member: &'b str,
        #[n(1)]
        next: AnchorRecord,
    },
    #[n(16)]
    Token,
}

impl Request<'_> {
    /// The name in messages.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Find { .. } => "find token",
            Self::Login { .. } | Self::LoginFromFile { .. } => "login",
            Self::Probe => "probe",
            Self::Health { .. } => "health",
            Self::Random { .. } => "random",
            Self::Provision { .. } => "provision",
            Self::Public { .. } => "public key",
            Self::Sign { .. } => "sign",
            Self::EnsureEcdhKey { .. } => "make ECDH key",
            Self::Ecdh { .. } => "ECDH",
            Self::DestroyKey { .. } => "destroy key",
            Self::SealDek { .. } => "seal DEK",
            Self::OpenDek { .. } => "open DEK",
            Self::AnchorRead { .. } => "read anchor",
            Self::AnchorAdvance { .. } => "advance anchor",
            Self::Token => "token",
        }
    }
}

/// Names the request only: some carry secrets.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a worker answers.
#[derive(Encode, Decode)]
pub(crate) enum Response<'b> {
    #[n(0)]
    Failed(#[n(0)] HsmError),
    #[n(1)]
    Done,
    #[n(2)]
    Token(#[n(0)] TokenId),
    #[n(3)]
    Capabilities(#[n(0)] Capabilities),
    #[n(4)]
    Health(#[n(0)] Health),
    /// Random numbers, an ECDH secret, a DEK.
    #[n(5)]
    Secret(#[cbor(b(0), with = "minicbor::bytes")] &'b [u8]),
    #[n(6)]
    Provisioned(#[n(0)] ProvisionReport),
    #[n(7)]
    Public(#[n(0)] P256Public),
    #[n(8)]
    Signature(#[cbor(n(0), with = "minicbor::bytes")] [u8; 64]),
    #[n(9)]
    Destroyed(#[n(0)] bool),
    #[n(10)]
    Sealed(#[cbor(b(0), with = "minicbor::bytes")] &'b [u8]),
    #[n(11)]
    Anchor(#[n(0)] Option<AnchorRecord>),
}

/// Names the kind only: some carry secrets.
impl std::fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "failed: {error}"),
            _ => f.write_str("answered"),
        }
    }
}

/// Encodes into memory that wipes itself and never moves: its capacity is that of a full frame.
pub(crate) fn encode<T: Encode<()>>(message: &T) -> Result<Zeroizing<Vec<u8>>, HsmError> {
    let mut bytes = Zeroizing::new(vec![0; FRAME_MAX]);
    let mut cursor = minicbor::encode::write::Cursor::new(bytes.as_mut_slice());
    minicbor::encode(message, &mut cursor).map_err(|_| {
        HsmError::policy(format!(
            "a message to or from the worker is over {FRAME_MAX} bytes"
        ))
    })?;
    let len = cursor.position();
    bytes.truncate(len);
    Ok(bytes)
}

/// Version of this protocol; both ends must agree.
pub(crate) const PROTOCOL: u32 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let call = Call {
            number: 1,
            budget_millis: 5,
            request: Request::Login { pin: b"123456" },
        };
        assert!(!format!("{call:?}").contains("49"));
        assert!(!format!("{:?}", Response::Secret(&[77; 32])).contains("77"));
    }

    #[test]
    fn a_call_reads_back() {
        let call = Call {
            number: 7,
            budget_millis: 5,
            request: Request::AnchorRead { member: "m1" },
        };
        let bytes = encode(&call).unwrap();
        let back: Call<'_> = minicbor::decode(&bytes).unwrap();
        assert!(back.number == 7 && matches!(back.request, Request::AnchorRead { member: "m1" }));
    }

    #[test]
    fn every_error_survives_the_pipe() {
        let token = TokenId::new("a", "1").unwrap();
        let errors = [
            HsmError::Unsupported {
                operation: "x".into(),
            },
            HsmError::AuthFailed { token: "x".into() },
            HsmError::AuthLocked { token: "x".into() },
            HsmError::gone("x"),
            HsmError::Busy { waiting: 3 },
            HsmError::Timeout {
                operation: "x".into(),
            },
            HsmError::bad_blob("x"),
            HsmError::WrongToken {
                sealed_on: token.clone(),
                opened_on: token,
            },
            HsmError::policy("x"),
            HsmError::NotFound { object: "x".into() },
            HsmError::Ambiguous {
                object: "x".into(),
                count: 2,
            },
            HsmError::Other {
                code: "x".into(),
                function: "y".into(),
            },
        ];
        for error in errors {
            let bytes = encode(&Answer {
                number: 1,
                response: Response::Failed(error.clone()),
            })
            .unwrap();
            let answer: Answer<'_> = minicbor::decode(&bytes).unwrap();
            assert!(matches!(answer.response, Response::Failed(back) if back == error));
        }
    }

    #[test]
    fn an_oversize_message_is_an_error() {
        let text = "x".repeat(FRAME_MAX);
        let message = Answer {
            number: 1,
            response: Response::Failed(HsmError::gone(text)),
        };
        assert!(encode(&message).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _call = minicbor::decode::<Call<'_>>(&bytes);
            let _answer = minicbor::decode::<Answer<'_>>(&bytes);
        }
    }
}
