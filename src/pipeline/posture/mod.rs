//! What is known of all accounts, told at intervals.

pub mod rows;
