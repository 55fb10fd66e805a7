//! Secret bytes: boxed, locked, wiped on drop, and never formatted.
