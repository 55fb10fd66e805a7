//! The rules of EIP-3076 over one mark ("conditions", minimal strategy).

use symbolon_duties::{Epoch, SigningRoot, Slot};

use crate::{AttestationMark, BlockMark, Mark, Reason};

/// What slashing protection says to one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a message may be signed only as the verdict says"]
pub enum Verdict {
    /// Sign once this new mark is durable, not earlier.
    Sign(Mark),
    /// The very message that the mark holds: sign again, the mark stays.
    Repeat,
    /// Do not sign.
    Refuse(Reason),
}

/// Decides on a block: its slot must lie above the mark, or its root be the locked one.
pub fn check_block(mark: &Mark, slot: Slot, root: SigningRoot) -> Verdict {
    if let Some(signed) = mark.block {
        if slot < signed.slot {
            return Verdict::Refuse(Reason::BelowMinimumSlot {
                slot,
                minimum: signed.slot,
            });
        }
        if slot == signed.slot {
            return if signed.root == Some(root) {
                Verdict::Repeat
            } else {
                Verdict::Refuse(Reason::DoubleProposal {
                    slot,
                    locked: signed.root,
                })
            };
        }
    }
    Verdict::Sign(Mark {
        block: Some(BlockMark {
            slot,
            root: Some(root),
        }),
        ..*mark
    })
}

/// Decides on an attestation: its source must not lie below the mark, its target above the mark, its
/// source not after its target; or it must be the locked message.
pub fn check_attestation(mark: &Mark, source: Epoch, target: Epoch, root: SigningRoot) -> Verdict {
    if source > target {
        return Verdict::Refuse(Reason::SourceAfterTarget {
            source_epoch: source,
            target,
        });
    }
    if let Some(signed) = mark.attestation {
        if (source, target, Some(root)) == (signed.source, signed.target, signed.root) {
            return Verdict::Repeat;
        }
        if let Some(reason) = conflict(&signed, source, target, root) {
            return Verdict::Refuse(reason);
        }
    }
    let attestation = Some(AttestationMark {
        source,
        target,
        root: Some(root),
    });
    Verdict::Sign(Mark {
        attestation,
        ..*mark
    })
}

fn conflict(
    signed: &AttestationMark,
    source: Epoch,
    target: Epoch,
    root: SigningRoot,
) -> Option<Reason> {
    let (minimum_source, minimum_target) = (signed.source, signed.target);
    let lower_source = source < minimum_source;
    // The locked message itself, whose source the mark has left behind (merge of two members, floor):
    // naming its own root as the locked one would send the caller round in a circle.
    let stale = signed.root == Some(root);
    if target == minimum_target && !stale {
        Some(Reason::DoubleVote {
            target,
            locked: signed.root,
        })
    } else if lower_source && target > minimum_target {
        Some(Reason::SurroundingVote {
            source_epoch: source,
            target,
            minimum_source,
            minimum_target,
        })
    } else if source > minimum_source && target < minimum_target {
        Some(Reason::SurroundedVote {
            source_epoch: source,
            target,
            minimum_source,
            minimum_target,
        })
    } else if lower_source {
        Some(Reason::BelowMinimumSource {
            source_epoch: source,
            minimum: minimum_source,
        })
    } else if target <= minimum_target {
        Some(Reason::BelowMinimumTarget {
            target,
            minimum: minimum_target,
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raise_to_floor;

    const A: SigningRoot = SigningRoot([0xaa; 32]);
    const B: SigningRoot = SigningRoot([0xbb; 32]);

    fn voted(source: u64, target: u64, root: Option<SigningRoot>) -> Mark {
        let (source, target) = (Epoch(source), Epoch(target));
        Mark {
            block: None,
            attestation: Some(AttestationMark {
                source,
                target,
                root,
            }),
        }
    }

    fn refusal(verdict: Verdict) -> (u16, &'static str, Option<SigningRoot>, String) {
        let Verdict::Refuse(reason) = verdict else {
            panic!("not refused: {verdict:?}")
        };
        (
            reason.code(),
            reason.name(),
            reason.locked_root(),
            reason.to_string(),
        )
    }

    fn vote(mark: &Mark, source: u64, target: u64, root: SigningRoot) -> Verdict {
        check_attestation(mark, Epoch(source), Epoch(target), root)
    }

    #[test]
    fn every_reason_has_its_code_name_and_sentence() {
        let proposed = |root| Mark {
            block: Some(BlockMark {
                slot: Slot(10),
                root,
            }),
            attestation: None,
        };
        let a = A.to_string();
        let cases = [
            (
                check_block(&proposed(Some(A)), Slot(10), B),
                101,
                "double_proposal",
                Some(A),
                format!("slot 10 is taken by the signing root {a}"),
            ),
            (
                check_block(&proposed(None), Slot(10), B),
                101,
                "double_proposal",
                None,
                "slot 10 is taken by a message whose signing root is not known".into(),
            ),
            (
                check_block(&proposed(Some(A)), Slot(9), A),
                102,
                "below_minimum_slot",
                None,
                "slot 9 is below the highest signed slot 10".into(),
            ),
            (
                vote(&voted(5, 7, Some(A)), 5, 7, B),
                111,
                "double_vote",
                Some(A),
                format!("target epoch 7 is taken by the signing root {a}"),
            ),
            (
                vote(&voted(5, 7, Some(A)), 4, 7, B),
                111,
                "double_vote",
                Some(A),
                format!("target epoch 7 is taken by the signing root {a}"),
            ),
            (
                vote(&voted(5, 7, None), 5, 7, B),
                111,
                "double_vote",
                None,
                "target epoch 7 is taken by a message whose signing root is not known".into(),
            ),
            (
                vote(&voted(5, 7, Some(A)), 4, 8, B),
                112,
                "surrounding_vote",
                None,
                "source epoch 4 and target epoch 8 surround the signed epochs 5 and 7".into(),
            ),
            (
                vote(&voted(3, 7, Some(A)), 4, 6, B),
                113,
                "surrounded_vote",
                None,
                "source epoch 4 and target epoch 6 are surrounded by the signed epochs 3 and 7"
                    .into(),
            ),
            (
                vote(&voted(5, 7, Some(A)), 4, 6, B),
                114,
                "below_minimum_source",
                None,
                "source epoch 4 is below the highest signed source epoch 5".into(),
            ),
            (
                vote(&voted(5, 7, Some(A)), 5, 6, B),
                115,
                "below_minimum_target",
                None,
                "target epoch 6 is not above the highest signed target epoch 7".into(),
            ),
            (
                vote(&voted(5, 7, Some(A)), 9, 8, B),
                116,
                "source_after_target",
                None,
                "source epoch 9 is after target epoch 8".into(),
            ),
        ];
        for (verdict, code, name, locked, sentence) in cases {
            assert_eq!(refusal(verdict), (code, name, locked, sentence));
        }
    }

    #[test]
    fn the_first_messages_of_a_key_may_lie_at_genesis() {
        let Verdict::Sign(mark) = vote(&Mark::default(), 0, 0, A) else {
            panic!()
        };
        let Verdict::Sign(mark) = check_block(&mark, Slot(0), A) else {
            panic!()
        };
        assert_eq!(vote(&mark, 0, 0, A), Verdict::Repeat);
        assert_eq!(check_block(&mark, Slot(0), A), Verdict::Repeat);
        assert!(matches!(
            vote(&mark, 0, 0, B),
            Verdict::Refuse(Reason::DoubleVote { .. })
        ));
    }

    #[test]
    fn a_repeat_needs_the_same_epochs_and_a_known_root() {
        assert_eq!(vote(&voted(5, 7, Some(A)), 5, 7, A), Verdict::Repeat);
        assert_eq!(refusal(vote(&voted(5, 7, None), 5, 7, A)).0, 111);
        assert_eq!(refusal(vote(&voted(6, 7, Some(A)), 5, 7, A)).0, 114);
        assert_eq!(refusal(vote(&voted(4, 7, Some(A)), 5, 7, A)).0, 115);
        assert_eq!(refusal(vote(&voted(8, 7, Some(A)), 8, 7, A)).0, 116);
    }

    /// Signed (1, 2), then the disk comes back from before it: with the target alone raised, the
    /// surround (0, 3) would pass.
    #[test]
    fn a_restored_member_signs_no_surround_after_its_floor() {
        let floored = raise_to_floor(&Mark::default(), Epoch(1), Epoch(2), Slot(64));
        assert_eq!(refusal(vote(&floored, 0, 3, B)).0, 112);
        assert!(matches!(vote(&floored, 1, 3, B), Verdict::Sign(_)));
        let target_alone = raise_to_floor(&Mark::default(), Epoch(0), Epoch(2), Slot(64));
        assert!(matches!(vote(&target_alone, 0, 3, B), Verdict::Sign(_)));
    }
}
