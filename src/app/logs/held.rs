//! The records that a screen of logs holds: bounded by bytes, each with its place, and those that pass the filter as rows.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::logs::pane::{Place, Tied};
use crate::model::logs::LogRecord;

/// What a record takes beside its own size: its place among all and among the rows, the counts of who shares it, and what an
/// allocator keeps.
const BESIDE: usize = size_of::<Arc<LogRecord>>() + size_of::<Place>() + 2 * size_of::<usize>() + 16;

/// The records. Places count all that ever came, so that a record keeps its own.
#[derive(Debug)]
pub struct Held {
    bound: usize,
    bytes: usize,
    first: Place,
    records: VecDeque<Arc<LogRecord>>,
    /// The places of those that pass, in order.
    rows: VecDeque<Place>,
    marked: BTreeSet<Place>,
}

impl Held {
    /// Nothing yet, and never more than so many bytes, but for one record alone.
    pub fn new(bound: usize) -> Self {
        Self { bound, bytes: 0, first: 0, records: VecDeque::new(), rows: VecDeque::new(), marked: BTreeSet::new() }
    }

    /// Takes a record in, and says whether it passes the filter.
    pub fn push(&mut self, record: Arc<LogRecord>, passes: bool) {
        let place = self.end();
        self.bytes += record.size() + BESIDE;
        self.records.push_back(record);
        if passes {
            self.rows.push_back(place);
        }
    }

    /// Drops the oldest records for which there is no room. Hands them back, with how many rows went with them.
    pub fn shrink(&mut self) -> (Vec<Arc<LogRecord>>, usize) {
        let mut dropped = Vec::new();
        while self.bytes > self.bound
            && self.records.len() > 1
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= oldest.size() + BESIDE;
            self.first += 1;
            dropped.push(oldest);
        }
        let rows = self.rows.partition_point(|place| *place < self.first);
        self.rows.drain(..rows);
        self.marked = self.marked.split_off(&self.first);
        (dropped, rows)
    }

    /// The records of these places pass anew: those at `places`, and no others of them.
    pub fn replace(&mut self, range: Range<Place>, places: &[Place]) {
        let from = self.rows.partition_point(|place| *place < range.start);
        let mut after = self.rows.split_off(from);
        after.drain(..after.partition_point(|place| *place < range.end));
        self.rows.extend(places.iter().copied().filter(|place| *place >= self.first));
        self.rows.append(&mut after);
    }

    /// Ties the record of a place to another plugin. Whoever has it elsewhere keeps it as it was.
    pub fn tie(&mut self, tied: Tied) {
        let index = tied.place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(record) = index.and_then(|index| self.records.get_mut(index)) else { return };
        let before = record.size();
        let own = Arc::make_mut(record);
        (own.plugin, own.plugin_note) = (tied.plugin, tied.note);
        self.bytes = self.bytes + own.size() - before;
    }

    /// How many were dropped: also the place of the oldest that is held.
    pub fn dropped(&self) -> Place {
        self.first
    }

    /// The place of the next record.
    pub fn end(&self) -> Place {
        self.first + self.records.len() as Place
    }

    /// How many bytes are held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many records pass the filter.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The place of a row.
    pub fn place(&self, row: usize) -> Option<Place> {
        self.rows.get(row).copied()
    }

    /// The record of a place.
    pub fn get(&self, place: Place) -> Option<&Arc<LogRecord>> {
        self.records.get(usize::try_from(place.checked_sub(self.first)?).ok()?)
    }

    /// The record of a row.
    pub fn row(&self, row: usize) -> Option<&Arc<LogRecord>> {
        self.get(self.place(row)?)
    }

    /// The row of a place, or of the next place after it that passes; the number of rows where none does.
    pub fn row_of(&self, place: Place) -> usize {
        self.rows.partition_point(|known| *known < place)
    }

    /// All that is held from a place on.
    pub fn since(&self, place: Place) -> Vec<Arc<LogRecord>> {
        let skip = usize::try_from(place.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.records.iter().skip(skip).cloned().collect()
    }

    /// The records of rows, with their places.
    pub fn shown(&self, rows: Range<usize>) -> impl DoubleEndedIterator<Item = (Place, Arc<LogRecord>)> + '_ {
        let rows = rows.start.min(self.rows.len())..rows.end.min(self.rows.len());
        self.rows.range(rows).filter_map(|place| Some((*place, self.get(*place)?.clone())))
    }

    /// Marks the record of a place, or takes its mark away.
    pub fn mark(&mut self, place: Place) {
        if !self.marked.remove(&place) {
            self.marked.insert(place);
        }
    }

    /// Whether it is marked.
    pub fn is_marked(&self, place: Place) -> bool {
        self.marked.contains(&place)
    }

    /// The marked records, in order, whether they pass the filter or not.
    pub fn marked(&self) -> impl ExactSizeIterator<Item = Place> + '_ {
        self.marked.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ids::ProxyId;
    use crate::model::logs::{LogKind, LogOrigin, LogSource};
    use crate::model::text::Text;

    fn record(number: usize, length: usize) -> Arc<LogRecord> {
        let origin = LogOrigin { source: LogSource::Proxy, pod: ProxyId::new("a", "b"), container: String::new(), workload: None };
        Arc::new(LogRecord {
            time: Some(number.try_into().unwrap()),
            origin: Arc::new(origin),
            kind: LogKind::Unknown,
            event: None,
            level: Text::default(),
            scope: Text::default(),
            plugin: None,
            plugin_note: None,
            failure_of: Text::default(),
            message: Text::default(),
            raw: "x".repeat(length).into(),
        })
    }

    /// What a filter says of a record: by its number, and by the filter's.
    fn passes(record: &LogRecord, filter: usize) -> bool {
        let number = usize::try_from(record.time.unwrap()).unwrap();
        number % (filter + 1) == 0
    }

    #[derive(Clone, Debug)]
    enum Step {
        Come(Vec<usize>),
        Filter(usize),
        Mark(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => proptest::collection::vec(0_usize..900, 0..12).prop_map(Step::Come),
            1 => (0_usize..5).prop_map(Step::Filter),
            1 => (0_usize..99).prop_map(Step::Mark),
        ];
        proptest::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_held_and_dropped_is_what_came_and_rows_are_what_passes(bound in 0_usize..20_000, steps in steps()) {
            let (mut held, mut came, mut dropped, mut filter) = (Held::new(bound), Vec::new(), Vec::new(), 0);
            for step in steps {
                match step {
                    Step::Come(lengths) => {
                        for length in lengths {
                            let record = record(came.len(), length);
                            came.push(record.clone());
                            let passes = passes(&record, filter);
                            held.push(record, passes);
                        }
                        dropped.extend(held.shrink().0);
                    }
                    Step::Filter(next) => {
                        filter = next;
                        let range = held.dropped()..held.end();
                        let places: Vec<Place> = range.clone().filter(|place| passes(held.get(*place).unwrap(), filter)).collect();
                        held.replace(range, &places);
                    }
                    Step::Mark(row) => held.place(row).into_iter().for_each(|place| held.mark(place)),
                }
                let all: Vec<Arc<LogRecord>> = dropped.iter().cloned().chain(held.since(0)).collect();
                prop_assert_eq!(&all, &came);
                prop_assert_eq!(held.dropped() as usize, dropped.len());
                prop_assert!(held.bytes() <= bound || held.end() - held.dropped() == 1);
                prop_assert_eq!(held.bytes(), held.since(0).iter().map(|record| record.size() + BESIDE).sum::<usize>());
                let scratch: Vec<Arc<LogRecord>> = held.since(0).into_iter().filter(|record| passes(record, filter)).collect();
                let shown: Vec<Arc<LogRecord>> = held.shown(0..usize::MAX).map(|(_, record)| record).collect();
                prop_assert_eq!(shown, scratch);
                prop_assert!(held.marked().all(|place| held.get(place).is_some()));
            }
        }
    }

    #[test]
    fn a_part_is_filtered_anew_between_what_stays() {
        let mut held = Held::new(usize::MAX);
        (0..10).for_each(|number| held.push(record(number, 1), number % 2 == 0));
        held.replace(4..7, &[5]);
        assert_eq!(held.shown(0..99).map(|(place, _)| place).collect::<Vec<_>>(), [0, 2, 5, 8]);
        assert_eq!((held.row_of(3), held.row_of(5), held.row_of(9)), (2, 2, 4));
    }
}
