#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "event/turns.h"

struct bio_st;
struct ssl_st;

namespace martlet::net {

// What came of an attempt. kWantRead, kWantWrite: try again when the socket is readable, writable.
enum class TlsOutcome : std::uint8_t { kDone, kWantRead, kWantWrite, kClosed, kFailed };

struct TlsMoved {
  TlsOutcome outcome = TlsOutcome::kDone;
  std::size_t bytes = 0;  // also when the outcome is another than kDone
};

// So much of what is to be written goes into one record.
inline constexpr std::size_t kMaxTlsRecordBytes = 16 * 1024;
// The first message of a client; OpenSSL would set 128 KiB aside for one that says it is so long.
inline constexpr std::size_t kMaxClientHelloBytes = 16 * 1024;

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslDeleter>;

// The TLS side of one connected socket: plain bytes on one side, records on the other. Does not
// block and knows no loop; Connection drives it. One thread. Whoever made it (TlsServer, TlsClient)
// must outlive it.
class TlsStream {
 public:
  // turns: who may go through a step of the handshake; null: nobody has to wait.
  TlsStream(SslPtr ssl, event::Turns* turns, std::string peer_name = {});
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Once, before all else; the socket outlives the use of the stream.
  void attach(int fd) { fd_ = fd; }

  TlsOutcome shake_hands();
  bool is_secured() const { return secured_; }
  // The peer brought a session of an earlier connection.
  bool is_resumed() const;
  bool is_server() const;

  // kDone: all that was asked for is there, and there may be more inside. Takes no more records off
  // the socket than the size calls for.
  TlsMoved read(char* data, std::size_t size);
  // One record at most. After kWantWrite the next call must begin with the same bytes.
  TlsMoved write(BytesView bytes);
  // Tells the peer that nothing more comes.
  TlsOutcome say_goodbye();

  // Why it failed, for people.
  const std::string& why() const { return why_; }
  const std::string& peer_name() const { return peer_name_; }

  // What Connection remembers with it.
  struct Waits {
    bool for_turn = false;  // of the handshake
    bool has_turn = false;
    bool read_for_write = false;  // reading goes on when the socket is writable
    bool write_for_read = false;
    bool holds_input = false;  // reading stopped before all that was inside was taken
    bool continues = false;    // and goes on in the next turn
  };
  Waits waits;
  event::Turns* turns() const { return turns_; }

  // For the BIO.
  long receive(char* data, std::size_t size);
  bool has_ended() const { return ended_; }
  int fd() const { return fd_; }

 private:
  TlsOutcome outcome_of(int returned);
  bool is_acceptable(BytesView first_bytes);
  void fail_because_of_queue();

  SslPtr ssl_;
  event::Turns* turns_;
  int fd_ = -1;
  bool secured_ = false;
  bool ended_ = false;      // of the peer's bytes
  bool refused_ = false;    // what came first can't be a handshake of reasonable size
  std::size_t budget_ = 0;  // what may still be taken off the socket in this call
  std::size_t hello_seen_ = 0;
  std::array<char, 9> hello_{};  // a record's header, and the type and length of its message
  std::string peer_name_;
  std::string why_;
};

}  // namespace martlet::net
