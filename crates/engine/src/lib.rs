//! The part of Turnstone that does.
