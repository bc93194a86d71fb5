//! The codes of what can be wrong with a configuration file. `glassine_core::diagnostic` lists the ranges.

glassine_core::codes! {
    /// A configuration value that is malformed.
    CONFIG_VALUE = "G0401";
    /// Plaintext where only TLS is allowed.
    CONFIG_PLAINTEXT = "G0402";
    /// A file that the configuration names cannot be read or used.
    CONFIG_FILE = "G0403";
    /// Two consumers that cannot be told apart.
    CONFIG_CONSUMER = "G0405";
    /// Consumers hold tokens with which they could ask Graph past the proxy.
    CONFIG_BYPASS = "G0406";
}
