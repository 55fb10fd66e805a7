//! Answers: the signature in the form that the client asked for, the list of keys.

use symbolon_duties::ValidatorPublicKey;

use crate::error::RequestError;

/// The form of a signature in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// `{"signature":"0x..."}`.
    Json,
    /// `0x...` without a newline: some clients take the text as it is.
    Text,
}

impl AnswerFormat {
    /// The form for the value of an `Accept` header: JSON if it holds `application/json` or `*/*`,
    /// text otherwise and without a header (as Web3Signer does; some clients rely on it).
    #[must_use]
    pub fn from_accept(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or_default().to_ascii_lowercase();
        if accept.contains("application/json") || accept.contains("*/*") {
            return Self::Json;
        }
        Self::Text
    }

    /// The value of the `Content-Type` header.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// The content type and body of an answer that carries a signature.
#[must_use]
pub fn render_signature(format: AnswerFormat, signature: &[u8; 96]) -> (&'static str, String) {
    let digits = hex::encode(signature);
    let body = match format {
        AnswerFormat::Json => format!("{{\"signature\":\"0x{digits}\"}}"),
        AnswerFormat::Text => format!("0x{digits}"),
    };
    (format.content_type(), body)
}

/// The content type and body of `GET /api/v1/eth2/publicKeys`: a JSON array in the given order.
#[must_use]
pub fn render_public_keys<'a>(
    keys: impl IntoIterator<Item = &'a ValidatorPublicKey>,
) -> (&'static str, String) {
    let quoted: Vec<_> = keys.into_iter().map(|key| format!("\"{key}\"")).collect();
    (
        AnswerFormat::Json.content_type(),
        format!("[{}]", quoted.join(",")),
    )
}

/// The `{identifier}` of a path: a public key in hexadecimal of any case, with or without `0x`.
///
/// # Errors
///
/// A text that is not 48 bytes in hexadecimal. That the bytes are a point is not checked: they are
/// only looked up.
pub fn parse_identifier(text: &str) -> Result<ValidatorPublicKey, RequestError> {
    text.parse().map_err(RequestError::Identifier)
}
