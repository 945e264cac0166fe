//! Config to stages.
