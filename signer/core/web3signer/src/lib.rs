//! The Web3Signer HTTP bodies as bytes: parsed into duties, rendered as answers; pure, no I/O.
//!
//! A request becomes a [`Duty`](symbolon_duties::Duty) and the signing root computed from it here;
//! a root that the client sends is compared with ours and otherwise ignored. Which key, which
//! lease and which slashing mark a duty meets is decided elsewhere.
//!
//! What clients really send (integers quoted or not, either spelling of the signing root, the
//! Electra aggregate under the old name) is accepted; what would change the message that is signed
//! is refused.
#![forbid(unsafe_code)]

mod answer;
mod block;
mod error;
mod field;
mod fork_info;
mod message;
mod request;
mod request_type;

pub use answer::{AnswerFormat, parse_identifier, render_public_keys, render_signature};
pub use error::RequestError;
pub use request::{MAX_BODY_BYTES, SignRequest, parse_sign_request};
