//! Glassine: a reverse proxy that hands an analytics consumer sanitized Microsoft Graph metadata, and nothing else.

pub mod admit;
pub mod audit;
pub mod cli;
pub mod codec;
pub mod config;
pub mod demo;
pub mod graph;
pub mod proxy;
pub mod pseudonym;
pub mod rules;
pub mod sanitize;
pub mod server;
pub mod service;
pub mod upstream;
