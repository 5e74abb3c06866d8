//! json_path: see the commit that fills this module.
