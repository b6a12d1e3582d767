#pragma once

// The one place that knows which libpqxx this is: 6.4 (Debian 12) or 7.10 (Debian 13). Included by
// connection.cc only.

#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/assert.h"

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

inline constexpr std::size_t kMaxCopyColumns = 16;

class CopyStream {
 public:
  CopyStream(pqxx::transaction_base& tx, std::string_view table, std::string_view columns)
      : stream_(tx, std::string(table), std::vector<std::string>{std::string(columns)}) {}
  void row(const std::vector<std::string>& fields) { write<1>(fields); }
  void complete() { stream_.complete(); }

 private:
  // This stream takes rows as tuples only.
  template <std::size_t kColumns>
  void write(const std::vector<std::string>& fields) {
    if (fields.size() == kColumns) {
      write_tuple(fields, std::make_index_sequence<kColumns>());
    } else if constexpr (kColumns < kMaxCopyColumns) {
      write<kColumns + 1>(fields);
    } else {
      MARTLET_ASSERT(!"too many columns");
    }
  }
  template <std::size_t... kIndex>
  void write_tuple(const std::vector<std::string>& fields, std::index_sequence<kIndex...>) {
    stream_ << std::tie(fields[kIndex]...);
  }

  pqxx::stream_to stream_;
};

#endif

inline pqxx::result exec(pqxx::transaction_base& tx, const std::string& sql) {
  return tx.exec(sql);
}

}  // namespace martlet::pg::compat
