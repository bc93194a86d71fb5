//! Connections by what they are doing, and those that were closed for want of room or right.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The connections of all listeners.
pub(crate) struct Connections {
    open: Family<StateLabels, Gauge>,
    public: Open,
    admin: Open,
    closed: Family<ClosedLabels, Counter>,
}

/// The open connections of a listener. Looked up once: each request changes them.
struct Open {
    busy: Gauge,
    idle: Gauge,
    strange: Gauge,
}

/// Which listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Listener {
    /// For consumers.
    Public,
    /// For health and metrics.
    Admin,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Doing {
    /// Requests are in progress.
    Busy,
    /// No request is in progress, but one was made by somebody who was identified.
    Idle,
    /// No request is in progress, and none was made by somebody who was identified.
    Strange,
}

/// Why this program closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Closed {
    /// Nobody may connect from this address.
    Address,
    /// Its address has as many connections as one may have, and all of them are busy.
    Share,
    /// It was idle, and its own address opened another connection over its share.
    ShareMakesRoom,
    /// It was idle, and another address needed the room.
    MakesRoom,
    /// It sent no request in time.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    listener: Listener,
    state: Doing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedLabels {
    listener: Listener,
    reason: Closed,
}

impl Closed {
    const ALL: [Self; 5] = [Self::Address, Self::Share, Self::ShareMakesRoom, Self::MakesRoom, Self::Silent];
}

impl Open {
    fn of(listener: Listener, all: &Family<StateLabels, Gauge>) -> Self {
        let of = |state| all.get_or_create(&StateLabels { listener, state }).clone();
        Self { busy: of(Doing::Busy), idle: of(Doing::Idle), strange: of(Doing::Strange) }
    }

    fn gauge(&self, state: Doing) -> &Gauge {
        match state {
            Doing::Busy => &self.busy,
            Doing::Idle => &self.idle,
            Doing::Strange => &self.strange,
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        let open = Family::default();
        let (public, admin) = (Open::of(Listener::Public, &open), Open::of(Listener::Admin, &open));
        Self { open, public, admin, closed: Family::default() }
    }
}

impl Connections {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("connections", "Open connections, by what they are doing", self.open.clone());
        registry.register(
            "connections_closed",
            "Connections that were refused or closed early, by reason",
            self.closed.clone(),
        );
        for listener in [Listener::Public, Listener::Admin] {
            for reason in Closed::ALL {
                drop(self.closed.get_or_create(&ClosedLabels { listener, reason }));
            }
        }
    }

    /// A connection begins to do `now` and stops doing `before`.
    pub(crate) fn changes(&self, listener: Listener, before: Option<Doing>, now: Option<Doing>) {
        if before == now {
            return;
        }
        let open = match listener {
            Listener::Public => &self.public,
            Listener::Admin => &self.admin,
        };
        if let Some(state) = before {
            open.gauge(state).dec();
        }
        if let Some(state) = now {
            open.gauge(state).inc();
        }
    }

    pub(crate) fn closed(&self, listener: Listener, reason: Closed) {
        self.closed.get_or_create(&ClosedLabels { listener, reason }).inc();
    }
}

impl EncodeLabelValue for Listener {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Public => "public",
            Self::Admin => "admin",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Doing {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Busy => "busy",
            Self::Idle => "idle",
            Self::Strange => "unidentified",
        };
        text.encode(encoder)
    }
}

impl EncodeLabelValue for Closed {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        let text = match self {
            Self::Address => "address_not_allowed",
            Self::Share => "share",
            Self::ShareMakesRoom => "idle_over_share",
            Self::MakesRoom => "idle_when_full",
            Self::Silent => "no_request",
        };
        text.encode(encoder)
    }
}
