//! Clusters in a box, faults and demos; never shipped.
