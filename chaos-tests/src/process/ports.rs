//! Ports that no other cluster on this machine takes.
//!
//! A free port that the kernel names may be gone a moment later, taken by anybody's outgoing connection. So clusters
//! take blocks of ports below the range of outgoing connections. Whoever listens on the last port of a block holds it:
//! that goes when its holder does, and leaves no file behind.

use std::net::{IpAddr, Ipv4Addr, TcpListener};

use anyhow::{Context, bail};

/// First port of the first block.
const FIRST: u16 = 20_000;
/// Ports in a block: ten nodes, ten each.
const BLOCK: u16 = 100;
/// Blocks: up to port 31,999; Linux's outgoing connections begin at 32,768.
const BLOCKS: u16 = 120;

/// A block of ports; it is free for others once this is dropped.
#[derive(Debug)]
pub(super) struct PortBlock {
    /// Its first port.
    pub first: u16,
    _holder: TcpListener,
}

impl PortBlock {
    /// Takes a block whose ports are free on every one of `addresses`.
    pub fn take(addresses: &[IpAddr]) -> anyhow::Result<Self> {
        // Processes begin their search at different places, to meet less.
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap_or_default();
        for block in (0..BLOCKS).map(|step| (start + step) % BLOCKS) {
            let first = FIRST + block * BLOCK;
            let Ok(holder) = TcpListener::bind((Ipv4Addr::LOCALHOST, first + BLOCK - 1)) else { continue };
            if all_free(addresses, first) {
                return Ok(Self { first, _holder: holder });
            }
        }
        bail!("all {BLOCKS} blocks of ports from {FIRST} on are taken")
    }
}

fn all_free(addresses: &[IpAddr], first: u16) -> bool {
    addresses.iter().all(|address| {
        (first..first + BLOCK)
            .step_by(10)
            .flat_map(|port| port..port + 3)
            .all(|port| TcpListener::bind((*address, port)).is_ok())
    })
}

/// Checks that an address of this machine can be listened on: other systems than Linux have only 127.0.0.1.
pub(super) fn check_address(address: IpAddr) -> anyhow::Result<()> {
    TcpListener::bind((address, 0)).map(drop).with_context(|| format!("this machine does not answer at {address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_never_share_a_block() {
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let one = PortBlock::take(&addresses).unwrap();
        let other = PortBlock::take(&addresses).unwrap();
        assert_ne!(one.first, other.first);
    }

    #[test]
    fn a_block_with_a_port_in_use_is_passed_over() {
        let addresses = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
        let first = PortBlock::take(&addresses).unwrap().first;
        let _in_use = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 11)).unwrap();
        assert_ne!(PortBlock::take(&addresses).unwrap().first, first);
    }
}
