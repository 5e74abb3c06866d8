//! Trying things before they are kept: configurations, connectors, hooks and proposals.

mod checking;
mod explaining;
mod hooks;
mod init;
mod suggesting;
