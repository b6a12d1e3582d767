#include "auth/openssl.h"

#include "base/assert.h"

namespace martlet::auth {

bool is_signature(EVP_PKEY* key, const EVP_MD* digest, BytesView message, BytesView signature) {
  const DigestPointer context(EVP_MD_CTX_new());
  MARTLET_ASSERT(EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1);
  return EVP_DigestVerify(context.get(), base::as_u8(signature), signature.size(),
                          base::as_u8(message), message.size()) == 1;
}

}  // namespace martlet::auth
