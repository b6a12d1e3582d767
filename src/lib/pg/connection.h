#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "lib/pg/error.h"
#include "lib/pg/params.h"

namespace martlet::pg {

// How sessions are opened. Time limits protect the server's locks from us and us from a server
// that hangs.
struct ConnectOptions {
  std::string url;               // libpq URI, may carry a password
  std::string application_name;  // shown in pg_stat_activity
  int connect_timeout_s = 5;
  int statement_timeout_ms = 30'000;
  int lock_timeout_ms = 5'000;
  int idle_in_transaction_timeout_ms = 10'000;
};

// The rows of an answer; keeps it alive. Columns are numbered from 0.
class Rows {
 public:
  Rows() = default;
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  bool is_null(std::size_t row, int column) const;
  std::string_view text(std::size_t row, int column) const;  // "" for null
  std::int64_t number(std::size_t row, int column) const;    // 0 for null
  bool truth(std::size_t row, int column) const;             // boolean columns
  Bytes bytes(std::size_t row, int column) const;            // bytea columns; empty for null

 private:
  friend class Transaction;
  std::shared_ptr<const void> result_;
};

// One session with PostgreSQL, used by one thread at a time. All calls block.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const ConnectOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False after a failure that broke the session: throw it away.
  bool is_usable() const { return usable_; }
  // The server's process: tests end it to lose a connection.
  int backend_pid() const;

 private:
  friend class Transaction;
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  bool usable_ = true;
};

enum class Mode {
  kReadWrite,  // READ COMMITTED
  kSnapshot,   // REPEATABLE READ, READ ONLY: all statements see one moment
  kStatement,  // each statement by itself, without BEGIN and COMMIT: for one that only reads
};

// One transaction. It remembers its first failure: later calls do nothing and give no rows, and
// commit() returns it. Who decides something by the absence of rows looks at ok() first.
// Destroyed without commit(), it is rolled back. Must not outlive its connection.
class Transaction {
 public:
  Transaction(Connection& connection, Mode mode);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  Rows query(std::string_view sql, const Params& params = {});

  // COPY table (columns) FROM STDIN. next() fills the fields of a row, in PostgreSQL's text form,
  // and returns false after the last one.
  void copy_in(std::string_view table, std::string_view columns,
               const std::function<bool(std::vector<std::string>& fields)>& next);

  // Runs the body in a savepoint. If a statement of it fails on its content, the savepoint is
  // rolled back, the transaction lives on, and the failure is returned.
  Result<void> attempt(const std::function<void()>& body);

  Result<void> commit();

  bool ok() const { return !failed_; }
  const Error& error() const { return error_; }
  // For failures that the caller finds itself.
  void fail(Error error);

 private:
  struct Impl;
  template <class Body>
  void guarded(Body body, bool committing);

  Connection& connection_;
  std::unique_ptr<Impl> impl_;
  bool failed_ = false;
  Error error_;
};

}  // namespace martlet::pg
