//! Enrichment as a whole.
