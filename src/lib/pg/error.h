#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace martlet::pg {

// What can be done about a failure.
enum class Failure {
  kLost,     // no connection, or it broke: nothing was committed, try again on a new one
  kUnknown,  // it broke during COMMIT: committed or not, look before trying again
  kContent,  // PostgreSQL refuses the values themselves (SQLSTATE classes 22, 23, 54)
  kRetry,    // rolled back for reasons of the moment: deadlock, lock or statement time-out
  kBroken,   // no rights, or the server can't read or write its own files: for people to mend
  kOther,    // a bug of ours, a missing table
};

// Every failure of PostgreSQL that leaves lib/pg; exceptions end there.
struct Error {
  Failure failure = Failure::kOther;
  std::string sqlstate;  // five characters; empty if the server did not say
  std::string message;   // one line

  bool is_unique_violation() const { return sqlstate == "23505"; }
  // Of that unique index or key.
  bool violates(std::string_view index) const {
    return is_unique_violation() && message.find("\"" + std::string(index) + "\"") != message.npos;
  }
};

template <class T>
using Result = tl::expected<T, Error>;

}  // namespace martlet::pg
