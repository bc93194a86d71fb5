//! The integration tests, by purpose. One binary: one link step, one support module.

mod audit;
mod config;
mod server;
