//! The session key that signs replies: drawn here, certified by the device once a day.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use symbolon_protocol::roster::PartyId;
use symbolon_protocol::session::{MAX_SESSION_SECONDS, SessionKey, SessionSecret};
use symbolon_protocol::{IdentitySigner, NetworkId, Unsigned};
use zeroize::Zeroizing;

use crate::error::StartError;
use crate::store::unix_now;

/// One session key with its certificate.
pub(crate) struct Session {
    pub(crate) secret: SessionSecret,
    /// The signed [`SessionKey`].
    pub(crate) certificate: Vec<u8>,
    not_after: u64,
}

impl Session {
    /// Draws a key and lets the identity key certify it. Blocks on the device.
    pub(crate) fn certify(
        network: NetworkId,
        member: u16,
        identity: &dyn IdentitySigner,
    ) -> Result<Self, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Session(error.to_string());
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| failed(&error))?;
        let secret = SessionSecret::from_seed(&seed).map_err(|error| failed(&error))?;
        let not_before = unix_now();
        let not_after = not_before.saturating_add(MAX_SESSION_SECONDS);
        let holder = PartyId::Member(member);
        let key = SessionKey {
            holder,
            key: secret.public(),
            not_before,
            not_after,
        };
        let signed = Unsigned::new(network, key)
            .sign(identity)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            secret,
            certificate: signed.to_bytes(),
            not_after,
        })
    }

    /// How long until it should be renewed, seen from `now` (unix seconds).
    fn renew_in(&self, now: u64) -> Duration {
        let due = self.not_after.saturating_sub(RENEW_BEFORE_END);
        Duration::from_secs(due.saturating_sub(now).clamp(RETRY, MAX_SESSION_SECONDS))
    }
}

/// Renews the session key before it ends, for ever.
pub(crate) async fn keep_fresh(
    current: Arc<ArcSwap<Session>>,
    network: NetworkId,
    member: u16,
    identity: Arc<dyn IdentitySigner + Send + Sync>,
) {
    loop {
        let wait = current.load().renew_in(unix_now());
        tokio::time::sleep(wait).await;
        if unix_now().saturating_add(RENEW_BEFORE_END) < current.load().not_after {
            continue;
        }
        let signer = Arc::clone(&identity);
        let certify = move || Session::certify(network, member, signer.as_ref());
        match tokio::task::spawn_blocking(certify).await {
            Ok(Ok(session)) => {
                current.store(Arc::new(session));
                tracing::info!("session key renewed");
            }
            Ok(Err(error)) => tracing::error!(%error, "the session key was not renewed"),
            Err(error) => tracing::error!(%error, "the session key was not renewed"),
        }
    }
}

/// Seconds before its end at which a session key is renewed.
const RENEW_BEFORE_END: u64 = 60 * 60;

/// Seconds between two attempts.
const RETRY: u64 = 60;

#[cfg(test)]
mod tests {
    use symbolon_protocol::SoftIdentity;
    use symbolon_protocol::roster::{ClusterId, Guardian, Member, Roster};

    use super::*;

    #[test]
    fn a_certificate_verifies_under_the_roster_and_is_renewed_an_hour_before_its_end() {
        let network = NetworkId([1; 32]);
        let identity = SoftIdentity::from_bytes(&[5; 32]).unwrap();
        let session = Session::certify(network, 2, &identity).unwrap();
        let member = Member {
            index: 2,
            name: "two".into(),
            identity: identity.public(),
            address: None,
            tls_pin: None,
        };
        let roster = Roster {
            cluster: ClusterId([9; 32]),
            name: "lab".into(),
            number: 1,
            previous: None,
            members: vec![member],
            clients: Vec::new(),
            guardians: vec![Guardian {
                name: "ada".into(),
                key: identity.public(),
            }],
            guardian_quorum: 1,
        };
        let now = unix_now();
        let key = SessionKey::verify(network, &session.certificate, &roster, now).unwrap();
        assert_eq!(key.key, session.secret.public());
        let renew = session.renew_in(now).as_secs();
        assert!((82_790..=82_800).contains(&renew), "{renew}");
        assert_eq!(
            session.renew_in(session.not_after),
            Duration::from_secs(RETRY)
        );
    }
}
