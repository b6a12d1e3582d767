#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/random.h"

namespace martlet::net {
namespace {

// What OpenSSL's callback returns.
constexpr int kError = -1;
constexpr int kUnknown = 0;
constexpr int kGood = 1;
constexpr int kGoodOnce = 2;  // the client gets a new one

TicketKey ticket_key(const Bytes& bytes) {
  const auto half = TicketKey::kHalfBytes;
  return {bytes.substr(0, TicketKey::kNameBytes), bytes.substr(TicketKey::kNameBytes, half),
          bytes.substr(TicketKey::kNameBytes + half, half)};
}

bool set_mac(EVP_MAC_CTX* mac, const TicketKey& key) {
  std::string digest = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<char*>(key.mac.data()),
                                        key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

int seal(const TicketKey& key, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
         EVP_MAC_CTX* mac) {
  std::memcpy(name, key.name.data(), key.name.size());
  const Bytes start = SystemRandom().bytes(EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()));
  std::memcpy(iv, start.data(), start.size());
  const bool sealed =
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, base::as_u8(key.cipher), iv) == 1 &&
      set_mac(mac, key);
  return sealed ? kGood : kError;
}

int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
              EVP_MAC_CTX* mac, int sealing) {
  const auto& keys =
      static_cast<TlsServer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->ticket_keys();
  if (sealing != 0) return seal(keys.front(), name, iv, cipher, mac);
  const BytesView wanted(reinterpret_cast<const char*>(name), TicketKey::kNameBytes);
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const TicketKey& key) { return key.name == wanted; });
  if (found == keys.end()) return kUnknown;
  const bool ready =
      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, base::as_u8(found->cipher), iv) == 1 &&
      set_mac(mac, *found);
  if (!ready) return kError;
  // With TLS 1.3 each ticket is good for one connection, which brings the next.
  const bool stays_good = SSL_version(ssl) < TLS1_3_VERSION && found == keys.begin();
  return stays_good ? kGood : kGoodOnce;
}

}  // namespace

Result<std::vector<TicketKey>> parse_ticket_keys(std::string_view text) {
  std::vector<TicketKey> keys;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto bytes = base::from_base64(line);
    if (!bytes || bytes->size() != TicketKey::kBytes) {
      return fail(ErrorCode::kBadContent,
                  "line " + std::to_string(number) + " is not the base64 of 80 bytes");
    }
    keys.push_back(ticket_key(*bytes));
  }
  if (keys.empty()) return fail(ErrorCode::kBadContent, "there is no key in it");
  if (keys.size() > kMaxTicketKeys) {
    return fail(ErrorCode::kBadContent,
                "there are more than " + std::to_string(kMaxTicketKeys) + " keys in it");
  }
  return keys;
}

TicketKey new_ticket_key() {
  return ticket_key(SystemRandom().bytes(TicketKey::kBytes));
}

void use_ticket_keys(ssl_ctx_st* context, TlsServer& server) {
  SSL_CTX_set_app_data(context, &server);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}

}  // namespace martlet::net
