//! What t of n means: for `symbolon plan`, and for the policy that every member enforces.

use core::fmt;

use minicbor::{Decode, Encode};
use symbolon_threshold::{Threshold, ThresholdError};

/// How a group's keys are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum GroupClass {
    /// Validator keys: every member is a server.
    #[n(0)]
    Hot,
    /// Withdrawal keys: all servers together are below the threshold.
    #[n(1)]
    Cold,
}

/// The arithmetic of a group, in members.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arithmetic {
    /// Hot or cold.
    pub class: GroupClass,
    /// t of n.
    pub threshold: Threshold,
    /// Members that are servers.
    pub online: usize,
    /// Members that learn nothing together: t - 1.
    pub secrecy: usize,
    /// Members that may be gone while the others still sign: n - t.
    pub liveness: usize,
    /// Members that any two sets of t have in common: 2t - n, never below zero.
    pub overlap: usize,
    /// Most dishonest members for which no two conflicting signatures exist: 2t - n > f; `None`
    /// when two sets of t need not meet.
    pub max_dishonest: Option<usize>,
    /// Signed receipts that complete a hand-over: q = max(n - t + 1 + f, (n + f) / 2 + 1).
    pub hand_over: usize,
    /// Frozen old members whose marks a reshare needs: n - t + 1 + f.
    pub reshare: usize,
    /// What people should know before they agree.
    pub warnings: Vec<PlanWarning>,
}

/// Something that is allowed and yet may be a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlanWarning {
    /// f = 0: one dishonest member can help two conflicting signatures.
    OneDishonest {
        /// The least t that holds against one or more; `None` when no t of this n does.
        better: Option<usize>,
        /// What that t holds against.
        dishonest: usize,
    },
    /// t = n: every member is needed.
    EveryMemberNeeded,
}

/// A t of n that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not 1 <= t <= n <= 255.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
    /// More servers than members.
    #[error("{online} of {n} members cannot be online")]
    Online {
        /// Servers.
        online: usize,
        /// Members.
        n: usize,
    },
    /// One member alone would have the key.
    #[error("t = 1 gives the whole key to one member; use t = 2 or more")]
    Alone,
    /// A hot group with a vault in it.
    #[error("a hot group has no offline member, this one has {offline}")]
    HotOffline {
        /// Vaults.
        offline: usize,
    },
    /// A hot group whose sets of t need not meet.
    #[error(
        "{t} of {n} lets two halves sign against each other; a hot group needs t = {least} or more"
    )]
    HotMajority {
        /// Threshold asked for.
        t: usize,
        /// Members.
        n: usize,
        /// Least threshold allowed.
        least: usize,
    },
    /// A cold group whose servers could sign alone.
    #[error("{online} servers could sign alone with t = {t}; a cold group needs t above {online}")]
    ColdOnline {
        /// Threshold asked for.
        t: usize,
        /// Servers.
        online: usize,
    },
    /// A cold group without a vault.
    #[error("a cold group needs at least one offline member")]
    ColdWithoutVault,
}

/// The arithmetic of `t` of `n` with `online` servers: hot when every member is one, else cold.
///
/// # Errors
///
/// [`PolicyError`] when the plan would be refused.
///
/// ```
/// let plan = symbolon_ceremony::plan_arithmetic(5, 4, 5)?;
/// assert_eq!((plan.secrecy, plan.liveness, plan.max_dishonest), (3, 1, Some(2)));
/// # Ok::<(), symbolon_ceremony::PolicyError>(())
/// ```
pub fn plan_arithmetic(n: u64, t: u64, online: usize) -> Result<Arithmetic, PolicyError> {
    let threshold = Threshold::new(t, n)?;
    let class = if online == threshold.n() {
        GroupClass::Hot
    } else {
        GroupClass::Cold
    };
    Arithmetic::new(class, threshold, online)
}

impl Arithmetic {
    /// The arithmetic of a group, when its class allows it.
    ///
    /// # Errors
    ///
    /// [`PolicyError`], the first rule broken.
    pub fn new(
        class: GroupClass,
        threshold: Threshold,
        online: usize,
    ) -> Result<Self, PolicyError> {
        let (t, n) = (threshold.t(), threshold.n());
        let offline = n
            .checked_sub(online)
            .ok_or(PolicyError::Online { online, n })?;
        if t == 1 {
            return Err(PolicyError::Alone);
        }
        match class {
            GroupClass::Hot if offline > 0 => return Err(PolicyError::HotOffline { offline }),
            GroupClass::Hot if 2 * t <= n => {
                return Err(PolicyError::HotMajority {
                    t,
                    n,
                    least: n / 2 + 1,
                });
            }
            GroupClass::Cold if offline == 0 => return Err(PolicyError::ColdWithoutVault),
            GroupClass::Cold if t <= online => return Err(PolicyError::ColdOnline { t, online }),
            GroupClass::Hot | GroupClass::Cold => {}
        }
        let overlap = (2 * t).saturating_sub(n);
        let max_dishonest = overlap.checked_sub(1);
        let f = max_dishonest.unwrap_or_default();
        let reshare = n - t + 1 + f;
        Ok(Self {
            class,
            threshold,
            online,
            secrecy: t - 1,
            liveness: n - t,
            overlap,
            max_dishonest,
            hand_over: reshare.max((n + f) / 2 + 1),
            reshare,
            warnings: warnings(class, t, n, f),
        })
    }
}

fn warnings(class: GroupClass, t: usize, n: usize, f: usize) -> Vec<PlanWarning> {
    let mut warnings = Vec::new();
    if class == GroupClass::Hot && f == 0 {
        // 2t - n >= 2.
        let better = n.div_ceil(2) + 1;
        let dishonest = (2 * better).saturating_sub(n + 1);
        let better = (better <= n).then_some(better);
        warnings.push(PlanWarning::OneDishonest { better, dishonest });
    }
    if t == n {
        warnings.push(PlanWarning::EveryMemberNeeded);
    }
    warnings
}

impl fmt::Display for PlanWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneDishonest {
                better: Some(t),
                dishonest,
            } => write!(
                f,
                "one dishonest member is enough for two conflicting signatures; t = {t} holds against {dishonest}"
            ),
            Self::OneDishonest { better: None, .. } => f.write_str(
                "one dishonest member is enough for two conflicting signatures; add members",
            ),
            Self::EveryMemberNeeded => {
                f.write_str("every member is needed: the loss of one is the loss of the key")
            }
        }
    }
}

impl fmt::Display for GroupClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hot => "hot",
            Self::Cold => "cold",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_the_usual_groups() {
        // n, t: secrecy, liveness, overlap, f, hand-over, reshare.
        for (n, t, expected) in [
            (3, 2, (1, 1, 1, 0, 2, 2)),
            (5, 3, (2, 2, 1, 0, 3, 3)),
            (5, 4, (3, 1, 3, 2, 4, 4)),
            (7, 5, (4, 2, 3, 2, 5, 5)),
            (16, 11, (10, 5, 6, 5, 11, 11)),
        ] {
            let plan = plan_arithmetic(n, t, usize::try_from(n).unwrap()).unwrap();
            let got = (
                plan.secrecy,
                plan.liveness,
                plan.overlap,
                plan.max_dishonest.unwrap(),
                plan.hand_over,
                plan.reshare,
            );
            assert_eq!(got, expected, "{t} of {n}");
            assert!(plan.overlap > plan.max_dishonest.unwrap());
        }
    }

    #[test]
    fn a_group_without_margin_is_warned_of_with_the_t_that_fixes_it() {
        let warning = |n, t| {
            plan_arithmetic(n, t, usize::try_from(n).unwrap())
                .unwrap()
                .warnings
        };
        let better = |better, dishonest| vec![PlanWarning::OneDishonest { better, dishonest }];
        assert_eq!(warning(5, 3), better(Some(4), 2));
        assert_eq!(warning(3, 2), better(Some(3), 2));
        assert_eq!(warning(7, 4), better(Some(5), 2));
        assert_eq!(warning(5, 4), []);
        assert_eq!(warning(4, 3), []);
        assert_eq!(warning(2, 2), [PlanWarning::EveryMemberNeeded]);
        for n in 2..=40u64 {
            for t in n / 2 + 1..=n {
                for warned in warning(n, t) {
                    let PlanWarning::OneDishonest { better, dishonest } = warned else {
                        continue;
                    };
                    let Some(better) = better else { continue };
                    let fixed = plan_arithmetic(n, better as u64, n as usize).unwrap();
                    assert_eq!(fixed.max_dishonest, Some(dishonest));
                    assert!(dishonest >= 1);
                }
            }
        }
    }

    #[test]
    fn the_policy_of_each_class() {
        assert!(matches!(
            plan_arithmetic(3, 0, 3),
            Err(PolicyError::Threshold(_))
        ));
        assert!(matches!(
            plan_arithmetic(3, 4, 3),
            Err(PolicyError::Threshold(_))
        ));
        assert_eq!(plan_arithmetic(3, 1, 3), Err(PolicyError::Alone));
        let least = PolicyError::HotMajority {
            t: 2,
            n: 4,
            least: 3,
        };
        assert_eq!(plan_arithmetic(4, 2, 4), Err(least));
        assert_eq!(
            plan_arithmetic(5, 3, 6),
            Err(PolicyError::Online { online: 6, n: 5 })
        );
        let online = PolicyError::ColdOnline { t: 3, online: 3 };
        assert_eq!(plan_arithmetic(5, 3, 3), Err(online));
        assert_eq!(plan_arithmetic(5, 4, 3).unwrap().class, GroupClass::Cold);
        let threshold = Threshold::new(3, 5).unwrap();
        let hot = Arithmetic::new(GroupClass::Hot, threshold, 4);
        assert_eq!(hot, Err(PolicyError::HotOffline { offline: 1 }));
        let cold = Arithmetic::new(GroupClass::Cold, threshold, 5);
        assert_eq!(cold, Err(PolicyError::ColdWithoutVault));
    }
}
