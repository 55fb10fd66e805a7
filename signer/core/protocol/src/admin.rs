//! What an operator asks of one server, and its answers.
