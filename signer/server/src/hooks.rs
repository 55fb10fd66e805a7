//! A seam in front of the reply, for programs that embed the server.
//!
//! The shipped program sets no hook. A laboratory wraps a server in a program of its own, so that
//! a server that lies can be had without a switch for it in this one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use symbolon_protocol::sign::{SignBatch, SignReply};

/// What an embedding program may change.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Sees every reply before it is signed.
    pub reply: Option<Arc<dyn ReplyHook>>,
}

/// Sees a reply after all decisions were made and before the session key signs it.
pub trait ReplyHook: Send + Sync {
    /// What leaves instead.
    fn outgoing<'a>(&'a self, batch: &'a SignBatch, reply: SignReply) -> OutgoingFuture<'a>;
}

/// The future of [`ReplyHook::outgoing`].
pub type OutgoingFuture<'a> = Pin<Box<dyn Future<Output = Outgoing> + Send + 'a>>;

/// What leaves.
#[derive(Debug)]
pub enum Outgoing {
    /// This reply, signed by the session key.
    Reply(SignReply),
    /// These bytes in place of a session frame.
    Bytes(Vec<u8>),
    /// Nothing: the call hangs until its caller gives up.
    Silence,
}

impl Hooks {
    pub(crate) async fn outgoing(&self, batch: &SignBatch, reply: SignReply) -> Outgoing {
        match &self.reply {
            Some(hook) => hook.outgoing(batch, reply).await,
            None => Outgoing::Reply(reply),
        }
    }
}
