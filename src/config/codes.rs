//! The codes of a configuration file's errors and warnings. `glassine_core::diagnostic` lists the ranges.

glassine_core::codes! {
    /// A configuration value is malformed.
    CONFIG_VALUE = "G0401";
    /// Plaintext is configured where only TLS is allowed.
    CONFIG_PLAINTEXT = "G0402";
    /// A file that the configuration names cannot be read or used.
    CONFIG_FILE = "G0403";
    /// Two consumers cannot be distinguished.
    CONFIG_CONSUMER = "G0405";
    /// Consumers have tokens with which they could bypass the proxy.
    CONFIG_BYPASS = "G0406";
    /// The people whose signatures `approvals` demands have not signed what would leave, or an approval ends soon.
    CONFIG_APPROVAL = "G0407";
    /// A line of the signers file cannot be used.
    CONFIG_SIGNERS = "G0408";
    /// A certificate does not fit its place or ends soon, or one of several authorities has ended.
    CONFIG_CERTIFICATE = "G0409";
    /// A file is mounted alone into a container, or was replaced since.
    CONFIG_MOUNT = "G0410";
    /// A consumer's addresses or claims admit everybody, or nobody.
    CONFIG_ADMITS = "G0411";
    /// Graph or Entra is asked at an address that is not Microsoft's.
    CONFIG_FOREIGN = "G0412";
    /// Every account of the machine can read a secret.
    CONFIG_EXPOSED = "G0413";
    /// A key was made in the future, so the clock is wrong, here or there.
    CONFIG_CLOCK = "G0414";
    /// None of the keys is one of those that ran before.
    CONFIG_KEYS = "G0415";
}
