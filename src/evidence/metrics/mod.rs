//! Metric files: named numbers that a project measures itself.

pub mod csv;
pub mod document;
pub mod mlflow;
