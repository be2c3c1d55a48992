//! The work that is disturbed (see the module `workload` for what the words mean).

/// Everything durable: rotation, checkpoints, maintenance, and a restart in the middle.
pub(crate) const ALWAYS: &str = "
    always: put a/1 200; put a/2 30; put b/1 10
    always: inc a/1; append b/1
    always: put c/1 900; double a/2
    maintain
    always: put counters/n 0
    always: inc counters/n; inc a/1
    always: double a/1; append a/2
    always: put c/2 1100; inc counters/n
    always: delete b/1; put b/2 40; put b/3 40
    checkpoint
    always: inc counters/n; double b/2
    always: append b/3; put c/1 700
    maintain
    always: inc counters/n; double b/2; delete c/2
    always: put c/3 1500; inc a/1
    always: put c/4 1500; inc a/1
    reopen
    always: inc counters/n; double a/1
    always: append b/3; append b/3
    always: put d/1 5
    checkpoint
    checkpoint
    always: inc d/1; inc counters/n
    always: put c/5 1800; double d/1
    maintain
    always: inc d/1; delete c/3
";

/// Promises of every strength after each other.
pub(crate) const MIXED: &str = "
    none: put a/1 200; put b/1 10
    none: inc a/1; append b/1
    none: double a/1
    always: inc a/1; put c/1 600
    none: inc a/1; double b/1
    soon: inc a/1; append c/1
    none: inc b/1
    maintain
    none: put b/1 70
    always: put b/1 70
    none: put b/1 60
    soon: put b/1 60
    maintain
    none: put c/2 900
    none: put c/3 1200; inc a/1
    none: put c/4 1200; double a/1
    soon: put c/5 1200; inc b/1
    none: double a/1; delete c/2
    checkpoint
    none: inc a/1; double b/1
    none: append b/1
    none: append c/1; inc c/1
    none: double b/1; put c/6 300
    reopen
    none: inc a/1
    soon: double a/1; put c/2 1000
    none: put c/7 1500; double b/1
    none: put c/8 1500; double b/1
    none: inc a/1
    checkpoint
    none: double a/1
    none: inc b/1; delete c/7
";

/// Collections come, go, and come back under the same name.
pub(crate) const CATALOG: &str = "
    always: create empty; create a
    always: put a/1 100; put b-1/1 100
    checkpoint
    always: drop a
    always: put a/1 50; inc b-1/1
    always: drop empty; inc a/1
    checkpoint
    always: drop b-1
    none: create b-1
    none: put b-1/2 500; inc a/1
    checkpoint
    none: drop b-1
    none: drop a; create empty
    always: put a/3 900; put b-1/1 10
    none: inc a/3; inc b-1/1
    checkpoint
    always: delete b-1/1
    none: put d/1 1200; double a/3
    none: put d/2 1500; double a/3
    reopen
    none: drop d; inc a/3
    always: put d/1 10; double a/3
    checkpoint
    none: delete d/1
    none: drop empty; inc a/3
";

/// Indexes are made, written to, kept in checkpoints, and dropped.
pub(crate) const INDEXES: &str = "
    always: put a/1 100; put a/2 30
    always: index a by_n n
    always: inc a/1; put a/3 5
    checkpoint
    always: append a/2; double a/1
    always: index a by_list -list,n
    none: append a/2; append a/3
    none: put a/4 1500; delete a/1
    checkpoint
    always: append a/4; append a/4
    none: put b/1 900; inc a/4
    always: index b by_n -n
    none: double b/1; put b/2 1400
    maintain
    reopen
    always: unindex a by_n
    none: inc a/3; append a/3
    checkpoint
    always: drop b
    always: index c empty n
    none: put c/1 1200; put b/1 20
    none: put c/2 1200; double c/1
    checkpoint
    always: unindex a by_list
    none: inc a/3; delete c/1
";

/// Many checkpoints, each of less than the one before it and then of more: what changed goes into
/// files of its own, into one with others, and into the whole.
pub(crate) const CHAINS: &str = "
    always: put a/1 3000; put a/2 200; put b/1 90
    always: index a by_n n
    checkpoint
    always: put a/3 1200; inc b/1
    maintain
    checkpoint
    always: put a/4 250; append a/2
    checkpoint
    always: inc a/4
    checkpoint
    reopen
    always: delete a/2; double a/3
    none: put a/5 30; inc b/1
    checkpoint
    always: delete a/4
    checkpoint
    none: put a/4 10; put b/2 900
    checkpoint
    none: put a/1 10; put a/6 2500
    maintain
    checkpoint
    always: put a/7 1000; inc a/3
    checkpoint
    none: inc a/7; delete a/5
";

/// Work after a crash: it overwrites what was lost, so that nothing of it may come back.
pub(crate) const AFTERWARDS: &str = "
    none: put a/1 77; put e/1 300
    none: inc a/1; append e/1
    always: double e/1; put e/2 1200
    none: double a/1; put e/3 1400
    none: inc e/3; put e/4 1400
    maintain
    checkpoint
    none: inc a/1; double e/1
    none: delete e/2; append e/1
";
