//! The descriptors that came with an order, by what they are for.

use std::os::fd::OwnedFd;

use catamaran_oci_init::order;

use crate::failure::{Done, Failure};

#[derive(Debug, Default)]
pub(crate) struct Handed {
    pub(crate) group: Option<OwnedFd>,
    pub(crate) tasks: Vec<OwnedFd>,
    pub(crate) container: Option<OwnedFd>,
    pub(crate) root: Option<OwnedFd>,
    pub(crate) console: Option<OwnedFd>,
    pub(crate) start: Option<OwnedFd>,
    pub(crate) agent: Option<OwnedFd>,
}

impl Handed {
    pub(crate) fn sort(kinds: &[order::Handed], descriptors: Vec<OwnedFd>) -> Done<Self> {
        if kinds.len() != descriptors.len() {
            let what = format!("{} descriptors came, {} were announced", descriptors.len(), kinds.len());
            return Err(Failure(what));
        }
        let mut handed = Self::default();
        for (kind, descriptor) in kinds.iter().zip(descriptors) {
            match kind {
                order::Handed::Group => handed.group = Some(descriptor),
                order::Handed::Tasks => handed.tasks.push(descriptor),
                order::Handed::Container => handed.container = Some(descriptor),
                order::Handed::Root => handed.root = Some(descriptor),
                order::Handed::Console => handed.console = Some(descriptor),
                order::Handed::Start => handed.start = Some(descriptor),
                order::Handed::SeccompAgent => handed.agent = Some(descriptor),
            }
        }
        Ok(handed)
    }
}
