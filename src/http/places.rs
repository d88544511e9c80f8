//! Who has a connection, and who has to leave where there are too many.
//!
//! A client that only waits costs others their place: one that is idle, that sends its request byte by byte, or that does
//! not get on with its handshake. So where all places are taken, the one that has waited longest leaves, and whoever comes
//! is let in. A client with a request in work is left alone, unless nobody waits and it does not read its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How long a client may read nothing of its answer before it may have to leave: some round trips.
const STALL: Duration = Duration::from_millis(100);

/// How long a request may be in work before its connection may have to leave, also if it reads now and then. Answers are
/// made in milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Places for connections.
#[derive(Debug)]
pub struct Places {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    seats: HashMap<u64, Arc<Seat>>,
}

#[derive(Debug)]
struct Seat {
    state: Mutex<State>,
    leave: Notify,
    /// Its connection, while that lasts.
    stream: Weak<TcpStream>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// Still shaking hands.
    greeting: bool,
    /// Requests in work.
    in_work: usize,
    /// As many of them as take room from others.
    taking_room: usize,
    /// Since when it waits for a request, or since when one is in work or takes room.
    since: Instant,
    /// Since when it takes nothing of what there is for it.
    stalled: Option<Instant>,
}

/// Who leaves first: the lowest, and of those that are alike the one that has been like that for longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It has no request in work, and all that there was for it.
    Waits(Instant),
    /// It does not read its answer.
    Stalls(Instant),
    /// It reads it slowly.
    Lingers(Instant),
}

/// What became of one who came.
#[derive(Debug)]
pub(super) enum Arrival {
    /// There was room.
    Seated(Place),
    /// Somebody left for it.
    SeatedInstead(Place),
    /// Everybody is busy.
    Refused,
}

impl Places {
    /// `most` of them.
    pub fn new(most: usize) -> Arc<Places> {
        Arc::new(Places { most, held: Mutex::default() })
    }

    /// A place for the connection `stream`.
    pub(super) fn take(self: &Arc<Self>, stream: &Arc<TcpStream>, now: Instant) -> Arrival {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = held.seats.len() >= self.most;
        if is_full && !held.give_up(|seat| seat.rank(now)) {
            return Arrival::Refused;
        }
        let seat = Arc::new(Seat {
            state: Mutex::new(State {
                greeting: true,
                in_work: 0,
                taking_room: 0,
                since: now,
                stalled: None,
            }),
            leave: Notify::new(),
            stream: Arc::downgrade(stream),
        });
        let number = held.next;
        held.next += 1;
        held.seats.insert(number, Arc::clone(&seat));
        let place = Place { places: Arc::clone(self), number, seat };
        if is_full { Arrival::SeatedInstead(place) } else { Arrival::Seated(place) }
    }

    /// Lets somebody leave whose request takes room for too long. Whether anybody does.
    pub(super) fn give_up_slowest(&self, now: Instant) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever else leaves makes none.
        held.give_up(|seat| seat.rank(now).filter(|_| seat.state().taking_room > 0))
    }

    /// Lets those leave that have not even begun.
    pub(super) fn give_up_greeting(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.seats.values().filter(|seat| seat.state().greeting).for_each(|seat| seat.leave.notify_one());
    }
}

impl Held {
    /// Lets the one with the lowest rank leave, if anybody has one.
    fn give_up(&mut self, rank: impl Fn(&Seat) -> Option<Rank>) -> bool {
        let ranked = self.seats.iter().filter_map(|(number, seat)| Some((rank(seat)?, *number)));
        let Some((_, number)) = ranked.min() else { return false };
        // Its task closes it in a moment; it counts no more from now on.
        if let Some(seat) = self.seats.remove(&number) {
            seat.leave.notify_one();
        }
        true
    }
}

impl Seat {
    fn rank(&self, now: Instant) -> Option<Rank> {
        match self.state().rank(now) {
            // Where it has read meanwhile, it is us who are late.
            Some(Rank::Stalls(_)) if self.stream.upgrade().is_some_and(|stream| takes_more(&stream)) => None,
            rank => rank,
        }
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    /// `None` for those that need not leave.
    fn rank(self, now: Instant) -> Option<Rank> {
        let lasts = |since: Instant, long| now.saturating_duration_since(since) >= long;
        match self.stalled {
            // With TLS, the end of an answer may still be with us.
            None if self.in_work == 0 => Some(Rank::Waits(self.since)),
            Some(stalled) if lasts(stalled, STALL) => Some(Rank::Stalls(stalled)),
            _ => lasts(self.since, PATIENCE).then_some(Rank::Lingers(self.since)),
        }
    }
}

/// Whether the kernel has room for more of what the client is to read.
fn takes_more(stream: &TcpStream) -> bool {
    let mut looked_at = [PollFd::new(stream, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut looked_at, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

/// A place that is held until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    seat: Arc<Seat>,
}

impl Place {
    /// Completes when it has to leave.
    pub(super) async fn given_up(&self) {
        self.seat.leave.notified().await;
    }

    /// Hands are shaken.
    pub(super) fn is_greeted(&self) {
        self.seat.change(|state| state.greeting = false);
    }

    /// Where it is noted whether the client takes what there is for it.
    pub(super) fn progress(&self) -> Progress {
        Progress(Arc::clone(&self.seat))
    }

    /// Who asks, for its requests.
    pub(super) fn asker(&self) -> Asker {
        Asker(Arc::clone(&self.seat))
    }

    /// Has a request in work until the result is dropped.
    pub(super) fn begin(&self) -> Working {
        self.seat.change(|state| {
            if state.in_work == 0 {
                state.since = Instant::now();
            }
            state.in_work += 1;
        });
        Working(Arc::clone(&self.seat))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.seats.remove(&self.number);
    }
}

/// Whether a client takes what there is for it.
#[derive(Debug)]
pub(super) struct Progress(Arc<Seat>);

impl Progress {
    /// It took some.
    pub(super) fn moves(&self) {
        self.0.change(|state| state.stalled = None);
    }

    /// It takes nothing.
    pub(super) fn stalls(&self) {
        self.0.change(|state| {
            state.stalled.get_or_insert_with(Instant::now);
        });
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Asker(Arc<Seat>);

impl Asker {
    /// One of its requests takes room from others until the result is dropped. What was before, such as waiting for a
    /// password to be looked at, was not its doing.
    pub(super) fn takes_room(&self) -> TakingRoom {
        self.0.change(|state| {
            if state.taking_room == 0 {
                state.since = Instant::now();
            }
            state.taking_room += 1;
        });
        TakingRoom(Arc::clone(&self.0))
    }
}

/// A request that takes room from others.
#[derive(Debug)]
pub(super) struct TakingRoom(Arc<Seat>);

impl Drop for TakingRoom {
    fn drop(&mut self) {
        self.0.change(|state| state.taking_room -= 1);
    }
}

/// A request in work.
#[derive(Debug)]
pub(super) struct Working(Arc<Seat>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.in_work -= 1;
            if state.in_work == 0 {
                state.since = Instant::now();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    /// Who comes by `stream`, which nobody looks at unless a client stalls.
    struct Guests(Arc<Places>, Arc<TcpStream>);

    impl Guests {
        async fn of(places: Arc<Places>) -> Guests {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            Guests(places, Arc::new(stream))
        }

        fn take(&self, now: Instant) -> Arrival {
            self.0.take(&self.1, now)
        }

        fn seated(&self, now: Instant) -> Place {
            match self.take(now) {
                Arrival::Seated(place) | Arrival::SeatedInstead(place) => place,
                Arrival::Refused => panic!("refused"),
            }
        }
    }

    async fn has_to_leave(place: &Place) -> bool {
        timeout(Duration::ZERO, place.given_up()).await.is_ok()
    }

    #[tokio::test]
    async fn who_waits_longest_leaves() {
        let (places, start) = (Guests::of(Places::new(3)).await, Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let busy = places.seated(at(0));
        let _working = busy.begin();
        let (old, young) = (places.seated(at(1)), places.seated(at(2)));
        assert!(matches!(places.take(at(3)), Arrival::SeatedInstead(_)));
        assert!(has_to_leave(&old).await);
        assert!(!has_to_leave(&busy).await && !has_to_leave(&young).await);
    }

    #[tokio::test]
    async fn who_answers_has_waited_since_then() {
        let (places, start) = (Guests::of(Places::new(2)).await, Instant::now());
        let first = places.seated(start);
        let second = places.seated(start);
        drop(first.begin());
        let third = places.seated(Instant::now());
        assert!(has_to_leave(&second).await && !has_to_leave(&first).await);
        drop(third);
        assert!(matches!(places.take(Instant::now()), Arrival::Seated(_)), "a place that is left is free");
    }

    #[tokio::test]
    async fn work_is_left_alone_until_patience_ends() {
        let places = Guests::of(Places::new(2)).await;
        let (one, other) = (places.seated(Instant::now()), places.seated(Instant::now()));
        let (_first, _second) = (one.begin(), other.begin());
        let _room = (one.asker().takes_room(), other.asker().takes_room());
        let begun = Instant::now();
        assert!(matches!(places.take(begun), Arrival::Refused));
        assert!(!places.0.give_up_slowest(begun));
        assert!(places.0.give_up_slowest(begun + PATIENCE * 2));
        assert!(has_to_leave(&one).await && !has_to_leave(&other).await);
        assert!(matches!(places.take(begun), Arrival::Seated(_)));
    }

    /// A connection whose buffers are full, and the other end of it.
    async fn full() -> (Arc<TcpStream>, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (client, _) = listener.accept().await.unwrap();
        while stream.try_write(&[0; 65_536]).is_ok() || takes_more(&stream) {}
        (Arc::new(stream), client)
    }

    #[tokio::test]
    async fn who_does_not_read_leaves_before_who_reads_slowly() {
        let places = Places::new(3);
        let (stream, client) = full().await;
        let deaf = Guests(Arc::clone(&places), stream).seated(Instant::now());
        let others = Guests::of(Arc::clone(&places)).await;
        let (slow, late) = (others.seated(Instant::now()), others.seated(Instant::now()));
        let _working = [slow.begin(), deaf.begin(), late.begin()];
        let _room = [&slow, &deaf, &late].map(|place| place.asker().takes_room());
        // One that went on, one that does not, and one that could go on if we did.
        slow.progress().stalls();
        slow.progress().moves();
        late.progress().stalls();
        deaf.progress().stalls();
        let begun = Instant::now();
        assert!(!places.give_up_slowest(begun));
        assert!(places.give_up_slowest(begun + STALL * 2));
        assert!(has_to_leave(&deaf).await && !has_to_leave(&slow).await && !has_to_leave(&late).await);
        assert!(!places.give_up_slowest(begun + STALL * 2));
        drop(client);
    }

    #[tokio::test]
    async fn who_takes_no_room_makes_none() {
        let guests = Guests::of(Places::new(3)).await;
        let (decoy, asker) = (guests.seated(Instant::now()), guests.seated(Instant::now()));
        let _decoy = decoy.begin();
        let _asker = asker.begin();
        let late = Instant::now() + PATIENCE * 2;
        assert!(!guests.0.give_up_slowest(late), "nobody takes room");
        let slow = guests.seated(Instant::now());
        let _slow = slow.begin();
        let room = slow.asker().takes_room();
        drop(slow.asker().takes_room());
        assert!(guests.0.give_up_slowest(late));
        assert!(has_to_leave(&slow).await && !has_to_leave(&decoy).await && !has_to_leave(&asker).await);
        drop(room);
    }

    #[tokio::test]
    async fn who_waited_for_a_password_to_be_looked_at_has_its_time() {
        let guests = Guests::of(Places::new(1)).await;
        let asker = guests.seated(Instant::now());
        let _working = asker.begin();
        asker.seat.change(|state| state.since -= PATIENCE * 2);
        let _room = asker.asker().takes_room();
        assert!(!guests.0.give_up_slowest(Instant::now()));
    }

    #[tokio::test]
    async fn who_has_not_got_all_of_an_answer_does_not_wait() {
        let guests = Guests::of(Places::new(2)).await;
        let reads = guests.seated(Instant::now());
        let waits = guests.seated(Instant::now());
        drop(reads.begin());
        reads.progress().stalls();
        waits.seat.change(|state| state.since = Instant::now());
        assert!(matches!(guests.take(Instant::now()), Arrival::SeatedInstead(_)));
        assert!(has_to_leave(&waits).await && !has_to_leave(&reads).await);
    }

    #[tokio::test]
    async fn the_end_does_not_wait_for_hands_to_be_shaken() {
        let places = Guests::of(Places::new(2)).await;
        let (greeting, greeted) = (places.seated(Instant::now()), places.seated(Instant::now()));
        greeted.is_greeted();
        places.0.give_up_greeting();
        assert!(has_to_leave(&greeting).await && !has_to_leave(&greeted).await);
    }
}
