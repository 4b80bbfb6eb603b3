// SPDX-License-Identifier: MIT
//! HOST PORT: the `scylla` crate, which speaks protocol 4: connecting, values of every type there and back, prepared statements, pages,
//! batches, conditions, what it learns of the schema, compression, tracing.
use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use futures::TryStreamExt;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::client::Compression;
use scylla::response::PagingState;
use scylla::statement::batch::{Batch, BatchType};
use scylla::statement::Statement;
use scylla::value::{
    Counter, CqlDate, CqlDecimal, CqlDuration, CqlTime, CqlTimestamp, CqlTimeuuid, CqlVarint,
};
use scylla::{DeserializeValue, SerializeValue};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, SerializeValue, DeserializeValue)]
struct Place {
    street: String,
    number: Option<i32>,
}

async fn connect(address: &str, compression: Option<Compression>) -> Session {
    SessionBuilder::new()
        .known_node(address)
        .compression(compression)
        .connection_timeout(Duration::from_secs(30))
        .build()
        .await
        .unwrap()
}

async fn run(session: &Session, text: &str) {
    session.query_unpaged(text, ()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
}

async fn fresh_keyspace(session: &Session) {
    run(session, "DROP KEYSPACE IF EXISTS rust").await;
    run(session, "CREATE KEYSPACE rust WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}").await;
    session.use_keyspace("rust", false).await.unwrap();
}

macro_rules! back_and_forth {
    ($session:expr, $number:expr, $kind:expr, $type:ty, $value:expr) => {{
        let table = format!("v{}", $number);
        run($session, &format!("CREATE TABLE {table} (k int PRIMARY KEY, v {})", $kind)).await;
        let value: $type = $value;
        let insert = $session.prepare(format!("INSERT INTO {table} (k, v) VALUES (?, ?)")).await.unwrap();
        $session.execute_unpaged(&insert, (1, &value)).await.unwrap();
        $session.execute_unpaged(&insert, (2, None::<$type>)).await.unwrap();
        let select = $session.prepare(format!("SELECT v FROM {table} WHERE k = ?")).await.unwrap();
        let rows = $session.execute_unpaged(&select, (1,)).await.unwrap().into_rows_result().unwrap();
        assert_eq!(rows.single_row::<($type,)>().unwrap().0, value, "{}", $kind);
        let rows = $session.execute_unpaged(&select, (2,)).await.unwrap().into_rows_result().unwrap();
        assert!(rows.single_row::<(Option<$type>,)>().unwrap().0.is_none(), "{}", $kind);
        $number += 1;
    }};
}

async fn check_values(session: &Session) {
    let mut n = 0;
    back_and_forth!(session, n, "ascii", String, "abc".into());
    back_and_forth!(session, n, "bigint", i64, i64::MIN);
    back_and_forth!(session, n, "blob", Vec<u8>, vec![0, 255]);
    back_and_forth!(session, n, "boolean", bool, true);
    back_and_forth!(session, n, "date", CqlDate, CqlDate((1 << 31) + 5));
    back_and_forth!(session, n, "decimal", CqlDecimal, CqlDecimal::from_signed_be_bytes_and_exponent(vec![0x85], 3));
    back_and_forth!(session, n, "double", f64, 1.5);
    back_and_forth!(session, n, "duration", CqlDuration, CqlDuration { months: 1, days: 2, nanoseconds: 3 });
    back_and_forth!(session, n, "float", f32, 0.25);
    back_and_forth!(session, n, "inet", IpAddr, "::1".parse().unwrap());
    back_and_forth!(session, n, "int", i32, -7);
    back_and_forth!(session, n, "smallint", i16, -3);
    back_and_forth!(session, n, "text", String, "žluť".into());
    back_and_forth!(session, n, "time", CqlTime, CqlTime(12345));
    back_and_forth!(session, n, "timestamp", CqlTimestamp, CqlTimestamp(-1));
    let stamp: CqlTimeuuid = "5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e".parse().unwrap();
    back_and_forth!(session, n, "timeuuid", CqlTimeuuid, stamp);
    back_and_forth!(session, n, "tinyint", i8, 4);
    back_and_forth!(session, n, "uuid", Uuid, Uuid::from_u128(5));
    back_and_forth!(session, n, "varint", CqlVarint, CqlVarint::from_signed_bytes_be(vec![1, 0, 0]));
    back_and_forth!(session, n, "list<int>", Vec<i32>, vec![1, 2]);
    back_and_forth!(session, n, "set<text>", HashSet<String>, HashSet::from(["a".into(), "b".into()]));
    back_and_forth!(session, n, "map<text, int>", BTreeMap<String, i32>, BTreeMap::from([("k".into(), 1)]));
    back_and_forth!(session, n, "tuple<int, text>", (i32, Option<String>), (1, None));
    back_and_forth!(session, n, "frozen<list<int>>", Vec<i32>, vec![3]);
    back_and_forth!(session, n, "vector<float, 3>", Vec<f32>, vec![1.0, 2.5, -3.0]);
    run(session, "CREATE TYPE place (street text, number int)").await;
    back_and_forth!(session, n, "frozen<place>", Place, Place { street: "Main".into(), number: None });
    assert_eq!(n, 26);
}

async fn check_pages(session: &Session) {
    run(session, "CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))").await;
    let insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)").await.unwrap();
    let all = (0..300).map(|c| session.execute_unpaged(&insert, (1, c, format!("{c}"))));
    futures::future::try_join_all(all).await.unwrap();
    let mut select = session.prepare("SELECT c FROM p WHERE a = ?").await.unwrap();
    select.set_page_size(7);
    let stream = session.execute_iter(select.clone(), (1,)).await.unwrap().rows_stream::<(i32,)>().unwrap();
    let rows: Vec<i32> = stream.map_ok(|row| row.0).try_collect().await.unwrap();
    assert_eq!(rows, (0..300).collect::<Vec<_>>());
    let (page, state) = session.execute_single_page(&select, (1,), PagingState::start()).await.unwrap();
    assert_eq!(page.into_rows_result().unwrap().rows_num(), 7);
    assert!(state.into_paging_control_flow().is_continue());
}

async fn check_batches(session: &Session) {
    let insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)").await.unwrap();
    for kind in [BatchType::Logged, BatchType::Unlogged] {
        let mut batch = Batch::new(kind);
        batch.append_statement(insert.clone());
        batch.append_statement("INSERT INTO p (a, c) VALUES (2, 2)");
        session.batch(&batch, ((2, 1, "x"), ())).await.unwrap();
    }
    run(session, "CREATE TABLE n (k int PRIMARY KEY, n counter)").await;
    let mut batch = Batch::new(BatchType::Counter);
    for _ in 0..3 {
        batch.append_statement("UPDATE n SET n = n + ? WHERE k = 1");
    }
    session.batch(&batch, ((Counter(1),), (Counter(2),), (Counter(-5),))).await.unwrap();
    let rows = session.query_unpaged("SELECT n FROM n", ()).await.unwrap().into_rows_result().unwrap();
    assert_eq!(rows.single_row::<(Counter,)>().unwrap().0, Counter(-2));
}

async fn check_conditions(session: &Session) {
    let rows = session.query_unpaged("INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS", ()).await.unwrap();
    let rows = rows.into_rows_result().unwrap();
    let (applied, a, _, b) = rows.single_row::<(bool, i32, i32, String)>().unwrap();
    assert_eq!((applied, a, b.as_str()), (false, 1, "1"));
    let update = session.prepare("UPDATE p SET b = ? WHERE a = 1 AND c = 1 IF b = ?").await.unwrap();
    let rows = session.execute_unpaged(&update, ("new", "1")).await.unwrap().into_rows_result().unwrap();
    assert!(rows.single_row::<(bool,)>().unwrap().0);
}

async fn check_metadata(session: &Session) {
    session.refresh_metadata().await.unwrap();
    let state = session.get_cluster_state();
    let keyspace = state.get_keyspace("rust").unwrap();
    assert_eq!(keyspace.tables["p"].partition_key, ["a"]);
    assert_eq!(keyspace.tables["p"].clustering_key, ["c"]);
    assert!(keyspace.user_defined_types.contains_key("place"));
    assert_eq!(state.get_nodes_info().len(), 1);
    session.await_schema_agreement().await.unwrap();
}

/// What another session makes is known here when the schema is fetched anew: the crate takes no event of the schema for a reason to.
async fn check_what_others_make(address: &str, session: &Session) {
    let other = connect(address, None).await;
    run(&other, "CREATE TABLE rust.pushed (k int PRIMARY KEY)").await;
    session.refresh_metadata().await.unwrap();
    assert!(session.get_cluster_state().get_keyspace("rust").unwrap().tables.contains_key("pushed"));
}

async fn check_errors(session: &Session) {
    for wrong in ["SELECT * FORM p", "SELECT * FROM missing", "CREATE TABLE p (a int PRIMARY KEY)"] {
        assert!(session.query_unpaged(wrong, ()).await.is_err(), "{wrong}");
    }
    let mut traced = Statement::new("SELECT * FROM p LIMIT 1");
    traced.set_tracing(true);
    session.query_unpaged(traced, ()).await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let address = format!("{}:{}", arguments[1], arguments[2]);
    for compression in [None, Some(Compression::Lz4), Some(Compression::Snappy)] {
        let session = connect(&address, compression).await;
        fresh_keyspace(&session).await;
        check_values(&session).await;
        check_pages(&session).await;
        check_batches(&session).await;
        check_conditions(&session).await;
        check_metadata(&session).await;
        check_what_others_make(&address, &session).await;
        check_errors(&session).await;
    }
    println!("the scylla crate is content");
}
