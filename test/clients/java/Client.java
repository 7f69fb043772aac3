// What an application does with clickhouse-jdbc. Prints one line for each thing tried: name, tab, value or error.
// Arguments: host:port, then properties as name=value.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

public class Client {
  interface Attempt {
    Object run() throws Exception;
  }

  static void attempt(String name, Attempt attempt) {
    String outcome;
    try {
      outcome = "ok\t" + attempt.run();
    } catch (Throwable error) {
      outcome = "error\t" + String.valueOf(error.getMessage()).replace('\n', ' ');
    }
    System.out.println(name + "\t" + outcome);
  }

  static Object one(Connection connection, String query) throws Exception {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getString(1);
    }
  }

  static Object count(Connection connection, String query) throws Exception {
    int count = 0;
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(query)) {
      for (; rows.next(); count++) rows.getString(1);
    }
    return count;
  }

  static Object update(Connection connection, String query) throws Exception {
    try (Statement statement = connection.createStatement()) {
      return statement.executeUpdate(query);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Properties properties = new Properties();
    for (int i = 1; i < arguments.length; i++) {
      String[] pair = arguments[i].split("=", 2);
      properties.setProperty(pair[0], pair[1]);
    }
    try (Connection c = DriverManager.getConnection("jdbc:clickhouse:http://" + arguments[0] + "/hunt", properties)) {
      attempt("valid", () -> c.isValid(10));
      attempt("version", () -> c.getMetaData().getDatabaseProductVersion());
      attempt("tables", () -> {
        try (ResultSet tables = c.getMetaData().getTables(null, "hunt", "events", null)) {
          return tables.next();
        }
      });
      attempt("columns", () -> {
        try (ResultSet columns = c.getMetaData().getColumns(null, "hunt", "events", "player_id")) {
          return columns.next();
        }
      });
      attempt("events", () -> one(c, "SELECT count() FROM events"));
      attempt("every column", () -> count(c, "SELECT * FROM events"));
      attempt("types", () -> count(c, "SELECT number, toString(number) s, [number, 1] a, map('a', number) m,"
          + " toLowCardinality('x') l, if(number % 2 = 0, NULL, number) n, toDateTime64(number, 3) d FROM numbers(50000)"));
      attempt("prepared", () -> {
        try (PreparedStatement statement = c.prepareStatement("SELECT ? + 1, ?")) {
          statement.setInt(1, 4);
          statement.setString(2, "it's");
          try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            return rows.getInt(1) + " " + rows.getString(2);
          }
        }
      });
      attempt("create database", () -> update(c, "CREATE DATABASE IF NOT EXISTS jdbc_client"));
      attempt("create", () -> update(c, "CREATE TABLE jdbc_client.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a"));
      attempt("insert", () -> {
        try (PreparedStatement statement = c.prepareStatement("INSERT INTO jdbc_client.t (a, b) VALUES (?, ?)")) {
          for (int i = 0; i < 100; i++) {
            statement.setInt(1, i);
            statement.setString(2, "it's " + i);
            statement.addBatch();
          }
          return statement.executeBatch().length;
        }
      });
      attempt("read back", () -> one(c, "SELECT concat(toString(count()), ' ', max(b)) FROM jdbc_client.t"));
      attempt("drop", () -> update(c, "DROP DATABASE jdbc_client"));
      attempt("refused", () -> one(c, "SELECT nope FROM events"));
    }
  }
}
