//! Where those belong in the order of versions that took effect at a version nobody was told.
//!
//! Whoever saw a value comes after its writer, and so does whoever appended behind it. The first
//! of them bounds the version from above; that late it is early enough for everybody who saw it.
//! Nobody is accused by it who came in between and did not.

use std::collections::BTreeMap;

use super::{
    record::{Event, History, Outcome},
    writes::Writes,
};

/// A version that one of them comes before, and its rank among those that come before the same.
pub(crate) type Place = (u64, usize);

/// The places of writers by their number in the history.
pub(crate) fn places(history: &History, writes: &Writes) -> BTreeMap<usize, Place> {
    let is_open = |number: usize| history.records[number].outcome == Outcome::TookEffect;
    let mut places: BTreeMap<usize, Place> = BTreeMap::new();
    let open = (0..history.records.len()).filter(|number| is_open(*number));
    for number in open.filter(|number| history.records[*number].writes()) {
        places.insert(number, (u64::MAX, 0));
    }
    if places.is_empty() {
        return places;
    }
    for record in &history.records {
        let Some(version) = record.version() else { continue };
        for (key, value) in record.events.iter().flat_map(Event::seen) {
            let place = writes.writer(key, value).and_then(|writer| places.get_mut(&writer));
            place.into_iter().for_each(|place| place.0 = place.0.min(version));
        }
    }
    for (key, order) in writes.orders() {
        let mut behind = u64::MAX;
        for (rank, value) in order.iter().enumerate().rev() {
            let Some(writer) = writes.writer(key, *value) else { continue };
            behind = behind.min(history.records[writer].version().unwrap_or(u64::MAX));
            if let Some(place) = places.get_mut(&writer) {
                *place = (place.0.min(behind), rank);
                behind = place.0;
            }
        }
    }
    places
}
