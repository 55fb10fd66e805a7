//! Data folders that were altered, swapped, cut or carried elsewhere: refused by name.

use std::fs;
use std::path::PathBuf;

use hsm_api::SealedShare;
use symbolon_duties::ValidatorPublicKey;
use symbolon_server::{GroupParts, GroupShares, KeyParts};

use crate::client::{TestClient, block, now};
use crate::fixture::{Template, TestMember};

const SHARES: &str = "data/shares/north-1.shares";

/// Rewrites the file of shares.
fn change(member: &TestMember, change: impl FnOnce(&mut Vec<KeyParts>)) {
    let path = member.path(SHARES);
    let group = GroupShares::from_bytes(&fs::read(&path).unwrap()).unwrap();
    let mut keys: Vec<KeyParts> = group.keys().collect();
    change(&mut keys);
    let parts = GroupParts {
        cluster: *group.cluster(),
        group: *group.group(),
        label: group.label().to_owned(),
        group_epoch: group.group_epoch(),
        member: group.member(),
        dek: group.dek(),
        threshold: group.threshold(),
        members: group.members().to_vec(),
        born_in_ceremony: group.born_in_ceremony(),
        duties: (0..=10).collect(),
        keys,
    };
    fs::write(&path, GroupShares::new(parts).unwrap().to_bytes()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_or_altered_blob_is_named_with_its_key() {
    let template = Template::get();
    let member = template.member(1);
    change(&member, |keys| {
        let first = keys[0].sealed;
        keys[0].sealed = keys[2].sealed;
        keys[2].sealed = first;
    });
    let error = member.start_error().await;
    for expected in [
        "north-1.shares",
        "group \"north\": 2 of 3 shares cannot be used",
        &format!(
            "key 0 ({}): the blob of key 2 stands in its place: swapped",
            template.key(0)
        ),
        &format!(
            "key 2 ({}): the blob of key 0 stands in its place: swapped",
            template.key(2)
        ),
    ] {
        assert!(error.contains(expected), "{error}");
    }

    let member = template.member(1);
    change(&member, |keys| {
        let mut bytes = *keys[1].sealed.as_bytes();
        bytes[30] ^= 1;
        keys[1].sealed = SealedShare::parse(1, &bytes).unwrap();
    });
    let error = member.start_error().await;
    let expected = format!(
        "key 1 ({}): the blob does not open: altered",
        template.key(1)
    );
    assert!(error.contains(&expected), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_file_a_missing_file_and_another_mapping_are_refused() {
    let template = Template::get();
    let member = template.member(1);
    let path = member.path(SHARES);
    let whole = fs::read(&path).unwrap();
    for len in [whole.len() - 1, whole.len() / 2, 0] {
        fs::write(&path, &whole[..len]).unwrap();
        let error = member.start_error().await;
        assert!(error.contains("north-1.shares: share file"), "{error}");
    }
    fs::remove_file(&path).unwrap();
    let error = member.start_error().await;
    assert!(
        error.contains("north-1.shares") && error.contains("cannot open"),
        "{error}"
    );

    // Every blob opens and fits its public share, but two validators have changed places: the
    // marks of one would guard the share of the other.
    fs::write(&path, &whole).unwrap();
    change(&member, |keys| {
        let first: ValidatorPublicKey = keys[0].key;
        keys[0].key = keys[1].key;
        keys[1].key = first;
    });
    let error = member.start_error().await;
    assert!(
        error.contains("is not the file that the journal names"),
        "{error}"
    );

    fs::write(&path, &whole).unwrap();
    let server = member.start().await;
    TestClient::requestor(template, &server)
        .signed(block(template, now(template).0, 1))
        .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_on_another_token_is_refused() {
    let template = Template::get();
    let (thief, victim) = (template.member(2), template.member(1));
    fs::remove_dir_all(thief.path("data")).unwrap();
    fs::rename(victim.path("data"), thief.path("data")).unwrap();
    let error = thief.start_error().await;
    assert!(error.contains("open the data key"), "{error}");
    assert!(
        error.contains("rack 1") && error.contains("rack 2"),
        "{error}"
    );

    // With his own data key but the other's shares.
    let (thief, victim) = (template.member(2), template.member(1));
    fs::copy(victim.path(SHARES), thief.path(SHARES)).unwrap();
    let error = thief.start_error().await;
    assert!(
        error.contains("the shares are of member 1, this server is member 2"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_without_a_journal_are_not_used() {
    let template = Template::get();
    let member = template.member(1);
    fs::remove_dir_all(member.path("data/journal")).unwrap();
    let error = member.start_error().await;
    assert!(error.contains("there is no journal in"), "{error}");
    // Nor with the journal of another member, whose key is another.
    let other = template.member(2);
    fs::rename(other.path("data/journal"), member.path("data/journal")).unwrap();
    let error = member.start_error().await;
    assert!(error.contains("written with another key"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_that_does_not_fit_is_refused() {
    let template = Template::get();
    let member = template.member(1);
    member.configure("member = 1", "member = 2");
    let error = member.start_error().await;
    assert!(
        error.contains("no ") && error.contains("on the token"),
        "{error}"
    );

    let member = template.member(1);
    let other = template.member(2);
    for name in ["tls.key", "tls.crt"] {
        fs::copy(other.path(name), member.path(name)).unwrap();
    }
    let error = member.start_error().await;
    assert!(
        error.contains("the TLS key is not the one that the roster pins"),
        "{error}"
    );

    let member = template.member(1);
    let pin = hex::encode(template.chain.first_hash());
    member.configure(&pin, &"ab".repeat(32));
    let error = member.start_error().await;
    assert!(error.contains("this program is pinned to abab"), "{error}");

    let pin: PathBuf = member.path("pin");
    member.configure(&"ab".repeat(32), &hex::encode(template.chain.first_hash()));
    fs::write(&pin, "999999999").unwrap();
    let error = member.start_error().await;
    assert!(
        error.contains("refused the PIN") && !error.contains("999999999"),
        "{error}"
    );
}
