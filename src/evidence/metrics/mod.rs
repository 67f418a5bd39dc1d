//! Metric files: named numbers that a project measures itself.

pub mod document;
