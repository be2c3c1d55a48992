//! What a process prints, line by line, while it runs.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines that arrive while others look at them.
pub(crate) struct Lines {
    shared: Arc<Shared>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    ended: usize,
}

impl Lines {
    /// The lines of all of these, as they come.
    pub(crate) fn of(sources: Vec<Box<dyn Read + Send>>) -> Lines {
        let shared = Arc::<Shared>::default();
        let reader = |source| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for line in BufReader::new(source).lines().map_while(Result::ok) {
                    shared.state.lock().unwrap().lines.push(line);
                    shared.changed.notify_all();
                }
                shared.state.lock().unwrap().ended += 1;
                shared.changed.notify_all();
            })
        };
        let readers = sources.into_iter().map(reader).collect();
        Lines { shared, readers }
    }

    /// Waits for a line in which something is found. None when all sources end before it.
    pub(crate) fn find<T>(&self, look: impl Fn(&str) -> Option<T>) -> Option<T> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shared.state.lock().unwrap();
        let mut seen = 0;
        loop {
            if let Some(found) = state.lines[seen..].iter().find_map(|line| look(line)) {
                return Some(found);
            }
            seen = state.lines.len();
            if state.ended == self.readers.len() {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the line does not come: {:#?}", state.lines);
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Waits for a line that has this text in it.
    #[track_caller]
    pub(crate) fn expect(&self, text: &str) {
        let found = self.find(|line| line.contains(text).then_some(()));
        assert!(found.is_some(), "no line has {text:?}: {:#?}", self.all());
    }

    /// All that came up to now.
    pub(crate) fn all(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().lines.clone()
    }

    /// All lines, when the sources have ended.
    pub(crate) fn until_the_end(mut self) -> Vec<String> {
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        self.all()
    }
}
