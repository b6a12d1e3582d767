#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "event/loop.h"
#include "event/turns.h"
#include "net/tls_stream.h"

struct ssl_ctx_st;
struct ssl_session_st;

namespace martlet::net {

// TLS 1.2 and 1.3, without compression, renegotiation, early data and client certificates
// (docs/adr/0048-tls-on-the-edge.md).

struct SslContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using SslContextPtr = std::unique_ptr<ssl_ctx_st, SslContextDeleter>;

// Steps of handshakes in a turn of the loop; others wait. One with a 2048-bit RSA key takes a
// millisecond.
inline constexpr std::size_t kMaxHandshakesPerTurn = 8;

// ---- tickets

// What seals the tickets by which clients resume their sessions.
struct TicketKey {
  static constexpr std::size_t kNameBytes = 16;
  static constexpr std::size_t kHalfBytes = 32;
  static constexpr std::size_t kBytes = kNameBytes + 2 * kHalfBytes;
  Bytes name;
  Bytes mac;
  Bytes cipher;
};
inline constexpr std::size_t kMaxTicketKeys = 8;
// How long a ticket is good, if its key is.
inline constexpr Duration kTicketLife = std::chrono::hours(2);

// A key a line, each the base64 of 80 bytes; empty lines and those that begin with # are left out.
// The first one seals, all of them open.
Result<std::vector<TicketKey>> parse_ticket_keys(std::string_view text);

// ---- the server's side

struct TlsFiles {
  std::string certificate;  // PEM: its own first, then those that lead to a root
  std::string key;          // PEM, without a passphrase
  std::string ticket_keys;  // empty: a key of this process's own
};

// What a server needs to speak TLS: its certificate and the keys of its tickets. Loop thread;
// outlives its streams.
class TlsServer {
 public:
  // An error begins with what is wrong, as the keys of the configuration are called behind the dot:
  // "tls_cert '/etc/…': no start line".
  static Result<std::unique_ptr<TlsServer>> open(event::Loop& loop, TlsFiles files);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // Reads the files anew, for the connections to come; after an error all is as it was.
  Result<void> reload();
  std::unique_ptr<TlsStream> accept();
  // When the certificate ends, in seconds of Unix time.
  std::int64_t expires_s() const { return expires_s_; }

  // For OpenSSL's callback.
  const std::vector<TicketKey>& ticket_keys() const { return ticket_keys_; }

 private:
  TlsServer(event::Loop& loop, TlsFiles files);
  Result<std::vector<TicketKey>> read_ticket_keys() const;

  TlsFiles files_;
  event::Turns turns_;
  SslContextPtr context_;
  std::vector<TicketKey> ticket_keys_;
  std::int64_t expires_s_ = 0;
};

// ---- the client's side

struct TlsClientOptions {
  std::string ca_file;      // PEM; empty: what the system trusts
  std::string server_name;  // that the certificate must have; empty: the host connected to
  bool resumes = true;
};

inline constexpr std::size_t kMaxKeptSessions = 64;

// What clients need to speak TLS. Servers are checked: the chain of their certificate and its name.
// Keeps the last session of each name and resumes it, if it may. One thread, or, if it keeps
// nothing, any; outlives its streams.
class TlsClient {
 public:
  static Result<std::unique_ptr<TlsClient>> open(TlsClientOptions options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // host: a name or a numeric address.
  std::unique_ptr<TlsStream> connect(const std::string& host);

  // For OpenSSL's callback.
  void keep(const std::string& name, ssl_session_st* session);

 private:
  struct SessionDeleter {
    void operator()(ssl_session_st* session) const;
  };
  explicit TlsClient(TlsClientOptions options);

  TlsClientOptions options_;
  SslContextPtr context_;
  std::map<std::string, std::unique_ptr<ssl_session_st, SessionDeleter>> sessions_;
};

}  // namespace martlet::net
