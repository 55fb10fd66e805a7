//! `Signer.Sign`: one batch in, one signed reply out.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use symbolon_protocol::roster::ClientKind;
use symbolon_protocol::sign::{SessionFrame, SignBatch, SignReply};
use symbolon_protocol::{Signed, Unsigned, Verified};
use symbolon_rpc::wire::Frame;
use symbolon_rpc::wire::signer_server::Signer;
use tonic::{Request, Response, Status};

use super::{Answer, caller, denied, frame, malformed};
use crate::engine::Engine;
use crate::hooks::{Hooks, Outgoing};
use crate::identity::after;
use crate::parties::{CallerError, Parties};
use crate::session::Session;
use crate::store::unix_now;

/// Signs for requestors of the roster.
pub(crate) struct SignerService {
    pub(crate) member: u16,
    pub(crate) max_batch: usize,
    pub(crate) parties: Arc<Parties>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) session: Arc<ArcSwap<Session>>,
    pub(crate) hooks: Hooks,
}

#[tonic::async_trait]
impl Signer for SignerService {
    async fn sign(&self, request: Request<Frame>) -> Answer<Frame> {
        let arrived = Instant::now();
        let accepted = self.accept(&request).inspect_err(|status| {
            self.engine.metrics.rejected(reason(status));
            tracing::info!(
                code = ?status.code(), reason = status.message(), "a batch was rejected"
            );
        });
        let (requestor, batch) = accepted?;
        let digest = batch.digest();
        let batch: Arc<SignBatch> = Arc::new((*batch).clone());
        let ttl = Duration::from_millis(batch.ttl_ms.into()).min(LONGEST_TTL);
        let answers = self.engine.answer(&requestor, &batch, after(ttl)).await;
        let reply = SignReply {
            member: self.member,
            batch: digest.into(),
            answers,
        };
        let value = match self.hooks.outgoing(&batch, reply).await {
            Outgoing::Reply(reply) => self.seal(reply),
            Outgoing::Bytes(bytes) => bytes,
            Outgoing::Silence => std::future::pending().await,
        };
        self.engine
            .metrics
            .batch(batch.items.len(), arrived.elapsed());
        Ok(Response::new(frame(value)))
    }
}

impl SignerService {
    /// Everything that must hold before a duty is looked at: who calls, whose session signed,
    /// and how much is asked.
    fn accept(&self, request: &Request<Frame>) -> Result<(String, Verified<SignBatch>), Status> {
        let (party, name) =
            caller(request, &self.parties, ClientKind::Requestor).map_err(|status| *status)?;
        let parts = SessionFrame::from_bytes(&request.get_ref().value)
            .map_err(|error| malformed(&error))?;
        let key = self
            .parties
            .session(&party, &parts.certificate, unix_now())
            .map_err(|error| match error {
                CallerError::Session(_) => Status::unauthenticated(error.to_string()),
                _ => denied(&error),
            })?;
        let batch = Signed::<SignBatch>::from_bytes(self.parties.network(), &parts.message)
            .map_err(|error| malformed(&error))?
            .verify_session(&key, &name)
            .map_err(|error| Status::unauthenticated(error.to_string()))?;
        let (duties, most) = (batch.items.len(), self.max_batch);
        if !(1..=most).contains(&duties) {
            let text = format!("the batch has {duties} duties, 1 to {most} are accepted");
            return Err(Status::invalid_argument(text));
        }
        Ok((name, batch))
    }

    fn seal(&self, reply: SignReply) -> Vec<u8> {
        let session = self.session.load();
        let signed = Unsigned::new(self.parties.network(), reply).sign_session(&session.secret);
        SessionFrame::new(session.certificate.clone(), signed.to_bytes()).to_bytes()
    }
}

fn reason(status: &Status) -> &'static str {
    match status.code() {
        tonic::Code::PermissionDenied => "permission-denied",
        tonic::Code::Unauthenticated => "unauthenticated",
        _ => "malformed",
    }
}

impl fmt::Debug for SignerService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerService")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

/// A batch whose caller would wait longer is answered by then all the same.
const LONGEST_TTL: Duration = Duration::from_secs(60);
