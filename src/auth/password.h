#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace martlet::auth {

// What one hash costs (argon2id). The defaults are libsodium's for interactive use: some 50 ms and
// 64 MiB each, so the number of threads bounds the memory.
struct PasswordCost {
  std::uint64_t operations = 2;
  std::size_t memory_bytes = 64 * 1024 * 1024;
};
inline constexpr std::uint64_t kMinPasswordOperations = 1;
inline constexpr std::size_t kMinPasswordMemoryBytes = 8 * 1024;

// Both block for as long as the hash takes: on worker threads only, any number at once.

// A text to store, with salt and cost in it. kBadPassword: shorter than kMinPasswordBytes or longer
// than kMaxPasswordBytes; kBusy: no memory.
Result<std::string> hash_password(std::string_view password, const PasswordCost& cost = {});

// False also for a hash that is none.
bool is_password(std::string_view stored_hash, std::string_view password);

// Takes as long as is_password with a hash of that cost and is always false: so that an unknown
// user can't be told from a wrong password by time.
bool is_nobodys_password(std::string_view password, const PasswordCost& cost = {});

}  // namespace martlet::auth
