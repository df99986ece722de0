//! Everything that survives a restart.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{
    customers::Customer,
    events::Event,
    idempotency::Record,
    ids::Ids,
    invoice_items::InvoiceItem,
    invoices::Invoice,
    prices::Price,
    products::Product,
    subscription::Subscription,
    table::Table,
    webhooks::{Delivery, Endpoint},
};

/// The account: its objects, its kept idempotency keys and its clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) ids: Ids,
    /// Seconds that the stand-in's clock is ahead of the caller's.
    pub(crate) clock_offset: i64,
    pub(crate) customers: Table<Customer>,
    pub(crate) products: Table<Product>,
    pub(crate) prices: Table<Price>,
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) invoices: Table<Invoice>,
    pub(crate) invoice_items: Table<InvoiceItem>,
    pub(crate) endpoints: Table<Endpoint>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) idempotency: BTreeMap<String, Record>,
    /// In a set of changes: whether everything before it is to be forgotten.
    pub(crate) forget: bool,
    /// Counts changes, so that whoever keeps the file knows when to write it.
    #[serde(skip)]
    pub(crate) revision: u64,
    #[serde(skip)]
    fresh_events: usize,
    #[serde(skip)]
    fresh_keys: Vec<String>,
}

/// How many events are kept; the oldest go first. Stripe keeps them for 30 days.
const EVENTS_KEPT: usize = 5_000;

impl State {
    /// Notes that something changed.
    pub(crate) fn touch(&mut self) {
        self.revision += 1;
    }

    pub(crate) fn add_event(&mut self, event: Event) {
        self.events.push_back(event);
        self.fresh_events += 1;
        self.drop_old_events();
        self.touch();
    }

    pub(crate) fn add_key(&mut self, key: String, record: Record) {
        self.fresh_keys.push(key.clone());
        self.idempotency.insert(key, record);
        self.touch();
    }

    fn drop_old_events(&mut self) {
        while self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }

    /// What is left when everything is forgotten; that is a change too.
    pub(crate) fn emptied(&self) -> Self {
        Self { forget: true, revision: self.revision + 1, ..Self::default() }
    }

    /// What changed since this was last asked, as a state that has only that in it.
    pub(crate) fn take_changes(&mut self) -> Self {
        let fresh_events = std::mem::take(&mut self.fresh_events).min(self.events.len());
        let fresh_keys = std::mem::take(&mut self.fresh_keys);
        let record = |key: String| {
            let record = self.idempotency.get(&key)?.clone();
            Some((key, record))
        };
        let idempotency = fresh_keys.into_iter().filter_map(record).collect();
        Self {
            ids: self.ids.clone(),
            clock_offset: self.clock_offset,
            customers: self.customers.take_changes(),
            products: self.products.take_changes(),
            prices: self.prices.take_changes(),
            subscriptions: self.subscriptions.take_changes(),
            invoices: self.invoices.take_changes(),
            invoice_items: self.invoice_items.take_changes(),
            endpoints: self.endpoints.take_changes(),
            events: self.events.range(self.events.len() - fresh_events..).cloned().collect(),
            deliveries: self.deliveries.clone(),
            idempotency,
            forget: std::mem::take(&mut self.forget),
            ..Self::default()
        }
    }

    /// Takes over changes that were taken from another state.
    pub(crate) fn absorb(&mut self, changes: Self) {
        if changes.forget {
            *self = Self::default();
        }
        self.ids = changes.ids;
        self.clock_offset = changes.clock_offset;
        self.customers.absorb(changes.customers);
        self.products.absorb(changes.products);
        self.prices.absorb(changes.prices);
        self.subscriptions.absorb(changes.subscriptions);
        self.invoices.absorb(changes.invoices);
        self.invoice_items.absorb(changes.invoice_items);
        self.endpoints.absorb(changes.endpoints);
        self.events.extend(changes.events);
        self.deliveries = changes.deliveries;
        self.idempotency.extend(changes.idempotency);
        self.drop_old_events();
    }
}
