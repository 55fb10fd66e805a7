"""The ceremony, written from its documentation with libraries that the Rust code does not use."""
