//! Descriptions of small rules.
