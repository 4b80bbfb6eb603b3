// SPDX-License-Identifier: MIT

import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BatchStatement;
import com.datastax.oss.driver.api.core.cql.BatchStatementBuilder;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.DefaultBatchType;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.Statement;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * HOST PORT CASE CONCURRENCY WARM_UP REQUESTS: the Java driver with its defaults, as many asynchronous requests in flight as asked.
 * See docs/benchmarks.md, "driver".
 */
public final class Peer {
  private static final int KEYS = 100_000, PARTITIONS = 1_000, PARTITION_ROWS = 49_999;
  private static final int BATCH = 64, PAGE_ROWS = 5_000, SAMPLE = 8;

  private final CqlSession session;
  private final String name;
  private final PreparedStatement statement;
  private long offset;
  private int wanted;
  private AtomicInteger sent = new AtomicInteger();
  private long[] latencies = new long[0];
  private CountDownLatch done;

  private Peer(CqlSession session, String name) {
    this.session = session;
    this.name = name;
    this.statement = session.prepare(text(name));
  }

  private static String text(String name) {
    switch (name) {
      case "insert":
        return "INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)";
      case "select":
        return "SELECT v1, v2 FROM bench.benchtab WHERE pk = ?";
      case "batch64":
        return "INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)";
      case "page5000":
        return "SELECT c, v FROM bench.pages WHERE p = ?";
      default:
        throw new IllegalArgumentException("no such case");
    }
  }

  /** One of the requests in flight: sends the next when its answer is there. */
  private final class Flight {
    private long key, begun, sum;
    private int n, rows;
    private ByteBuffer state;

    private void next() {
      n = sent.getAndIncrement();
      if (n >= wanted) {
        done.countDown();
        return;
      }
      key = (offset + n) % KEYS;
      begun = n % SAMPLE == 0 ? System.nanoTime() : 0;
      session.executeAsync(statement()).whenComplete(this::answered);
    }

    private Statement<?> statement() {
      switch (name) {
        case "insert":
          return bound(statement.bind(key, 2 * key, 3 * key));
        case "select":
          return bound(statement.bind(key));
        case "batch64":
          return batch();
        default:
          BoundStatement page = bound(statement.bind(1)).setPageSize(PAGE_ROWS);
          return state == null ? page : page.setPagingState(state);
      }
    }

    private BoundStatement bound(BoundStatement bound) {
      return bound.setConsistencyLevel(ConsistencyLevel.LOCAL_ONE);
    }

    private BatchStatement batch() {
      BatchStatementBuilder batch = BatchStatement.builder(DefaultBatchType.UNLOGGED);
      long p = key % PARTITIONS;
      for (int row = 0; row < BATCH; row++) {
        batch.addStatement(statement.bind(p, row, p + row, 2 * p + row));
      }
      return batch.setConsistencyLevel(ConsistencyLevel.LOCAL_ONE).build();
    }

    private void answered(AsyncResultSet result, Throwable failure) {
      if (failure != null) {
        fail(failure.toString());
      }
      if (name.equals("select")) {
        Row row = result.one();
        if (row.getLong(0) != 2 * key || row.getLong(1) != 3 * key) {
          fail("a wrong answer");
        }
      } else if (name.equals("page5000")) {
        read(result);
      }
      if (begun != 0) {
        latencies[n / SAMPLE] = System.nanoTime() - begun;
      }
      next();
    }

    private void read(AsyncResultSet result) {
      for (Row row : result.currentPage()) {
        sum += row.getInt(0) + row.getLong(1);
        rows++;
      }
      state = result.getExecutionInfo().getPagingState();
      if (state != null) {
        return;
      }
      if (rows != PARTITION_ROWS || sum != 4L * PARTITION_ROWS * (PARTITION_ROWS - 1) / 2) {
        fail("a wrong answer");
      }
      sum = 0;
      rows = 0;
    }
  }

  private void run(int concurrency, int requests) throws InterruptedException {
    offset += wanted;
    wanted = requests;
    sent.set(0);
    latencies = new long[(requests + SAMPLE - 1) / SAMPLE];
    done = new CountDownLatch(concurrency);
    for (int i = 0; i < concurrency; i++) {
      new Flight().next();
    }
    done.await();
  }

  private static void fail(String why) {
    System.err.println("java: " + why);
    Runtime.getRuntime().halt(1);
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private static double peakRssMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Double.parseDouble(line.split("\\s+")[1]) / 1024;
      }
    }
    return 0;
  }

  private double percentileUs(double part) {
    return latencies[(int) ((latencies.length - 1) * part)] / 1000.0;
  }

  private void measure(int concurrency, int warmUp, int requests) throws Exception {
    run(concurrency, warmUp);
    long begun = System.nanoTime(), cpu = cpuNanos();
    run(concurrency, requests);
    double seconds = (System.nanoTime() - begun) * 1e-9;
    cpu = cpuNanos() - cpu;
    Arrays.sort(latencies);
    System.out.printf(
        Locale.ROOT,
        "{\"rate\": %.3f, \"cpu_us\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rss_mb\": %.2f}%n",
        requests / seconds,
        cpu / 1e3 / requests,
        percentileUs(0.50),
        percentileUs(0.99),
        peakRssMb());
  }

  public static void main(String[] arguments) throws Exception {
    InetSocketAddress node = new InetSocketAddress(arguments[0], Integer.parseInt(arguments[1]));
    try (CqlSession session =
        CqlSession.builder().addContactPoint(node).withLocalDatacenter("datacenter1").build()) {
      new Peer(session, arguments[2])
          .measure(
              Integer.parseInt(arguments[3]),
              Integer.parseInt(arguments[4]),
              Integer.parseInt(arguments[5]));
    }
    System.exit(0);
  }
}
