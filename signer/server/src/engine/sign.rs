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
            let batch = granted.len();
            let piece = batch
                .div_ceil(self.pool.threads().max(1))
                .clamp(PIECE_MIN, PIECE_MAX);
            while !granted.is_empty() {
                let rest = granted.split_off(piece.min(granted.len()));
                let sign = Piece {
                    granted,
                    root: Arc::clone(&root),
                    batch,
                };
                running.push(self.start(sign, priority, deadline));
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
        piece: Piece,
        priority: Priority,
        deadline: Instant,
    ) -> oneshot::Receiver<Vec<(usize, SignAnswer)>> {
        let (sender, receiver) = oneshot::channel();
        self.pool.run(priority, move || {
            if Instant::now() < deadline && !sender.is_closed() {
                // The caller may be gone by now.
                sender.send(piece.sign()).ok();
            }
        });
        receiver
    }
}

/// Permits over one root that one thread signs.
struct Piece {
    granted: Granted,
    root: Arc<LazyRoot>,
    /// Permits over the root in the whole batch.
    batch: usize,
}

impl Piece {
    fn sign(self) -> Vec<(usize, SignAnswer)> {
        let (places, granted): (Vec<_>, Vec<_>) = self
            .granted
            .into_iter()
            .map(|(position, permit, share)| {
                let (group_epoch, scale) = (share.group_epoch(), share.scale());
                ((position, group_epoch, scale), (permit, share))
            })
            .unzip();
        let signed = match HeldShare::sign(granted, &self.root, self.batch) {
            Ok(signed) => signed,
            Err(error) => {
                tracing::error!(%error, "signing stopped");
                let refusal = Refusal::new(RefusalCode::DeviceUnavailable, error);
                let answer = |(position, _, _)| (position, SignAnswer::Refused(refusal.clone()));
                return places.into_iter().map(answer).collect();
            }
        };
        let answer = |((position, group_epoch, scale), partial): (
            _,
            symbolon_threshold::PartialSignature,
        )| {
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
}

fn not_open() -> Refusal {
    let text = "the share of this key is not open; ask again";
    Refusal::new(RefusalCode::DeviceUnavailable, text)
}

/// Fewer are not worth a thread.
const PIECE_MIN: usize = 16;

/// More would keep a proposal waiting for longer than 10 ms.
const PIECE_MAX: usize = 128;
