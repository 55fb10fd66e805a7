//! Permits in, partial signatures out, on the threads of the pool.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use symbolon_duties::SigningRoot;
use symbolon_protocol::sign::{PartialAnswer, Refusal, RefusalCode, SignAnswer};
use symbolon_signing::{Permit, Permits};
use tokio::sync::oneshot;

use super::Engine;
use crate::custody::BatchShares;
use crate::hashed::LazyRoot;
use crate::pool::Priority;
use crate::shares::{HeldShare, Opened};

/// Permits over one root, each with its place in the batch and its share.
type Granted = Vec<(usize, Permit, Opened)>;

impl Engine {
    /// Signs what the permits allow; each root is hashed once. Positions that are missing in the
    /// result were dropped because the deadline had passed.
    pub(super) async fn sign(
        &self,
        permits: Permits,
        shares: &BatchShares,
        priority: Priority,
        deadline: Instant,
    ) -> Vec<(usize, SignAnswer)> {
        let mut by_root: HashMap<SigningRoot, Granted> = HashMap::new();
        let mut answers = Vec::with_capacity(permits.len());
        for (position, permit) in permits {
            match shares.get(permit.key()) {
                Some(share) => {
                    by_root
                        .entry(permit.root())
                        .or_default()
                        .push((position, permit, share));
                }
                None => answers.push((position, SignAnswer::Refused(not_open()))),
            }
        }
        let mut running = Vec::new();
        for (root, mut granted) in by_root {
            let root = self.roots.get(root);
            while !granted.is_empty() {
                let rest = granted.split_off(CHUNK.min(granted.len()));
                running.push(self.start(granted, Arc::clone(&root), priority, deadline));
                granted = rest;
            }
        }
        for part in running {
            // A part that was dropped answers nothing.
            answers.extend(part.await.unwrap_or_default());
        }
        answers
    }

    fn start(
        &self,
        granted: Granted,
        root: Arc<LazyRoot>,
        priority: Priority,
        deadline: Instant,
    ) -> oneshot::Receiver<Vec<(usize, SignAnswer)>> {
        let (sender, receiver) = oneshot::channel();
        self.pool.run(priority, move || {
            if Instant::now() < deadline && !sender.is_closed() {
                // The caller may be gone by now.
                sender.send(partials(granted, &root)).ok();
            }
        });
        receiver
    }
}

fn partials(granted: Granted, root: &LazyRoot) -> Vec<(usize, SignAnswer)> {
    let (places, granted): (Vec<_>, Vec<_>) = granted
        .into_iter()
        .map(|(position, permit, share)| {
            let (group_epoch, scale) = (share.group_epoch(), share.scale());
            ((position, group_epoch, scale), (permit, share))
        })
        .unzip();
    let signed = match HeldShare::sign(granted, root.hashed()) {
        Ok(signed) => signed,
        Err(error) => {
            tracing::error!(%error, "signing stopped");
            let refusal = Refusal::new(RefusalCode::DeviceUnavailable, error);
            let answer = |(position, _, _)| (position, SignAnswer::Refused(refusal.clone()));
            return places.into_iter().map(answer).collect();
        }
    };
    let answer =
        |((position, group_epoch, scale), partial): (_, symbolon_threshold::PartialSignature)| {
            let point = partial.to_uncompressed().into();
            (
                position,
                SignAnswer::Partial(PartialAnswer {
                    group_epoch,
                    scale,
                    point,
                }),
            )
        };
    places.into_iter().zip(signed).map(answer).collect()
}

fn not_open() -> Refusal {
    let text = "the share of this key is not open; ask again";
    Refusal::new(RefusalCode::DeviceUnavailable, text)
}

/// Permits over one root that one thread signs in a piece: few enough to spread a burst over the
/// cores, many enough to share the inversion that ends a piece.
const CHUNK: usize = 16;
