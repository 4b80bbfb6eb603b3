// SPDX-License-Identifier: MIT
//! scylla HOST PORT CASE CONCURRENCY WARM_UP REQUESTS: the `scylla` crate on one thread of tokio, as many tasks as requests
//! are in flight. See docs/benchmarks.md, "driver".
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Instant;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::response::PagingState;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::Consistency;

const KEYS: i64 = 100_000;
const PARTITIONS: i64 = 1_000;
const PARTITION_ROWS: i64 = 49_999;
const BATCH: i64 = 64;
const SAMPLE: i64 = 8;

struct Work {
    session: Session,
    case: String,
    statement: PreparedStatement,
    batch: Batch,
    offset: Cell<i64>,
    sent: Cell<i64>,
    wanted: Cell<i64>,
    latencies: RefCell<Vec<u64>>,
}

impl Work {
    async fn insert(&self, pk: i64) {
        self.session.execute_unpaged(&self.statement, (pk, 2 * pk, 3 * pk)).await.unwrap();
    }

    async fn select(&self, pk: i64) {
        let result = self.session.execute_unpaged(&self.statement, (pk,)).await.unwrap();
        let row = result.into_rows_result().unwrap().single_row::<(i64, i64)>().unwrap();
        assert_eq!(row, (2 * pk, 3 * pk));
    }

    async fn batch(&self, key: i64) {
        let p = key % PARTITIONS;
        let values: Vec<_> = (0..BATCH).map(|row| (p, row as i32, p + row, 2 * p + row)).collect();
        self.session.batch(&self.batch, values).await.unwrap();
    }

    async fn page(&self, scan: &mut Scan) {
        let state = std::mem::replace(&mut scan.state, PagingState::start());
        let (result, next) =
            self.session.execute_single_page(&self.statement, (1_i32,), state).await.unwrap();
        for row in result.into_rows_result().unwrap().rows::<(i32, i64)>().unwrap() {
            let (c, v) = row.unwrap();
            scan.sum += i64::from(c) + v;
            scan.rows += 1;
        }
        match next.into_paging_control_flow() {
            ControlFlow::Continue(state) => scan.state = state,
            ControlFlow::Break(()) => {
                assert_eq!(scan.rows, PARTITION_ROWS);
                assert_eq!(scan.sum, 4 * PARTITION_ROWS * (PARTITION_ROWS - 1) / 2);
                *scan = Scan::new();
            }
        }
    }

    async fn operation(&self, n: i64, scan: &mut Scan) {
        let key = (self.offset.get() + n) % KEYS;
        match self.case.as_str() {
            "insert" => self.insert(key).await,
            "select" => self.select(key).await,
            "batch64" => self.batch(key).await,
            _ => self.page(scan).await,
        }
    }

    async fn worker(self: Rc<Self>) {
        let mut scan = Scan::new();
        while self.sent.get() < self.wanted.get() {
            let n = self.sent.get();
            self.sent.set(n + 1);
            if n % SAMPLE == 0 {
                let begun = Instant::now();
                self.operation(n, &mut scan).await;
                self.latencies.borrow_mut().push(begun.elapsed().as_nanos() as u64);
            } else {
                self.operation(n, &mut scan).await;
            }
        }
    }
}

struct Scan {
    state: PagingState,
    sum: i64,
    rows: i64,
}

impl Scan {
    fn new() -> Self {
        Scan { state: PagingState::start(), sum: 0, rows: 0 }
    }
}

async fn run(work: &Rc<Work>, concurrency: usize, wanted: i64) {
    work.offset.set(work.offset.get() + work.sent.get());
    work.sent.set(0);
    work.wanted.set(wanted);
    work.latencies.borrow_mut().clear();
    let tasks: Vec<_> =
        (0..concurrency).map(|_| tokio::task::spawn_local(work.clone().worker())).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

fn cpu_s() -> f64 {
    let mut used = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut used) };
    used.tv_sec as f64 + used.tv_nsec as f64 * 1e-9
}

fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn percentile_us(sorted: &[u64], part: f64) -> f64 {
    let index = (sorted.len().saturating_sub(1)) as f64 * part;
    sorted.get(index as usize).map_or(0.0, |ns| *ns as f64 / 1000.0)
}

async fn open(host: &str, port: &str, case: &str) -> Rc<Work> {
    let profile = ExecutionProfile::builder().consistency(Consistency::LocalOne).build();
    let session = SessionBuilder::new()
        .known_node(format!("{host}:{port}"))
        .default_execution_profile_handle(profile.into_handle())
        .build()
        .await
        .unwrap();
    let text = match case {
        "insert" => "INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)",
        "select" => "SELECT v1, v2 FROM bench.benchtab WHERE pk = ?",
        "batch64" => "INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)",
        "page5000" => "SELECT c, v FROM bench.pages WHERE p = ?",
        _ => panic!("no such case"),
    };
    let mut statement = session.prepare(text).await.unwrap();
    statement.set_page_size(5000);
    let mut batch = Batch::new(BatchType::Unlogged);
    for _ in 0..BATCH {
        batch.append_statement(statement.clone());
    }
    Rc::new(Work {
        session,
        case: case.to_string(),
        statement,
        batch,
        offset: Cell::new(0),
        sent: Cell::new(0),
        wanted: Cell::new(0),
        latencies: RefCell::new(Vec::new()),
    })
}

async fn measure(arguments: &[String]) {
    let work = open(&arguments[1], &arguments[2], &arguments[3]).await;
    let concurrency = arguments[4].parse::<usize>().unwrap();
    let requests = arguments[6].parse::<i64>().unwrap();
    run(&work, concurrency, arguments[5].parse().unwrap()).await;
    let (begun, cpu) = (Instant::now(), cpu_s());
    run(&work, concurrency, requests).await;
    let (seconds, cpu) = (begun.elapsed().as_secs_f64(), cpu_s() - cpu);
    let mut latencies = work.latencies.borrow_mut();
    latencies.sort_unstable();
    println!(
        "{{\"rate\": {:.3}, \"cpu_us\": {:.4}, \"p50_us\": {:.1}, \"p99_us\": {:.1}, \"rss_mb\": {:.2}}}",
        requests as f64 / seconds,
        cpu * 1e6 / requests as f64,
        percentile_us(&latencies, 0.50),
        percentile_us(&latencies, 0.99),
        peak_rss_mb()
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    assert!(arguments.len() == 7, "usage: scylla HOST PORT CASE CONCURRENCY WARM_UP REQUESTS");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, measure(&arguments));
}
