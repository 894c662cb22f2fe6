//! A connection as a person describes it: `port=80,tls=mesh,alpn=istio`.

use core::net::{IpAddr, SocketAddr};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use crate::analysis::placement::ListenerDirection;

/// What can be said of a connection: each key with its values, and what it means.
pub const FORM: [(&str, &str); 8] = [
    ("port=PORT", "the destination port; at a pod the container's"),
    ("address=IP", "the destination address"),
    ("tls=none|mesh|foreign", "none, mTLS of the mesh, or any other client's"),
    ("http=1.1|2|1.0|none", "what is spoken inside"),
    ("alpn=NAME+NAME", "what the handshake offers, else it follows http="),
    ("sni=HOST|none", "the server name in the handshake"),
    ("source=IP[:PORT]", "where it comes from"),
    ("direction=inbound|outbound", "to the workload beside a sidecar, or from it"),
];

/// What was said of a connection. What was not said is None, and is assumed or not known, as the answer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The destination port, as the proxy sees it.
    pub port: u16,
    /// The destination address.
    pub address: Option<IpAddr>,
    /// Whose TLS it is.
    pub tls: Option<Tls>,
    /// What is spoken inside.
    pub http: Option<Http>,
    /// The application protocols that the client offers in its TLS handshake, in its order.
    pub alpn: Option<Vec<String>>,
    /// The server name in the TLS handshake, in lower case; empty where there is none.
    pub sni: Option<String>,
    /// The client's address.
    pub source: Option<IpAddr>,
    /// The client's port.
    pub source_port: Option<u16>,
    /// Seen from the workload beside a sidecar: inbound or outbound.
    pub direction: Option<ListenerDirection>,
}

/// Whose TLS a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tls {
    /// None: plain bytes.
    None,
    /// Mutual TLS of the mesh, by the Envoy of the caller.
    Mesh,
    /// Any other client's.
    Foreign,
}

impl Tls {
    const ALL: [Self; 3] = [Self::None, Self::Mesh, Self::Foreign];

    /// The word of the description.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mesh => "mesh",
            Self::Foreign => "foreign",
        }
    }
}

/// The HTTP that is spoken inside a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Http {
    /// HTTP/1.1.
    #[serde(rename = "1.1")]
    Http11,
    /// HTTP/2; without TLS by prior knowledge.
    #[serde(rename = "2")]
    Http2,
    /// HTTP/1.0.
    #[serde(rename = "1.0")]
    Http10,
    /// Something else.
    #[serde(rename = "none")]
    None,
}

impl Http {
    const ALL: [Self; 4] = [Self::Http11, Self::Http2, Self::Http10, Self::None];

    /// The word of the description.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http11 => "1.1",
            Self::Http2 => "2",
            Self::Http10 => "1.0",
            Self::None => "none",
        }
    }
}

/// A text that describes no connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}; possible are {}", FORM.map(|(key, _)| key).join(", "))]
pub struct NoConnection {
    /// What is wrong with it, as one clause.
    pub what: String,
}

impl FromStr for Asked {
    type Err = NoConnection;

    fn from_str(text: &str) -> Result<Self, NoConnection> {
        read(text).map_err(|what| NoConnection { what })
    }
}

fn read(text: &str) -> Result<Asked, String> {
    let mut values = Values::of(text)?;
    let keys = || FORM.iter().filter_map(|(form, _)| form.split_once('=')).map(|(key, _)| key);
    if let Some(unknown) = values.0.keys().find(|key| !keys().any(|known| known == **key)) {
        return Err(format!("there is no {unknown}=: the keys are {}", keys().collect::<Vec<_>>().join(", ")));
    }
    let port = values.take("port", |text| text.parse().ok().filter(|port| *port > 0))?.ok_or("port= is missing")?;
    let (source, source_port) = values.take("source", source)?.unwrap_or_default();
    let asked = Asked {
        port,
        address: values.take("address", |text| text.parse().ok())?,
        tls: values.take("tls", |text| Tls::ALL.into_iter().find(|tls| tls.as_str() == text))?,
        http: values.take("http", |text| Http::ALL.into_iter().find(|http| http.as_str() == text))?,
        alpn: values.take("alpn", |text| {
            let names: Vec<String> = text.split('+').map(str::to_owned).collect();
            names.iter().all(|name| !name.is_empty()).then_some(names)
        })?,
        sni: values.take("sni", |text| Some(if text == "none" { String::new() } else { text.to_ascii_lowercase() }))?,
        source,
        source_port,
        direction: values.take("direction", |text| {
            [ListenerDirection::Inbound, ListenerDirection::Outbound].into_iter().find(|direction| direction.as_str() == text)
        })?,
    };
    if asked.tls.unwrap_or(Tls::None) == Tls::None && (asked.alpn.is_some() || asked.sni.is_some()) {
        return Err("alpn= and sni= are parts of a TLS handshake, and tls= says that there is none".to_owned());
    }
    Ok(asked)
}

fn source(text: &str) -> Option<(Option<IpAddr>, Option<u16>)> {
    let whole = text.parse::<SocketAddr>().ok().filter(|whole| whole.port() > 0);
    whole.map(|whole| (Some(whole.ip()), Some(whole.port()))).or_else(|| Some((Some(text.parse().ok()?), None)))
}

/// The values that were not looked at yet, by their keys.
struct Values<'t>(BTreeMap<&'t str, &'t str>);

impl<'t> Values<'t> {
    fn of(text: &'t str) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("{part} is not KEY=VALUE"))?;
            if values.insert(key.trim(), value.trim()).is_some() {
                return Err(format!("{}= is there twice", key.trim()));
            }
        }
        Ok(Self(values))
    }

    fn take<T>(&mut self, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        if value.is_empty() {
            return Err(format!("{key}= has no value"));
        }
        let form = FORM.iter().find(|(form, _)| form.split_once('=').is_some_and(|(of, _)| of == key));
        let possible = || form.map(|(form, meaning)| format!(": write {form}, {meaning}")).unwrap_or_default();
        read(value).map(Some).ok_or_else(|| format!("{key}={value} is not possible{}", possible()))
    }
}

/// The description, as it can be read again.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "port={}", self.port)?;
        let source = match (self.source, self.source_port) {
            (Some(address), Some(port)) => Some(SocketAddr::new(address, port).to_string()),
            (address, _) => address.map(|address| address.to_string()),
        };
        let sni = self.sni.as_deref().map(|sni| if sni.is_empty() { "none" } else { sni });
        let rest = [
            ("address", self.address.map(|address| address.to_string())),
            ("tls", self.tls.map(|tls| tls.as_str().to_owned())),
            ("http", self.http.map(|http| http.as_str().to_owned())),
            ("alpn", self.alpn.as_ref().map(|names| names.join("+"))),
            ("sni", sni.map(str::to_owned)),
            ("source", source),
            ("direction", self.direction.map(|direction| direction.as_str().to_owned())),
        ];
        rest.into_iter().filter_map(|(key, value)| Some((key, value?))).try_for_each(|(key, value)| write!(f, ",{key}={value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_can_be_read_again() {
        for text in [
            "port=80",
            "port=80,address=10.0.0.1,tls=mesh,http=2,alpn=istio-h2+istio,sni=outbound_.80_._.httpbin,source=10.0.0.2:4000,direction=inbound",
            "port=443,address=fd00::1,tls=foreign,http=none,sni=none,source=[fd00::2]:1,direction=outbound",
            "port=9,source=fd00::2",
        ] {
            assert_eq!(text.parse::<Asked>().unwrap().to_string(), text);
        }
        let asked: Asked = " tls = foreign , port=80,, sni=Example.COM ".parse().unwrap();
        assert_eq!(asked.to_string(), "port=80,tls=foreign,sni=example.com");
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_possible() {
        for (text, expected) in [
            ("", "port= is missing"),
            ("tls=mesh", "port= is missing"),
            ("port", "port is not KEY=VALUE"),
            ("port=", "port= has no value"),
            ("port=0", "port=0 is not possible"),
            ("port=70000", "port=70000 is not possible"),
            ("port=80,prot=http", "there is no prot="),
            ("port=80,port=81", "port= is there twice"),
            ("port=80,tls=maybe", "tls=maybe is not possible"),
            ("port=80,http=3", "http=3 is not possible"),
            ("port=80,tls=mesh,alpn=a++b", "alpn=a++b is not possible"),
            ("port=80,address=example.com", "address=example.com is not possible"),
            ("port=80,source=10.0.0.1:0", "source=10.0.0.1:0 is not possible"),
            ("port=80,direction=gateway", "direction=gateway is not possible"),
            ("port=80,alpn=http/1.1", "alpn= and sni= are parts of a TLS handshake"),
            ("port=80,tls=none,sni=a", "alpn= and sni= are parts of a TLS handshake"),
        ] {
            let error = text.parse::<Asked>().expect_err(text).to_string();
            assert!(error.starts_with(expected) && error.ends_with("direction=inbound|outbound"), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }
}
