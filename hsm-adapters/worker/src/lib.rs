//! The worker process: all vendor code lives here, so that a crash or a hang stays here.
