//! Protocol messages over mutually authenticated gRPC.
