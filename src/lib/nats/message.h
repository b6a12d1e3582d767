#pragma once

#include <nats/nats.h>

#include <memory>
#include <string_view>

#include "base/bytes.h"

namespace martlet::nats {

// Message::status() of the answer to a question that nobody listens to.
inline constexpr int kNoResponders = 503;

// A received message, owned. The views live as long as the message. One thread at a time.
class Message {
 public:
  Message() = default;
  explicit Message(natsMsg* raw) : raw_(raw) {}

  std::string_view subject() const { return view(natsMsg_GetSubject(raw_.get())); }
  std::string_view reply() const { return view(natsMsg_GetReply(raw_.get())); }
  BytesView payload() const {
    return {natsMsg_GetData(raw_.get()),
            static_cast<std::size_t>(natsMsg_GetDataLength(raw_.get()))};
  }
  // Empty if there is none.
  std::string_view header(const char* key) const {
    const char* value = nullptr;
    return natsMsgHeader_Get(raw_.get(), key, &value) == NATS_OK ? view(value) : std::string_view();
  }
  // The broker's status (503: no responders, 404, 408, 409: end of a fetch); 0: an ordinary
  // message.
  int status() const;
  std::string_view status_text() const { return header("Description"); }

 private:
  struct Deleter {
    void operator()(natsMsg* raw) const { natsMsg_Destroy(raw); }
  };
  static std::string_view view(const char* text) {
    return text == nullptr ? std::string_view() : std::string_view(text);
  }
  std::unique_ptr<natsMsg, Deleter> raw_;
};

}  // namespace martlet::nats
