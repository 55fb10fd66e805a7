//! The gRPC services.

mod admin;
mod ceremony;
mod signer;

use symbolon_protocol::roster::{ClientKind, PartyId};
use symbolon_rpc::wire::Frame;
use tonic::{Request, Response, Status};

use crate::parties::{CallerError, Parties};

pub(crate) use admin::AdminService;
pub(crate) use ceremony::CeremonyService;
pub(crate) use signer::SignerService;

/// The name of the caller, who must be a client of this kind in the roster in force.
fn caller<T>(
    request: &Request<T>,
    parties: &Parties,
    expected: ClientKind,
) -> Result<(PartyId, String), Box<Status>> {
    let party = symbolon_rpc::caller(request)?;
    let name = parties
        .client(&party, expected)
        .map_err(|error| Box::new(denied(&error)))?;
    Ok((party, name))
}

fn denied(error: &CallerError) -> Status {
    Status::permission_denied(error.to_string())
}

fn malformed(error: &dyn std::error::Error) -> Status {
    Status::invalid_argument(error.to_string())
}

fn frame(value: Vec<u8>) -> Frame {
    Frame {
        value: value.into(),
    }
}

type Answer<T> = Result<Response<T>, Status>;
