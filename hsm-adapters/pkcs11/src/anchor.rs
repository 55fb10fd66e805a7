//! The anchor as data objects: create the new copy, read it back, destroy the old ones. A value
//! is never updated in place: devices refuse that, lose it silently, or lose the object.

use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use hsm_api::{AnchorName, AnchorRecord, HsmError};

use crate::fault::Fault;
use crate::token::Token;

/// The element-wise maximum of all copies that can be read.
pub(crate) fn read(token: &mut Token, name: &AnchorName) -> Result<Option<AnchorRecord>, HsmError> {
    let label = name.label();
    let found = token.with(|work| {
        let found = copies(&work.session, &label)?;
        // As an error it is doubted: a token that is away, or has lost the login, shows none either.
        if found.is_empty() {
            return Err(HsmError::NotFound {
                object: format!("anchor {label:?}"),
            }
            .into());
        }
        Ok(found)
    });
    match found {
        Ok(copies) => highest(&copies, &label),
        Err(HsmError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Advances the anchor; nothing to do when it is there already.
pub(crate) fn advance(
    token: &mut Token,
    name: &AnchorName,
    next: AnchorRecord,
) -> Result<(), HsmError> {
    let label = name.label();
    token.with(|work| {
        let session = &work.session;
        let before = copies(session, &label)?;
        let current = highest(&before, &label)?;
        if let Some(current) = current.filter(|current| !current.allows(next)) {
            return Err(HsmError::policy(format!(
                "anchor {label:?} stands at generation {}, epoch {} and does not go back to {}, {}: \
                 the data folder is older than the device",
                current.generation, current.epoch, next.generation, next.epoch
            ))
            .into());
        }
        if current != Some(next) || before.len() != 1 {
            create(session, &label, next)?;
            let written = copies(session, &label)?;
            if !written.iter().any(|copy| copy.record == Some(next)) {
                return Err(HsmError::policy(format!("anchor {label:?} was written but does not read back")).into());
            }
            for copy in &before {
                session.destroy_object(copy.handle)?;
            }
        }
        Ok(())
    })
}

struct Copy {
    handle: ObjectHandle,
    /// `None` for a copy that cannot be read: a torn write.
    record: Option<AnchorRecord>,
}

fn copies(session: &Session, label: &str) -> Result<Vec<Copy>, Fault> {
    let handles = session.find_objects(&[
        Attribute::Class(ObjectClass::DATA),
        Attribute::Label(label.as_bytes().to_vec()),
    ])?;
    if handles.len() > COPIES_MAX {
        let count = u32::try_from(handles.len()).unwrap_or(u32::MAX);
        return Err(HsmError::Ambiguous {
            object: format!("anchor {label:?}"),
            count,
        }
        .into());
    }
    let mut copies = Vec::with_capacity(handles.len());
    for handle in handles {
        let attributes = session.get_attributes(handle, &[AttributeType::Value])?;
        let record = attributes.iter().find_map(|attribute| match attribute {
            Attribute::Value(bytes) => AnchorRecord::decode(bytes).ok(),
            _ => None,
        });
        copies.push(Copy { handle, record });
    }
    Ok(copies)
}

fn highest(copies: &[Copy], label: &str) -> Result<Option<AnchorRecord>, HsmError> {
    let highest = copies
        .iter()
        .filter_map(|copy| copy.record)
        .reduce(AnchorRecord::max);
    if highest.is_none() && !copies.is_empty() {
        return Err(HsmError::bad_blob(format!(
            "no copy of anchor {label:?} can be read"
        )));
    }
    Ok(highest)
}

fn create(session: &Session, label: &str, record: AnchorRecord) -> Result<(), Fault> {
    session.create_object(&[
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Label(label.as_bytes().to_vec()),
        Attribute::Application(APPLICATION.to_vec()),
        Attribute::Value(record.encode()),
    ])?;
    Ok(())
}

const APPLICATION: &[u8] = b"symbolon";
/// One is right, two after a crash; many more mean that somebody else uses the label.
const COPIES_MAX: usize = 32;
