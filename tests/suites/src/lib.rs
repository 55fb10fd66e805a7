//! Tests of real processes over real tokens and sockets.
