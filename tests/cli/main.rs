//! The real binary, driven from outside: what a person meets.

mod support;

mod commands;
mod config;
mod contract;
mod execution;
