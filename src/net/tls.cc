#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/assert.h"
#include "net/tls_tickets.h"

namespace martlet::net {
namespace {

// For TLS 1.2; those of 1.3 are all good. Forward secrecy, and no CBC.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kSessionContext = "martlet";

std::string last_reason() {
  const unsigned long error = ERR_peek_error();
  const char* reason = ERR_reason_error_string(error);
  std::string text = reason != nullptr ? reason : "can't be read";
  // Of the system, where OpenSSL has no words of its own.
  if (ERR_SYSTEM_ERROR(error)) text = std::strerror(ERR_GET_REASON(error));  // NOLINT: one thread
  ERR_clear_error();
  return text;
}

tl::unexpected<Error> bad_file(const char* what, const std::string& path, const std::string& why) {
  return fail(ErrorCode::kUnavailable, std::string(what) + " '" + path + "': " + why);
}

SslContextPtr new_context(const SSL_METHOD* method) {
  SslContextPtr context(SSL_CTX_new(method));
  MARTLET_ASSERT(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), kCiphers);
  // Frames have lengths: what is cut off is noticed by who reads them.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // As much as fits at once, rather than a header and then its record.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

// Nobody is there to type one in.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

SslContextPtr server_context(TlsServer& server) {
  SslContextPtr context = new_context(TLS_server_method());
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context.get(),
                                 reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 unsigned(kSessionContext.size()));
  SSL_CTX_set_timeout(context.get(),
                      std::chrono::duration_cast<std::chrono::seconds>(kTicketLife).count());
  SSL_CTX_set_num_tickets(context.get(), 1);
  use_ticket_keys(context.get(), server);
  return context;
}

// The end of the first certificate.
std::int64_t end_of(SSL_CTX* context) {
  std::tm time{};
  const X509* certificate = SSL_CTX_get0_certificate(context);
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) != 1) return 0;
  return ::timegm(&time);
}

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto* stream = static_cast<const TlsStream*>(SSL_get_app_data(ssl));
  client->keep(stream->peer_name(), session);
  return 1;  // it is ours now
}

}  // namespace

void SslContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

// ---- server ----------------------------------------------------------------------------------

TlsServer::TlsServer(event::Loop& loop, TlsFiles files)
    : files_(std::move(files)), turns_(loop, kMaxHandshakesPerTurn) {}

TlsServer::~TlsServer() = default;

Result<std::unique_ptr<TlsServer>> TlsServer::open(event::Loop& loop, TlsFiles files) {
  std::unique_ptr<TlsServer> server(new TlsServer(loop, std::move(files)));
  if (auto loaded = server->reload(); !loaded) return tl::unexpected(loaded.error());
  return server;
}

Result<void> TlsServer::reload() {
  ERR_clear_error();
  SslContextPtr context = server_context(*this);
  if (SSL_CTX_use_certificate_chain_file(context.get(), files_.certificate.c_str()) != 1) {
    return bad_file("tls_cert", files_.certificate, last_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), files_.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return bad_file("tls_key", files_.key, last_reason());
  }
  auto keys = read_ticket_keys();
  if (!keys) return tl::unexpected(keys.error());
  ticket_keys_ = std::move(*keys);
  expires_s_ = end_of(context.get());
  context_ = std::move(context);
  return {};
}

// Without a file: a new key each time, and the one before still opens.
Result<std::vector<TicketKey>> TlsServer::read_ticket_keys() const {
  if (files_.ticket_keys.empty()) {
    std::vector<TicketKey> keys{new_ticket_key()};
    if (!ticket_keys_.empty()) keys.push_back(ticket_keys_.front());
    return keys;
  }
  std::ifstream file(files_.ticket_keys);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return bad_file("tls_ticket_keys", files_.ticket_keys, "can't be read");
  }
  auto keys = parse_ticket_keys(text.str());
  if (!keys) return bad_file("tls_ticket_keys", files_.ticket_keys, keys.error().detail);
  return keys;
}

std::unique_ptr<TlsStream> TlsServer::accept() {
  SslPtr ssl(SSL_new(context_.get()));
  MARTLET_ASSERT(ssl != nullptr);
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl), &turns_);
}

// ---- client ----------------------------------------------------------------------------------

TlsClient::TlsClient(TlsClientOptions options) : options_(std::move(options)) {}

TlsClient::~TlsClient() = default;

void TlsClient::SessionDeleter::operator()(ssl_session_st* session) const {
  SSL_SESSION_free(session);
}

Result<std::unique_ptr<TlsClient>> TlsClient::open(TlsClientOptions options) {
  std::unique_ptr<TlsClient> client(new TlsClient(std::move(options)));
  ERR_clear_error();
  SslContextPtr context = new_context(TLS_client_method());
  const std::string& ca = client->options_.ca_file;
  if (ca.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_file(context.get(), ca.c_str()) != 1) {
    return fail(ErrorCode::kBadContent, "'" + ca + "': " + last_reason());
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (client->options_.resumes) {
    SSL_CTX_set_session_cache_mode(context.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context.get(), on_new_session);
  }
  SSL_CTX_set_app_data(context.get(), client.get());
  client->context_ = std::move(context);
  return client;
}

std::unique_ptr<TlsStream> TlsClient::connect(const std::string& host) {
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  SslPtr ssl(SSL_new(context_.get()));
  MARTLET_ASSERT(ssl != nullptr);
  if (is_numeric(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
  } else {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl.get(), name.c_str());
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  }
  const auto known = sessions_.find(name);
  if (known != sessions_.end() && options_.resumes) SSL_set_session(ssl.get(), known->second.get());
  SSL_set_connect_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(ssl), nullptr, name);
}

void TlsClient::keep(const std::string& name, ssl_session_st* session) {
  if (sessions_.size() >= kMaxKeptSessions && !sessions_.contains(name)) sessions_.clear();
  sessions_[name].reset(session);
}

}  // namespace martlet::net
