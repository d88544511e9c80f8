//! Runtimes, allocators, the kernel, and how programs divide into processes.

mod allocators;
mod jit;
mod learning;
mod managed;
mod people;
mod stuck;
mod threads;
mod touched;
mod unfreed;
mod workers;

use crate::generate::classes::{Class, benign, leak};
pub(super) use touched::Pages;
pub(super) use unfreed::program;
pub(super) use workers::forks;

#[rustfmt::skip]
pub(super) static CLASSES: [Class; 24] = [
    leak("promoted",           unfreed::promoted,            "a heap grows only when full collections leave too little free"),
    leak("extension",          unfreed::extension,           "a job leaks into memory that its last peak left"),
    leak("native",             unfreed::native,              "memory beside the heap, in an allocator's chunks"),
    leak("class_loaders",      unfreed::class_loaders,       "each redeployment within the process leaves the last one's classes"),
    leak("threads",            stuck::threads,               "threads that wait for ever, many where a backend hangs"),
    leak("timers",             stuck::timers,                "timers that make more timers, and garbage"),
    leak("outlived",           stuck::outlived,              "the older it is, the longer it stays: growth that slows down"),
    leak("forked_master",      stuck::forked_master,         "a master leaks, and its workers inherit that"),

    benign("tenured",          managed::tenured,             "an old generation fills, and is collected when it is full"),
    benign("uncommitting",     managed::uncommitting,        "a heap grows by load, and gives back what it did not use"),
    benign("softly",           managed::softly,              "a cache takes all of the heap, and is cleared then"),
    benign("pinned",           allocators::pinned,           "one survivor holds an arena"),
    benign("trimmed",          allocators::trimmed,          "a block on top holds the memory of a burst"),
    benign("per_thread",       threads::per_thread,          "each thread keeps a cache of its largest request"),
    benign("pool",             threads::pool,                "a pool of threads grows when a backend is slow"),
    benign("swapped",          touched::swapped,             "reclaimed pages come back as they are touched"),
    benign("copied_on_write",  touched::snapshots,           "a child writes a snapshot, and changes are copied"),
    benign("jitted",           jit::jitted,                  "code is compiled when it has run often enough"),
    benign("unsharing",        workers::unsharing,           "forked workers write to the pages that they share"),
    benign("binaries",         workers::binaries,            "many small heaps, collected in step at first"),
    benign("reloads",          workers::reloads,             "old workers stay until their connections end"),
    benign("tabs",             people::tabs,                 "documents are opened by day, and most closed by night"),
    benign("models",           learning::models,             "few large models, loaded when asked for"),
    benign("training",         learning::training,           "epochs: data is kept, readers copy what they write to"),
];
