//! Requests for partial signatures, and the answers.
