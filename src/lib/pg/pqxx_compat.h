#pragma once

// The one place that knows which libpqxx this is: 6.4 (Debian 12) or 7.10 (Debian 13). Included by
// connection.cc only.

#include <pqxx/pqxx>
#if PQXX_VERSION_MAJOR < 7
#include <pqxx/tablewriter>
#endif
#include <string>
#include <string_view>
#include <vector>

#include "lib/pg/params.h"

namespace martlet::pg::compat {

#if PQXX_VERSION_MAJOR >= 7

inline pqxx::params params_of(const std::vector<std::string>& values) {
  pqxx::params params;
  params.reserve(values.size());
  for (const std::string& value : values) params.append(std::string_view(value));
  return params;
}

inline pqxx::result exec(pqxx::transaction_base& tx, std::string_view sql,
                         const std::vector<std::string>& values) {
  const pqxx::params params = params_of(values);
  const std::string statement(sql);
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return tx.exec(statement, params);
#else
  return tx.exec_params(statement, params);
#endif
}

inline pqxx::result exec_prepared(pqxx::transaction_base& tx, const std::string& name,
                                  const std::vector<std::string>& values) {
  const pqxx::params params = params_of(values);
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
  return tx.exec(pqxx::prepped{name}, params);
#else
  return tx.exec_prepared(name, params);
#endif
}

class CopyStream {
 public:
  CopyStream(pqxx::transaction_base& tx, std::string_view table, std::string_view columns)
      : stream_(pqxx::stream_to::raw_table(tx, table, columns)) {}
  void row(const std::vector<std::string>& fields) { stream_.write_row(fields); }
  void complete() { stream_.complete(); }

 private:
  pqxx::stream_to stream_;
};

#else

inline pqxx::result exec(pqxx::transaction_base& tx, std::string_view sql,
                         const std::vector<std::string>& values) {
  return tx.exec_params(std::string(sql), pqxx::prepare::make_dynamic_params(values));
}

inline pqxx::result exec_prepared(pqxx::transaction_base& tx, const std::string& name,
                                  const std::vector<std::string>& values) {
  return tx.exec_prepared(name, pqxx::prepare::make_dynamic_params(values));
}

// What replaces pqxx::tablewriter takes tuples only and escapes each character of theirs through a
// stream. This one takes lines, also several at once.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
class CopyStream {
 public:
  CopyStream(pqxx::transaction_base& tx, std::string_view table, std::string_view columns)
      : CopyStream(tx, std::string(table), std::vector<std::string>{std::string(columns)}) {}
  void row(const std::vector<std::string>& fields) {
    append_copy_line(lines_, fields);
    if (lines_.size() >= kSent) send();
  }
  void complete() {
    if (!lines_.empty()) send();
    writer_.complete();
  }

 private:
  static constexpr std::size_t kSent = 32 * 1024;  // so many bytes at once

  CopyStream(pqxx::transaction_base& tx, const std::string& table,
             const std::vector<std::string>& columns)
      : writer_(tx, table, columns.begin(), columns.end()) {}
  void send() {
    writer_.write_raw_line(lines_);
    lines_.clear();
  }

  pqxx::tablewriter writer_;
  std::string lines_;
};
#pragma GCC diagnostic pop

#endif

inline pqxx::result exec(pqxx::transaction_base& tx, const std::string& sql) {
  return tx.exec(sql);
}

}  // namespace martlet::pg::compat
