//! Verifies one signature: `ssh-key` has read the key and the signature, `aws-lc-rs` computes.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents,
};
use sha2::{Digest as _, Sha256};
use ssh_key::encoding::Decode as _;
use ssh_key::public::{KeyData, RsaPublicKey};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, SshSig};

use super::{Fault, NAMESPACE};

/// Octets behind the signature of a security key: flags and a counter (OpenSSH, PROTOCOL.u2f).
const TRAILER: usize = 5;

/// The flag of a security key that somebody touched.
const TOUCHED: u8 = 1;

/// A signature with its key, ready to be compared with texts.
pub(super) struct Verifier<'a> {
    key: ParsedPublicKey,
    hash: HashAlg,
    signature: Vec<u8>,
    device: Option<Device<'a>>,
}

/// What a security key signs besides the text.
struct Device<'a> {
    application: &'a str,
    flags_and_counter: [u8; TRAILER],
}

impl<'a> Verifier<'a> {
    /// Refuses algorithms that are weak or unknown, and keys that are not of the signature's algorithm.
    pub(super) fn new(signature: &'a SshSig) -> Result<Self, Fault> {
        let algorithm = signature.algorithm();
        let hash = signature.hash_alg();
        let unusable = || Fault::Algorithm(algorithm.to_string());
        let bytes = signature.signature_bytes();
        let (bytes, device) = Device::split(signature.public_key(), bytes).ok_or_else(unusable)?;
        let key = match (signature.public_key(), &algorithm) {
            (key @ KeyData::Rsa(_), Algorithm::Rsa { hash: Some(hash) }) => parse(key, *hash),
            (key @ KeyData::Ecdsa(_), Algorithm::Ecdsa { .. })
            | (key @ KeyData::Ed25519(_), Algorithm::Ed25519)
            | (key @ KeyData::SkEcdsaSha2NistP256(_), Algorithm::SkEcdsaSha2NistP256)
            | (key @ KeyData::SkEd25519(_), Algorithm::SkEd25519) => parse(key, hash),
            _ => None,
        };
        let signature = match &algorithm {
            Algorithm::Ecdsa { curve } => fixed(bytes, *curve),
            Algorithm::SkEcdsaSha2NistP256 => fixed(bytes, EcdsaCurve::NistP256),
            _ => Some(bytes.to_vec()),
        };
        Ok(Self { key: key.ok_or_else(unusable)?, hash, signature: signature.ok_or_else(unusable)?, device })
    }

    /// Whether the key is a security key that signed without a touch, as malware on its owner's machine could let it.
    pub(super) fn is_untouched(&self) -> bool {
        self.device.as_ref().is_some_and(|device| !device.is_touched())
    }

    /// Whether the signature is over this text, for approvals.
    pub(super) fn is_over(&self, text: &str) -> bool {
        let signed =
            SshSig::signed_data(NAMESPACE, self.hash, text.as_bytes()).map(|signed| match &self.device {
                Some(device) => device.signed(&signed),
                None => signed,
            });
        signed.is_ok_and(|signed| self.key.verify_sig(&signed, &self.signature).is_ok())
    }
}

impl<'a> Device<'a> {
    /// The signature alone, and what stands behind it if the key is a security key. `None`: it is too short.
    fn split<'b>(key: &'a KeyData, signature: &'b [u8]) -> Option<(&'b [u8], Option<Self>)> {
        let application = match key {
            KeyData::SkEcdsaSha2NistP256(key) => key.application(),
            KeyData::SkEd25519(key) => key.application(),
            _ => return Some((signature, None)),
        };
        let (signature, flags_and_counter) = signature.split_last_chunk()?;
        Some((signature, Some(Self { application, flags_and_counter: *flags_and_counter })))
    }

    fn is_touched(&self) -> bool {
        let [flags, ..] = self.flags_and_counter;
        flags & TOUCHED != 0
    }

    fn signed(&self, data: &[u8]) -> Vec<u8> {
        let (application, data) = (Sha256::digest(self.application), Sha256::digest(data));
        [application.as_slice(), &self.flags_and_counter, data.as_slice()].concat()
    }
}

/// Whether signatures of this key can be verified.
pub(super) fn is_usable(key: &KeyData) -> bool {
    parse(key, HashAlg::Sha512).is_some()
}

/// `hash` is that of an RSA signature. Other keys have one algorithm each.
fn parse(key: &KeyData, hash: HashAlg) -> Option<ParsedPublicKey> {
    match key {
        KeyData::Ecdsa(key) => ParsedPublicKey::new(ecdsa(key.curve()), key.as_sec1_bytes()).ok(),
        KeyData::Ed25519(key) => ParsedPublicKey::new(&ED25519, key.0).ok(),
        KeyData::Rsa(key) => rsa(key, hash),
        KeyData::SkEcdsaSha2NistP256(key) => {
            ParsedPublicKey::new(ecdsa(EcdsaCurve::NistP256), key.ec_point().as_bytes()).ok()
        }
        KeyData::SkEd25519(key) => ParsedPublicKey::new(&ED25519, key.public_key().0).ok(),
        _ => None,
    }
}

fn ecdsa(curve: EcdsaCurve) -> &'static EcdsaVerificationAlgorithm {
    match curve {
        EcdsaCurve::NistP256 => &ECDSA_P256_SHA256_FIXED,
        EcdsaCurve::NistP384 => &ECDSA_P384_SHA384_FIXED,
        EcdsaCurve::NistP521 => &ECDSA_P521_SHA512_FIXED,
    }
}

fn rsa(key: &RsaPublicKey, hash: HashAlg) -> Option<ParsedPublicKey> {
    const LEAST_BITS: u32 = 2_048;
    let algorithm = match hash {
        HashAlg::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        HashAlg::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    };
    let (n, e) = (key.n().as_positive_bytes()?, key.e().as_positive_bytes()?);
    (key.key_size() >= LEAST_BITS)
        .then_some(RsaPublicKeyComponents { n, e })?
        .to_parsed_public_key(algorithm)
        .ok()
}

/// The two numbers of an ECDSA signature, both as long as the curve's: SSH writes them without leading zeros.
fn fixed(signature: &[u8], curve: EcdsaCurve) -> Option<Vec<u8>> {
    let length: usize = match curve {
        EcdsaCurve::NistP256 => 32,
        EcdsaCurve::NistP384 => 48,
        EcdsaCurve::NistP521 => 66,
    };
    let (mut rest, mut fixed) = (signature, Vec::with_capacity(2 * length));
    for _ in 0..2 {
        let number = Mpint::decode(&mut rest).ok()?;
        let number = number.as_positive_bytes()?;
        fixed.extend(std::iter::repeat_n(0, length.checked_sub(number.len())?));
        fixed.extend_from_slice(number);
    }
    rest.is_empty().then_some(fixed)
}
