// SPDX-License-Identifier: MIT

import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.DefaultConsistencyLevel;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.ResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.data.CqlDuration;
import com.datastax.oss.driver.api.core.data.CqlVector;
import com.datastax.oss.driver.api.core.metadata.schema.KeyspaceMetadata;
import com.datastax.oss.driver.api.core.metadata.schema.SchemaChangeListenerBase;
import com.datastax.oss.driver.api.core.metadata.schema.TableMetadata;
import com.datastax.oss.driver.api.core.servererrors.AlreadyExistsException;
import com.datastax.oss.driver.api.core.servererrors.InvalidQueryException;
import com.datastax.oss.driver.api.core.servererrors.SyntaxError;
import com.datastax.oss.driver.api.core.type.DataType;
import com.datastax.oss.driver.api.core.type.DataTypes;
import com.datastax.oss.driver.api.core.type.UserDefinedType;
import com.datastax.oss.driver.api.core.data.UdtValue;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * HOST PORT: the Java driver 4, protocols 3, 4 and 5: values of every type there and back, prepared statements, pages, batches,
 * conditions, what it learns of the schema, events, compression, errors, tracing.
 */
public final class Main {
  private static final Map<String, Object> VALUES = new LinkedHashMap<>();
  private final InetSocketAddress address;
  private final String version;
  private final String compression;

  private Main(InetSocketAddress address, String version, String compression) {
    this.address = address;
    this.version = version;
    this.compression = compression;
  }

  private static void expect(boolean holds, Object what) {
    if (!holds) throw new AssertionError(what);
  }

  private static void fillValues() throws Exception {
    UUID stamp = UUID.fromString("5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e");
    VALUES.put("ascii", "abc");
    VALUES.put("bigint", Long.MIN_VALUE);
    VALUES.put("blob", ByteBuffer.wrap(new byte[] {0, -1}));
    VALUES.put("boolean", true);
    VALUES.put("date", LocalDate.of(2024, 2, 29));
    VALUES.put("decimal", new BigDecimal("-123.4567890123456789"));
    VALUES.put("double", 1.5);
    VALUES.put("duration", CqlDuration.newInstance(1, 2, 3));
    VALUES.put("float", 0.25f);
    VALUES.put("inet", InetAddress.getByName("::1"));
    VALUES.put("int", -7);
    VALUES.put("smallint", (short) -3);
    VALUES.put("text", "žluť");
    VALUES.put("time", LocalTime.ofNanoOfDay(12345));
    VALUES.put("timestamp", Instant.ofEpochMilli(-1));
    VALUES.put("timeuuid", stamp);
    VALUES.put("tinyint", (byte) 4);
    VALUES.put("uuid", stamp);
    VALUES.put("varint", BigInteger.ONE.shiftLeft(100));
    VALUES.put("list<int>", List.of(1, 2));
    VALUES.put("set<text>", Set.of("a", "b"));
    VALUES.put("map<text, int>", Map.of("k", 1));
    VALUES.put("tuple<int, text>", DataTypes.tupleOf(DataTypes.INT, DataTypes.TEXT).newValue(1, "x"));
    VALUES.put("frozen<list<int>>", List.of(3));
    VALUES.put("map<int, frozen<map<text, int>>>", Map.of(1, Map.of("a", 2)));
    VALUES.put("vector<float, 3>", CqlVector.newInstance(1f, 2.5f, -3f));
  }

  private CqlSession connect(String keyspace, SchemaChangeListenerBase listener) {
    DriverConfigLoader config =
        DriverConfigLoader.programmaticBuilder()
            .withString(DefaultDriverOption.PROTOCOL_VERSION, version)
            .withString(DefaultDriverOption.PROTOCOL_COMPRESSION, compression)
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(60))
            .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, Duration.ofSeconds(60))
            .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, Duration.ofSeconds(60))
            .withDuration(DefaultDriverOption.METADATA_SCHEMA_WINDOW, Duration.ofMillis(10))
            .build();
    return CqlSession.builder()
        .addContactPoint(address)
        .withLocalDatacenter("datacenter1")
        .withConfigLoader(config)
        .withSchemaChangeListener(listener)
        .withKeyspace(keyspace == null ? null : CqlIdentifier.fromCql(keyspace))
        .build();
  }

  private static void checkValues(CqlSession session, boolean hasDurations) {
    Map<String, Object> values = new LinkedHashMap<>(VALUES);
    if (!hasDurations) values.remove("duration");
    List<String> columns = new ArrayList<>(), names = new ArrayList<>(), marks = new ArrayList<>();
    for (String kind : values.keySet()) {
      String name = "c" + names.size();
      columns.add(name + " " + kind);
      names.add(name);
      marks.add("?");
    }
    session.execute("CREATE TABLE v (k int PRIMARY KEY, " + String.join(", ", columns) + ")");
    PreparedStatement insert =
        session.prepare("INSERT INTO v (k, " + String.join(", ", names) + ") VALUES (1, " + String.join(", ", marks) + ")");
    session.execute(insert.bind(values.values().toArray()));
    session.execute("INSERT INTO v (k) VALUES (2)");
    PreparedStatement select = session.prepare("SELECT " + String.join(", ", names) + " FROM v WHERE k = ?");
    Row row = session.execute(select.bind(1)).one(), empty = session.execute(select.bind(2)).one();
    int i = 0;
    for (Map.Entry<String, Object> each : values.entrySet()) {
      expect(each.getValue().equals(row.getObject(i)), each.getKey() + " " + row.getObject(i));
      expect(empty.isNull(i), each.getKey());
      i++;
    }
  }

  private static void checkUserTypes(CqlSession session) {
    session.execute("CREATE TYPE place (street text, number int)");
    session.execute("CREATE TABLE ut (k int PRIMARY KEY, a frozen<place>, l list<frozen<place>>)");
    UserDefinedType place = session.getMetadata().getKeyspace("java").get().getUserDefinedType("place").get();
    UdtValue one = place.newValue("Main", 1), two = place.newValue(null, 2);
    session.execute(session.prepare("INSERT INTO ut (k, a, l) VALUES (1, ?, ?)").bind(one, List.of(one, two)));
    Row row = session.execute("SELECT * FROM ut").one();
    expect(one.equals(row.getUdtValue("a")) && List.of(one, two).equals(row.getObject("l")), "user types");
  }

  private static void checkPages(CqlSession session) {
    session.execute("CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))");
    PreparedStatement insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)");
    for (int i = 0; i < 300; i++) session.execute(insert.bind(1, i, Integer.toString(i)));
    int seen = 0;
    for (Row row : session.execute(SimpleStatement.newInstance("SELECT c FROM p WHERE a = ?", 1).setPageSize(7))) {
      expect(row.getInt(0) == seen++, "pages");
    }
    expect(seen == 300, seen);
    ResultSet first = session.execute(SimpleStatement.newInstance("SELECT c FROM p").setPageSize(7));
    ByteBuffer state = first.getExecutionInfo().getPagingState();
    Row next = session.execute(SimpleStatement.newInstance("SELECT c FROM p").setPageSize(3).setPagingState(state)).one();
    expect(next.getInt(0) == 7, "the next page");
  }

  private static void checkBatches(CqlSession session) {
    PreparedStatement insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)");
    for (DefaultBatchType kind : List.of(DefaultBatchType.LOGGED, DefaultBatchType.UNLOGGED)) {
      session.execute(
          BatchStatement.newInstance(
              kind, insert.bind(2, 1, "x"), SimpleStatement.newInstance("INSERT INTO p (a, c) VALUES (2, 2)")));
    }
    expect(session.execute("SELECT count(*) FROM p WHERE a = 2").one().getLong(0) == 2, "batches");
    session.execute("CREATE TABLE n (k int PRIMARY KEY, n counter)");
    BatchStatementBuilder counts = BatchStatement.builder(DefaultBatchType.COUNTER);
    for (long by : new long[] {1, 2, -5}) counts.addStatement(SimpleStatement.newInstance("UPDATE n SET n = n + ? WHERE k = 1", by));
    session.execute(counts.build());
    expect(session.execute("SELECT n FROM n").one().getLong(0) == -2, "counters");
  }

  private static void checkConditions(CqlSession session) {
    ResultSet missed = session.execute("INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS");
    expect(!missed.wasApplied() && missed.one().getString("b").equals("1"), "IF NOT EXISTS");
    PreparedStatement update = session.prepare("UPDATE p SET b = ? WHERE a = 1 AND c = 1 IF b = ?");
    expect(session.execute(update.bind("new", "1")).wasApplied(), "IF");
    PreparedStatement star = session.prepare("SELECT * FROM p WHERE a = ? AND c = ?");
    expect(session.execute(star.bind(1, 1)).one().size() == 3, "SELECT *");
    session.execute("ALTER TABLE p ADD z int");
    expect(session.execute(star.bind(1, 1)).one().size() == 4, "a column added");
  }

  private static void checkMetadata(CqlSession session) {
    session.execute("CREATE INDEX by_b ON p (b)");
    KeyspaceMetadata keyspace = session.refreshSchema().getKeyspace("java").get();
    TableMetadata table = keyspace.getTable("p").get();
    DataType type = table.getColumn("b").get().getType();
    expect(table.getPrimaryKey().size() == 2 && type.equals(DataTypes.TEXT) && table.getIndex("by_b").isPresent(), table);
    expect(table.describeWithChildren(true).contains("by_b") && keyspace.getUserDefinedType("place").isPresent(), "schema");
    expect(session.getMetadata().getNodes().size() == 1 && session.getMetadata().getTokenMap().isPresent(), "nodes");
    expect(session.checkSchemaAgreement(), "schema agreement");
  }

  /** What another session makes and drops is known here without asking. */
  private void checkEvents(CqlSession session) throws InterruptedException {
    CountDownLatch made = new CountDownLatch(1), gone = new CountDownLatch(1);
    SchemaChangeListenerBase listener =
        new SchemaChangeListenerBase() {
          @Override
          public void onTableCreated(TableMetadata table) {
            if (table.getName().asInternal().equals("pushed")) made.countDown();
          }

          @Override
          public void onTableDropped(TableMetadata table) {
            if (table.getName().asInternal().equals("pushed")) gone.countDown();
          }
        };
    try (CqlSession other = connect("java", listener)) {
      session.execute("CREATE TABLE pushed (k int PRIMARY KEY)");
      expect(made.await(60, TimeUnit.SECONDS), "no event of CREATE TABLE");
      session.execute("DROP TABLE pushed");
      expect(gone.await(60, TimeUnit.SECONDS), "no event of DROP TABLE");
    }
  }

  private static void checkRefused(CqlSession session, String text, Class<? extends Exception> as) {
    try {
      session.execute(text);
    } catch (Exception refused) {
      expect(as.isInstance(refused), refused);
      return;
    }
    throw new AssertionError(text);
  }

  private static void checkErrors(CqlSession session) {
    checkRefused(session, "SELECT * FORM p", SyntaxError.class);
    checkRefused(session, "SELECT * FROM missing", InvalidQueryException.class);
    checkRefused(session, "CREATE TABLE p (a int PRIMARY KEY)", AlreadyExistsException.class);
    try {
      session.execute(SimpleStatement.newInstance("SELECT * FROM p").setConsistencyLevel(DefaultConsistencyLevel.TWO));
      throw new AssertionError("TWO");
    } catch (RuntimeException unavailable) {
      expect(unavailable.toString().contains("TWO"), unavailable);
    }
    ResultSet traced = session.execute(SimpleStatement.newInstance("SELECT * FROM p LIMIT 1").setTracing(true));
    expect(traced.one() != null, "tracing");
  }

  private void check() throws InterruptedException {
    try (CqlSession admin = connect(null, null)) {
      admin.execute("DROP KEYSPACE IF EXISTS java");
      admin.execute("CREATE KEYSPACE java WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    }
    try (CqlSession session = connect("java", null)) {
      expect(session.getContext().getProtocolVersion().name().equals(version), version);
      checkValues(session, !version.equals("V3") && !version.equals("V4"));
      checkUserTypes(session);
      checkPages(session);
      checkBatches(session);
      checkConditions(session);
      checkMetadata(session);
      checkEvents(session);
      checkErrors(session);
    }
  }

  public static void main(String[] arguments) throws Exception {
    InetSocketAddress address = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    fillValues();
    new Main(address, "V3", "none").check();
    new Main(address, "V4", "lz4").check();
    new Main(address, "V5", "none").check();
    new Main(address, "V5", "lz4").check();
    System.out.println("the Java driver is content");
  }
}
