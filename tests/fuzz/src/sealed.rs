//! What lies sealed on disk or in a device: data key, shares, anchor, public keys.

use std::sync::OnceLock;

use hsm_api::{
    AnchorRecord, Dek, KeyCheck, KeyName, ObjectLabel, P256Public, SealFamily, SealHeader,
    SealKind, SealedDek, SealedShare, ShareBinding, TokenId,
};
use symbolon_protocol::{IdentityPublic, IdentitySigner};
use symbolon_secmem::Locked;

use crate::Seed;
use crate::fixture::identity;

/// A sealed data key with its longest fields takes less.
pub const MAX_LEN: usize = 4096;

/// Accepted bytes are canonical, and nothing opens but what was sealed here.
pub fn check(data: &[u8]) {
    if let Ok(blob) = SealedDek::decode(data) {
        assert_eq!(blob.encode(), data);
        assert!((1..=1024).contains(&blob.sealed().len()));
        let own = blobs().iter().any(|own| own == &blob);
        assert_eq!(blob.accept(key()).is_ok(), own);
        let token = blob.header().token.clone();
        assert_eq!(blob.check_token(&token), Ok(()));
    }
    if let Ok(sealed) = SealedShare::parse(4, data) {
        assert_eq!(sealed.as_bytes(), data);
        let opened = Dek::new(key()).share_cipher().open(&BINDING, &sealed);
        assert_eq!(opened.is_ok(), sealed == share());
    }
    if let Ok(record) = AnchorRecord::decode(data) {
        assert_eq!(record.encode(), data);
        assert!(record.allows(record));
    }
    public_key(data);
}

/// Both readers of public keys agree, and there is one form of each length.
fn public_key(data: &[u8]) {
    let identity = IdentityPublic::from_sec1(data);
    assert_eq!(identity.is_ok(), P256Public::from_sec1(data).is_ok());
    if let Ok(key) = P256Public::from_sec1(data) {
        assert_eq!(identity.unwrap().uncompressed(), key.uncompressed());
        let same = match data.len() {
            33 => key.compressed() == data,
            _ => key.uncompressed() == data,
        };
        assert!(same);
        assert_eq!(P256Public::from_sec1(&key.compressed()), Ok(key));
        assert_eq!(P256Public::from_key(&key.to_key().unwrap()), key);
    }
    if let Ok(key) = P256Public::from_ec_point(data) {
        assert!(data.ends_with(key.uncompressed()));
    }
}

const BINDING: ShareBinding = ShareBinding {
    cluster_id: [1; 32],
    group_id: [2; 32],
    group_epoch: 3,
    key_index: 4,
    member_index: 5,
};

fn key() -> Locked<32> {
    Locked::init_with(|key| key.fill(3))
}

fn blobs() -> &'static [SealedDek; 2] {
    static BLOBS: OnceLock<[SealedDek; 2]> = OnceLock::new();
    BLOBS.get_or_init(|| {
        let known = KeyCheck::KnownAnswer {
            iv: vec![4; 12],
            sealed: vec![5; 48],
        };
        [blob(KeyCheck::PublicKey([6; 32])), blob(known)]
    })
}

/// A data key as an AES key with a caller's IV would seal it.
pub(crate) fn blob(check: KeyCheck) -> SealedDek {
    let dek = Dek::new(key());
    let member = ObjectLabel::parse("m1").unwrap();
    let header = SealHeader {
        kind: SealKind::AesGcmCallerIv,
        token: TokenId::new("rack 7", "0123").unwrap(),
        key: KeyName::Kek(member, SealFamily::AesGcm).id(),
        check,
        dek: dek.id(),
        iv: vec![1; 12],
    };
    SealedDek::new(header, vec![2; 48], &dek).unwrap()
}

fn share() -> SealedShare {
    static SHARE: OnceLock<SealedShare> = OnceLock::new();
    *SHARE.get_or_init(|| {
        let share = Locked::init_with(|bytes| bytes.fill(8));
        let cipher = Dek::new(key()).share_cipher();
        cipher.seal(&BINDING, [6; 12], &share).unwrap()
    })
}

/// One of each object.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let [public, known] = blobs();
    let record = AnchorRecord {
        generation: 3,
        epoch: 500_000,
    };
    let key = identity(7).public();
    vec![
        ("dek-key-pair", public.encode()),
        ("dek-known-answer", known.encode()),
        ("share", share().as_bytes().to_vec()),
        ("anchor", record.encode()),
        ("public-compressed", key.compressed().to_vec()),
        ("public-uncompressed", key.uncompressed().to_vec()),
        ("public-ec-point", [&[0x04, 0x41], &key.uncompressed()[..]].concat()),
    ]
}
