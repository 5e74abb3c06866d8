//! Where Turnstone keeps what it knows.
