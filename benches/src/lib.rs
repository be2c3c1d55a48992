//! Comparisons; see the runner beside this file.
