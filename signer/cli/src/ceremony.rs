//! Driving a ceremony: its folder, and the one next step of each member.
//!
//! The folder holds every message and is the whole state: a run that was cut short goes on where it
//! stopped, and the folder is the record that `symbolon ceremony audit` judges. Nobody believes
//! whoever drives it.

mod drive;
mod folder;

pub(crate) use drive::{Step, ask, member_step, next_step};
pub(crate) use folder::Folder;
