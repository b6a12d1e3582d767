#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "net/connection.h"
#include "wire/commands.h"
#include "wire/frame.h"

namespace martlet::edge {

// A frame for a client from a FlatBuffers body, written in the client's codec. Fails (kInternal)
// only if the body is not what the command says.
Result<Bytes> make_frame(wire::Codec codec, wire::Command command, std::uint32_t request_id,
                         BytesView body);

// An event on its way to any number of sessions: encoded once for each codec, and not before a
// session of that codec wants it. The body must outlive it.
class OutgoingEvent {
 public:
  // links: gets the numbers of those that it is handed to; null: nobody wants to know.
  OutgoingEvent(wire::Command command, BytesView body, std::vector<std::uint64_t>* links = nullptr)
      : command_(command), body_(body), links_(links) {}

  // nullptr: the body can't be written in this codec; a bug that was logged.
  const net::SharedBytes& in(wire::Codec codec);

  void handed_to(std::uint64_t link) {
    if (links_ != nullptr) links_->push_back(link);
  }

 private:
  wire::Command command_;
  BytesView body_;
  std::vector<std::uint64_t>* links_;
  struct Encoded {
    bool tried = false;
    net::SharedBytes bytes;
  };
  std::array<Encoded, 2> encoded_;
};

}  // namespace martlet::edge
