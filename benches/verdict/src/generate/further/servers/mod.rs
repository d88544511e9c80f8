//! Servers, stores, queues, networks, and what their users do.

mod bounds;
mod customers;
mod engines;
mod network;
mod occasions;
mod stores;
mod streams;
mod unbounded;

use crate::generate::classes::{Class, benign, leak};

#[rustfmt::skip]
pub(super) static CLASSES: [Class; 30] = [
    leak("index_kept",         unbounded::index_kept,        "a cache lets entries go, and keeps their keys"),
    leak("unclosed",           unbounded::unclosed,          "connections that are not closed after errors of the busiest hours"),
    leak("tenants",            unbounded::tenants,           "tenants come and go, and some of their state stays"),
    leak("cardinality",        unbounded::cardinality,       "each deploy of what is measured makes its series anew"),
    leak("quiet",              unbounded::quiet,             "8 to 20 % of a service that hardly does anything else"),
    leak("fewer_clients",      unbounded::fewer_clients,     "only old clients make it leak, and they get fewer"),
    leak("unacknowledged",     occasions::unacknowledged,    "consumers that die leave what they have fetched"),
    leak("behind_flag",        occasions::behind_flag,       "a flag is switched on, and what is behind it leaks"),
    leak("per_reload",         occasions::per_reload,        "each reload keeps a share of what it replaces"),
    leak("retries",            occasions::retries,           "each try in an outage leaves something"),

    benign("expiring_keys",    stores::expiring_keys,        "keys of several kinds expire, and bulk loads come"),
    benign("slabs",            stores::slabs,                "pages go to classes of sizes until none is left"),
    benign("larger_entries",   stores::larger_entries,       "releases store larger entries, which replace the others"),
    benign("reindexed",        stores::reindexed,            "an index is built beside the one that serves"),
    benign("head_block",       engines::head_block,          "samples gather until a block is cut, and series churn"),
    benign("compactions",      engines::compactions,         "tables are merged, and those again"),
    benign("snapshots",        engines::snapshots,           "pages that are written to during a snapshot are there twice"),
    benign("shipped",          streams::shipped,             "nobody takes for hours what is to be sent, up to a bound"),
    benign("windows",          streams::windows,             "keys gather until their windows close"),
    benign("replica",          streams::replica,             "a replica copies all, catches up, and follows"),
    benign("partitions",       streams::partitions,          "jobs cache what they read, as far as there is room"),
    benign("pooled",           network::pooled,              "connections for the most that were needed lately"),
    benign("neighbours",       network::neighbours,          "instances come and go, and share the load"),
    benign("sockets",          network::sockets,             "clients reconnect after events, and come from elsewhere"),
    benign("matches",          network::matches,             "matches grow while they are played; maps are loaded once"),
    benign("mixed_queries",    engines::mixed_queries,       "a level that wanders by what is asked, up to a bound"),
    benign("onboarded",        customers::onboarded,         "a tenant at a time moves in, until all are there"),
    benign("rolled_out",       customers::rolled_out,        "a feature is rolled out in stages"),
    benign("campaign",         customers::campaign,          "many come within hours, and leave within days"),
    benign("spurts",           customers::spurts,            "idle for days, and used now and then"),
];
