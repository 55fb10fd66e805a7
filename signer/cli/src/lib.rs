//! The people's commands: rosters, ceremonies, keys, slashing data, plans, devices.
