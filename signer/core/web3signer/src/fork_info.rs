//! The fork that the client takes to be in force.

use symbolon_duties::{Epoch, ForkVersion, Network, Root};

use crate::error::RequestError;
use crate::field::Field;

/// The `fork` of `fork_info`.
pub(crate) struct Fork {
    previous_version: ForkVersion,
    current_version: ForkVersion,
    epoch: Epoch,
}

impl Fork {
    /// Reads `fork_info` and makes sure that it is of this network.
    pub(crate) fn of(body: &Field<'_>, network: &Network) -> Result<Self, RequestError> {
        let info = body.required("fork_info")?;
        let fork = info.required("fork")?;
        let read = Self {
            previous_version: fork.hex_at("previous_version")?,
            current_version: fork.hex_at("current_version")?,
            epoch: Epoch(fork.number_at("epoch")?),
        };
        let got: Root = info.hex_at("genesis_validators_root")?;
        let expected = network.genesis_validators_root();
        if got != expected {
            let network = network.name().to_owned();
            return Err(RequestError::OtherNetwork {
                got,
                expected,
                network,
            });
        }
        Ok(read)
    }

    /// `get_domain` of consensus-specs. The epoch is not compared with the schedule: some clients
    /// put the message's own epoch there.
    pub(crate) fn version_at(&self, epoch: Epoch) -> ForkVersion {
        if epoch < self.epoch {
            self.previous_version
        } else {
            self.current_version
        }
    }
}
