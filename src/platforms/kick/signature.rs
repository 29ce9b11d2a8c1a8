//! The signature of a webhook: RSA (PKCS#1 v1.5) over SHA-256 of `id.timestamp.body`.
//!
//! Source: <https://docs.kick.com/events/webhook-security>.

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

/// The algorithm identifier of a plain RSA key: OID 1.2.840.113549.1.1.1, without parameters.
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// Kick's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    /// The `RSAPublicKey` inside, in DER.
    pkcs1: Vec<u8>,
}

impl PublicKey {
    /// From `-----BEGIN PUBLIC KEY-----` and so on; `None` when that is no RSA key.
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("-----BEGIN PUBLIC KEY-----")?;
        let (inside, _) = rest.split_once("-----END PUBLIC KEY-----")?;
        let packed: String = inside.chars().filter(|it| !it.is_whitespace()).collect();
        let der = STANDARD.decode(packed).ok()?;
        // SubjectPublicKeyInfo: a sequence of the algorithm and, in a bit string, the key itself.
        let (info, _) = element(&der, 0x30)?;
        let (algorithm, rest) = element(info, 0x30)?;
        let (bits, _) = element(rest, 0x03)?;
        let (&0, pkcs1) = bits.split_first()? else { return None };
        (algorithm == RSA).then(|| Self { pkcs1: pkcs1.to_vec() })
    }

    /// Whether `signature` (base64) was made over these parts.
    pub(super) fn verify(&self, id: &str, timestamp: &str, body: &[u8], signature: &str) -> bool {
        let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
        let mut signed = format!("{id}.{timestamp}.").into_bytes();
        signed.extend_from_slice(body);
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.pkcs1)
            .verify(&signed, &signature)
            .is_ok()
    }
}

/// The content of a DER element with this tag at the start of `bytes`, and what is behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, it| sum << 8 | usize::from(*it)), rest)
        }
        _ => return None,
    };
    (found == tag).then_some(())?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use ring::{
        rand::SystemRandom,
        signature::{RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use serde_json::Value;

    use super::*;

    /// A key made for the tests, which signs nothing else.
    const PEM: &str = include_str!("../../../tests/fixtures/kick/webhook_key.pem");
    const PRIVATE: &str = include_str!("../../../tests/fixtures/kick/webhook_key.pkcs8.base64");

    fn sign(message: &[u8]) -> String {
        let der = STANDARD.decode(PRIVATE.split_whitespace().collect::<String>()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    #[test]
    fn only_what_was_signed_is_accepted() {
        let key = PublicKey::from_pem(PEM).unwrap();
        let signature = sign(b"id.time.body");
        assert!(key.verify("id", "time", b"body", &signature));
        assert!(!key.verify("ie", "time", b"body", &signature));
        assert!(!key.verify("id", "timf", b"body", &signature));
        assert!(!key.verify("id", "time", b"bodz", &signature));
        assert!(!key.verify("id", "time", b"body", "bm8="));
        assert!(!key.verify("id", "time", b"body", "no base64"));
    }

    #[test]
    fn what_is_no_key_is_none_whatever_its_bytes() {
        assert_eq!(PublicKey::from_pem(""), None);
        let wrap = |der: &[u8]| {
            format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
                STANDARD.encode(der)
            )
        };
        for der in [&[][..], &[0x30], &[0x30, 0x84], &[0x30, 0x02, 0x30, 0x00], &[0x30, 0xff, 0, 0]]
        {
            assert_eq!(PublicKey::from_pem(&wrap(der)), None, "{der:?}");
        }
    }

    /// Goal: what Kick really signs is accepted.
    /// Method: a recorded delivery, and the key that Kick's documentation prints.
    #[test]
    fn a_recorded_delivery_is_accepted() {
        const KICKS_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAq/+l1WnlRrGSolDMA+A8
6rAhMbQGmQ2SapVcGM3zq8ANXjnhDWocMqfWcTd95btDydITa10kDvHzw9WQOqp2
MZI7ZyrfzJuz5nhTPCiJwTwnEtWft7nV14BYRDHvlfqPUaZ+1KR4OCaO/wWIk/rQ
L/TjY0M70gse8rlBkbo2a8rKhu69RQTRsoaf4DVhDPEeSeI5jVrRDGAMGL3cGuyY
6CLKGdjVEM78g3JfYOvDU/RvfqD7L89TZ3iN94jrmWdGz34JNlEI5hqK8dd7C5EF
BEbZ5jgB8s8ReQV8H+MkuffjdAj3ajDDX3DOJMIut1lBrUVD1AaSrGCKHooWoL2e
twIDAQAB
-----END PUBLIC KEY-----";
        let file = "../shared/captures/kick/webhooks/signed-delivery-livestream.status.updated--kicklib.json";
        let Ok(text) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)) else {
            eprintln!("skipped: there is no {file}");
            return;
        };
        let delivery: Value = serde_json::from_str(&text).unwrap();
        let header = |name: &str| delivery["headers"][name].as_str().unwrap();
        let body = delivery["body"].as_str().unwrap();
        let verify = |body: &str| {
            PublicKey::from_pem(KICKS_KEY).unwrap().verify(
                header("Kick-Event-Message-Id"),
                header("Kick-Event-Message-Timestamp"),
                body.as_bytes(),
                header("Kick-Event-Signature"),
            )
        };
        assert!(verify(body));
        assert!(!verify(&body.replace("true", "false")));
    }
}
