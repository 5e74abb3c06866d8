//! A seeded fake CRM.
