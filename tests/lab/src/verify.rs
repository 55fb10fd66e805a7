//! Verification by a stranger: the request, the answer and the validator's public key, no more.

use serde_json::Value;
use symbolon_duties::{BlsSignature, Network, SigningRoot, ValidatorPublicKey};
use symbolon_threshold::{GroupPublicKey, HashedRoot, PointError, Signature, VerifyError};
use symbolon_web3signer::{RequestError, parse_sign_request};

use crate::http::Answer;

/// Why an answer is no signature of the validator over the request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unverified {
    /// Not status 200.
    #[error("status {status}: {body}")]
    Status {
        /// The status.
        status: u16,
        /// The body, cut.
        body: String,
    },
    /// Neither JSON with a signature nor a signature as text.
    #[error("the answer holds no signature of 96 bytes: {0:?}")]
    Form(String),
    /// The request is none of this network.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The public key is no point.
    #[error("the public key: {0}")]
    Key(#[source] PointError),
    /// The signature is no point.
    #[error("the signature: {0}")]
    Point(#[source] PointError),
    /// The signature is of another key or another root.
    #[error(transparent)]
    Signature(#[from] VerifyError),
}

/// Verifies an answer of the Web3Signer interface: computes the signing root from the request's
/// fields and checks the signature with the pairing equation.
///
/// # Errors
///
/// [`Unverified`].
pub fn verify_answer(
    network: &Network,
    key: &ValidatorPublicKey,
    request: &Value,
    answer: &Answer,
) -> Result<BlsSignature, Unverified> {
    if answer.status != 200 {
        let body = answer.text().chars().take(300).collect();
        return Err(Unverified::Status {
            status: answer.status,
            body,
        });
    }
    let signature = signature_of(answer)?;
    let mut request = request.clone();
    if let Some(fields) = request.as_object_mut() {
        // What the client said it is does not count.
        fields.remove("signingRoot");
        fields.remove("signing_root");
    }
    let parsed = parse_sign_request(request.to_string().as_bytes(), network)?;
    verify_signature(key, &parsed.signing_root, &signature)?;
    Ok(signature)
}

/// Verifies one signature under a validator's public key.
///
/// # Errors
///
/// [`Unverified`].
pub fn verify_signature(
    key: &ValidatorPublicKey,
    root: &SigningRoot,
    signature: &BlsSignature,
) -> Result<(), Unverified> {
    let key = GroupPublicKey::from_compressed(&key.0).map_err(Unverified::Key)?;
    let signature = Signature::from_compressed(&signature.0).map_err(Unverified::Point)?;
    Ok(signature.verify(&key, &HashedRoot::new(root.as_bytes()))?)
}

/// The signature in an answer, in either of its two forms.
///
/// # Errors
///
/// [`Unverified::Form`].
pub fn signature_of(answer: &Answer) -> Result<BlsSignature, Unverified> {
    let text = answer.text();
    let digits = if answer.content_type.starts_with("application/json") {
        let value: Option<Value> = serde_json::from_str(&text).ok();
        value.and_then(|value| value.get("signature")?.as_str().map(str::to_owned))
    } else {
        Some(text.clone())
    };
    let parsed = digits.and_then(|digits| digits.parse().ok());
    parsed.ok_or_else(|| Unverified::Form(text.chars().take(100).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::RequestKind;
    use crate::sample::Sampler;
    use symbolon_duties::Slot;
    use symbolon_threshold::whole::WholeSecretKey;

    fn answer(content_type: &str, body: &str) -> Answer {
        Answer {
            status: 200,
            content_type: content_type.into(),
            body: body.into(),
        }
    }

    #[test]
    fn the_right_signature_passes_in_both_forms_and_no_other() {
        let network = Network::named("mainnet").unwrap();
        let secret = WholeSecretKey::take_from(&mut [3; 32]).unwrap();
        let key = ValidatorPublicKey(secret.public_key().to_compressed());
        let sampler = Sampler {
            network: &network,
            slot: Slot(14_000_000),
            key,
            salt: 0,
        };
        let sample = sampler.sample(RequestKind::Attestation).unwrap();
        let signature = secret.sign(&HashedRoot::new(sample.signing_root.as_bytes()));
        let digits = format!("0x{}", hex::encode(signature.to_compressed()));
        let json = format!("{{\"signature\":\"{digits}\"}}");
        for good in [
            answer("application/json", &json),
            answer("text/plain; charset=utf-8", &digits),
        ] {
            verify_answer(&network, &key, &sample.body, &good).unwrap();
            let other = sampler.sample(RequestKind::RandaoReveal).unwrap();
            let wrong = verify_answer(&network, &key, &other.body, &good).unwrap_err();
            assert!(matches!(
                wrong,
                Unverified::Signature(VerifyError::Mismatch)
            ));
            let stranger = ValidatorPublicKey([0xab; 48]);
            let wrong = verify_answer(&network, &stranger, &sample.body, &good).unwrap_err();
            assert!(matches!(wrong, Unverified::Key(_)));
        }
        for bad in [
            "",
            "0x",
            "{}",
            "{\"signature\":7}",
            "{\"signature\":\"0xab\"}",
        ] {
            for form in ["application/json", "text/plain"] {
                let wrong = verify_answer(&network, &key, &sample.body, &answer(form, bad));
                assert!(matches!(wrong.unwrap_err(), Unverified::Form(_)), "{bad}");
            }
        }
        let refused = Answer {
            status: 412,
            content_type: String::new(),
            body: b"no".to_vec(),
        };
        let wrong = verify_answer(&network, &key, &sample.body, &refused).unwrap_err();
        assert_eq!(wrong.to_string(), "status 412: no");
    }
}
