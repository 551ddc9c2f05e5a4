//! What Envoy knows of the two ends of a request: who sent it, and where it goes.
//!
//! Each is a host call of half a microsecond, so it is made only where a route asks. This module refuses to know what follows.

use super::host::Host;
use crate::policy::Asks;

/// The first URI among the alternative names of the client's certificate.
const CERTIFICATE_URI: &str = "connection\0uri_san_peer_certificate";
/// Where Istio's waypoints keep that of the client: its mTLS ended in a listener before theirs.
const WAYPOINT_PRINCIPAL: &str = "filter_state\0io.istio.peer_principal";
/// The port of the connection's local end; where Istio redirected it, the port that the client meant.
const DESTINATION_PORT: &str = "destination\0port";
/// The cluster of the Envoy route that the request has when the filter sees it.
const CLUSTER_NAME: &str = "xds\0cluster_name";

/// What was asked for, where Envoy has it.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) source_principal: Option<Vec<u8>>,
    pub(super) destination_port: Option<u16>,
    pub(super) cluster: Option<Vec<u8>>,
}

impl Ends {
    pub(super) fn learn(host: &impl Host, asks: Asks) -> Ends {
        let mut ends = Ends::default();
        let property = |path| host.property(path).ok().filter(|value| !value.is_empty());
        if asks.source_principal {
            ends.source_principal = property(CERTIFICATE_URI).or_else(|| property(WAYPOINT_PRINCIPAL));
        }
        if asks.destination_port {
            let integer = property(DESTINATION_PORT).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
            ends.destination_port = integer.and_then(|port| u16::try_from(port).ok());
        }
        if asks.cluster {
            ends.cluster = property(CLUSTER_NAME);
        }
        ends
    }
}
