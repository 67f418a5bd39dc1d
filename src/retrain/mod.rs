//! Floor 3: whether a scheduled retraining really happened, and was worth it. Pure.
pub mod cron;
