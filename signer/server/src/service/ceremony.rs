//! `Ceremony.Step`: one step of a ceremony, asked by an operator who is not trusted with more.

use std::fmt;
use std::sync::Arc;

use symbolon_ceremony::wire::CeremonyRequest;
use symbolon_protocol::roster::ClientKind;
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::ceremony_server::Ceremony;
use tonic::{Request, Response, Status};

use super::{Answer, caller, frame, malformed};
use crate::ceremonies::Ceremonies;
use crate::parties::Parties;

/// Takes part in ceremonies for operators of the roster.
pub(crate) struct CeremonyService {
    pub(crate) parties: Arc<Parties>,
    pub(crate) ceremonies: Arc<Ceremonies>,
}

#[tonic::async_trait]
impl Ceremony for CeremonyService {
    async fn step(&self, request: Request<Frame>) -> Answer<Frame> {
        caller(&request, &self.parties, ClientKind::Operator).map_err(|status| *status)?;
        let (ceremonies, parties) = (Arc::clone(&self.ceremonies), Arc::clone(&self.parties));
        let step = move || {
            let request = CeremonyRequest::from_bytes(&request.get_ref().value)
                .map_err(|error| malformed(&error))?;
            Ok(ceremonies.step(request, &parties.chain()).to_bytes())
        };
        let reply: Result<Vec<u8>, Status> = tokio::task::spawn_blocking(step)
            .await
            .map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(frame(reply?)))
    }
}

impl fmt::Debug for CeremonyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CeremonyService")
    }
}
