//! Tests of the preview over HTTP.

