//! A distributed key generation from offers to signatures, for every shape of group.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod support;

use support::*;

#[test]
fn every_set_of_t_signs_under_the_group_key() {
    for (t, n, keys) in [(2, 3, 1), (3, 5, 1), (4, 5, 1), (5, 7, 1)] {
        let mut cluster = Cluster::new(n);
        let made = cluster.dkg("hot", t, keys);
        check_all_subsets(&cluster, &made);
    }
}
