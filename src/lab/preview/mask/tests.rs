//! Tests of the mask.
