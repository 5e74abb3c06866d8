//! What the console looks at: the log page by page and live, pollers and runs of a whole organisation, one record's
//! story, deliveries and their endpoints.

mod log;
mod records;
mod screens;
mod world;
