#pragma once

#include <openssl/evp.h>

#include <memory>

#include "base/bytes.h"

// For the .cc files of auth/ only.
namespace martlet::auth {

// For what OpenSSL frees by a function of its own.
template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using DigestPointer = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

// digest: null for keys that have their own.
bool is_signature(EVP_PKEY* key, const EVP_MD* digest, BytesView message, BytesView signature);

}  // namespace martlet::auth
