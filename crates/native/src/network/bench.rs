//! Two ends of a network without tenants: what is measured is measured over the very devices that tenants get.

use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::net::sockopt::{set_socket_linger, set_socket_reuseaddr, set_tcp_nodelay};
use rustix::net::{AddressFamily, SocketFlags, SocketType, accept_with, bind, connect, listen, socket_with};

use super::link::Link;
use super::{Network, Wiring, address, failed, netlink};
use crate::problem::Problem;

/// A network with two ends; both are the same namespace where tenants share one.
#[derive(Debug)]
pub(crate) struct Ends {
    network: Network,
    /// Of either end, where it has one of its own.
    own: Vec<OwnedFd>,
}

impl Ends {
    /// Makes one of the kind that tenants have who do, or do not, have network namespaces of their own, with that link.
    pub(crate) fn make(own: bool, link: Link) -> Result<Self, Problem> {
        let network = Network::new(if own { Wiring::Namespaces } else { Wiring::Shared }, link)?;
        let mut ends = Self { network, own: Vec::new() };
        for end in 0..2 {
            if own {
                let made =
                    netlink::make_namespace().map_err(|error| failed("a network namespace", &error))?;
                ends.network.attach_to(made.as_fd(), end)?;
                ends.own.push(made);
            } else {
                ends.network.add_address(end)?;
            }
        }
        Ok(ends)
    }

    /// A connection from one end to the other.
    pub(crate) fn connect(&self) -> Result<(OwnedFd, OwnedFd), Problem> {
        let shared = &self.network.namespace;
        let [here, there] = [0, 1].map(|end| self.own.get(end).unwrap_or(shared).as_fd());
        let to = address(1);
        let socket = || socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let both = || -> io::Result<(OwnedFd, OwnedFd)> {
            let listener = netlink::in_namespace(there, || Ok(socket()?))?;
            set_socket_reuseaddr(&listener, true)?;
            bind(&listener, &SocketAddrV4::new(to.ip, to.port))?;
            listen(&listener, 1)?;
            let client = netlink::in_namespace(here, || Ok(socket()?))?;
            connect(&client, &SocketAddrV4::new(to.ip, to.port))?;
            let server = accept_with(&listener, SocketFlags::CLOEXEC)?;
            for end in [&client, &server] {
                set_tcp_nodelay(end, true)?;
                set_socket_linger(end, Some(std::time::Duration::ZERO))?;
            }
            Ok((client, server))
        };
        both().map_err(|error| failed("a connection", &error))
    }
}
