//! The fields of the listeners section that are read, as the dump has them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{Port, Text};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawDynamic<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default, alias = "activeState")]
    pub(super) active_state: Option<RawState<'a>>,
    #[serde(borrow, default, alias = "warmingState")]
    pub(super) warming_state: Option<RawState<'a>>,
    #[serde(borrow, default, alias = "drainingState")]
    pub(super) draining_state: Option<RawState<'a>>,
    #[serde(borrow, default, alias = "errorState")]
    pub(super) error_state: Option<RawError<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawState<'a> {
    #[serde(borrow, default, alias = "versionInfo")]
    pub(super) version_info: Text<'a>,
    #[serde(borrow, default)]
    pub(super) listener: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "lastUpdated")]
    pub(super) last_updated: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawError<'a> {
    #[serde(borrow, default, alias = "failedConfiguration")]
    pub(super) failed_configuration: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "lastUpdateAttempt")]
    pub(super) last_update_attempt: Text<'a>,
    #[serde(borrow, default)]
    pub(super) details: Text<'a>,
    #[serde(borrow, default, alias = "versionInfo")]
    pub(super) version_info: Text<'a>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawListener<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) address: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "internalListener")]
    pub(super) internal_listener: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "trafficDirection")]
    pub(super) traffic_direction: Text<'a>,
    #[serde(borrow, default, alias = "additionalAddresses")]
    pub(super) additional_addresses: Vec<RawAdditionalAddress<'a>>,
    #[serde(default, alias = "bindToPort")]
    pub(super) bind_to_port: Option<bool>,
    #[serde(default, alias = "deprecatedV1")]
    pub(super) deprecated_v1: Option<RawDeprecated>,
    #[serde(borrow, default, alias = "listenerFilters")]
    pub(super) listener_filters: Vec<&'a RawValue>,
    #[serde(borrow, default, alias = "filterChains")]
    pub(super) filter_chains: Vec<&'a RawValue>,
    #[serde(borrow, default, alias = "defaultFilterChain")]
    pub(super) default_filter_chain: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "filterChainMatcher")]
    pub(super) filter_chain_matcher: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawAdditionalAddress<'a> {
    #[serde(borrow, default)]
    pub(super) address: Option<&'a RawValue>,
}

/// Where `bind_to_port` was in old versions.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawDeprecated {
    #[serde(default, alias = "bindToPort")]
    pub(super) bind_to_port: Option<bool>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawAddress<'a> {
    #[serde(borrow, default, alias = "socketAddress")]
    pub(super) socket_address: Option<RawSocket<'a>>,
    #[serde(borrow, default)]
    pub(super) pipe: Option<RawPipe<'a>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawSocket<'a> {
    #[serde(borrow, default)]
    pub(super) address: Text<'a>,
    #[serde(default, alias = "portValue")]
    pub(super) port_value: Option<Port>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct RawPipe<'a> {
    #[serde(borrow, default)]
    pub(super) path: Text<'a>,
}
