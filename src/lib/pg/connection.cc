#include "lib/pg/connection.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "base/assert.h"
#include "lib/pg/pqxx_compat.h"

namespace martlet::pg {
namespace {

// Of a connection; the texts that are put together are few.
constexpr std::size_t kMaxStatements = 200;

const pqxx::result& as_result(const std::shared_ptr<const void>& result) {
  return *static_cast<const pqxx::result*>(result.get());
}

std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::erase(text, '\t');
  return text;
}

Failure failure_of(std::string_view sqlstate) {
  const std::string_view cls = sqlstate.substr(0, 2);
  if (cls == "22" || cls == "23" || cls == "54") return Failure::kContent;
  if (cls == "40" || sqlstate == "55P03" || sqlstate == "57014") return Failure::kRetry;
  // 25P03: ended by idle_in_transaction_session_timeout. 57P0x: the server goes down or comes up.
  if (cls == "08" || cls == "53" || sqlstate == "25P03" || sqlstate.starts_with("57P"))
    return Failure::kLost;
  // 42501 is also what a file says that PostgreSQL may not open, 58 what a disk says.
  if (cls == "58" || sqlstate == "42501") return Failure::kBroken;
  return Failure::kOther;
}

Error make_error(const std::string& sqlstate, const std::string& message) {
  return Error{failure_of(sqlstate), sqlstate, one_line(message)};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += base::to_hex(std::string_view(&c, 1));
    }
  }
  return out;
}

// Session settings travel with the connection string, so that they hold from the first statement.
std::string conninfo(const ConnectOptions& options) {
  const std::string settings =
      "-c statement_timeout=" + std::to_string(options.statement_timeout_ms) +
      " -c lock_timeout=" + std::to_string(options.lock_timeout_ms) +
      " -c idle_in_transaction_session_timeout=" +
      std::to_string(options.idle_in_transaction_timeout_ms) + " -c bytea_output=hex";
  const std::vector<std::pair<std::string, std::string>> extra = {
      {"application_name", options.application_name},
      {"connect_timeout", std::to_string(options.connect_timeout_s)},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "15000"},
      {"client_encoding", "UTF8"},
      {"options", settings},
  };
  std::string out = options.url;
  const bool is_uri = out.find("://") != std::string::npos;
  bool has_query = out.find('?') != std::string::npos;
  for (const auto& [key, value] : extra) {
    if (is_uri) {
      out += (has_query ? '&' : '?') + key + '=' + percent_encoded(value);
      has_query = true;
    } else {
      out += ' ' + key + "='" + value + '\'';
    }
  }
  return out;
}

}  // namespace

// ---- Rows

std::size_t Rows::size() const {
  return result_ == nullptr ? 0 : static_cast<std::size_t>(as_result(result_).size());
}

bool Rows::is_null(std::size_t row, int column) const {
  return as_result(result_)[static_cast<int>(row)][column].is_null();
}

std::string_view Rows::text(std::size_t row, int column) const {
  const auto field = as_result(result_)[static_cast<int>(row)][column];
  if (field.is_null()) return {};
  return {field.c_str(), static_cast<std::size_t>(field.size())};
}

std::int64_t Rows::number(std::size_t row, int column) const {
  const std::string_view digits = text(row, column);
  std::int64_t value = 0;
  if (digits.empty()) return 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  MARTLET_ASSERT(parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size());
  return value;
}

bool Rows::truth(std::size_t row, int column) const {
  return text(row, column) == "t";
}

Bytes Rows::bytes(std::size_t row, int column) const {
  const std::string_view hex = text(row, column);
  if (hex.empty()) return {};
  MARTLET_ASSERT(hex.starts_with("\\x"));
  auto decoded = base::from_hex(hex.substr(2));
  MARTLET_ASSERT(decoded.has_value());
  return std::move(*decoded);
}

// ---- Connection

struct Connection::Impl {
  explicit Impl(const std::string& info) : connection(info) {}

  // Prepared at its first use: parsed once, and planned anew only while that pays. None: there are
  // too many already.
  const std::string* name_of(std::string_view sql) {
    const auto found = statements.find(std::string(sql));
    if (found != statements.end()) return &found->second;
    if (statements.size() == kMaxStatements) return nullptr;
    const std::string name = "s" + std::to_string(statements.size());
    connection.prepare(name, std::string(sql));
    return &statements.emplace(sql, name).first->second;
  }

  pqxx::connection connection;
  std::unordered_map<std::string, std::string> statements;  // names by text
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const ConnectOptions& options) {
  try {
    return std::unique_ptr<Connection>(new Connection(std::make_unique<Impl>(conninfo(options))));
  } catch (const std::exception& e) {
    return tl::unexpected(Error{Failure::kLost, {}, one_line(e.what())});
  }
}

int Connection::backend_pid() const {
  return impl_->connection.backendpid();
}

// ---- Transaction

struct Transaction::Impl {
  Impl(pqxx::connection& connection, Mode mode) {
    if (mode == Mode::kStatement) {
      work = std::make_unique<pqxx::nontransaction>(connection);
    } else {
      work = std::make_unique<pqxx::work>(connection);
    }
  }
  std::unique_ptr<pqxx::transaction_base> work;
  pqxx::result run(Connection::Impl& session, std::string_view sql,
                   const std::vector<std::string>& values);
};

// Runs the body; whatever it throws becomes this transaction's failure.
template <class Body>
void Transaction::guarded(Body body, bool committing) {
  if (failed_) return;
  try {
    body();
    return;
  } catch (const pqxx::transaction_rollback& e) {  // an sql_error only in newer versions
    fail(Error{Failure::kRetry, "40000", one_line(e.what())});
  } catch (const pqxx::insufficient_privilege& e) {  // without its code in libpqxx 6
    fail(Error{Failure::kBroken, "42501", one_line(e.what())});
  } catch (const pqxx::sql_error& e) {
    fail(make_error(e.sqlstate(), e.what()));
  } catch (const pqxx::in_doubt_error& e) {
    fail(Error{Failure::kUnknown, {}, one_line(e.what())});
  } catch (const pqxx::broken_connection& e) {
    fail(Error{Failure::kLost, {}, one_line(e.what())});
  } catch (const std::exception& e) {
    fail(Error{Failure::kLost, {}, one_line(e.what())});
  }
  // Without a verdict of the server nobody knows what became of a COMMIT.
  if (committing && error_.failure == Failure::kLost) error_.failure = Failure::kUnknown;
  if (error_.failure == Failure::kLost || error_.failure == Failure::kUnknown ||
      error_.sqlstate.empty()) {
    connection_.usable_ = false;
  }
}

Transaction::Transaction(Connection& connection, Mode mode) : connection_(connection) {
  guarded(
      [&] {
        impl_ = std::make_unique<Impl>(connection_.impl_->connection, mode);
        if (mode == Mode::kSnapshot)
          compat::exec(*impl_->work, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      },
      false);
}

Transaction::~Transaction() {
  try {
    impl_.reset();
  } catch (const std::exception&) {
    connection_.usable_ = false;
  }
}

pqxx::result Transaction::Impl::run(Connection::Impl& session, std::string_view sql,
                                    const std::vector<std::string>& values) {
  if (values.empty()) return compat::exec(*work, std::string(sql));
  const std::string* name = session.name_of(sql);
  return name == nullptr ? compat::exec(*work, sql, values)
                         : compat::exec_prepared(*work, *name, values);
}

Rows Transaction::query(std::string_view sql, const Params& params) {
  Rows rows;
  guarded(
      [&] {
        rows.result_ =
            std::make_shared<pqxx::result>(impl_->run(*connection_.impl_, sql, params.values()));
      },
      false);
  return rows;
}

void Transaction::copy_in(std::string_view table, std::string_view columns,
                          const std::function<bool(std::vector<std::string>& fields)>& next) {
  guarded(
      [&] {
        compat::CopyStream stream(*impl_->work, table, columns);
        std::vector<std::string> fields;
        while (next(fields)) stream.row(fields);
        stream.complete();
      },
      false);
}

Result<void> Transaction::attempt(const std::function<void()>& body) {
  query("SAVEPOINT attempt");
  if (failed_) return tl::unexpected(error_);
  body();
  if (!failed_) {
    query("RELEASE SAVEPOINT attempt");
    return failed_ ? Result<void>(tl::unexpected(error_)) : Result<void>();
  }
  const Error failure = error_;
  if (failure.failure != Failure::kContent) return tl::unexpected(failure);
  failed_ = false;
  error_ = {};
  query("ROLLBACK TO SAVEPOINT attempt");
  query("RELEASE SAVEPOINT attempt");
  return tl::unexpected(failure);
}

Result<void> Transaction::commit() {
  guarded([&] { impl_->work->commit(); }, true);
  if (failed_) return tl::unexpected(error_);
  return {};
}

void Transaction::fail(Error error) {
  if (failed_) return;
  failed_ = true;
  error_ = std::move(error);
}

}  // namespace martlet::pg
