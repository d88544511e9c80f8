//! What is in the file: a header that can be checked by itself, and records in MessagePack, compressed.
//!
//! | bytes | |
//! | --- | --- |
//! | 0-7 | `MEMLEAK\n` |
//! | 8-9 | version, little-endian as all numbers here |
//! | 10-11 | 0 |
//! | 12-19 | length of the rest |
//! | 20-23 | CRC-32 of the rest |
//! | 24-27 | CRC-32 of the bytes before |
//! | 28-… | raw deflate of an [`Origin`], the number of records, and the records ([`Record`]) |
//!
//! Structures are maps by the name of the field. So what a later release adds with a default can be read from a file without it,
//! and what it drops is skipped: only what changes its meaning needs another version, and then the reader of the one before
//! stays for as long as that is not two versions back.

use std::io::{BufReader, BufWriter, Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::SamplerConfig;
use crate::history::is_time;
use crate::sampler::Moment;
use crate::watch::{Boot, Record, Unsound, Watchlist};

/// The version that is written.
const VERSION: u16 = 1;

/// The oldest version that is read.
const OLDEST: u16 = 1;

const MAGIC: [u8; 8] = *b"MEMLEAK\n";

const HEADER: usize = 28;

/// Most bytes that a payload may inflate to: many times what the largest host takes.
const MOST_INFLATED: u64 = 1 << 30;

/// Where and when a state was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of the exporter that wrote it.
    pub exporter: String,
    /// /proc/sys/kernel/random/boot_id of the watched machine, where there is one.
    pub boot_id: Option<String>,
    /// Seconds since the machine started (CLOCK_BOOTTIME).
    pub boottime: f64,
    /// Seconds since the epoch.
    pub unix_seconds: f64,
    /// The history's own time, seconds.
    pub time: f64,
    /// One second counted as so many.
    pub time_lapse: u32,
}

impl Origin {
    /// Seconds from then to `now`: by the clock that nobody sets where the machine was not restarted, else by the wall clock. None
    /// where that says that it is earlier now than then.
    pub(super) fn gap(&self, boot: Boot, now: Moment) -> f64 {
        let gap = match boot {
            Boot::Same => now.boottime.as_secs_f64() - self.boottime,
            Boot::Another => now.unix_seconds - self.unix_seconds,
        };
        gap.max(0.0)
    }

    /// The history's time as of `now`. With another boot all lives have ended, so that it can follow the wall clock where that has
    /// been set forward.
    pub(super) fn time(&self, boot: Boot, now: Moment) -> f64 {
        let time = self.time + self.gap(boot, now) * f64::from(self.time_lapse);
        match boot {
            Boot::Same => time,
            Boot::Another => time.max(now.unix_seconds),
        }
    }
}

/// What was read back.
#[derive(Debug)]
pub struct Restored {
    /// Lives and lineages.
    pub watchlist: Watchlist,
    /// Where and when it was written.
    pub origin: Origin,
    /// Whether it was in the same boot of the machine.
    pub boot: Boot,
}

/// Why a state can't be relied on.
#[derive(Debug, Error)]
pub enum Flaw {
    /// No file of ours begins like this.
    #[error("it does not begin like a state file; give another --state.file if it is something else")]
    Magic,
    /// A later release wrote it.
    #[error(
        "it has format {found} and this release reads up to {VERSION}; upgrade, or give another --state.file"
    )]
    Later {
        /// Its version.
        found: u16,
    },
    /// A release wrote it that is too old.
    #[error("it has format {found} and this release reads none before {OLDEST}")]
    Earlier {
        /// Its version.
        found: u16,
    },
    /// It ends too soon, or goes on too long.
    #[error("it has {found} bytes and should have {expected}")]
    Length {
        /// Bytes that there are.
        found: usize,
        /// Bytes that there should be.
        expected: u64,
    },
    /// A bit has changed.
    #[error("its checksum is wrong")]
    Checksum,
    /// The checksum is right and the contents are not.
    #[error("its contents make no sense: {0}")]
    Contents(#[from] rmp_serde::decode::Error),
    /// The contents can be read and not relied on.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// Its history has another pace.
    #[error("it was written with --sample.time-lapse={found}; use that, or give another --state.file")]
    TimeLapse {
        /// The time lapse that it was written with.
        found: u32,
    },
}

/// The whole file.
pub fn encode(watchlist: &Watchlist, origin: &Origin) -> Vec<u8> {
    let mut file = vec![0; HEADER];
    // Neither a structure of ours nor a vector can refuse to be written.
    let _ = write_payload(&mut file, watchlist, origin);
    let payload = &file[HEADER..];
    let mut header = Vec::with_capacity(HEADER);
    header.extend(MAGIC);
    header.extend(VERSION.to_le_bytes());
    header.extend([0, 0]);
    header.extend((payload.len() as u64).to_le_bytes());
    header.extend(crc32fast::hash(payload).to_le_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    file[..HEADER].copy_from_slice(&header);
    file
}

fn write_payload(
    file: &mut Vec<u8>,
    watchlist: &Watchlist,
    origin: &Origin,
) -> Result<(), rmp_serde::encode::Error> {
    let mut out = BufWriter::with_capacity(64 << 10, DeflateEncoder::new(file, Compression::fast()));
    rmp_serde::encode::write_named(&mut out, origin)?;
    rmp_serde::encode::write(&mut out, &watchlist.record_count())?;
    watchlist.records().try_for_each(|record| rmp_serde::encode::write_named(&mut out, &record))?;
    let _ = out.flush();
    Ok(())
}

/// Reads a whole file back, for samples as `config` has them on the machine whose boot is `boot_id`, and `uptime` ago
/// (CLOCK_BOOTTIME).
///
/// # Errors
/// When anything is wrong with it. Part of a history is none.
pub fn decode(
    file: &[u8],
    config: &SamplerConfig,
    boot_id: Option<&str>,
    uptime: Duration,
) -> Result<Restored, Flaw> {
    let payload = payload(file)?;
    let inflated = DeflateDecoder::new(payload).take(MOST_INFLATED);
    let mut input = rmp_serde::Deserializer::new(BufReader::with_capacity(64 << 10, inflated));
    let origin = Origin::deserialize(&mut input)?;
    if origin.time_lapse != config.time_lapse {
        return Err(Flaw::TimeLapse { found: origin.time_lapse });
    }
    if ![origin.boottime, origin.unix_seconds, origin.time].into_iter().all(is_time) {
        return Err(Unsound.into());
    }
    // Where no boot has a name, the clock tells some of them apart.
    let is_same = origin.boot_id.as_deref() == boot_id && origin.boottime <= uptime.as_secs_f64();
    let boot = if is_same { Boot::Same } else { Boot::Another };
    let mut watchlist = Watchlist::new(config);
    for _ in 0..u64::deserialize(&mut input)? {
        watchlist.take_back(Record::deserialize(&mut input)?, boot)?;
    }
    watchlist.fit();
    Ok(Restored { watchlist, origin, boot })
}

/// What follows the header, which is checked before anything is made of it.
fn payload(file: &[u8]) -> Result<&[u8], Flaw> {
    let field = |from: usize, bytes: usize| file.get(from..from + bytes);
    if field(0, 8) != Some(&MAGIC) {
        return Err(Flaw::Magic);
    }
    let number = |from, bytes| {
        let little_endian = field(from, bytes)?.iter().rev();
        Some(little_endian.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    };
    let short = Flaw::Length { found: file.len(), expected: HEADER as u64 };
    let (Some(version), Some(length), Some(checksum), Some(own)) =
        (number(8, 2), number(12, 8), number(20, 4), number(24, 4))
    else {
        return Err(short);
    };
    // A header of another version may be another one.
    match version as u16 {
        found if found > VERSION => return Err(Flaw::Later { found }),
        found if found < OLDEST => return Err(Flaw::Earlier { found }),
        _ => {}
    }
    if own != u64::from(crc32fast::hash(&file[..HEADER - 4])) {
        return Err(Flaw::Checksum);
    }
    let payload = &file[HEADER..];
    if payload.len() as u64 != length {
        return Err(Flaw::Length { found: file.len(), expected: length.saturating_add(HEADER as u64) });
    }
    if checksum != u64::from(crc32fast::hash(payload)) {
        return Err(Flaw::Checksum);
    }
    Ok(payload)
}

#[cfg(test)]
mod tests;
