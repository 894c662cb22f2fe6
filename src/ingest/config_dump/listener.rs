//! The listeners section: every listener in every state, refused ones too.

use serde_json::value::RawValue;

use super::Reader;
use super::json::{Fault, Port, Text, object, object_in, owned};
use super::listener_fields::{RawAddress, RawDynamic, RawListener, RawSocket, RawState};
use super::section::lists;
use super::{chain, listener_filter, matcher};
use crate::ingest::redact;
use crate::model::envoy::{Direction, Listener, ListenerAddress, ListenerState, Matcher, NEVER, RawJson, way_text};

/// What the state around a listener says of it.
struct Around<'a> {
    name: String,
    state: ListenerState,
    is_static: bool,
    error: Option<String>,
    last_updated: Text<'a>,
    version: Text<'a>,
}

impl Reader<'_> {
    pub(super) fn listeners(&mut self, text: &str, place: &str) {
        let (mut fixed, mut dynamic) = (Vec::new(), Vec::new());
        // Envoys up to 1.11 have a list for each state.
        let (mut active, mut warming, mut draining) = (Vec::new(), Vec::new(), Vec::new());
        let end = lists(
            text,
            &mut [
                (["static_listeners", "staticListeners"], &mut fixed),
                (["dynamic_listeners", "dynamicListeners"], &mut dynamic),
                (["dynamic_active_listeners", "dynamicActiveListeners"], &mut active),
                (["dynamic_warming_listeners", "dynamicWarmingListeners"], &mut warming),
                (["dynamic_draining_listeners", "dynamicDrainingListeners"], &mut draining),
            ],
        );
        for (index, raw) in fixed.into_iter().enumerate() {
            self.static_listener(raw, &format!("{place}.static_listeners[{index}]"));
        }
        for (index, raw) in dynamic.into_iter().enumerate() {
            self.dynamic_listener(raw, &format!("{place}.dynamic_listeners[{index}]"));
        }
        let old = [(active, ListenerState::Active), (warming, ListenerState::Warming), (draining, ListenerState::Draining)];
        for (list, state) in old {
            for (index, raw) in list.into_iter().enumerate() {
                self.state(raw, state, false, &format!("{place}.dynamic_{}_listeners[{index}]", state.as_str()));
            }
        }
        self.dump.unread_listeners |= end.is_err();
        self.ended(place, end);
    }

    /// Says which listener could not be read, not even its name.
    fn warn_of_listeners(&mut self, place: &str, what: impl std::fmt::Display) {
        self.dump.unread_listeners = true;
        self.warn(place, what);
    }

    pub(super) fn static_listener(&mut self, raw: &RawValue, place: &str) {
        self.state(raw, ListenerState::Active, true, place);
    }

    fn state(&mut self, raw: &RawValue, state: ListenerState, is_static: bool, place: &str) {
        match object::<RawState<'_>>(raw) {
            Ok(raw) => self.in_state(String::new(), state, is_static, Some(raw), place),
            Err(error) => self.warn_of_listeners(place, error),
        }
    }

    pub(super) fn dynamic_listener(&mut self, raw: &RawValue, place: &str) {
        let entry = match object::<RawDynamic<'_>>(raw) {
            Ok(entry) => entry,
            Err(error) => return self.warn_of_listeners(place, error),
        };
        let name = owned(entry.name);
        self.in_state(name.clone(), ListenerState::Active, false, entry.active_state, place);
        self.in_state(name.clone(), ListenerState::Warming, false, entry.warming_state, place);
        self.in_state(name.clone(), ListenerState::Draining, false, entry.draining_state, place);
        if let Some(error) = entry.error_state {
            let around = Around {
                name,
                state: ListenerState::Error,
                is_static: false,
                error: Some(redact::text(&owned(error.details)).into_owned()),
                last_updated: error.last_update_attempt,
                version: error.version_info,
            };
            self.listener(error.failed_configuration, around, place);
        }
    }

    pub(super) fn bare_listener(&mut self, raw: &RawValue, place: &str) {
        let around =
            Around { name: String::new(), state: ListenerState::Active, is_static: false, error: None, last_updated: None, version: None };
        self.listener(Some(raw), around, place);
    }

    /// Envoy lists one refusal twice, under the listener's name and again without a name and a time: once is enough.
    pub(super) fn drop_repeated_refusals(&mut self) {
        let refused: Vec<(String, Option<String>, RawJson)> = self
            .dump
            .listeners
            .iter()
            .filter(|listener| listener.state == ListenerState::Error && listener.last_updated.is_some())
            .map(|listener| (listener.name.clone(), listener.error.clone(), listener.raw.clone()))
            .collect();
        self.dump.listeners.retain(|listener| {
            let same = |(name, error, raw): &(String, Option<String>, RawJson)| {
                *name == listener.name && *error == listener.error && raw.as_str() == listener.raw.as_str()
            };
            listener.state != ListenerState::Error || listener.last_updated.is_some() || !refused.iter().any(same)
        });
    }

    fn in_state(&mut self, name: String, state: ListenerState, is_static: bool, raw: Option<RawState<'_>>, place: &str) {
        let Some(raw) = raw else { return };
        let around = Around { name, state, is_static, error: None, last_updated: raw.last_updated, version: raw.version_info };
        self.listener(raw.listener, around, place);
    }

    fn listener(&mut self, raw: Option<&RawValue>, around: Around<'_>, place: &str) {
        let whole = redact::raw_json(raw.map_or("{}", RawValue::get));
        let Around { name, state, is_static, error, last_updated, version } = around;
        let mut listener = Listener {
            name,
            state,
            is_static,
            address: ListenerAddress::Unknown,
            additional_addresses: Vec::new(),
            binds_port: true,
            direction: None,
            filters: Vec::new(),
            matcher: None,
            chains: Vec::new(),
            unread: false,
            error,
            last_updated: last_updated.map(std::borrow::Cow::into_owned),
            version: owned(version),
            raw: whole.clone(),
        };
        let fields = match raw {
            None if state != ListenerState::Error => Err(serde::de::Error::custom("the state holds no listener")),
            _ => object_in(whole.as_str()),
        };
        match fields {
            Ok(fields) => self.fill(&mut listener, &whole, fields, place),
            // The listener stays, empty: that it is there is worth more than nothing.
            Err(error) => {
                listener.unread = true;
                // One that has no name can be any.
                self.dump.unread_listeners |= listener.name.is_empty();
                self.warn(place, error);
            }
        }
        self.dump.listeners.push(listener);
    }

    fn fill(&mut self, listener: &mut Listener, whole: &RawJson, fields: RawListener<'_>, place: &str) {
        let text = whole.as_str();
        let (internal, mut faults) = (fields.internal_listener.is_some(), Vec::new());
        listener.address = match (fields.address, internal) {
            (Some(raw), _) => address(raw, "address", &mut faults),
            (None, true) => ListenerAddress::Internal,
            (None, false) => ListenerAddress::Unknown,
        };
        for (index, more) in fields.additional_addresses.into_iter().enumerate() {
            let place = format!("additional_addresses[{index}].address");
            listener.additional_addresses.extend(more.address.map(|raw| address(raw, &place, &mut faults)));
        }
        faults.drain(..).for_each(|fault| self.warn(&format!("{place}.{}", fault.place), fault.what));
        listener.binds_port = fields.bind_to_port.or(fields.deprecated_v1.and_then(|old| old.bind_to_port)).unwrap_or(true);
        let name = owned(fields.name);
        if !name.is_empty() {
            listener.name = name;
        } else if listener.name.is_empty()
            && let ListenerAddress::Socket { ip, port } = &listener.address
        {
            listener.name = format!("{ip}_{port}");
        }
        listener.direction = match fields.traffic_direction.as_deref() {
            Some("INBOUND") => Some(Direction::Inbound),
            Some("OUTBOUND") => Some(Direction::Outbound),
            _ => None,
        };
        for (index, raw) in fields.listener_filters.into_iter().enumerate() {
            match listener_filter::parse(raw) {
                Ok(filter) => listener.filters.push(filter),
                Err(error) => self.warn(&format!("{place}.listener_filters[{index}]"), error),
            }
        }
        listener.matcher = match fields.filter_chain_matcher.map(object::<serde_json::Value>) {
            Some(Ok(tree)) => Some(matcher::parse(&tree)),
            Some(Err(error)) => {
                // Which chain it would pick is not known, so none can be said to be picked never.
                listener.unread = true;
                self.warn(&format!("{place}.filter_chain_matcher"), error);
                None
            }
            None => None,
        };
        let ways = listener.matcher.as_ref().map(Matcher::ways);
        let default = fields.default_filter_chain.map(|raw| (raw, true));
        for (index, (raw, is_default)) in fields.filter_chains.into_iter().map(|raw| (raw, false)).chain(default).enumerate() {
            let mut chain = chain::parse(raw, is_default, whole, text, &mut faults);
            if let Some(ways) = ways.as_ref().filter(|_| !is_default) {
                let own = ways.get(chain.name.as_str()).map(|ways| ways.iter().map(|way| way_text(way)).collect());
                chain.matcher = own.unwrap_or_else(|| vec![NEVER.to_owned()]);
            }
            listener.chains.push(chain);
            faults.drain(..).for_each(|fault| self.warn(&format!("{place}.filter_chains[{index}]{}", fault.place), fault.what));
        }
    }
}

/// Where a listener listens; what cannot be read is a fault, and the address then is not known.
fn address(raw: &RawValue, place: &str, faults: &mut Vec<Fault>) -> ListenerAddress {
    match Fault::note(faults, place, object(raw)) {
        Some(RawAddress { socket_address: Some(RawSocket { address, port_value: Some(Port(Some(port))) }), .. }) => {
            ListenerAddress::Socket { ip: owned(address), port }
        }
        Some(RawAddress { socket_address: Some(RawSocket { port_value: Some(Port(None)), .. }), .. }) => {
            faults.push(Fault::new(format!("{place}.socket_address"), "port_value is no port"));
            ListenerAddress::Unknown
        }
        Some(RawAddress { pipe: Some(pipe), .. }) => ListenerAddress::Pipe(owned(pipe.path)),
        _ => ListenerAddress::Unknown,
    }
}
