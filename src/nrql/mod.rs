//! NRQL, New Relic's query language: text in, tree out, and back.
//!
//! In: the text of a query. Out: its tree ([`ast::Query`]), the tree as text, faults with their position. What always holds: a
//! printed tree reads back as the same tree; nothing here runs a query or knows what data exist. Built without the lab: the
//! agent itself checks the queries it ships.

pub mod ast;
