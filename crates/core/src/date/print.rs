//! see the commit that fills this module.
