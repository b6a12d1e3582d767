#pragma once

#include <nats/nats.h>

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace martlet::nats {

// Message::status() of the answer to a question that nobody listens to.
inline constexpr int kNoResponders = 503;

// A received message. One thread at a time.
class Message {
 public:
  struct Parts {
    std::string_view subject;
    std::string_view reply;
    std::string_view headers;  // as on the wire, "NATS/1.0…" first; empty: none
    BytesView payload;
  };

  Message() = default;
  // As long as the bytes live.
  explicit Message(const Parts& parts) : parts_(parts) {}
  // The library's, owned.
  explicit Message(natsMsg* raw);
  // With a copy of the bytes.
  static Message copy_of(const Parts& parts);

  // Views as long as the message lives.
  std::string_view subject() const { return parts_.subject; }
  std::string_view reply() const { return parts_.reply; }
  BytesView payload() const { return parts_.payload; }
  // The broker's status (503: no responders, 404, 408, 409: end of a fetch); 0: an ordinary
  // message.
  int status() const;
  std::string_view status_text() const;

 private:
  struct Deleter {
    void operator()(natsMsg* raw) const { natsMsg_Destroy(raw); }
  };
  std::string_view library_header(const char* key) const;

  Parts parts_;
  std::unique_ptr<natsMsg, Deleter> raw_;
  std::unique_ptr<char[]> own_;
};

}  // namespace martlet::nats
