//! Signatures that `ssh-keygen` makes only with a device, or not at all. Where it can read them, a test shows that it does.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};
use ssh_key::encoding::Encode as _;
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, SkEcdsaSha2NistP256, SkEd25519};
use ssh_key::{Algorithm, HashAlg, LineEnding, Mpint, PublicKey, Signature, SshSig};

/// The flag of a key that was touched.
pub(super) const TOUCHED: u8 = 1;
const APPLICATION: &str = "ssh:";

/// A security key.
pub(super) struct SecurityKey {
    device: Device,
    public: KeyData,
}

enum Device {
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
}

impl SecurityKey {
    pub(super) fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = Ed25519PublicKey(pair.public_key().as_ref().try_into().unwrap());
        let public = KeyData::SkEd25519(SkEd25519::new(public, APPLICATION));
        Self { device: Device::Ed25519(pair), public }
    }

    pub(super) fn ecdsa() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = EcdsaPublicKey::from_sec1_bytes(pair.public_key().as_ref()).unwrap();
        let EcdsaPublicKey::NistP256(point) = public else { panic!("{public:?}") };
        let public = KeyData::SkEcdsaSha2NistP256(SkEcdsaSha2NistP256::new(point, APPLICATION));
        Self { device: Device::Ecdsa(pair), public }
    }

    pub(super) fn line(&self, name: &str) -> String {
        format!("{name} {}\n", PublicKey::from(self.public.clone()).to_openssh().unwrap())
    }

    /// As OpenSSH's PROTOCOL.u2f says.
    pub(super) fn sign(&self, text: &str, flags: u8) -> String {
        let data = SshSig::signed_data("glassine-rules", HashAlg::Sha512, text.as_bytes()).unwrap();
        let trailer = [flags, 0, 0, 0, 7];
        let (application, data) = (Sha256::digest(APPLICATION), Sha256::digest(data));
        let signed = [application.as_slice(), &trailer, data.as_slice()].concat();
        let (algorithm, mut signature) = match &self.device {
            Device::Ed25519(pair) => (Algorithm::SkEd25519, pair.sign(&signed).as_ref().to_vec()),
            Device::Ecdsa(pair) => {
                let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
                (Algorithm::SkEcdsaSha2NistP256, numbers(signature.as_ref()))
            }
        };
        signature.extend(trailer);
        armored(&self.public, HashAlg::Sha512, Signature::new(algorithm, signature).unwrap())
    }
}

/// The two numbers of an ECDSA signature as SSH writes them.
fn numbers(signature: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for number in signature.chunks(signature.len() / 2) {
        let significant = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        Mpint::from_positive_bytes(significant).encode(&mut encoded).unwrap();
    }
    encoded
}

fn armored(key: &KeyData, hash: HashAlg, signature: Signature) -> String {
    SshSig::new(key.clone(), "glassine-rules", hash, signature).unwrap().to_pem(LineEnding::LF).unwrap()
}

/// The same signature under the name of another algorithm.
pub(super) fn relabelled(signature: &str, algorithm: Algorithm) -> String {
    let signature = SshSig::from_pem(signature).unwrap();
    let renamed = Signature::new(algorithm, signature.signature_bytes()).unwrap();
    armored(signature.public_key(), signature.hash_alg(), renamed)
}
