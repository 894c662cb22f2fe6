//! Where the connection of a logged request came in: the listener that took it and its chain, by Envoy's own choice over what the
//! access log's line tells of the connection.

use core::net::SocketAddr;

use super::connection::addresses;
use crate::analysis::connection::{self, Asked, Http, Tls};
use crate::analysis::placement::{self, ListenerDirection};
use crate::ingest::logs::details;
use crate::model::envoy::{ConfigDump, Listener};
use crate::model::ids::ProxyId;
use crate::model::log_details::{LogDetails, LoggedRequest};
use crate::model::logs::LogRecord;
use crate::model::snapshot::Snapshot;

/// The listener that took a connection, and its chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The listener's name, in its active state.
    pub listener: String,
    /// The chain, as a place in the listener; None where the line leaves several.
    pub chain: Option<usize>,
}

/// The listener and chain by which the request of an access log's line came, as the proxy is now; None for other lines, for those
/// of formats without the downstream's local address, and where nothing takes such a connection.
pub fn taken(snapshot: &Snapshot, proxy: &ProxyId, record: &LogRecord) -> Option<Taken> {
    let Some(LogDetails::Request(request)) = details(record) else { return None };
    let local: SocketAddr = request.downstream_local.parse().ok()?;
    let dump = &snapshot.dump(proxy)?.dump;
    let own = addresses(snapshot, proxy, dump);
    // The cluster tells the way. Where a request got none, what came to the proxy's own address came to the workload.
    let inbound = request.inbound.unwrap_or_else(|| own.contains(&local.ip()));
    let said = if inbound { ListenerDirection::Inbound } else { ListenerDirection::Outbound };
    let direction = connection::direction(placement::kind_of(snapshot, proxy, dump), Some(said));
    let took: Vec<Took<'_>> = whose(&request)
        .into_iter()
        .filter_map(|tls| {
            let assumed = connection::assume(&asked(&request, local, tls, said), direction, &own);
            Took::of(dump, &assumed)
        })
        .collect();
    // The line does not say whose TLS it was. What its chain speaks and where that leads does.
    let http = !request.method.is_empty();
    let speaks = |took: &&Took<'_>| took.speaks_http() == Some(http);
    let leads = |took: &&Took<'_>| speaks(took) && !request.cluster.is_empty() && took.destination() == request.cluster;
    let found = took.iter().find(leads).or_else(|| took.iter().find(speaks)).or(took.first())?;
    Some(Taken { listener: found.listener.name.clone(), chain: found.chain })
}

/// Whose TLS the connection can have had, the likeliest first. The proxies of the mesh always say a server name, by which istiod's
/// clusters are known (`pilot/pkg/model/service.go: BuildDNSSrvSubsetKey`).
fn whose(request: &LoggedRequest<'_>) -> [Tls; 3] {
    match &*request.server_name {
        "" => [Tls::None, Tls::Mesh, Tls::Foreign],
        name if name.starts_with("outbound_.") => [Tls::Mesh, Tls::Foreign, Tls::None],
        _ => [Tls::Foreign, Tls::Mesh, Tls::None],
    }
}

fn asked(request: &LoggedRequest<'_>, local: SocketAddr, tls: Tls, direction: ListenerDirection) -> Asked {
    let http = match &*request.protocol {
        "HTTP/1.0" => Http::Http10,
        "HTTP/1.1" => Http::Http11,
        "" => Http::None,
        _ => Http::Http2,
    };
    // Of a forwarded request the line can have the client's address, which is not the connection's.
    let remote: Option<SocketAddr> = request.downstream_remote.parse().ok().filter(|_| request.forwarded_for.is_empty());
    Asked {
        port: local.port(),
        address: Some(local.ip()),
        tls: Some(tls),
        http: Some(http),
        alpn: None,
        sni: (tls != Tls::None).then(|| request.server_name.to_ascii_lowercase()),
        source: remote.map(|remote| remote.ip()),
        source_port: remote.map(|remote| remote.port()),
        direction: Some(direction),
    }
}

/// What takes a connection.
struct Took<'d> {
    listener: &'d Listener,
    chain: Option<usize>,
}

impl<'d> Took<'d> {
    fn of(dump: &'d ConfigDump, connection: &connection::Assumed) -> Option<Self> {
        let listener = connection::choose(dump, connection).ok()?.listener;
        let chain = connection::see(listener, connection).ok().and_then(|seen| connection::take(listener, &seen).chain);
        Some(Self { listener, chain })
    }

    fn speaks_http(&self) -> Option<bool> {
        Some(self.listener.chains.get(self.chain?)?.http_filters.is_some())
    }

    fn destination(&self) -> String {
        self.chain.and_then(|chain| self.listener.chains.get(chain)).map(placement::destination).unwrap_or_default()
    }
}
