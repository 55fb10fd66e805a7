//! The trait that every device satisfies, the sealed blob format, and the client of the worker process.
